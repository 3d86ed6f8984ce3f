/**
 * Steps of a job that a later attempt need not repeat: which of them to skip, where to resume one, and what to remember
 * when the attempt ends. In River's keys and by River's rules, so that Go goes on where we stopped and the other way
 * around. It writes nothing itself. Steps run one after another, each name once, and none after one that failed.
 */
import { jsonbText } from '../jsonb-text.ts';

/** The name of the last step that was completed. */
export const resumableStepKey = 'river:resumable_step';
/** By step, how far one came that was not. */
export const resumableCursorKey = 'river:resumable_cursor';

/** A step that is to be run. */
export interface StepRun {
  readonly name: string;
  /** What an earlier attempt set last for this step; undefined where none did. */
  readonly cursor: unknown;
}

/** The steps of one attempt. */
export class ResumableSteps {
  readonly #resumeStep: string;
  readonly #cursors: Map<string, unknown>;
  /** Cursors of steps that must be reached again, where no step was completed before them. */
  readonly #unreached: Set<string>;
  readonly #names = new Set<string>();
  /** Whether the row says anything that has to be taken back when all is done. */
  #isStored: boolean;
  #isResumed: boolean;
  #isCursorChanged = false;
  #completed: string | undefined;
  #active: string | undefined;
  #failure: { readonly thrown: unknown } | undefined;

  constructor(metadata: Readonly<Record<string, unknown>>) {
    const step = metadata[resumableStepKey];
    const cursors = metadata[resumableCursorKey];
    this.#resumeStep = typeof step === 'string' ? step : '';
    this.#cursors = new Map(isObject(cursors) ? Object.entries(cursors) : []);
    this.#isResumed = this.#resumeStep === '';
    this.#unreached = new Set(this.#isResumed ? this.#cursors.keys() : []);
    this.#isStored = this.#resumeStep !== '' || this.#cursors.size > 0;
  }

  /**
   * Begins a step; undefined means that it was completed before and is to be skipped.
   *
   * Throws where steps overlap or share a name, and again what an earlier step threw.
   */
  begin(name: string): StepRun | undefined {
    if (this.#failure !== undefined) throw this.#failure.thrown;
    if (name === '') this.#refuse('A step needs a name');
    if (this.#active !== undefined) this.#refuse(`The step ${name} begins before ${this.#active} has ended`);
    if (this.#names.has(name)) this.#refuse(`There are two steps called ${name}`);
    this.#names.add(name);
    if (!this.#isResumed) {
      this.#isResumed = name === this.#resumeStep;
      if (this.#isResumed) this.#completed = name;
      if (!this.#isResumed || !this.#cursors.has(name)) return undefined;
    }
    this.#active = name;
    this.#unreached.delete(name);
    return { name, cursor: this.#cursors.get(name) };
  }

  /** Remembers how far the step has come. Anything that JSON can say. */
  setCursor(name: string, cursor: unknown): void {
    if (this.#active !== name) throw new Error(`The step ${name} is not under way`);
    this.#cursors.set(name, JSON.parse(jsonbText(cursor)));
    this.#isCursorChanged = true;
  }

  /** The step has ended. */
  end(name: string): void {
    this.#active = undefined;
    this.#completed = name;
    if (this.#cursors.delete(name)) this.#isCursorChanged = true;
  }

  /** The step has failed: no further one is run, and the attempt fails even if the handler goes on. */
  fail(thrown: unknown): void {
    this.#active = undefined;
    this.#failure ??= { thrown };
  }

  /** Throws what stands against calling the attempt a success, though the handler returned. */
  assertDone(): void {
    if (this.#failure !== undefined) throw this.#failure.thrown;
    if (!this.#isResumed) throw new Error(`The step ${this.#resumeStep}, at which to resume, does not exist any more`);
    const [unreached] = this.#unreached;
    if (unreached !== undefined) throw new Error(`The step ${unreached}, at which to resume, does not exist any more`);
  }

  /**
   * What to write in a caller's transaction while a step is under way: that it is done, or, with a cursor, how far it
   * has come. Call `checkpointed` once it was written.
   */
  checkpoint(name: string, cursor?: { readonly value: unknown }): string {
    if (this.#active !== name) throw new Error(`The step ${name} is not under way`);
    const [unreached] = this.#unreached;
    if (unreached !== undefined) throw new Error(`The step ${unreached}, at which to resume, comes first`);
    const cursors = new Map(this.#cursors);
    if (cursor === undefined) cursors.delete(name);
    else cursors.set(name, cursor.value);
    return jsonbText({ [resumableStepKey]: name, [resumableCursorKey]: objectOf(cursors) });
  }

  /** The database holds the checkpoint, or will not if the transaction is rolled back: nothing else may write it. */
  checkpointed(name: string, cursor?: { readonly value: unknown }): void {
    if (cursor === undefined) this.#cursors.delete(name);
    else this.#cursors.set(name, cursor.value);
    this.#completed = undefined;
    this.#isCursorChanged = false;
    this.#isStored = true;
  }

  /** What to merge into the metadata, as JSON by key, when the attempt ends. */
  updates(isCompleted: boolean): ReadonlyMap<string, string> {
    const updates = new Map<string, string>();
    if (isCompleted && this.#isStored) {
      // A job that is run once more later must not skip everything.
      updates.set(resumableStepKey, 'null').set(resumableCursorKey, 'null');
    }
    if (isCompleted || this.#unreached.size > 0) return updates;
    if (this.#isCursorChanged) updates.set(resumableCursorKey, jsonbText(objectOf(this.#cursors)));
    if (this.#completed !== undefined) updates.set(resumableStepKey, jsonbText(this.#completed));
    return updates;
  }

  #refuse(message: string): never {
    const thrown = new Error(message);
    this.#failure = { thrown };
    throw thrown;
  }
}

/** Null where there is nothing: a merge cannot take a key away. */
function objectOf(cursors: ReadonlyMap<string, unknown>): Readonly<Record<string, unknown>> | null {
  return cursors.size === 0 ? null : Object.fromEntries(cursors);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

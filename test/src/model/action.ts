/**
 * One thing that somebody does, to the model and to the service, and what is concluded from the answer. Where no answer
 * came the thing was done or was not: both worlds are kept until something that is read decides. Invariant: every world
 * that is kept explains every answer so far.
 */
import assert from 'node:assert/strict';
import { lost } from './lost.ts';
import type { ModelSite } from './site.ts';
import { emptyWorld, Refused, type Who, type World } from './world.ts';

export interface Action {
  readonly label: string;
  /** Does it to a copy of a world; answers a word, or throws Refused. */
  apply(world: World): string;
  /** Does it to the service; answers a word. */
  perform(site: ModelSite): Promise<string>;
  /** What stays of it where it was refused. */
  refused?(world: World): void;
  /** What may be where its answer was lost; else the worlds before and after it. */
  unanswered?(before: World, after: World): readonly World[];
  /** What follows whatever was answered. */
  afterwards?(world: World): void;
  /** Whether it may go unanswered. */
  readonly mayBeLost?: boolean;
}

export interface SignedUpload {
  readonly id: number;
  readonly who: Who;
  readonly at: { readonly bucket: string; readonly name: string };
  readonly overwrite: boolean;
}

/** Most worlds that are thought of at once; more are never needed, since the next look decides. */
const worldsMax = 64;

/** What the service may be like, one or more worlds. */
export class Worlds {
  list: readonly World[] = [emptyWorld()];
  /** Texts, objects and links are numbered. */
  count = 0;
  crashes = 0;
  #steps = 0;
  /** Signed uploads that somebody may hold, used ones too. */
  readonly signedUploads: SignedUpload[] = [];

  get first(): World {
    const [world] = this.list;
    assert.ok(world);
    return world;
  }

  next(): number {
    this.count += 1;
    return this.count;
  }

  /** Does one thing and keeps the worlds that explain its answer; returns it. */
  async step(site: ModelSite, action: Action): Promise<string> {
    const answer = await action.perform(site);
    this.judge(action, answer);
    return answer;
  }

  /** Keeps the worlds that explain an answer. */
  judge(action: Action, answer: string): void {
    this.#steps += 1;
    for (const world of this.list) world.clock = this.#steps;
    const outcomes = this.list.map((world) => ({ before: world, ...outcomeOf(world, action) }));
    if (answer === lost) {
      assert.ok(action.mayBeLost, `${action.label}: nobody answered`);
      this.#keep(
        outcomes.flatMap(({ before, world }) => action.unanswered?.(before, world) ?? [before, world]),
        action,
      );
      return;
    }
    const told = [...new Set(outcomes.flatMap(({ words }) => words))].join(' or ');
    const agreeing = outcomes.filter(({ words }) => words.includes(answer)).map(({ world }) => world);
    assert.ok(agreeing.length > 0, `${action.label}: the service says ${answer}, the model ${told}`);
    this.#keep(agreeing, action);
  }

  #keep(worlds: readonly World[], action: Action): void {
    const distinct = new Map<string, World>();
    for (const world of worlds.map((each) => structuredClone(each))) {
      action.afterwards?.(world);
      distinct.set(JSON.stringify(world), world);
    }
    this.list = [...distinct.values()];
    assert.ok(this.list.length <= worldsMax, `${this.list.length} worlds at once`);
  }
}

function outcomeOf(world: World, action: Action): { readonly world: World; readonly words: readonly string[] } {
  const after = structuredClone(world);
  try {
    const word = action.apply(after);
    return { world: after, words: [word] };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const kept = structuredClone(world);
    action.refused?.(kept);
    return { world: kept, words: error.reasons };
  }
}

/**
 * What an attempt leaves in its job's metadata beside its outcome: recorded output, merged keys, log lines, and how far
 * its steps have come. It is taken down as it is said, as JSON, and written with the outcome; what is said after that
 * is lost.
 */
import type { Job } from '../job.ts';
import { jsonbText } from '../jsonb-text.ts';
import { outputText } from '../output-text.ts';
import { QueueError } from '../queue-error.ts';
import { ResumableSteps, resumableCursorKey, resumableStepKey } from '../resumable/resumable-steps.ts';
import { AttemptLog, logKey } from './attempt-log.ts';

/** The record of one attempt. */
export class AttemptRecord {
  readonly #job: Job;
  readonly #merged = new Map<string, string>();
  #log: AttemptLog | undefined;
  #steps: ResumableSteps | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  get steps(): ResumableSteps {
    this.#steps ??= new ResumableSteps(this.#job.metadata);
    return this.#steps;
  }

  /** Throws what stands against calling the attempt a success: see `ResumableSteps`. */
  assertDone(): void {
    if (this.#hasSteps) this.steps.assertDone();
  }

  /** @throws QueueError `invalid_option` for more than 32 MB of JSON; TypeError for what JSON cannot say */
  recordOutput(value: unknown): void {
    this.#merged.set('output', outputText(value));
  }

  /** @throws QueueError `invalid_option` for what is no object, and for keys that are River's own */
  mergeMetadata(patch: Readonly<Record<string, unknown>>): void {
    if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
      throw new QueueError('invalid_option', 'Metadata are not an object');
    }
    const texts = Object.entries(patch)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]): [string, string] => [key, jsonbText(value)]);
    const reserved = texts.find(([key]) => key.startsWith('river:'));
    if (reserved !== undefined) {
      throw new QueueError('invalid_option', `Keys that start with river: are River's own, as ${reserved[0]} is`);
    }
    for (const [key, text] of texts) this.#merged.set(key, text);
  }

  log(line: string): void {
    this.#log ??= new AttemptLog();
    this.#log.add(line);
  }

  /** What to merge into the metadata, as JSON by key, when the attempt has ended; undefined where it is nothing. */
  updates(isCompleted: boolean): ReadonlyMap<string, string> | undefined {
    if (this.#merged.size === 0 && this.#log === undefined && !this.#hasSteps) return undefined;
    const entries = this.#log?.entries(this.#job.metadata[logKey], this.#job.attempt);
    const logged: readonly (readonly [string, string])[] = entries === undefined ? [] : [[logKey, entries]];
    const steps = this.#hasSteps ? this.steps.updates(isCompleted) : [];
    const updates = new Map([...this.#merged, ...logged, ...steps]);
    return updates.size === 0 ? undefined : updates;
  }

  /** The same as one JSON object; null where it is nothing. */
  updatesText(isCompleted: boolean): string | null {
    return metadataText(this.updates(isCompleted));
  }

  get #hasSteps(): boolean {
    const { metadata } = this.#job;
    return this.#steps !== undefined || Boolean(metadata[resumableStepKey]) || Boolean(metadata[resumableCursorKey]);
  }
}

/** Joins JSON by key into one object; null where there is none. */
export function metadataText(updates: ReadonlyMap<string, string> | undefined): string | null {
  if (updates === undefined || updates.size === 0) return null;
  return `{${[...updates].map(([key, text]) => `${jsonbText(key)}:${text}`).join(',')}}`;
}

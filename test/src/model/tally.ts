/**
 * Counts what a run of the model test did, so that a campaign can say what it has tried and what hardly ever happened.
 * It judges nothing.
 */
import { lost } from './lost.ts';

export interface Count {
  done: number;
  refused: number;
  lost: number;
  /** There was nothing to do it to. */
  idle: number;
}

/** Reasons, and counts of rows that say that nothing happened. */
const refusal: RegExp = /^(?:[a-z]+(?:_[a-z]+)+|done (?:0|false)|0 of \d+|0)$/;

export class Tally {
  readonly counts: Map<string, Count> = new Map();

  add(kind: string, answer: string | undefined): void {
    const count = this.counts.get(kind) ?? { done: 0, refused: 0, lost: 0, idle: 0 };
    this.counts.set(kind, count);
    if (answer === undefined) count.idle += 1;
    else if (answer === lost) count.lost += 1;
    else if (refusal.test(answer)) count.refused += 1;
    else count.done += 1;
  }

  get commands(): number {
    return [...this.counts.values()].reduce(
      (sum, { done, refused, lost: unknown }) => sum + done + refused + unknown,
      0,
    );
  }

  /** One line for each kind, the most frequent first. */
  lines(): readonly string[] {
    const rows = [...this.counts].sort(([, a], [, b]) => b.done - a.done);
    return rows.map(
      ([kind, { done, refused, lost: unknown, idle }]) =>
        `${kind}: ${done} done, ${refused} refused, ${unknown} unanswered, ${idle} with nothing to do`,
    );
  }
}

/**
 * What was seen of each queue lately, for its charts: kept while the console is open, so that leaving the page and coming
 * back loses nothing. It holds five minutes at two seconds each; it asks nobody.
 */
import type { JobOverview } from '@rowlock/client';

/** A queue at one moment. */
export interface QueueSample {
  readonly depth: number;
  readonly rate: number;
  /** Undefined where nothing ended. */
  readonly latency: number | undefined;
}

const samplesMax = 150;
const queuesMax = 200;

/** The last samples of queues by name. */
export class QueueSamples {
  readonly #byQueue = new Map<string, QueueSample[]>();

  /** Adds one sample for each queue; queues that are gone are forgotten. */
  add({ queues }: Pick<JobOverview, 'queues'>): void {
    const names = new Set(queues.map(({ name }) => name));
    for (const name of this.#byQueue.keys()) {
      if (!names.has(name)) {
        this.#byQueue.delete(name);
      }
    }
    for (const { name, counts, completed_per_second, p95_seconds } of queues.slice(0, queuesMax)) {
      const before = this.#byQueue.get(name) ?? [];
      const now = { depth: counts.available ?? 0, rate: completed_per_second, latency: p95_seconds ?? undefined };
      this.#byQueue.set(name, [...before.slice(1 - samplesMax), now]);
    }
  }

  /** Of one queue, the oldest first. */
  of(queue: string): readonly QueueSample[] {
    return this.#byQueue.get(queue) ?? [];
  }
}

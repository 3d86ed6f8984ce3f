/**
 * The jobs of a soak: scripts that workers of both engines can perform, inserted at a steady rate whatever becomes of
 * them. A job carries the time when it was due, from which its latency is counted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, JobInsertOptions } from '@rowlock/queue';
import type { SeededRandom } from '@rowlock/test-harness';
import { nowMs } from '../../../bench/dist/load/paced.js';
import type { Script } from '../interop/scripted-handler.ts';

/** What happens to a job on its way. Every one of them succeeds in the end. */
export type JobSort = 'plain' | 'retried' | 'snoozed' | 'scheduled' | 'unique';

export interface SoakArgs extends Script {
  readonly sort: JobSort;
  /** Milliseconds since 1970 with fractions. */
  readonly due: number;
  /** Of a unique job: what makes it the same as another. */
  readonly key: string;
}

export const soakKind = 'scripted';
export const sharedQueue = 'shared';
/** One job in five goes where only Go works, so that its share is large enough to be measured. */
export const goQueue = 'go';

/** How many of a hundred are of each sort. */
const shares: readonly (readonly [JobSort, number])[] = [
  ['plain', 68],
  ['retried', 8],
  ['snoozed', 8],
  ['scheduled', 8],
  ['unique', 8],
];
const sleepMs = 5;
/** Shorter than that of the scheduler for some, longer for others, so that both ways of waiting are taken. */
const laterMs = { least: 1000, most: 6000 } as const;

/** Makes the job that is due at a time. `keys` is from how many a unique job takes its own. */
export function soakJob(random: SeededRandom, { due, keys }: { due: number; keys: number }): JobInsertOptions {
  const sort = sortOf(random.integer(100));
  const later = laterMs.least + random.integer(laterMs.most - laterMs.least);
  const work = [{ do: 'sleep', ms: sleepMs }];
  const queue = random.integer(5) === 0 ? goQueue : sharedQueue;
  const key = `key-${random.integer(keys)}`;
  const args: SoakArgs = { sort, due, key, script: [work] };
  const job = { kind: soakKind, queue, maxAttempts: 5 };
  switch (sort) {
    case 'plain':
      return { ...job, args };
    case 'retried': {
      const script = [[{ do: 'fail', text: 'the first attempt fails' }], work];
      return { ...job, args: { ...args, script, retry_ms: later } satisfies SoakArgs };
    }
    case 'snoozed':
      return { ...job, args: { ...args, script: [[{ do: 'snooze', ms: later }], work] } satisfies SoakArgs };
    case 'scheduled': {
      const at = Math.round(due + later);
      return { ...job, args: { ...args, due: at } satisfies SoakArgs, scheduledAt: new Date(at) };
    }
    case 'unique':
      return { ...job, args, unique: { byArgs: ['key'] } };
  }
}

function sortOf(hundredth: number): JobSort {
  let below = 0;
  for (const [sort, share] of shares) {
    below += share;
    if (hundredth < below) return sort;
  }
  return 'plain';
}

/** How many jobs were inserted; duplicates are not among them. */
export interface InsertTally {
  inserted: number;
  duplicates: number;
}

/** Inserts jobs at a rate from `begin` on, for so long, and resolves when all are in; the first failure ends it. */
export async function insertSteadily(
  parts: { readonly client: Client; readonly random: SeededRandom; readonly tally: InsertTally },
  pace: { readonly begin: number; readonly perSecond: number; readonly forMs: number },
  signal: AbortSignal,
): Promise<void> {
  const { client, random, tally } = parts;
  const failed = new AbortController();
  const underWay = new Set<Promise<void>>();
  const insert = async (due: number): Promise<void> => {
    const { is_duplicate } = await client.insert(soakJob(random, { due, keys: 10 * pace.perSecond }));
    if (is_duplicate) tally.duplicates += 1;
    else tally.inserted += 1;
  };
  const count = Math.floor((pace.forMs / 1000) * pace.perSecond);
  for (let n = 0; n < count && !failed.signal.aborted; n += 1) {
    const due = pace.begin + (n * 1000) / pace.perSecond;
    const wait = due - nowMs();
    if (wait > 0) await delay(wait, undefined, { signal });
    const one = insert(due)
      .catch((error: unknown) => failed.abort(error))
      .finally(() => underWay.delete(one));
    underWay.add(one);
  }
  await Promise.all(underWay);
  failed.signal.throwIfAborted();
}

/** A closed loop of asynchronous calls in this process: so many at once, the next as soon as one ends. */
import { latenciesOf } from '../measure/statistics.ts';

export interface LoopSample {
  readonly count: number;
  readonly seconds: number;
  readonly per_second: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
}

export interface LoopOptions {
  readonly concurrency: number;
  readonly seconds: number;
  /** Ends earlier, after so many calls. */
  readonly countMax?: number;
}

/** Runs `call` with 0, 1, 2 … until the time is up; the first failure ends it. */
export async function closedLoop(options: LoopOptions, call: (n: number) => Promise<unknown>): Promise<LoopSample> {
  const { concurrency, seconds, countMax = Number.POSITIVE_INFINITY } = options;
  const durations: number[] = [];
  const begin = performance.now();
  const deadline = begin + seconds * 1000;
  let begun = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < deadline && begun < countMax) {
      const n = begun;
      begun += 1;
      const at = performance.now();
      await call(n);
      durations.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  const elapsed = (performance.now() - begin) / 1000;
  return {
    count: durations.length,
    seconds: elapsed,
    per_second: durations.length / elapsed,
    ...latenciesOf(durations),
  };
}

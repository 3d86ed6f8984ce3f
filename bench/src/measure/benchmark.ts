/**
 * What a benchmark is and what it gives back. It measures nothing and knows no benchmark: the list of them is in
 * `benchmarks.ts`, and what their figures mean is in `targets.ts`.
 */
import type { BenchPostgres } from './bench-postgres.ts';

/** How a run was asked for. */
export interface BenchContext {
  /** Length of one round of one contestant, in seconds. */
  readonly seconds: number;
  readonly rounds: number;
  /** Only to see that the benchmark works: its figures say nothing. */
  readonly short: boolean;
  /** Concurrent connections or callers. */
  readonly connections: number;
  /** Measure only figures whose id has one of these in it; all when undefined. */
  readonly only: readonly string[] | undefined;
  /** Do once what takes minutes: no turn for warming up, and no peer that takes as long. */
  readonly brief: boolean;
  /** Rows of the large bucket of listings, where the number was asked for. */
  readonly rows: number | undefined;
  /** Folder for profiles, when they were asked for. */
  readonly profileFolder: string | undefined;
  /** The run's PostgreSQL, started on first use. */
  postgres(): Promise<BenchPostgres>;
  /** Says what is being done. */
  say(text: string): void;
}

/** A measured thing: one value for each round. */
export interface Measured {
  /** As in `targets.ts`, snake_case with the unit last. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly values: readonly number[];
  /** What was measured beside it, in the same run. */
  readonly beside?: readonly Beside[];
}

/** Another program that does the same, or the least that anything could do. */
export interface Beside {
  readonly name: string;
  readonly kind: 'peer' | 'ceiling';
  readonly values: readonly number[];
}

export interface BenchResult {
  readonly figures: readonly Measured[];
  /** Versions of the programs that were measured beside ours. */
  readonly programs?: Readonly<Record<string, string>>;
  /** What could not be measured, and why; the run ends with 1 then. */
  readonly failures?: readonly string[];
  /** Whatever explains the figures; goes into the JSON only. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Benchmark {
  readonly name: string;
  /** One line for the list. */
  readonly summary: string;
  /** Programs without which it does not run, as `requires` of the test harness names them. */
  readonly needs: readonly string[];
  /** Does something a number of times, not for a time, and one at a time. */
  readonly untimed?: true;
  /** What a run has unless it is asked for something else; 8 s and 5 rounds where nothing is said here. */
  readonly defaults?: { readonly seconds: number; readonly rounds: number };
  run(context: BenchContext): Promise<BenchResult>;
}

/** Whether a figure is to be measured. */
export function isWanted({ only }: BenchContext, id: string): boolean {
  return only === undefined || only.some((part) => id.includes(part));
}

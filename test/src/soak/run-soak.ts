/**
 * One soak: a mixed fleet works jobs that arrive at a steady rate, somebody reads for long in the middle of it, and all
 * quantities are measured again and again. It judges nothing; that is for the report.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, migrate } from '@rowlock/queue';
import { seededRandom, until } from '@rowlock/test-harness';
import pg from 'pg';
import { nowMs } from '../../../bench/dist/load/paced.js';
import {
  autovacuums,
  databaseFacts,
  databaseSample,
  type IndexSizes,
  openJobs,
  rebuiltIndexes,
} from './database-sample.ts';
import { boundsOf, type Phase, phaseAt } from './phases.ts';
import type { Values } from './quantities.ts';
import { type FleetTally, SoakFleet } from './soak-fleet.ts';
import { type InsertTally, insertSteadily } from './soak-jobs.ts';

export interface SoakOptions {
  /** An empty database. */
  readonly url: string;
  readonly minutes: number;
  /** Jobs inserted a second. */
  readonly rate: number;
  readonly sampleMs: number;
  /** How long ended jobs are kept. */
  readonly retentionMs: number;
  readonly withGo: boolean;
  /** How long to wait for the last jobs. */
  readonly endTimeoutMs: number;
}

/** What was measured at a moment, over the time since the one before. */
export interface Sample {
  readonly at_ms: number;
  readonly phase: Phase;
  readonly values: Values;
}

/** Everything that a soak has found. */
export interface SoakFindings {
  readonly seed: number;
  readonly facts: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
  readonly jobs: InsertTally & FleetTally & { readonly open: number };
  readonly autovacuums: number;
  /** At the end. */
  readonly indexes: readonly IndexSizes[];
}

const schema = 'river';
const slots = 20;

/** Runs a soak; `progress` gets every sample. */
export async function runSoak(options: SoakOptions, progress: (sample: Sample) => void): Promise<SoakFindings> {
  const random = seededRandom();
  const pool = new pg.Pool({ connectionString: options.url, max: 8 });
  pool.on('error', () => undefined); // its database is dropped while a connection closes
  const observer = new pg.Client({ connectionString: options.url, application_name: 'soak_observer' });
  await observer.connect();
  let fleet: SoakFleet | undefined;
  try {
    await observer.query(`CREATE SCHEMA ${schema}`);
    await migrate(observer, { schema });
    const facts = await databaseFacts(observer, schema);
    if (facts['autovacuum'] !== 'on')
      throw new Error('This server does not vacuum by itself: nothing would be bounded');
    fleet = await SoakFleet.start({ ...options, schema, slots });
    const stage: Stage = { options, observer, fleet, begin: nowMs() };
    const tally: InsertTally = { inserted: 0, duplicates: 0 };
    const client = new Client({ database: pool, schema });
    const pace = { begin: stage.begin, perSecond: options.rate, forMs: options.minutes * 60_000 };
    const samples: Sample[] = [];
    const took = (sample: Sample): void => {
      samples.push(sample);
      progress(sample);
    };
    await together([
      async (signal) => await insertSteadily({ client, random, tally }, pace, signal),
      async (signal) => await sampleAll(stage, signal, took),
      async (signal) => await readForLong(stage, signal),
    ]);
    const ended = await settled(stage, tally.inserted);
    return {
      seed: random.seed,
      facts,
      samples,
      jobs: { ...tally, ...ended, open: await openJobs(observer, schema) },
      autovacuums: await autovacuums(observer, schema),
      indexes: await rebuiltIndexes(observer, schema),
    };
  } finally {
    await fleet?.stop();
    await pool.end();
    await observer.end();
  }
}

interface Stage {
  readonly options: SoakOptions;
  readonly observer: pg.Client;
  readonly fleet: SoakFleet;
  /** Milliseconds since 1970. */
  readonly begin: number;
}

/** Runs tasks at the same time. When one fails, the others are told to end, and the failure rises. */
async function together(tasks: readonly ((signal: AbortSignal) => Promise<void>)[]): Promise<void> {
  const failed = new AbortController();
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(failed.signal);
      } catch (error) {
        failed.abort(error); // the first one counts
      }
    }),
  );
  failed.signal.throwIfAborted();
}

async function sampleAll(stage: Stage, signal: AbortSignal, took: (sample: Sample) => void): Promise<void> {
  const { options, observer, fleet } = stage;
  const lengthMs = options.minutes * 60_000;
  let before = { at_ms: 0, ended: 0 };
  for (let at = options.sampleMs; at <= lengthMs; at += options.sampleMs) {
    await reach(stage, at, signal);
    const [fromDatabase, { values, tally }] = await Promise.all([databaseSample(observer, schema), fleet.measure()]);
    const now = { at_ms: nowMs() - stage.begin, ended: tally.ours_ended + tally.go_ended };
    const seconds = (now.at_ms - before.at_ms) / 1000;
    const middle = (now.at_ms + before.at_ms) / 2;
    took({
      at_ms: now.at_ms,
      phase: phaseAt(middle / lengthMs),
      values: { ...fromDatabase, ...values, ended_per_second: (now.ended - before.ended) / seconds },
    });
    before = now;
  }
}

/** Somebody reads in one snapshot: as long as that lives, no row that has died since can be removed. */
async function readForLong(stage: Stage, signal: AbortSignal): Promise<void> {
  const lengthMs = stage.options.minutes * 60_000;
  const { from, to } = boundsOf('reader');
  await reach(stage, from * lengthMs, signal);
  const reader = new pg.Client({ connectionString: stage.options.url, application_name: 'soak_reader' });
  await reader.connect();
  try {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await reader.query(`SELECT count(*) FROM ${schema}.river_job`);
    await reach(stage, to * lengthMs, signal);
    await reader.query('COMMIT');
  } finally {
    await reader.end();
  }
}

async function reach({ begin }: Stage, atMs: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, begin + atMs - nowMs()), undefined, { signal });
}

/** What the fleet has done when the last job has ended, or when waiting for it was in vain: the counts say which. */
async function settled({ options, fleet }: Stage, inserted: number): Promise<FleetTally> {
  const deadline = nowMs() + options.endTimeoutMs;
  return await until(
    async () => {
      const { tally } = await fleet.measure();
      const isOver = tally.ours_ended + tally.go_ended >= inserted || nowMs() >= deadline;
      return isOver ? tally : undefined;
    },
    { timeoutMs: 2 * options.endTimeoutMs, intervalMs: 100, what: 'the last jobs have ended' },
  );
}

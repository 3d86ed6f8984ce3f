/**
 * Inserts many jobs and tells for each what became of it. PostgreSQL refuses two rows of one statement with the same
 * unique key, so the later ones of a batch are not sent: they are duplicates of the first.
 */
import type { Pool } from 'pg';
import { decodeJob, type Job } from '../job.ts';
import type { CheckedInsert } from '../job-insert-options.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobInsert } from '../statements/job-insert.ts';
import { type InsertedRow, jobInsertMany } from '../statements/job-insert-many.ts';
import type { Queryable } from '../statements/statement.ts';
import { inTransaction, inTransactionOf } from '../statements/transaction.ts';

/** What became of a job that was to be inserted. */
export interface InsertResult<Args = unknown> {
  /** The job; the one that was there before where it is a duplicate. */
  readonly job: Job<Args>;
  /** Whether it was not inserted, because another holds its unique key. */
  readonly is_duplicate: boolean;
}

/** One statement takes about a third of a second for so many. */
const rowsMax = 10_000;

/** Inserts jobs that have been checked, all or none of them, and returns the results in the same order. */
export async function insertJobs(
  on: Queryable,
  schema: SchemaName,
  jobs: readonly CheckedInsert[],
): Promise<readonly InsertResult[]> {
  const [first] = jobs;
  if (first === undefined) return [];
  if (jobs.length === 1 && first.unique === undefined) {
    return [{ job: decodeJob(await jobInsert(on, schema, first)), is_duplicate: false }];
  }
  const distinct = withoutRepeats(jobs);
  const insert = async (connection: Queryable): Promise<readonly InsertResult[]> => {
    const results: InsertResult[] = [];
    for (let start = 0; start < distinct.length; start += rowsMax) {
      const batch = distinct.slice(start, start + rowsMax);
      results.push(...inOrder(batch, await jobInsertMany(connection, schema, batch)));
    }
    return results;
  };
  const inserted = distinct.length <= rowsMax ? await insert(on) : await atOnce(on, insert);
  return distinct.length === jobs.length ? inserted : withRepeats(jobs, distinct, inserted);
}

async function atOnce<T>(on: Queryable, work: (connection: Queryable) => Promise<T>): Promise<T> {
  return isPool(on) ? await inTransaction(on, work) : await inTransactionOf(on, async () => await work(on));
}

function isPool(on: Queryable): on is Pool {
  return !('getTransactionStatus' in on);
}

function withoutRepeats(jobs: readonly CheckedInsert[]): readonly CheckedInsert[] {
  const seen = new Set<string>();
  return jobs.filter(({ unique }) => {
    if (unique === undefined) return true;
    if (seen.has(unique.key)) return false;
    seen.add(unique.key);
    return true;
  });
}

/** Rows without a key come in the order in which they were given; those with one are known by it. */
function inOrder(jobs: readonly CheckedInsert[], rows: readonly InsertedRow[]): readonly InsertResult[] {
  const byKey = new Map(rows.map((row) => [row.unique_key, row]));
  const others = rows.filter((row) => row.unique_key === null).values();
  return jobs.map(({ unique }) => {
    const row = unique === undefined ? others.next().value : byKey.get(unique.key);
    if (row === undefined) throw new TypeError('An insert that succeeded returned too few rows');
    return { job: decodeJob(row), is_duplicate: row.is_duplicate === 't' };
  });
}

function withRepeats(
  jobs: readonly CheckedInsert[],
  distinct: readonly CheckedInsert[],
  results: readonly InsertResult[],
): readonly InsertResult[] {
  const byJob = new Map(distinct.map((job, index) => [job, results[index]]));
  const byKey = new Map(distinct.map(({ unique }, index) => [unique?.key, results[index]]));
  return jobs.map((job) => {
    const own = byJob.get(job);
    if (own !== undefined) return own;
    const first = byKey.get(job.unique?.key);
    if (first === undefined) throw new TypeError('A repeated job has no first one');
    return { job: first.job, is_duplicate: true };
  });
}

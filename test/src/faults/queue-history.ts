/**
 * Judges what a queue did: jobs against an audit of the starts and finishes of their attempts. It knows neither faults
 * nor workers. Invariant: whatever happened, every job is there, completed, and nothing ran that was not claimed.
 */
import assert from 'node:assert/strict';
import type pg from 'pg';
import { schema } from './audited-queue.ts';

/** The words of a rescue. */
export const rescue = 'Stuck job rescued by JobRescuer';

const startsOf = `(SELECT count(*) FROM audit WHERE job_id = job.id AND what = 'start')`;
const hasRescuedAttempt = `EXISTS (SELECT FROM unnest(job.errors) AS error
  WHERE (error ->> 'attempt')::int = audit.attempt AND error ->> 'error' = '${rescue}')`;

/** Each of these selects jobs for which something is not so, whatever happened. */
const always: Readonly<Record<string, string>> = {
  'is not completed': `state <> 'completed'`,
  'was completed in an attempt that did not finish': `NOT EXISTS (
    SELECT FROM audit WHERE job_id = job.id AND audit.attempt = job.attempt AND what = 'finish')`,
  'has attempts without an error, beside the last': `coalesce(cardinality(errors), 0) <> attempt - 1`,
  'was rescued more often than its metadata say': `coalesce((metadata ->> 'river:rescue_count')::int, 0) <> (
    SELECT count(*) FROM unnest(errors) AS error WHERE error ->> 'error' = '${rescue}')`,
};

/** Where the database keeps what it has committed and waited for. Claims do not wait: a crash may forget the last. */
const whereCommitsLast: Readonly<Record<string, string>> = {
  'started again although its end was recorded': `EXISTS (
    SELECT FROM audit AS settled JOIN audit AS start ON start.job_id = settled.job_id AND start.at > settled.at
    WHERE settled.job_id = job.id AND settled.what = 'settled' AND start.what = 'start')`,
  'finished in an attempt that is neither its last nor rescued': `EXISTS (
    SELECT FROM audit WHERE job_id = job.id AND what = 'finish' AND attempt < job.attempt AND NOT ${hasRescuedAttempt})`,
};

/** Where the server did not crash. */
const whereNoneCrashed: Readonly<Record<string, string>> = {
  'started more often than it was claimed': `attempt < ${startsOf}`,
  'finished twice in one attempt': `EXISTS (
    SELECT FROM audit WHERE job_id = job.id AND what = 'finish' GROUP BY attempt HAVING count(*) > 1)`,
};

/** Where nobody died or was taken for dead either. */
const whereAllLive: Readonly<Record<string, string>> = {
  'did not start as often as it was claimed': `attempt <> ${startsOf}`,
  'was rescued': `metadata ? 'river:rescue_count'`,
};

/** What was done to the queue, as far as it excuses anything. */
export interface Circumstances {
  /** How many jobs there were. */
  readonly jobs: number;
  /** Workers were killed, or silent for so long that others took them for dead. */
  readonly hasDeaths?: boolean;
  /** The server crashed; `lossy` where it did not wait for its disk. */
  readonly crashes?: 'none' | 'durable' | 'lossy';
}

/** Asserts that the history of all jobs is one that the circumstances allow. */
export async function assertHistory(pool: pg.Pool, circumstances: Circumstances): Promise<void> {
  const { jobs, hasDeaths = false, crashes = 'none' } = circumstances;
  const { rows } = await pool.query(`SELECT count(*)::int FROM ${schema}.river_job`);
  assert.equal(rows[0]?.count, jobs, 'no job is lost, and none is made');
  const wrongs = {
    ...always,
    ...(crashes === 'lossy' ? {} : whereCommitsLast),
    ...(crashes === 'none' ? whereNoneCrashed : {}),
    ...(crashes === 'none' && !hasDeaths ? whereAllLive : {}),
  };
  for (const [what, condition] of Object.entries(wrongs)) {
    const found = await pool.query(
      `SELECT id, state, attempt, attempted_by, errors, metadata,
         (SELECT json_agg(json_build_array(audit.attempt, what) ORDER BY at) FROM audit WHERE job_id = job.id) AS audit
       FROM ${schema}.river_job AS job WHERE ${condition} LIMIT 3`,
    );
    assert.deepEqual(found.rows, [], `a job ${what}`);
  }
}

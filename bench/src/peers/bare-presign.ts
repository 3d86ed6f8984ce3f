/**
 * Presigning by job as the least that it could be: a row that asks, a row that is the job, and one statement that claims,
 * writes a text as long as a URL and completes. It signs nothing, checks nothing, and what fails is not tried again.
 */
import { type MigratedDatabase, until } from '@rowlock/test-harness';
import { nowMs } from '../load/paced.ts';
import type { BareStatement } from '../service/caller-transactions.ts';
import { BareWorker } from './bare-worker.ts';

/** Its tables, which callers may write and a worker may work. */
export const bareSchema: string = `
  CREATE SCHEMA bare;
  CREATE TABLE bare.requests (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), file_name text NOT NULL, requested_by text NOT NULL,
    status text NOT NULL DEFAULT 'pending', presigned_url text);
  CREATE TABLE bare.jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL DEFAULT 'available',
    request_id uuid NOT NULL, scheduled_at timestamptz NOT NULL DEFAULT now(), finalized_at timestamptz);
  CREATE INDEX ON bare.jobs (scheduled_at, id) WHERE state = 'available';
  GRANT USAGE ON SCHEMA bare TO authenticated, rowlock_worker;
  GRANT SELECT, INSERT ON bare.requests, bare.jobs TO authenticated;
  GRANT SELECT, UPDATE ON bare.requests, bare.jobs TO rowlock_worker;
`;

/** Asks for a URL for a file name, as somebody. */
export const bareAsk: BareStatement = {
  name: 'bare_ask',
  text: `WITH request AS (
           INSERT INTO bare.requests (file_name, requested_by) VALUES ($1, $2) RETURNING id
         ), job AS (
           INSERT INTO bare.jobs (request_id) SELECT id FROM request RETURNING request_id
         )
         SELECT request_id AS id, pg_notify('bench_bare_presign', '') FROM job`,
};

const bareSign: BareStatement = {
  name: 'bare_sign',
  text: `WITH picked AS MATERIALIZED (
           SELECT id, request_id FROM bare.jobs WHERE state = 'available' AND scheduled_at <= now()
           ORDER BY scheduled_at, id LIMIT 100 FOR UPDATE SKIP LOCKED
         ), signed AS (
           UPDATE bare.requests AS request
           SET status = 'completed', presigned_url = 'http://127.0.0.1/' || request.id || repeat('x', 400)
           FROM picked WHERE request.id = picked.request_id
         )
         UPDATE bare.jobs AS job SET state = 'completed', finalized_at = now()
         FROM picked WHERE job.id = picked.id RETURNING job.id`,
};

/** Does something while requests are signed. */
export async function besideBareWorker<Result>(workerUrl: string, turn: () => Promise<Result>): Promise<Result> {
  const options = { url: workerUrl, channel: 'bench_bare_presign', statement: bareSign };
  const worker = await BareWorker.start(options);
  try {
    return await turn();
  } finally {
    await worker.stop();
  }
}

/** Signs so many requests that wait all at once, while a bare worker runs; resolves with how many that were a second. */
export async function signBareBacklog(database: MigratedDatabase, count: number): Promise<number> {
  await database.query(
    `WITH request AS (
       INSERT INTO bare.requests (file_name, requested_by)
       SELECT 'photo-' || n || '.jpg', 'ann' FROM generate_series(1, $1::integer) AS n RETURNING id
     ), job AS (
       INSERT INTO bare.jobs (request_id) SELECT id FROM request RETURNING request_id
     )
     SELECT count(*), pg_notify('bench_bare_presign', '') FROM job`,
    [count],
  );
  const begun = nowMs();
  const query = "SELECT EXISTS (SELECT FROM bare.jobs WHERE state = 'available') AS is_pending";
  await until(async () => (await database.query<{ is_pending: boolean }>(query))[0]?.is_pending === false, {
    timeoutMs: 60_000,
    intervalMs: 10,
    what: 'the backlog is signed',
  });
  return (count * 1000) / (nowMs() - begun);
}

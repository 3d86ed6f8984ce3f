/**
 * Callers go on while a system is adopted, given back and adopted again: none of their transactions fails, none waits for
 * long, and every job that they made is worked by one of the two workers. The old worker is a real River of Go where there
 * is one, and else one of ours in its queues.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Observation, Worker } from '@rowlock/queue';
import { installAdoption, type RunningWorker, rollBackAdoption, switchAdoption } from '@rowlock/server';
import { GoRiver, requires, until } from '@rowlock/test-harness';
import pg from 'pg';
import { alice, type CivicOs, createCivicOs } from './civic-os.ts';

/** The oldest version of River that was deployed with such systems. */
const deployedRiver = 'v0.26.0';

interface Traffic {
  readonly requests: readonly string[];
  readonly files: readonly string[];
  readonly failures: readonly unknown[];
  stop(): Promise<void>;
}

/** Requests URLs and registers files, three callers at a time, until it is stopped. */
function startTraffic(site: CivicOs): Traffic {
  const requests: string[] = [];
  const files: string[] = [];
  const failures: unknown[] = [];
  let isStopping = false;
  const caller = async (): Promise<void> => {
    while (!isStopping) {
      try {
        const [row] = await site.call<{ request: string; file: string }>(
          alice,
          `SELECT public.request_upload_url('issues', '1', 'a.jpg', 'image/jpeg') AS request,
             public.create_file_record(i.id, 'issues', '1', 'a.jpg', 'image/jpeg', 1, 'civic-os-files',
               'issues/1/' || i.id || '/original.jpg', 'pending') ->> 'id' AS file
           FROM (SELECT gen_random_uuid() AS id OFFSET 0) AS i`,
        );
        if (row !== undefined) {
          requests.push(row.request);
          files.push(row.file);
        }
      } catch (error) {
        failures.push(error);
      }
      await wait(20);
    }
  };
  const callers = [caller(), caller(), caller()];
  return {
    requests,
    files,
    failures,
    async stop() {
      isStopping = true;
      await Promise.all(callers);
    },
  };
}

describe('adoption under traffic', () => {
  let site: CivicOs;
  let worker: RunningWorker | undefined;
  let stopOld: () => Promise<void>;

  before(async () => {
    site = await createCivicOs();
    stopOld = requires('go') === false ? await startGo(site) : await startOurs(site);
  });
  after(async () => {
    await worker?.stop();
    await stopOld();
    await site.drop();
  });

  test('no call fails and no job is lost while it is installed, switched, rolled back and switched again', async () => {
    const traffic = startTraffic(site);
    const some = async (): Promise<void> => {
      const were = traffic.requests.length;
      await until(() => traffic.requests.length > were + 5, { what: 'callers go on' });
    };

    await some();
    await installAdoption(site.target);
    await some();
    worker = await site.startWorker();
    await switchAdoption(site.target);
    await some();
    const back = await rollBackAdoption(site.target);
    await some();
    await switchAdoption(site.target);
    await some();
    await traffic.stop();

    assert.deepEqual(traffic.failures, []);
    assert.equal(back.is_complete, true);
    const undone = async (): Promise<readonly unknown[]> =>
      await site.query(
        `SELECT kind, queue, state FROM metadata.river_job
         WHERE queue IN ('s3_signer', 'thumbnails', 'fs_presign', 'fs_thumbnails') AND state NOT IN ('completed', 'discarded')`,
      );
    await until(async () => (await undone()).length === 0, { what: 'every job has been worked', timeoutMs: 30_000 });
    const lost = await site.query(
      `SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (
         SELECT FROM metadata.river_job AS j WHERE j.args ->> 'request_id' = w OR j.args ->> 'file_id' = w)`,
      [[...traffic.requests, ...traffic.files]],
    );
    assert.deepEqual(lost, []);
    const workedBy = await site.query<{ queue: string; n: number }>(
      'SELECT queue, count(*)::int AS n FROM metadata.river_job GROUP BY queue ORDER BY queue',
    );
    const queues = workedBy.filter(({ n }) => n > 2).map(({ queue }) => queue);
    assert.deepEqual(queues, ['fs_presign', 'fs_thumbnails', 's3_signer', 'thumbnails']);
  });

  test('a transaction that called our body before a rollback and commits after it loses no job', async () => {
    await installAdoption(site.target);
    worker ??= await site.startWorker();
    await switchAdoption(site.target);
    const slow = new pg.Client({ connectionString: site.target.url });
    await slow.connect();
    await slow.query('BEGIN');
    const { rows } = await slow.query<{ id: string }>(
      "SELECT public.request_upload_url('issues', '1', 'slow.jpg', 'image/jpeg') AS id",
    );
    let report: Awaited<ReturnType<typeof rollBackAdoption>> | undefined;
    const rollback = rollBackAdoption(site.target, { timeoutMs: 20_000 }).then((result) => {
      report = result;
    });
    const hasMoved = `SELECT FROM pg_stat_activity WHERE datname = current_database()
      AND application_name = 'rowlock adopt' AND query LIKE '%SET queue = $2%'`;
    const isPastFirst = async (): Promise<boolean> => report !== undefined || (await site.query(hasMoved)).length > 0;
    await until(isPastFirst, { what: 'jobs have been moved once' });
    const wasWaiting = report === undefined;
    await worker?.stop();
    worker = undefined;

    await slow.query('COMMIT');
    await rollback;
    await slow.end();

    assert.deepEqual([wasWaiting, report?.is_complete], [true, true]);
    const queueOf = "SELECT queue FROM metadata.river_job WHERE args ->> 'request_id' = $1";
    assert.deepEqual(await site.query(queueOf, [rows[0]?.id]), [{ queue: 's3_signer' }]);
  });

  test('a caller who uses one table and then the other meets no deadlock', async () => {
    await installAdoption(site.target);
    await site.query('DROP POLICY rowlock_owner ON metadata.files');
    await site.query('DROP POLICY rowlock_owner ON metadata.file_upload_requests');
    const caller = new pg.Client({ connectionString: site.target.url });
    await caller.connect();
    await caller.query('BEGIN');
    await caller.query("SELECT public.request_upload_url('issues', '1', 'both.jpg', 'image/jpeg')");
    const install = installAdoption(site.target, { patience: { lockTimeoutMs: 20_000 } });
    const waiting = `SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'rowlock adopt' AND wait_event_type = 'Lock'`;
    await until(async () => (await site.query(waiting)).length > 0, { what: 'a step waits for the caller' });
    await caller.query("SET LOCAL lock_timeout = '200ms'");

    const second = caller.query(
      `INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, thumbnail_status)
       VALUES ('issues', '1', 'both.jpg', 'image/jpeg', 1, 'x', 'not_applicable')`,
    );

    await assert.doesNotReject(second);
    await caller.query('COMMIT');
    await caller.end();
    assert.ok((await install).includes('policy_requests'));
  });

  test('a step gives up its lock rather than let callers wait, and says what to look for', async () => {
    await installAdoption(site.target);
    await site.query('DROP TRIGGER rowlock_files_deleted ON metadata.files');
    const holder = new pg.Client({ connectionString: site.target.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE metadata.files IN ROW EXCLUSIVE MODE');
    const waits: string[] = [];
    const patience = { lockTimeoutMs: 100, triesMax: 3, pauseMs: 50, onWait: (step: string) => waits.push(step) };

    const install = installAdoption(site.target, { patience });
    await assert.rejects(install, /trigger: the lock was not free in 3 tries; look for long transactions/);
    const meanwhile = await site.call(alice, 'SELECT id FROM public.files LIMIT 1');
    await holder.query('ROLLBACK');
    await holder.end();
    const done = await installAdoption(site.target);

    assert.deepEqual([waits, meanwhile.length, done.at(-1)], [['trigger', 'trigger'], 1, 'trigger']);
  });
});

/** Its jobs do nothing and succeed: what matters is that they are claimed and finished. */
async function startGo(site: CivicOs): Promise<() => Promise<void>> {
  const go = await GoRiver.start({ url: site.target.url, schema: 'metadata', version: deployedRiver });
  await go.ask('start', {
    name: 'old',
    queues: { s3_signer: 20, thumbnails: 3 },
    kinds: ['s3_presign', 'thumbnail_generate'],
    fetch_poll_ms: 200,
  });
  return async () => await go.end();
}

async function startOurs(site: CivicOs): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: site.target.url });
  await client.connect();
  const { migrate } = await import('@rowlock/queue');
  await migrate(client, { schema: 'metadata' });
  await client.end();
  const observe = (_: Observation): void => undefined;
  const nothing = { perform: async (): Promise<void> => undefined };
  const worker = new Worker({
    database: site.target.url,
    schema: 'metadata',
    queues: { s3_signer: { maxWorkers: 20 }, thumbnails: { maxWorkers: 3 } },
    handlers: { s3_presign: nothing, thumbnail_generate: nothing },
    observe,
  });
  await worker.start();
  return async () => await worker.stop();
}

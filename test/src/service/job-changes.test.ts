/**
 * What operators do to jobs and queues over HTTP and SQL, compared with what the client of the queue does, in every state.
 * Jobs are rows that no worker takes.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, QueueError } from '@rowlock/queue';
import { type TestService, until } from '@rowlock/test-harness';
import pg from 'pg';
import { json, type MadeJob, type QueueSite, startQueueSite } from './queue-site.ts';

interface Changed {
  readonly changed: readonly string[];
  readonly unchanged: readonly { readonly id: string; readonly why: string }[];
  readonly next_cursor?: string | null;
}

let site: QueueSite;
let service: TestService;

before(async () => {
  site = await startQueueSite();
  service = site.service;
});
after(() => service.stop());

const stateOf = async (id: string): Promise<string | undefined> =>
  (await service.database.query<{ state: string }>('SELECT state FROM metadata.river_job WHERE id = $1', [id]))[0]
    ?.state;

test('what names neither ids nor a filter changes nothing, so that nobody deletes every job by a slip', async () => {
  const [id] = await site.makeJobs(1, { queue: 'slip' });
  const bodies = [
    {},
    { filter: {} },
    { ids: [] },
    { filter: { nonsense: 'x' } },
    { ids: [id], filter: { queue: 'slip' } },
  ];

  const statuses = await Promise.all(
    bodies.map(async (body) => {
      const init = { as: 'service', method: 'POST', headers: json, body: JSON.stringify(body) };
      return (await service.fetch('/storage/v1/jobs/delete', init)).status;
    }),
  );

  assert.deepEqual(statuses, [400, 400, 400, 400, 400]);
  assert.equal(await stateOf(id ?? ''), 'available');
});

const states = ['available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'];

/** What the client of the queue does to a job, and to what that leads. */
async function byClient(client: Client, action: string, id: string): Promise<unknown> {
  try {
    if (action === 'retry') await client.retry(id);
    else if (action === 'cancel') await client.cancel(id);
    else await client.delete(id);
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
  }
  return rowOf(id);
}

/** A job without what differs by time and id. */
async function rowOf(id: string): Promise<unknown> {
  const rows = await service.database.query(
    `SELECT state, attempt, max_attempts, finalized_at IS NULL AS is_open, metadata ? 'cancel_attempted_at' AS is_asked,
       metadata - 'cancel_attempted_at' AS metadata, errors, scheduled_at > now() - interval '1 minute' AS is_new
     FROM metadata.river_job WHERE id = $1`,
    [id],
  );
  return rows[0] ?? 'gone';
}

for (const action of ['retry', 'cancel', 'delete']) {
  test(`to ${action} does to jobs of every state what the client of the queue does`, async () => {
    const client = new Client({ database: service.database.workerUrl, schema: 'metadata' });
    try {
      for (const state of states) {
        const made: MadeJob = { queue: `both-${action}`, state, metadata: { own: 1, cancel_attempted_at: 'before' } };
        const [ours, theirs] = await site.makeJobs(2, made);

        const expected = await byClient(client, action, theirs ?? '');
        const { changed, unchanged } = await site.ask<Changed>('POST', `jobs/${action}`, { ids: [ours] });

        assert.deepEqual(await rowOf(ours ?? ''), expected, state);
        assert.equal(changed.length + unchanged.length, 1);
      }
    } finally {
      await client.close();
    }
  });
}

test('of many ids each is done or named with the reason, and the audit log says who did it', async () => {
  const [one, two] = await site.makeJobs(2, { queue: 'mixed', state: 'discarded' });
  const [running] = await site.makeJobs(1, { queue: 'mixed', state: 'running' });

  const answer = await site.ask<Changed>('POST', 'jobs/delete', { ids: [running, two, one, '999999999'] });

  assert.deepEqual(answer.changed, [one, two]);
  assert.deepEqual(answer.unchanged, [
    { id: running, why: 'running' },
    { id: '999999999', why: 'not_found' },
  ]);
  const told = await service.database.query<{ detail: unknown; role: string }>(
    "SELECT role, detail FROM storage.audit WHERE operation = 'storage.jobs.delete' ORDER BY id DESC LIMIT 1",
  );
  assert.deepEqual(told, [{ role: 'service_role', detail: { count: 2, first: one, last: two } }]);
});

test('all jobs of a filter are retried page by page, and no other', async () => {
  const made = await site.makeJobs(450, { queue: 'bulk', state: 'discarded' });
  const [other] = await site.makeJobs(1, { queue: 'bulk-not', state: 'discarded' });
  const counts: number[] = [];

  for (let cursor: string | null | undefined = undefined; cursor !== null; ) {
    const body: unknown = {
      filter: { state: 'discarded', queue: 'bulk' },
      ...(cursor === undefined ? {} : { cursor }),
    };
    const answer: Changed = await site.ask('POST', 'jobs/retry', body);
    counts.push(answer.changed.length);
    cursor = answer.next_cursor ?? null;
  }

  assert.deepEqual(counts, [200, 200, 50]);
  assert.deepEqual([await stateOf(made[0] ?? ''), await stateOf(made.at(-1) ?? '')], ['available', 'available']);
  assert.equal(await stateOf(other ?? ''), 'discarded');
});

test('a job whose unique key another holds is not retried, and the others are', async () => {
  const ids = await site.makeJobs(3, { queue: 'unique', state: 'discarded' });
  await service.database.query(
    `UPDATE metadata.river_job SET unique_key = '\\x01', unique_states = B'11110101' WHERE id = ANY ($1::bigint[])`,
    [ids.slice(0, 2)],
  );

  const answer = await site.ask<Changed>('POST', 'jobs/retry', { ids });

  assert.deepEqual(answer.changed, [ids[0], ids[2]]);
  assert.deepEqual(answer.unchanged, [{ id: ids[1], why: 'unique_key_held' }]);
});

test('a queue is paused and resumed by name or all at once, which workers are told in words of River', async () => {
  await service.database.query(
    `INSERT INTO metadata.river_queue (name, created_at, metadata, updated_at)
     SELECT name, now(), '{}', now() FROM unnest(ARRAY['pausable', 'other-pausable']) AS name`,
  );
  const told: string[] = [];
  const listener = new pg.Client({ connectionString: service.database.url });
  await listener.connect();
  await listener.query('LISTEN "metadata.river_control"');
  listener.on('notification', ({ payload = '' }) => told.push(payload));
  const paused = async (): Promise<readonly string[]> =>
    (
      await service.database.query<{ name: string }>(
        "SELECT name FROM metadata.river_queue WHERE paused_at IS NOT NULL AND name LIKE '%pausable' ORDER BY name",
      )
    ).map(({ name }) => name);

  const one = await site.ask('PUT', 'jobs/queues/pausable', { paused: true });
  const whenOne = await paused();
  await site.ask('PUT', `jobs/queues/${encodeURIComponent('*')}`, { paused: true });
  const whenAll = await paused();
  await site.ask('PUT', `jobs/queues/${encodeURIComponent('*')}`, { paused: false });
  const whenNone = await paused();
  await until(async () => told.length === 3, { what: 'three notifications' });
  await listener.end();

  assert.deepEqual(one, { queues: 1 });
  assert.deepEqual([whenOne, whenAll, whenNone], [['pausable'], ['other-pausable', 'pausable'], []]);
  assert.deepEqual(
    told.map((payload) => JSON.parse(payload)),
    [
      { action: 'pause', queue: 'pausable' },
      { action: 'pause', queue: '*' },
      { action: 'resume', queue: '*' },
    ],
  );
});

test('PostgREST users with the service role have the same functions, and others none', async () => {
  const [id] = await site.makeJobs(1, { queue: 'rest', state: 'discarded' });
  const callers = await service.database.query<{ role: string; allowed: boolean }>(
    `SELECT role, bool_or(has_function_privilege(role, p.oid, 'EXECUTE')) AS allowed
     FROM unnest(ARRAY['anon', 'authenticated', 'service_role', 'rowlock_authenticator']) AS role,
       pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
         AND p.proname IN ('storage_job_overview', 'storage_jobs', 'storage_job', 'storage_jobs_change',
           'storage_queue_set_paused', 'storage_health')
     GROUP BY role ORDER BY role`,
  );

  const [row] = await service.database.query<{ changed: Changed }>(
    "SELECT public.storage_jobs_change('retry', ARRAY[$1::bigint]) AS changed",
    [id],
  );

  assert.deepEqual(
    callers.filter(({ allowed }) => allowed).map(({ role }) => role),
    ['service_role'],
  );
  assert.deepEqual(row?.changed, { changed: [id], unchanged: [] });
});

/** Jobs that nobody can perform, and notifications that mean nothing: rows 105 and 106. The worker goes on. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { type Attacked, attacked, sqlStateOf } from './standing.ts';

let service: Attacked;
const observed: { readonly type: string; readonly message?: string }[] = [];
const backlog = process.env['ROWLOCK_ROUNDS'] === undefined ? 20_000 : 1_000_000;

before(async () => {
  service = await attacked({ observe: (observation) => observed.push(observation) });
});
afterEach(async () => {
  for (const [kind, queue] of served) await assertWorks(kind, queue);
  await service.assertUnharmed();
});
after(() => service.stop());

const served: readonly (readonly [string, string])[] = [
  ['s3_presign', 's3_signer'],
  ['thumbnail_generate', 'thumbnails'],
  ['upload_complete', 's3_signer'],
  ['version_purge', 'maintenance'],
];

interface Job extends Record<string, unknown> {
  readonly kind: string;
  readonly state: string;
  readonly args: string;
  readonly error: string | null;
}

/** Inserts jobs as nobody of ours would: straight into the table, without a notification. */
async function insert(kind: string, queue: string, args: string, columns: Readonly<Record<string, string>> = {}) {
  const all = { max_attempts: '1', ...columns };
  const [row] = await service.database.query<{ id: string }>(
    `INSERT INTO metadata.river_job (kind, queue, args, ${Object.keys(all).join(', ')})
     VALUES ($1, $2, $3::jsonb, ${Object.values(all).join(', ')}) RETURNING id`,
    [kind, queue, args],
  );
  return row?.id ?? '';
}

/** Wakes the workers of a queue as an honest client would. */
async function wake(queue: string): Promise<void> {
  await service.database.query('SELECT metadata.rowlock_wake_queue($1)', [queue]);
}

async function ended(ids: readonly string[]): Promise<readonly Job[]> {
  return await until(
    async () => {
      const jobs = await service.database.query<Job>(
        `SELECT kind, state::text, left(args::text, 80) AS args, errors[array_upper(errors, 1)] ->> 'error' AS error
         FROM metadata.river_job WHERE id = ANY ($1) AND finalized_at IS NOT NULL ORDER BY id`,
        [ids],
      );
      return jobs.length === ids.length ? jobs : undefined;
    },
    { what: 'all jobs have ended', timeoutMs: 20_000 },
  );
}

/** A job of the kind for something that is gone ends well. */
async function assertWorks(kind: string, queue: string): Promise<void> {
  const id = randomUUID();
  const args = { request_id: id, version_id: id, upload_id: id, version_ids: [id] };
  const job = await insert(kind, queue, JSON.stringify(args));
  await wake(queue);
  const [done] = await ended([job]);
  assert.deepEqual({ state: done?.state, error: done?.error }, { state: 'completed', error: null }, `${kind} works`);
}

const names = ['request_id', 'version_id', 'file_id', 'upload_id', 'version_ids'];
const withAll = (value: unknown): string => JSON.stringify(Object.fromEntries(names.map((name) => [name, value])));

const poison: readonly string[] = [
  'null',
  '[]',
  '"args"',
  '1e300',
  'true',
  '{}',
  '{"version":99,"payload":{"id":"x"}}',
  withAll(null),
  withAll(5),
  withAll(''),
  withAll({ toString: 'x' }),
  withAll("x' OR true --"),
  withAll('../../etc/passwd'),
  withAll(`${randomUUID()}\n`),
  `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`,
  `{"__proto__":{"request_id":"${randomUUID()}"}}`,
];

test('105 jobs whose arguments name nothing are discarded with a reason', async () => {
  const ids: string[] = [];
  for (const [kind, queue] of served) {
    for (const args of poison) ids.push(await insert(kind, queue, args));
  }
  for (const [, queue] of served) await wake(queue);

  const jobs = await ended(ids);

  for (const { kind, state, args, error } of jobs) {
    assert.equal(state, 'discarded', `${kind} ${args}`);
    assert.match(error ?? '', /^The arguments have no /, `${kind} ${args}`);
  }
});

test('105 lists of versions that are none are discarded with a reason', async () => {
  const lists = ['[null]', '[5]', '["x"]', `[["${randomUUID()}"]]`, '[{}]'];
  const ids = await Promise.all(lists.map((list) => insert('version_purge', 'maintenance', `{"version_ids":${list}}`)));
  await wake('maintenance');

  const jobs = await ended(ids);

  for (const { state, args, error } of jobs) {
    assert.equal(state, 'discarded', args);
    assert.ok(error, args);
  }
});

test('105 jobs of unknown kinds are discarded with a reason', async () => {
  const kinds = ['nonesuch', 'constructor', '__proto__', 'toString', 'S3_PRESIGN', 's3_presign ', "x'; --", 'ü'];
  const ids = await Promise.all(kinds.map((kind) => insert(kind, 's3_signer', '{}')));
  await wake('s3_signer');

  const jobs = await ended(ids);

  for (const { kind, state, error } of jobs) {
    assert.equal(state, 'discarded', kind);
    assert.match(error ?? '', /not registered/, kind);
  }
});

test('105 arguments of 10 MB are read and refused like small ones', async () => {
  const ids: string[] = [];
  for (const [kind, queue] of served)
    ids.push(await insert(kind, queue, JSON.stringify({ a: 'x'.repeat(10_000_000) })));
  for (const [, queue] of served) await wake(queue);

  const jobs = await ended(ids);

  assert.ok(jobs.every(({ state, error }) => state === 'discarded' && (error ?? '').length < 10_000));
});

const oddColumns: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'as many attempts as a number holds': { attempt: '32767', max_attempts: '32767' },
  'one attempt less': { attempt: '32766', max_attempts: '32767' },
  'more attempts than there may be': { attempt: '9', max_attempts: '1' },
  'a negative attempt': { attempt: '-32768' },
  'metadata that are null': { metadata: "'null'" },
  'metadata that are a list': { metadata: "'[1]'" },
  'metadata of another version': { metadata: `'{"river:unknown": {"a": [1]}, "snoozes": "x"}'` },
  'errors that are none': { errors: `ARRAY['null', '5', '{"at": 1}']::jsonb[]` },
  'a time that never was': { scheduled_at: "'-infinity'", created_at: "'-infinity'" },
  'a creation that never will be': { created_at: "'infinity'" },
  'no attempted_by but attempts': { attempt: '1', attempted_by: "ARRAY[NULL, '']" },
  'many tags': { tags: "array_fill('x'::varchar, ARRAY[10000])" },
  'a unique key that means nothing': { unique_key: "'\\x00'", unique_states: "B'11111111'" },
};

test('105 rows that no client writes end, and hold up no other', async () => {
  const ids: string[] = [];
  for (const columns of Object.values(oddColumns)) ids.push(await insert('nonesuch', 'maintenance', '{}', columns));
  await wake('maintenance');
  await assertWorks('version_purge', 'maintenance');

  const left = async () =>
    await service.database.query<{ id: string; state: string }>(
      `SELECT id::text, state::text FROM metadata.river_job WHERE id = ANY ($1) AND state IN ('available', 'running')`,
      [ids],
    );

  await until(async () => (await left()).length === 0, { what: 'all were attempted', timeoutMs: 20_000 });
  await service.database.query('DELETE FROM metadata.river_job WHERE id = ANY ($1)', [ids]);
});

test('105 callers cannot make jobs, nor wake, pause or cancel them', async () => {
  const attempts = [
    `INSERT INTO metadata.river_job (kind, queue, args, max_attempts) VALUES ('version_purge', 'maintenance', '{}', 1)`,
    `SELECT metadata.enqueue_job('version_purge', '{}', 'maintenance')`,
    `SELECT metadata.rowlock_wake_queue('maintenance')`,
    'UPDATE metadata.river_queue SET paused_at = now()',
    `UPDATE metadata.river_job SET state = 'cancelled', finalized_at = now()`,
    'DELETE FROM metadata.rowlock_worker_lease',
    `SELECT storage_internal.enqueue_purges('{}')`,
    `SELECT storage_internal.enqueue_maintenance('upload_sweep')`,
  ];
  for (const role of ['anon', 'authenticated', 'service_role'] as const) {
    for (const text of attempts) {
      assert.equal(await sqlStateOf(service.sql({ role }, text)), '42501', `${role}: ${text}`);
    }
  }
});

const payloads: readonly string[] = [
  '',
  'x',
  'null',
  '[]',
  '{',
  '{"queue":null}',
  '{"queue":{"toString":1}}',
  '{"queue":"nonesuch"}',
  '{"queue":"maintenance"}',
  '{"action":"cancel"}',
  '{"action":"cancel","job_id":0,"queue":"maintenance"}',
  `{"action":"cancel","job_id":${'9'.repeat(30)}}`,
  '{"action":"pause","queue":"*"}',
  '{"action":"resume","queue":"*"}',
  '{"action":"request_resign","leader_id":"x"}',
  '{"__proto__":{"action":"cancel"}}',
  'x'.repeat(7999),
  `{"queue":"${'y'.repeat(7900)}"}`,
];

test('106 notifications of strangers pause, cancel and break nothing', async () => {
  const channels = ['river_insert', 'river_control', 'river_leadership', 'nonesuch'].map((name) => `metadata.${name}`);
  const errors = observed.filter(({ type }) => type === 'internal_error').length;

  for (const channel of channels) {
    for (const payload of payloads) {
      await service.sql({ role: 'anon' }, 'SELECT pg_notify($1, $2)', [channel, payload]);
    }
  }

  for (const [kind, queue] of served) await assertWorks(kind, queue);
  const paused = await service.database.query('SELECT FROM metadata.river_queue WHERE paused_at IS NOT NULL');
  assert.equal(paused.length, 0);
  assert.equal(observed.filter(({ type }) => type === 'internal_error').length, errors);
});

test('106 a flood of notifications delays jobs and does not stop them', async () => {
  await service.sql(
    { role: 'anon' },
    `SELECT pg_notify('metadata.river_' || topic, '{"queue":"maintenance","action":"cancel","n":' || n || '}')
     FROM generate_series(1, 10000) AS n, unnest(ARRAY['insert', 'control']) AS topic`,
  );

  for (const [kind, queue] of served) await assertWorks(kind, queue);
});

test('106 a payload that is too long fails for its sender alone', async () => {
  const state = await sqlStateOf(
    service.sql({ role: 'anon' }, "SELECT pg_notify('metadata.river_insert', repeat('x', 8000))"),
  );

  assert.equal(state, '22023');
});

test('106 what users do is never undone by a notification of ours, however long their values are', async () => {
  const name = `${'n'.repeat(7000)}.png`;
  const request = service.sql<{ id: string }>(
    { role: 'authenticated', sub: 'olivia' },
    "SELECT * FROM public.request_upload_url('a', gen_random_uuid(), $1, 'image/png')",
    [name],
  );

  const state = await request.then(
    () => 'taken',
    (error: { readonly code?: string; readonly message: string }) => error.message,
  );

  assert.doesNotMatch(state, /payload|notif/i);
  await service.database.query('DELETE FROM metadata.file_upload_requests');
  await service.database.query('DELETE FROM storage.uploads');
});

test('106 jobs go on when the listener and all other connections of the workers are cut, again and again', async () => {
  for (let round = 0; round < 3; round += 1) {
    await service.database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'rowlock worker%' AND datname = current_database()",
    );

    await assertWorks('version_purge', 'maintenance');
  }
});

test('106 a long queue that nobody works holds up no other', async () => {
  await service.database.query(
    `INSERT INTO metadata.river_job (kind, queue, args, max_attempts, state)
     SELECT 'nonesuch', 'unserved', '{}', 1, CAST(CASE WHEN n % 2 = 0 THEN 'available' ELSE 'scheduled' END AS metadata.river_job_state)
     FROM generate_series(1, $1::int) AS n`,
    [backlog],
  );

  for (const [kind, queue] of served) await assertWorks(kind, queue);

  await service.database.query("DELETE FROM metadata.river_job WHERE queue = 'unserved'");
});

/**
 * Rows 57, 67 and 68 of the list of attacks over SQL: what somebody can do who runs statements of their own in a
 * session of the API, as after an injection: become somebody else, forge notifications, write what is the server's.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import pg from 'pg';
import sharp from 'sharp';
import { type Attacked, attacked, sqlStateOf } from './standing.ts';

let open: Attacked;
let session: pg.Client;

before(async () => {
  open = await attacked();
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await open.service.fetch('/storage/v1/object/vault/secret.txt', { as: 'olivia', method: 'POST', body: 'secret' });
  await open.remember();
  session = new pg.Client({ connectionString: open.database.apiUrl });
  await session.connect();
});
afterEach(async () => {
  await session.query('ROLLBACK');
  await session.query('RESET ALL; RESET ROLE');
  await open.assertUnharmed();
});
after(async () => {
  await session.end();
  await open.stop();
});

/** Everything that the login role may not have, as SQL that must fail with 42501. */
const forbidden: Readonly<Record<string, readonly string[]>> = {
  'become somebody who may more': [
    'SET ROLE rowlock_owner',
    'SET ROLE rowlock_worker',
    'SET ROLE pg_read_all_data',
    'SET ROLE pg_execute_server_program',
    'SET SESSION AUTHORIZATION rowlock_owner',
    "SELECT set_config('role', 'rowlock_owner', false)",
    'GRANT rowlock_owner TO rowlock_authenticator',
    'CREATE ROLE mallory SUPERUSER',
    'ALTER ROLE rowlock_authenticator SUPERUSER',
    'ALTER ROLE rowlock_worker PASSWORD $$x$$',
  ],
  'read or write tables': [
    'TABLE storage.objects',
    'TABLE storage.versions',
    'TABLE storage.uploads',
    'TABLE storage.settings',
    'TABLE metadata.files',
    'TABLE metadata.river_job',
    'DELETE FROM storage.objects',
    'TRUNCATE storage.objects',
    "UPDATE storage.settings SET value = 'x'",
    'CREATE TABLE storage.mine (id int)',
    'CREATE TABLE public.mine (id int)',
    'CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1',
    'ALTER TABLE storage.objects DISABLE ROW LEVEL SECURITY',
    'DROP POLICY objects_read ON storage.objects',
    'CREATE POLICY mine ON storage.objects USING (true)',
    'ALTER FUNCTION storage.caller_id() OWNER TO rowlock_authenticator',
  ],
  'reach the machine': [
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "COPY (SELECT 1) TO '/tmp/mine'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "ALTER SYSTEM SET log_statement = 'all'",
    'SELECT pg_reload_conf()',
    "SET session_replication_role = 'replica'",
    "SET log_statement = 'all'",
    "LOAD '/tmp/mine.so'",
  ],
};

describe('68 whoever runs SQL as the login role of the API', () => {
  for (const [what, statements] of Object.entries(forbidden)) {
    test(`68 cannot ${what}`, async () => {
      for (const statement of statements) {
        const callersMay = /^(TABLE|DELETE FROM) (storage\.objects|metadata\.files)$/.test(statement);
        for (const first of ['RESET ROLE', ...(callersMay ? [] : ['SET ROLE authenticated', 'SET ROLE anon'])]) {
          await session.query(first);
          assert.equal(await sqlStateOf(session.query(statement)), '42501', `${first}; ${statement}`);
        }
      }
    });
  }

  test('68 comes back from a caller as nobody: the login role has no rows of its own', async () => {
    await session.query('BEGIN');
    await session.query("SELECT set_config('role', 'service_role', true)");
    const asService = await session.query('SELECT name FROM storage.objects');
    await session.query('SAVEPOINT here');
    await session.query('RESET ROLE');
    const afterwards = await sqlStateOf(session.query('SELECT name FROM storage.objects'));

    assert.deepEqual([asService.rowCount, afterwards], [1, '42501']);
  });
});

test('68 no route takes claims, a role or settings from anything but the token', async () => {
  const claims = '{"sub":"olivia","role":"service_role"}';
  const headers = {
    role: 'service_role',
    'x-role': 'service_role',
    'x-user-id': 'olivia',
    'x-supabase-role': 'service_role',
    'request.jwt.claims': claims,
    'x-jwt-claims': claims,
    'x-forwarded-user': 'olivia',
    'content-profile': 'storage_internal',
    'accept-profile': 'storage_internal',
    cookie: `sb-access-token=${open.tokens.olivia}; token=${open.tokens.service}`,
    apikey: open.tokens.service,
    prefer: 'tx=commit, role=service_role',
  };
  const query = new URLSearchParams({ role: 'service_role', claims, access_token: open.tokens.service, apikey: 'x' });

  const read = await open.service.fetch(`/storage/v1/object/vault/secret.txt?${query}`, { headers, as: 'mallory' });
  const anonymous = await open.service.fetch(`/storage/v1/object/vault/secret.txt?${query}`, { headers });
  const calls = [];
  for (const name of ['role', 'claims', 'request.jwt.claims', 'p_claims', 'caller_role', 'p_owner', '__proto__']) {
    const body = `{"p_request_id":"00000000-0000-4000-8000-000000000000","${name}":"service_role"}`;
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, as: 'mallory' };
    calls.push((await open.service.fetch('/rpc/get_upload_url', init)).status);
  }

  assert.deepEqual([read.status, anonymous.status], [404, 401]);
  assert.deepEqual(new Set(calls), new Set([400]));
});

test('57 a role with SQL in it is a name that is not there', async () => {
  const names = [
    '"; DROP TABLE storage.objects; --',
    "'; RESET ROLE; --",
    'authenticated; RESET ROLE',
    'x'.repeat(10_000),
  ];

  for (const name of names) {
    const state = await sqlStateOf(session.query("SELECT set_config('role', $1, true)", [name]));
    assert.ok(['22023', '42501', '42704'].includes(state), `${name.slice(0, 40)}: ${state}`);
  }
});

test('67 application roles have no right on what the server keeps for itself', async () => {
  const tables = await open.database.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class AS c
     WHERE c.relowner = 'rowlock_owner'::regrole AND c.relkind IN ('r', 'p')
       AND c.oid::regclass::text !~ '^(storage\\.(objects|buckets|variants|image_metadata|object_history|signed_urls|signed_url_revocations|audit_log|multipart_uploads|gateway_sessions|variant_presets|image_locations|version_checks)|metadata\\.(files|file_upload_requests|file_upload_requests_archive))$'`,
  );
  assert.ok(tables.length >= 10, `${tables.length} tables`);

  for (const { name } of tables) {
    for (const statement of [
      `TABLE ${name}`,
      `INSERT INTO ${name} DEFAULT VALUES`,
      `DELETE FROM ${name}`,
      `TRUNCATE ${name}`,
    ]) {
      for (const role of ['anon', 'authenticated', 'service_role'] as const) {
        assert.equal(await sqlStateOf(open.sql({ role, sub: 'mallory' }, statement)), '42501', `${role}: ${statement}`);
      }
    }
  }
});

test('67 nobody writes a request, a file or an object as if the server had', async () => {
  const forged = [
    `INSERT INTO metadata.file_upload_requests (entity_type, entity_id, file_name, file_type)
       VALUES ('x', '1', 'a', 'text/plain')`,
    "UPDATE metadata.file_upload_requests SET status = 'completed'",
    'DELETE FROM metadata.file_upload_requests_archive',
    "UPDATE storage.multipart_uploads SET store_id = 'x'",
    'DELETE FROM storage.multipart_uploads',
    'INSERT INTO storage.gateway_sessions DEFAULT VALUES',
    "UPDATE storage.gateway_sessions SET expires_at = 'infinity'",
    'TABLE storage.gateway_sessions',
    "INSERT INTO metadata.files (id, entity_type, entity_id, file_name) VALUES (gen_random_uuid(), 'x', '1', 'a')",
    "UPDATE metadata.files SET created_by = 'mallory'",
    "UPDATE storage.objects SET owner_id = 'mallory'",
    'UPDATE storage.objects SET size = 0',
    "UPDATE storage.objects SET content_type = 'text/html'",
    "INSERT INTO storage.variants (source_version_id, preset) SELECT version_id, 'x' FROM storage.objects",
    "UPDATE storage.buckets SET owner_id = 'mallory'",
  ];

  for (const statement of forged) {
    for (const role of ['anon', 'authenticated', 'service_role'] as const) {
      assert.equal(await sqlStateOf(open.sql({ role, sub: 'mallory' }, statement)), '42501', `${role}: ${statement}`);
    }
  }
});

test('67 forged notifications stop nothing, start nothing and break nothing', async () => {
  const topics = ['river_insert', 'river_control', 'river_leadership', 'rowlock_wake', 'river_job'];
  const payloads = [
    '',
    'null',
    '[]',
    '{',
    '{"action":"pause","queue":"thumbnails"}',
    '{"action":"pause","queue":"*"}',
    '{"action":"cancel","job_id":1,"queue":"thumbnails"}',
    '{"action":"request_resign","leader_id":"x"}',
    '{"action":"resigned","name":"default"}',
    '{"queue":"thumbnails"}',
    '{"queue":{"toString":1}}',
    '{"__proto__":{"action":"cancel"}}',
    `{"action":"cancel","job_id":"${'9'.repeat(7000)}"}`,
    '\u202e"}',
  ];
  await session.query('SET ROLE anon');
  for (let round = 0; round < 20; round += 1) {
    for (const topic of topics) {
      for (const payload of payloads) {
        await session.query('SELECT pg_notify($1, $2)', [`metadata.${topic}`, payload]);
        await session.query('SELECT pg_notify($1, $2)', [topic, payload]);
      }
    }
  }
  const picture = await sharp({ create: { width: 32, height: 32, channels: 3, background: 'red' } })
    .png()
    .toBuffer();

  const init = { as: 'olivia', method: 'POST', headers: { 'content-type': 'image/png' }, body: picture };
  const put = await open.service.fetch('/storage/v1/object/vault/after.png', init);
  await until(
    async () => {
      const path = '/storage/v1/render/image/authenticated/vault/after.png?preset=small';
      return (await open.service.fetch(path, { as: 'olivia' })).status === 200;
    },
    { what: 'the thumbnail is made' },
  );

  assert.equal(put.status, 201);
  const stopped = await open.database.query(
    "SELECT FROM metadata.river_job WHERE state IN ('cancelled', 'discarded', 'retryable')",
  );
  const paused = await open.database.query('SELECT FROM metadata.river_queue WHERE paused_at IS NOT NULL');
  assert.deepEqual([stopped.length, paused.length], [0, 0]);
  await open.remember();
});

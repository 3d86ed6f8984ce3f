/**
 * What nobody can make the audit log say, or unsay: every attempt is a statement that a caller with SQL, or the login
 * role that it returned to, could send. The control shows that the log was written all the while.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';

let database: MigratedDatabase;
let api: pg.Client;
let worker: pg.Client;

before(async () => {
  database = await createMigratedDatabase();
  api = new pg.Client({ connectionString: database.apiUrl });
  worker = new pg.Client({ connectionString: database.workerUrl });
  await Promise.all([api.connect(), worker.connect()]);
});
after(async () => {
  await Promise.all([api.end(), worker.end()]);
  await database.drop();
});

async function attempt(client: pg.Client, role: string | undefined, statement: string): Promise<string> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT set_config(\'request.jwt.claims\', \'{"sub":"mallory"}\', true)');
    if (role !== undefined) await client.query(`SET LOCAL ROLE ${role}`);
    await client.query(statement);
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query('ROLLBACK');
  }
}

const erasures = [
  'DELETE FROM storage.audit_log',
  "UPDATE storage.audit_log SET subject = 'victor'",
  'TRUNCATE storage.audit_log',
  'DELETE FROM storage.audit',
  "INSERT INTO storage.audit_log (role, operation, outcome) VALUES ('service_role', 'forged', 'done')",
  "INSERT INTO storage.audit (role, operation, outcome) VALUES ('service_role', 'forged', 'done')",
  'ALTER TABLE storage.audit_log DISABLE TRIGGER ALL',
  'ALTER TABLE storage.objects DISABLE TRIGGER objects_y_audit_deleted',
  "SET LOCAL session_replication_role = 'replica'",
  'DROP TABLE storage.audit_log',
  "UPDATE storage.settings SET value = '1' WHERE name = 'audit_retention_days'",
];

for (const role of ['anon', 'authenticated', 'service_role', undefined]) {
  test(`${role ?? "the API's login role"} can neither write, change nor erase rows of the log`, async () => {
    for (const statement of erasures) {
      assert.match(await attempt(api, role, statement), /^(42501|55000|0A000)$/, statement);
    }
  });
}

test("the worker's login role can neither", async () => {
  for (const statement of erasures) {
    assert.match(await attempt(worker, undefined, statement), /^(42501|55000|0A000)$/, statement);
  }
});

test('application roles can neither call what writes or expires the log, nor read it', async () => {
  const calls = [
    "SELECT storage_internal.audit_tell('[]')",
    'SELECT storage_internal.audit_expire(1000)',
    'SELECT storage_internal.bounded($$a$$, 1)',
  ];

  for (const role of ['anon', 'authenticated', 'service_role']) {
    for (const call of calls) assert.equal(await attempt(api, role, call), '42501', `${role}: ${call}`);
  }
  assert.equal(await attempt(api, 'authenticated', 'SELECT * FROM storage.audit'), '42501');
  assert.equal(await attempt(api, 'anon', 'SELECT * FROM storage.audit_log'), '42501');
  assert.equal(await attempt(api, 'service_role', 'SELECT * FROM storage.audit'), 'done');
});

test('whatever a caller sets, an entry says which role connected and which role wrote', async () => {
  await api.query('BEGIN');
  await api.query('SELECT set_config(\'request.jwt.claims\', \'{"sub":"mallory"}\', true)');
  await api.query(
    "SELECT set_config('storage.request_id', repeat('é', 500), true), set_config('storage.request_address', E'x\\n127.0.0.1', true)",
  );
  await api.query(
    "SELECT set_config('storage.operation', repeat('x', 100000), true), set_config('application_name', 'rowlock worker', true)",
  );
  await api.query('SET LOCAL ROLE authenticated');
  await api.query("INSERT INTO storage.buckets (id) VALUES ('forged')");
  await api.query('COMMIT');

  const [entry] = await database.query<Record<string, string>>(
    `SELECT login, role, subject, operation, length(request_id) AS id_length FROM storage.audit WHERE bucket_id = 'forged'`,
  );

  assert.deepEqual(
    [entry?.['login'], entry?.['role'], entry?.['subject'], entry?.['operation'], Number(entry?.['id_length'])],
    ['rowlock_authenticator', 'authenticated', 'mallory', 'storage.bucket.created', 128],
  );
});

test('what the API tells is bounded, whatever is in it, and marked as told by the API', async () => {
  const entry = {
    role: 'service_role',
    subject: 'x'.repeat(100_000),
    operation: 'é'.repeat(5000),
    name: '🙂'.repeat(5000),
    outcome: 'refused',
    occurred_at: '2999-01-01T00:00:00Z',
    detail: { text: 'y'.repeat(100_000) },
    id: 1,
    login: 'postgres',
  };

  await api.query('SELECT storage_internal.audit_tell($1::jsonb)', [JSON.stringify([entry])]);

  const [row] = await database.query<Record<string, unknown>>(
    `SELECT login, length(subject) AS subject, length(operation) AS operation, length(name) AS name,
       detail, occurred_at <= now() AS past FROM storage.audit WHERE outcome = 'refused'`,
  );
  assert.deepEqual(row, {
    login: 'rowlock_authenticator',
    subject: 1024,
    operation: 100,
    name: 1024,
    detail: null,
    past: true,
  });
});

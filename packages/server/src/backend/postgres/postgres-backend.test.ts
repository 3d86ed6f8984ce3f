import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, type TestContext, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import { enableFaults } from '../../domain/fault.ts';
import { StoredBlobs } from '../../metadata/blobs.ts';
import { isNotFound } from '../backend.ts';
import { all, hashOf, inChunks, newKey, readAll } from '../conformance/sample-bytes.ts';
import { backendConformance } from '../conformance.ts';
import { verifyPresigned } from '../s3/verify-presigned.ts';
import { PostgresBackend } from './postgres-backend.ts';

const credentials = { access_key_id: 'rowlock', secret_access_key: 'a-secret-of-thirty-two-characters' };
const mib = 2 ** 20;

let database: MigratedDatabase;

before(async () => {
  database = await createMigratedDatabase();
});
after(() => database.drop());

/** An empty one, as the worker unless another URL is given. */
async function newBackend(url: string = database.workerUrl, bytesMax: number = 16 * mib): Promise<PostgresBackend> {
  await database.query('DELETE FROM storage.blobs');
  return backendAt(url, bytesMax);
}

function backendAt(url: string, bytesMax: number = 16 * mib): PostgresBackend {
  const rows = new StoredBlobs({ url, connectionsMax: 4, statementTimeoutMs: 10_000, applicationName: 'blobs' });
  const config = { bytes_max: bytesMax, bucket: 'blobs', endpoint: 'http://127.0.0.1:8000', region: 'us-east-1' };
  return new PostgresBackend(rows, { ...config, credentials });
}

backendConformance('postgres', () => newBackend());

function opened(t: TestContext, backend: PostgresBackend): PostgresBackend {
  t.after(() => backend.close());
  return backend;
}

test('an object of the largest size is kept, and one byte more is refused with words and leaves nothing', async (t) => {
  const backend = opened(t, await newBackend(database.workerUrl, mib));
  const [fits, exceeds] = [newKey(), newKey()];

  await backend.put(fits, inChunks(randomBytes(mib)));
  const refused = backend.put(exceeds, inChunks(randomBytes(mib + 1)));

  await assert.rejects(refused, { reason: 'too_large', message: /keeps objects up to 1048576 bytes/ });
  assert.deepEqual(
    (await all(backend.list())).map(({ key }) => key),
    [fits],
  );
  assert.deepEqual(await all(backend.listUnfinished()), []);
});

test('bytes are kept in chunks of 256 KiB that are not compressed', async (t) => {
  const backend = opened(t, await newBackend());

  await backend.put(newKey(), inChunks(Buffer.alloc(600_000), 7000));
  const chunks = await database.query<{ place: number; bytes: number; stored: number }>(
    'SELECT place, octet_length(bytes) AS bytes, pg_column_size(bytes) AS stored FROM storage.blob_chunks ORDER BY place',
  );

  assert.deepEqual(
    chunks.map(({ place, bytes }) => [place, bytes]),
    [
      [0, 262_144],
      [1, 262_144],
      [2, 75_712],
    ],
  );
  assert.ok(chunks.every(({ bytes, stored }) => stored >= bytes));
});

test('a put whose last answer is lost leaves nothing', async (t) => {
  const backend = opened(t, await newBackend());
  t.after(() => enableFaults(undefined));

  for (const size of [10, 700_000]) {
    const key = newKey();
    enableFaults((point) => {
      if (point === 'blob.after_finish') throw new Error('the answer was lost');
    });
    await assert.rejects(backend.put(key, inChunks(randomBytes(size))), { message: 'the answer was lost' });
    enableFaults(undefined);

    assert.equal(await backend.head(key), undefined);
    assert.deepEqual(await database.query('SELECT FROM storage.blob_chunks'), []);
  }
});

test('a reader whose bytes are removed is told so, and gets no short answer', async (t) => {
  const backend = opened(t, await newBackend());
  const key = newKey();
  await backend.put(key, inChunks(randomBytes(3 * mib)));

  const { stream, size } = await backend.get(key);
  await backend.delete(key);

  assert.equal(size, 3 * mib);
  await assert.rejects(readAll(stream), isNotFound);
});

test("the API's login role puts and reads, and removes nothing that it did not put", async (t) => {
  const api = opened(t, await newBackend(database.apiUrl));
  const bytes = randomBytes(mib);
  const key = newKey();

  await api.put(key, inChunks(bytes));
  const read = await readAll((await api.get(key)).stream);

  assert.equal(hashOf(read), hashOf(bytes));
  await assert.rejects(api.delete(key), { reason: 'not_allowed' });
  await assert.rejects(api.removeUnfinished(-1), { reason: 'not_allowed' });
  assert.equal((await api.head(key))?.size, mib);
});

test('nobody reaches rows of bytes but through the functions', async () => {
  await database.query("INSERT INTO storage.blobs (id, key) VALUES (gen_random_uuid(), 'objects/ab/seen')");
  const roles = ['anon', 'authenticated', 'service_role', 'rowlock_authenticator'];

  const rights = await database.query<{ role: string }>(
    `SELECT role FROM unnest($1::text[]) AS role, unnest(ARRAY['storage.blobs', 'storage.blob_chunks']) AS relation
     WHERE has_any_column_privilege(role, relation, 'SELECT, INSERT, UPDATE, REFERENCES')
       OR has_table_privilege(role, relation, 'DELETE, TRUNCATE, TRIGGER')`,
    [roles],
  );
  const visible = await database.query<{ n: string }>(
    `SELECT count(*) AS n FROM pg_policy WHERE polrelid IN ('storage.blobs'::regclass, 'storage.blob_chunks'::regclass)`,
  );
  const callable = await database.query<{ role: string; name: string }>(
    `SELECT role, p.proname AS name FROM unnest($1::text[]) AS role, pg_proc AS p
     WHERE p.pronamespace = 'storage_internal'::regnamespace AND p.proname LIKE 'blob%' AND p.proname NOT IN ('blob_to_send', 'blob_uploaded')
       AND has_function_privilege(role, p.oid, 'EXECUTE')`,
    [roles.slice(0, 3)],
  );

  assert.deepEqual(rights, []);
  assert.equal(Number(visible[0]?.n), 0);
  assert.deepEqual(callable, []);
});

test('presigned URLs verify with its own credentials', async (t) => {
  const backend = opened(t, await newBackend());
  const now = new Date('2026-03-04T05:06:07Z');

  const url = new URL(await backend.presignGet('objects/ab/x', { expirySeconds: 60, now }));
  const result = verifyPresigned({
    method: 'GET',
    host: url.host,
    rawPath: url.pathname,
    rawQuery: url.search.slice(1),
    headers: { host: url.host },
    credentials,
    region: 'us-east-1',
    now,
  });

  assert.equal(result.ok, true);
  assert.equal(url.pathname, '/blobs/objects/ab/x');
});

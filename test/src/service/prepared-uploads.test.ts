/**
 * Uploads whose versions were prepared for many at once. What is asked, kept and refused is what every upload is asked;
 * a version that is not used goes back, and one that is gone harms nobody.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { assertInvariants, startService, type TestService, until } from '@rowlock/test-harness';
import pg from 'pg';

let service: TestService;
before(async () => {
  service = await startService({ config: { uploads_prepared_from: 0 } });
  await service.database.query(`
    INSERT INTO storage.buckets (id, owner_id) VALUES ('mine', 'ann');
    INSERT INTO storage.buckets (id, owner_id, allowed_mime_types, file_size_limit)
      VALUES ('texts', 'ann', '{text/plain}', 1000)`);
});
after(() => service.stop());

const waiting = `SELECT id FROM storage.versions AS v
  WHERE state = 'writing' AND expires_at > now() AND NOT EXISTS (SELECT FROM storage.uploads WHERE version_id = v.id)`;

const givenBack = async (): Promise<unknown> =>
  await until(async () => (await service.database.query(waiting)).length === 0, {
    what: 'what was prepared is given back',
  });

afterEach(async () => {
  await givenBack();
  await assertInvariants(service);
});

async function upload(
  path: string,
  body: string,
  { as = 'ann', ...headers }: Record<string, string> = {},
): Promise<number> {
  const response = await service.fetch(`/storage/v1/object/${path}`, { as, method: 'POST', body, headers });
  await response.arrayBuffer();
  return response.status;
}

const read = async (path: string): Promise<string> =>
  await (await service.fetch(`/storage/v1/object/${path}`, { as: 'ann' })).text();

/** How the version of an object came to be: in a transaction that a prepared one was stored in, or not. */
async function isPrepared(name: string): Promise<boolean | undefined> {
  const [row] = await service.database.query<{ prepared: boolean }>(
    `SELECT v.stored_in IS NOT NULL AS prepared FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id
     WHERE o.name = '${name}'`,
  );
  return row?.prepared;
}

test('a small upload uses a version that was prepared, and is an object like any other', async () => {
  const created = await upload('mine/a.txt', 'one', { 'cache-control': 'max-age=60', 'content-type': 'text/plain' });
  const overwritten = await upload('mine/a.txt', 'two', { 'x-upsert': 'true' });

  assert.deepEqual([created, overwritten], [201, 200]);
  assert.equal(await isPrepared('a.txt'), true);
  const response = await service.fetch('/storage/v1/object/mine/a.txt', { as: 'ann' });
  assert.equal(await response.text(), 'two');
  const [open] = await service.database.query<{ n: number }>('SELECT count(*)::int AS n FROM storage.uploads');
  assert.equal(open?.n, 0);
  await givenBack();
});

test('a body without a length, and one of more than a mebibyte, write an intent of their own', async () => {
  const stream = new Blob(['streamed']).stream();
  const sent = { as: 'ann', method: 'POST', body: stream, duplex: 'half' } as const;

  const streamed = await service.fetch('/storage/v1/object/mine/streamed', sent);
  const large = await upload('mine/large', 'x'.repeat(1024 * 1024 + 1));

  assert.deepEqual([streamed.status, large], [201, 201]);
  assert.deepEqual([await isPrepared('streamed'), await isPrepared('large')], [false, false]);
});

test('what begin refuses leaves its version to the next upload', async () => {
  assert.equal(await upload('mine/kept', 'x'), 201);
  const before = await service.database.query(waiting);

  const refused = [
    await upload('mine/kept', 'x', { 'x-upsert': 'false' }),
    await upload('mine/other', 'x', { as: 'bob' }),
    await upload('nowhere/other', 'x'),
    await upload('mine/kept', 'x', { 'if-match': '"other"' }),
    await upload('texts/long', 'x'.repeat(2000), { 'content-type': 'text/plain' }),
  ];

  assert.deepEqual(refused, [409, 404, 404, 412, 413]);
  assert.equal((await service.database.query(waiting)).length, before.length);
});

test('bytes that are not what was declared are refused by the commit, and purged', async () => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+M8AAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
    'base64',
  );
  const response = await service.fetch('/storage/v1/object/texts/image.txt', {
    as: 'ann',
    method: 'POST',
    body: new Uint8Array(png),
    headers: { 'content-type': 'text/plain' },
  });

  assert.equal(response.status, 415);
  assert.equal((await service.fetch('/storage/v1/object/texts/image.txt', { as: 'ann' })).status, 404);
});

test('of many that create the same name at once exactly one does', async () => {
  const statuses = await Promise.all(
    Array.from({ length: 40 }, (_, i) => upload('mine/race', `writer ${i}`, { 'x-upsert': 'false' })),
  );

  assert.equal(statuses.filter((status) => status === 201).length, 1);
  assert.equal(statuses.filter((status) => status === 409).length, 39);
  assert.match(await read('mine/race'), /^writer \d+$/);
});

test('more uploads at once than are prepared all arrive', async () => {
  const names = Array.from({ length: 400 }, (_, i) => `many/${i}`);

  const statuses = await Promise.all(names.map((name) => upload(`mine/${name}`, name)));

  assert.deepEqual([...new Set(statuses)], [201]);
  assert.equal(await read('mine/many/399'), 'many/399');
});

test('a version that was swept before it was used is replaced, unseen by the client', async () => {
  assert.equal(await upload('mine/first', 'x'), 201);
  await service.database.query(
    `UPDATE storage.versions SET expires_at = now() - interval '1 second' WHERE id IN (SELECT id FROM (${waiting}) AS w)`,
  );

  const status = await upload('mine/swept', 'arrived');

  assert.equal(status, 201);
  assert.equal(await isPrepared('swept'), false);
  assert.equal(await read('mine/swept'), 'arrived');
});

test('where quotas reserve, an upload is reserved as any other and never goes over them', async () => {
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('ten', 'ann')");
  const limit = async (quota_objects: number | null): Promise<number> => {
    const body = JSON.stringify({ quota_objects });
    const headers = { 'content-type': 'application/json' };
    return (await service.fetch('/storage/v1/bucket/ten', { as: 'service', method: 'PATCH', body, headers })).status;
  };
  assert.equal(await limit(10), 200);

  const statuses = await Promise.all(Array.from({ length: 30 }, (_, i) => upload(`ten/${i}`, 'x')));

  assert.equal(await limit(null), 200);
  assert.deepEqual(statuses.toSorted(), [...Array(10).fill(201), ...Array(20).fill(413)]);
});

test('an upload below a quota is open from its begin on, so that what it reserved can be found', async () => {
  const client = new pg.Client({ connectionString: service.database.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query("INSERT INTO storage.quotas (bucket_id, per, objects_max) VALUES ('mine', 'bucket', 10)");
  const id = randomUUID();
  await client.query(
    "SELECT storage_internal.prepare_versions(ARRAY[$1::uuid], 'disk', ARRAY['k'], interval '1 minute')",
    [id],
  );

  const { rows } = await client.query(
    `SELECT is_open, is_swept FROM storage_internal.begin_prepared(gen_random_uuid(), $1, 'mine', 'a', 'authenticated',
       '{"sub":"ann"}', 'text/plain', 1, NULL, NULL, NULL, 1000, NULL, NULL)`,
    [id],
  );

  await client.query('ROLLBACK');
  await client.end();
  assert.deepEqual(rows, [{ is_open: true, is_swept: false }]);
});

test('nobody points an object at a version that another transaction stored', async () => {
  assert.equal(await upload('mine/theirs', 'secret'), 201);
  const [row] = await service.database.query<{ version_id: string; stored_in: string }>(
    `SELECT o.version_id, v.stored_in::text FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id
     WHERE o.name = 'theirs'`,
  );
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('bobs', 'bob')");

  const client = new pg.Client({ connectionString: service.database.apiUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query(
    `SELECT set_config('request.jwt.claims', '{"sub":"bob"}', true), set_config('role', 'authenticated', true)`,
  );

  const forged = client.query(
    `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('bobs', 'stolen', '${row?.version_id}')`,
  );

  await assert.rejects(forged, { code: '42501', message: /neither on an object that you can read/ });
  await client.end();
  assert.notEqual(row?.stored_in, null);
});

/** Rows 22 and 23 of the list of attacks: fields that only the server writes, and uploads that are somebody else's. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { type Attacked, assertRefused, assertRefusedByDoor, attacked, sqlStateOf } from './standing.ts';

let attack: Attacked;
const olivia = { role: 'authenticated', sub: 'olivia' } as const;
const mallory = { role: 'authenticated', sub: 'mallory' } as const;

before(async () => {
  attack = await attacked();
  await attack.database.query(
    "INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia'), ('den', 'mallory')",
  );
  await attack.service.fetch('/storage/v1/object/box/kept', { as: 'olivia', method: 'POST', body: 'kept' });
  await attack.service.fetch('/storage/v1/object/den/own', { as: 'mallory', method: 'POST', body: 'own' });
  await attack.remember();
});
afterEach(() => attack.assertUnharmed());
after(() => attack.stop());

const owned: Readonly<Record<string, unknown>> = {
  id: '00000000-0000-4000-8000-000000000000',
  owner: 'victor',
  owner_id: 'victor',
  size: 1,
  content_type: 'text/html',
  mimetype: 'text/html',
  detected_type: 'image/png',
  sha256: 'AA==',
  version: 'x',
  version_id: '00000000-0000-4000-8000-000000000000',
  revision: 99,
  identified: true,
  analyzed: true,
  scan_status: 'clean',
  thumbs: ['x'],
  created_at: '2000-01-01T00:00:00Z',
  updated_at: '2000-01-01T00:00:00Z',
  state: 'stored',
};

test('22 what a client says of an object is its user metadata and nothing else', async () => {
  const metadata = Buffer.from(JSON.stringify(owned)).toString('base64');
  const query = new URLSearchParams(
    Object.fromEntries(Object.entries(owned).map(([name, value]) => [name, String(value)])),
  );

  const put = await attack.service.fetch(`/storage/v1/object/box/said?${query}`, {
    as: 'olivia',
    method: 'POST',
    body: 'true',
    headers: { 'content-type': 'text/plain', 'x-metadata': metadata, 'x-owner-id': 'victor', 'x-created-at': '2000' },
  });
  const answer = (await put.json()) as Record<string, unknown>;
  const info = await (await attack.service.fetch('/storage/v1/object/info/box/said', { as: 'olivia' })).json();
  const said = info as Record<string, unknown>;

  assert.equal(put.status, 201);
  assert.equal(answer['owner_id'], 'olivia');
  assert.notEqual(said['id'], owned['id']);
  assert.deepEqual(
    [said['owner_id'], said['size'], said['content_type'], said['detected_type'], said['metadata']],
    ['olivia', 4, 'text/plain', null, owned],
  );
  assert.ok(Date.parse(String(said['created_at'])) > Date.parse('2020-01-01'));
  await attack.service.fetch('/storage/v1/object/box/said', { as: 'olivia', method: 'DELETE' });
});

test('22 what a client says of a bucket is what clients may say', async () => {
  const made = await attack.send('POST', '/storage/v1/bucket', { ...owned, id: 'made', name: 'made' }, 'olivia');
  const bucket = (await made.json()) as Record<string, unknown>;

  assert.equal(made.status, 201);
  assert.equal(bucket['owner_id'], 'olivia');
  assert.equal(bucket['policy'], 'private');
  assert.ok(Date.parse(String(bucket['created_at'])) > Date.parse('2020-01-01'));
  assert.equal((await attack.send('DELETE', '/storage/v1/bucket/made', undefined, 'olivia')).status, 200);
});

test('22 columns that the server fills cannot be written over SQL', async () => {
  const columns = await attack.database.query<{ table: string; column: string }>(
    `SELECT c.table_schema || '.' || c.table_name AS table, c.column_name AS column FROM information_schema.columns AS c
     WHERE (c.table_schema, c.table_name) IN (('storage', 'objects'), ('storage', 'buckets'), ('storage', 'variants'),
       ('storage', 'image_metadata'), ('metadata', 'files'), ('metadata', 'file_upload_requests'))`,
  );
  const writable: Readonly<Record<string, readonly string[]>> = {
    'storage.objects': ['bucket_id', 'name', 'version_id', 'user_metadata', 'cache_control'],
    'storage.buckets': [
      ...['policy', 'public', 'file_size_limit', 'allowed_mime_types', 'overwrite', 'inline', 'preset_set'],
      ...['scan', 'checks', 'locations'],
      ...['versioning', 'soft_delete_seconds', 'history_keep', 'noncurrent_days'],
      ...['quota_bytes', 'quota_objects', 'owner_quota_bytes', 'owner_quota_objects'],
    ],
  };
  const byService = ['storage.buckets.render_budget', 'storage.buckets.region'];
  const forbidden = columns.filter(({ table, column }) => !writable[table]?.includes(column));

  assert.ok(forbidden.length > 50, 'the catalog was read');
  for (const { table, column } of forbidden) {
    const isServices = byService.includes(`${table}.${column}`);
    for (const role of ['anon', 'authenticated', 'service_role'] as const) {
      if (isServices && role === 'service_role') continue;
      const update = attack.sql({ role, sub: 'olivia' }, `UPDATE ${table} SET ${column} = DEFAULT`);
      assert.equal(await sqlStateOf(update), '42501', `${role} updates ${table}.${column}`);
    }
  }
  for (const view of ['files', 'storage_objects', 'storage_buckets']) {
    assert.equal(await sqlStateOf(attack.sql(olivia, `UPDATE public.${view} SET id = id`)), '42501', view);
    assert.equal(await sqlStateOf(attack.sql(olivia, `DELETE FROM public.${view}`)), '42501', view);
  }
});

interface Upload {
  readonly id: string;
  readonly url: string;
  readonly file_id: string;
}

const post = (name: string, body: object, as: string): Promise<Response> =>
  attack.send('POST', `/rpc/${name}`, body, as);

/** Asks for an upload of a PNG for an entity, and waits for its URL. */
async function requested(as: string, entityId = '1'): Promise<Upload> {
  const entity = { p_entity_type: 'issue', p_entity_id: entityId, p_file_name: 'a.png', p_file_type: 'image/png' };
  const asked = await post('request_upload_url', entity, as);
  assert.equal(asked.status, 200);
  const id = (await asked.json()) as string;
  const [row] = await until(async () => {
    const rows = (await (
      await attack.service.fetch(`/rpc/get_upload_url?p_request_id=${id}`, { as })
    ).json()) as Upload[];
    return rows[0]?.url ? rows : undefined;
  }).catch(async (cause: unknown) => {
    const jobs = await attack.database.query("SELECT * FROM metadata.river_job WHERE kind = 's3_presign' ORDER BY id");
    throw new Error(`no URL came: ${JSON.stringify(jobs)}`, { cause });
  });
  assert.ok(row);
  return { ...row, id };
}

const record = (upload: Upload, changes: object = {}): object => ({
  p_id: upload.file_id,
  p_entity_type: 'issue',
  p_entity_id: '1',
  p_file_name: 'a.png',
  p_file_type: 'image/png',
  p_file_size: 5,
  p_s3_bucket: 'civic-os-files',
  p_s3_original_key: new URL(upload.url).pathname.replace('/civic-os-files/', ''),
  ...changes,
});

/** Gives an upload up, so that nothing of it is left. */
async function forget(upload: Upload, as: string): Promise<void> {
  await attack.settle();
  await post('delete_file_record', { p_file_id: upload.file_id }, as);
  await attack.database.query(
    `SELECT storage_internal.abandon_upload(upload_id, 'over') FROM metadata.file_upload_requests WHERE id = '${upload.id}'`,
  );
  await attack.database.query('DELETE FROM metadata.file_upload_requests WHERE id = $1', [upload.id]);
}

test('22 what a record says of type, size and thumbnails is not believed', async () => {
  const upload = await requested('olivia');
  const put = await fetch(upload.url, { method: 'PUT', body: 'plain', headers: { 'content-type': 'image/png' } });
  assert.equal(put.status, 200);

  const recorded = await post(
    'create_file_record',
    record(upload, { p_file_type: 'text/html', p_file_size: 10 ** 12, p_thumbnail_status: 'completed' }),
    'olivia',
  );
  await attack.settle();
  const [file] = await attack.sql<Record<string, unknown>>(olivia, 'SELECT * FROM files WHERE id = $1', [
    upload.file_id,
  ]);

  assert.equal(recorded.status, 200);
  assert.equal(file?.['file_type'], 'image/png');
  assert.equal(file?.['file_size'], '5');
  assert.notEqual(file?.['thumbnail_status'], 'completed');
  assert.equal(file?.['created_by'], 'olivia');
  await forget(upload, 'olivia');
});

test("23 somebody else's upload cannot be polled, recorded or deleted", async () => {
  const upload = await requested('olivia');

  const polled = await attack.service.fetch(`/rpc/get_upload_url?p_request_id=${upload.id}`, { as: 'mallory' });
  await assertRefused(await post('create_file_record', record(upload), 'mallory'), 404);
  await assertRefused(await post('create_file_record', record(upload), 'service'), 404);
  await assertRefused(await post('delete_file_record', { p_file_id: upload.file_id }, 'mallory'), 404);
  const rows = await attack.sql(mallory, 'SELECT id FROM metadata.file_upload_requests');

  assert.deepEqual(await polled.json(), []);
  assert.deepEqual(rows, []);
  await forget(upload, 'olivia');
});

test('23 an upload is recorded under its own bucket and key only', async () => {
  const [upload, other] = [await requested('olivia'), await requested('mallory')];
  const [kept] = await attack.database.query<{ key: string }>(
    "SELECT v.key FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id WHERE o.name = 'kept'",
  );

  for (const changes of [
    { p_s3_original_key: new URL(other.url).pathname.replace('/civic-os-files/', '') },
    { p_s3_original_key: kept?.key },
    { p_s3_original_key: '../../etc/passwd' },
    { p_s3_bucket: 'other-bucket' },
    { p_id: other.file_id },
    { p_id: '00000000-0000-4000-8000-000000000000' },
    { p_entity_id: '../1' },
    { p_file_name: 'x\r\n' },
    { p_property_name: 'x'.repeat(2000) },
  ]) {
    await assertRefused(await post('create_file_record', record(upload, changes), 'olivia'), [400, 404]);
  }
  assert.deepEqual(await attack.database.query('SELECT FROM metadata.files'), []);
  await forget(upload, 'olivia');
  await forget(other, 'mallory');
});

test("23 a version of somebody else's, or of an unfinished upload, makes no object", async () => {
  const upload = await requested('olivia');
  const versions = await attack.database.query<{ id: string }>(
    `SELECT version_id AS id FROM storage.objects WHERE name = 'kept'
     UNION ALL SELECT version_id FROM storage.uploads UNION ALL SELECT gen_random_uuid()`,
  );
  assert.equal(versions.length, 3);

  for (const { id } of versions) {
    const text = "INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('den', 'stolen', $1)";
    assert.equal(await sqlStateOf(attack.sql(mallory, text, [id])), '42501');
    const swap = attack.sql(mallory, "UPDATE storage.objects SET version_id = $1 WHERE name = 'own'", [id]);
    assert.equal(await sqlStateOf(swap), '42501');
  }
  await forget(upload, 'olivia');
});

test('23 functions that finish uploads cannot be called by an application role', async () => {
  const upload = await requested('olivia');
  const [open] = await attack.database.query<{ id: string }>('SELECT id FROM storage.uploads');

  for (const call of [
    `storage_internal.commit_upload('${open?.id}', NULL, NULL, 1, NULL, NULL, NULL)`,
    `storage_internal.take_upload('${open?.id}', 1, NULL, NULL, NULL)`,
    `storage_internal.abandon_upload('${open?.id}', 'x')`,
    `storage_internal.direct_upload('${new URL(upload.url).pathname}', 'disk')`,
    `storage_internal.entity_of_upload('${open?.id}')`,
    `storage_internal.create_file('${upload.file_id}', 'issue', '1', 'a', 'b/c', 1, 'x', 'y', NULL, true)`,
  ]) {
    for (const caller of [olivia, mallory, { role: 'service_role' }, { role: 'anon' }] as const) {
      assert.equal(await sqlStateOf(attack.sql(caller, `SELECT ${call}`)), '42501', call);
    }
  }
  await forget(upload, 'olivia');
});

test('23 a presigned URL works once, for its own key, and not after its upload was given up', async () => {
  const upload = await requested('olivia');
  const headers = { 'content-type': 'image/png' };
  const elsewhere = upload.url.replace(/\/[^/]*\/original/, '/00000000-0000-7000-8000-000000000000/original');
  assert.notEqual(elsewhere, upload.url);

  await assertRefusedByDoor(
    await fetch(elsewhere, { method: 'PUT', body: 'x', headers }),
    403,
    'SignatureDoesNotMatch',
  );
  assert.equal((await fetch(upload.url, { method: 'PUT', body: 'first', headers })).status, 200);
  await assertRefusedByDoor(await fetch(upload.url, { method: 'PUT', body: 'second', headers }), 412);
  await forget(upload, 'olivia');
  await attack.settle();

  await assertRefusedByDoor(await fetch(upload.url, { method: 'PUT', body: 'third', headers }), 410, 'NoSuchUpload');
});

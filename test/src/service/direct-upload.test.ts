/**
 * The path of applications that know only PostgREST: request, presigned PUT, record, thumbnail, over plain HTTP and
 * over SQL as PostgREST would run it. Real photo, real signature, real job queue.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createMigratedDatabase, startService, type TestService, until } from '@rowlock/test-harness';
import pg from 'pg';
import sharp from 'sharp';

let service: TestService;
let photo: Buffer;

before(async () => {
  service = await startService();
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  photo = await sharp({ create: { width: 1200, height: 900, channels: 3, background: 'teal', noise } })
    .jpeg()
    .withExif({ IFD0: { Copyright: 'a photographer' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .toBuffer();
});
after(() => service.stop());

interface UrlRow {
  readonly status: string;
  readonly url: string;
  readonly file_id: string;
  readonly error: string | null;
}

const post = (name: string, body: object, as: string | undefined = 'ann'): Promise<Response> =>
  service.fetch(`/rpc/${name}`, {
    as,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function requestUrl(entityId: string, as = 'ann', type = 'image/jpeg'): Promise<{ id: string; row: UrlRow }> {
  const answer = await post(
    'request_upload_url',
    { p_entity_type: 'issue', p_entity_id: entityId, p_file_name: 'Photo.JPG', p_file_type: type },
    as,
  );
  assert.equal(answer.status, 200);
  const id = (await answer.json()) as string;
  const row = await until(
    async () => {
      const rows = (await (await service.fetch(`/rpc/get_upload_url?p_request_id=${id}`, { as })).json()) as UrlRow[];
      return rows[0]?.status === 'completed' ? rows[0] : undefined;
    },
    { what: 'the upload URL is signed' },
  );
  return { id, row };
}

const record = (row: UrlRow, changes: object = {}): object => {
  const [, bucket, ...key] = new URL(row.url).pathname.split('/');
  return {
    p_id: row.file_id,
    p_entity_type: 'issue',
    p_entity_id: '42',
    p_file_name: 'Photo.JPG',
    p_file_type: 'image/jpeg',
    p_file_size: 1,
    p_s3_bucket: bucket,
    p_s3_original_key: key.join('/'),
    p_thumbnail_status: 'pending',
    ...changes,
  };
};

async function fileRow(id: string): Promise<Record<string, unknown> | undefined> {
  return (await service.database.query('SELECT * FROM public.files WHERE id = $1', [id]))[0];
}

test('a photo goes from request to thumbnails, and an authorised reader gets it and nobody else does', async () => {
  const { row } = await requestUrl('42');

  const stored = await fetch(row.url, { method: 'PUT', body: photo, headers: { 'content-type': 'image/jpeg' } });
  const recorded = await post('create_file_record', record(row));
  const file = await until(
    async () => {
      const now = await fileRow(row.file_id);
      return now?.['thumbnail_status'] === 'completed' ? now : undefined;
    },
    { what: 'the thumbnails are there' },
  );

  assert.equal(stored.status, 200);
  assert.equal(recorded.status, 200);
  assert.equal(((await recorded.json()) as { id: string }).id, row.file_id);
  assert.match(new URL(row.url).pathname, new RegExp(`^/civic-os-files/issue/42/${row.file_id}/original\\.jpg$`));
  assert.equal(file['file_size'], String(photo.byteLength));
  assert.equal(file['created_by'], 'ann');
  assert.equal(file['width'], 900, 'the photo is upright');
  assert.equal(file['height'], 1200);
  const name = new URL(row.url).pathname.replace('/civic-os-files/', '');
  const read = (as: string | undefined) => service.fetch(`/storage/v1/object/files/${name}`, { as });
  assert.deepEqual(Buffer.from(await (await read('ann')).arrayBuffer()), photo);
  assert.equal((await read('bob')).status, 404);
  assert.equal((await read(undefined)).status, 401);
  for (const [preset, size] of [
    ['small', 150],
    ['medium', 400],
    ['large', 800],
  ] as const) {
    const path = `/storage/v1/render/image/authenticated/files/${name}?preset=${preset}`;
    const thumbnail = Buffer.from(await (await service.fetch(path, { as: 'ann' })).arrayBuffer());
    const metadata = await sharp(thumbnail).metadata();
    assert.deepEqual([metadata.format, metadata.width, metadata.height], ['jpeg', size, size]);
    assert.equal(metadata.exif, undefined);
    assert.equal((await service.fetch(path, { as: 'bob' })).status, 404);
  }
});

test('a presigned PUT works once, for its key and its type only', async () => {
  const { row } = await requestUrl('43');
  const put = (url: string, type = 'image/jpeg', headers = {}) =>
    fetch(url, { method: 'PUT', body: photo, headers: { 'content-type': type, ...headers } });

  assert.equal((await put(row.url, 'text/html')).status, 403);
  assert.equal((await put(row.url.replace('/original.jpg', '/other.jpg'))).status, 403);
  assert.equal((await put(row.url, 'image/jpeg', { 'x-amz-acl': 'public-read' })).status, 403);
  assert.equal((await fetch(row.url)).status, 403);
  assert.equal((await put(row.url)).status, 200);
  const again = await put(row.url);
  assert.equal(again.status, 412);
  assert.match(await again.text(), /<Code>PreconditionFailed<\/Code>/);
});

test('nobody else can see, poll or register an upload', async () => {
  const { id, row } = await requestUrl('42');

  const polled = await service.fetch(`/rpc/get_upload_url?p_request_id=${id}`, { as: 'bob' });
  const registered = await post('create_file_record', record(row), 'bob');
  const elsewhere = await post('create_file_record', record(row, { p_s3_original_key: 'issue/1/x/original.jpg' }));
  const anonymous = await service.fetch('/rpc/request_upload_url', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ p_entity_type: 'issue', p_entity_id: '1', p_file_name: 'a', p_file_type: '' }),
  });

  assert.deepEqual(await polled.json(), []);
  assert.equal(registered.status, 404);
  assert.equal(elsewhere.status, 400);
  assert.equal(anonymous.status, 401);
});

test("parts that could be paths are refused with PostgREST's error object", async () => {
  for (const [type, id] of [
    ['../x', '1'],
    ['issue', '../../y'],
    ['is/sue', '1'],
    ['', '1'],
    ['issue', ''],
  ]) {
    const answer = await post('request_upload_url', {
      p_entity_type: type,
      p_entity_id: id,
      p_file_name: 'a.jpg',
      p_file_type: 'image/jpeg',
    });

    assert.equal(answer.status, 400);
    assert.equal(((await answer.json()) as { code: string }).code, '22023');
  }
});

test('registering twice answers the same row', async () => {
  const { row } = await requestUrl('42');
  await fetch(row.url, { method: 'PUT', body: photo, headers: { 'content-type': 'image/jpeg' } });

  const [first, second] = await Promise.all([
    post('create_file_record', record(row)),
    post('create_file_record', record(row)),
  ]);

  assert.equal(first.status, 200);
  assert.equal(second.status, 200);
});

test('deleting the record deletes the object, and later its bytes', async () => {
  const { row } = await requestUrl('42');
  await fetch(row.url, { method: 'PUT', body: photo, headers: { 'content-type': 'image/jpeg' } });
  await post('create_file_record', record(row));
  await until(async () => (await fileRow(row.file_id))?.['thumbnail_status'] === 'completed', {
    what: 'the thumbnails are there',
  });

  const foreign = await post('delete_file_record', { p_file_id: row.file_id }, 'bob');
  const deleted = await post('delete_file_record', { p_file_id: row.file_id });

  assert.equal(foreign.status, 404, 'a hidden file is a missing one');
  assert.equal(deleted.status, 204);
  const name = new URL(row.url).pathname.replace('/civic-os-files/', '');
  assert.equal((await service.fetch(`/storage/v1/object/files/${name}`, { as: 'ann' })).status, 404);
  await until(
    async () => (await service.database.query('SELECT FROM storage.versions WHERE key = $1', [name])).length === 0,
    {
      what: 'the bytes are purged',
    },
  );
});

test('a file that is no image has no thumbnails, and its record says so', async () => {
  const { row } = await requestUrl('42', 'ann', 'text/plain');
  await fetch(row.url, { method: 'PUT', body: 'just text', headers: { 'content-type': 'text/plain' } });

  await post('create_file_record', record(row, { p_file_type: 'text/plain' }));
  const file = await until(
    async () => {
      const now = await fileRow(row.file_id);
      return now?.['object_id'] === null ? undefined : now;
    },
    { what: 'the upload is committed' },
  );

  assert.equal(file['thumbnail_status'], 'not_applicable');
});

test('bytes that are no image make the thumbnails fail once, visibly', async () => {
  const { row } = await requestUrl('42');
  const broken = Buffer.concat([photo.subarray(0, 300), Buffer.alloc(2000, 7)]);
  await fetch(row.url, { method: 'PUT', body: broken, headers: { 'content-type': 'image/jpeg' } });

  await post('create_file_record', record(row));
  const file = await until(
    async () => {
      const now = await fileRow(row.file_id);
      return now?.['thumbnail_status'] === 'failed' ? now : undefined;
    },
    { what: 'the thumbnails failed' },
  );

  assert.match(String(file['thumbnail_error']), /\w/);
});

test('an upload that nobody reports is found by the sweep', async () => {
  const { row } = await requestUrl('42');
  await fetch(row.url, { method: 'PUT', body: photo, headers: { 'content-type': 'image/jpeg' } });
  await service.database.query(
    "UPDATE storage.uploads SET created_at = now() - interval '2 hours' WHERE name LIKE $1",
    [`%${row.file_id}%`],
  );

  await service.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
  const file = await until(() => fileRow(row.file_id), { what: 'the file has a row' });

  assert.equal(file['created_by'], 'ann');
  assert.notEqual(file['object_id'], null);
});

test('called as PostgREST calls them: GET functions run READ ONLY, identity comes from settings only', async () => {
  const client = new pg.Client({ connectionString: service.database.apiUrl });
  await client.connect();
  const as = async (sub: string, readOnly: boolean, statement: string, values: unknown[]) => {
    await client.query(readOnly ? 'BEGIN READ ONLY' : 'BEGIN');
    await client.query(
      "SELECT set_config('search_path', 'public', true), set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true), set_config('request.method', $2, true)",
      [JSON.stringify({ sub, role: 'authenticated' }), readOnly ? 'GET' : 'POST'],
    );
    const { rows } = await client.query(statement, values);
    await client.query('COMMIT');
    return rows;
  };

  const [made] = await as('ann', false, 'SELECT request_upload_url($1, $2, $3, $4) AS id', [
    'issue',
    '7',
    'x.png',
    'image/png',
  ]);
  const row = await until(async () => {
    const [now] = await as('ann', true, 'SELECT * FROM get_upload_url($1)', [made.id]);
    return now.status === 'completed' ? now : undefined;
  });
  const others = await as('bob', true, 'SELECT * FROM get_upload_url($1)', [made.id]);
  const [stats] = await as('ann', true, 'SELECT * FROM get_file_storage_stats()', []);
  await client.end();

  assert.match(row.url, /X-Amz-Signature=/);
  assert.deepEqual(others, []);
  assert.ok(Number(stats.total_count) > 0);
});

test('a failed transaction leaves neither a request nor a job', async () => {
  const database = await createMigratedDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();

  await client.query('BEGIN');
  await client.query(
    "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{\"sub\":\"ann\"}', true)",
  );
  await client.query("SELECT public.request_upload_url('issue', '1', 'a.jpg', 'image/jpeg')");
  await client.query('ROLLBACK');
  await client.end();

  const [left] = await database.query<{ n: string }>(
    'SELECT (SELECT count(*) FROM metadata.river_job) + (SELECT count(*) FROM metadata.file_upload_requests) + (SELECT count(*) FROM storage.versions) AS n',
  );
  assert.equal(left?.n, '0');
  await database.drop();
});

test('replacing the object of a file changes its row and its validator', async () => {
  const { row } = await requestUrl('77', 'ann', 'text/plain');
  await fetch(row.url, { method: 'PUT', body: 'first', headers: { 'content-type': 'text/plain' } });
  await post('create_file_record', record(row, { p_entity_id: '77', p_file_type: 'text/plain' }));
  await until(async () => (await fileRow(row.file_id))?.['object_id'], { what: 'the upload is committed' });
  const name = new URL(row.url).pathname.replace('/civic-os-files/', '');
  const before = await service.fetch(`/storage/v1/object/files/${name}`, { as: 'ann' });

  const replaced = await service.fetch(`/storage/v1/object/files/${name}`, {
    as: 'ann',
    method: 'PUT',
    body: 'second one',
    headers: { 'content-type': 'text/plain' },
  });
  const after = await service.fetch(`/storage/v1/object/files/${name}`, {
    as: 'ann',
    headers: { 'if-none-match': before.headers.get('etag') ?? '' },
  });
  const file = await fileRow(row.file_id);

  assert.equal(replaced.status, 200);
  assert.equal(await after.text(), 'second one');
  assert.equal(file?.['file_size'], '10');
  assert.notEqual(file?.['s3_original_key'], name);
});

test('file names with control characters are refused at both ends', async () => {
  const { row } = await requestUrl('78');

  const recorded = await post('create_file_record', record(row, { p_entity_id: '78', p_file_name: 'x\r\ny.png' }));

  assert.equal(recorded.status, 400);
});

test('a file is visible to whoever can see the row of its entity', async () => {
  await service.database.query(`
    CREATE TABLE public.issue (id int PRIMARY KEY, team text NOT NULL);
    ALTER TABLE public.issue ENABLE ROW LEVEL SECURITY;
    CREATE POLICY team ON public.issue USING (team = storage.claim('team') OR storage.claim('sub') = 'ann');
    GRANT SELECT ON public.issue TO authenticated;
    INSERT INTO public.issue VALUES (42, 'red');
    SELECT storage.attach_entity('public.issue');`);
  const { row } = await requestUrl('42');
  await fetch(row.url, { method: 'PUT', body: photo, headers: { 'content-type': 'image/jpeg' } });
  await post('create_file_record', record(row));
  await until(async () => (await fileRow(row.file_id))?.['object_id'], { what: 'the upload is committed' });
  const visibleTo = async (claims: object): Promise<number> => {
    const client = new pg.Client({ connectionString: service.database.apiUrl });
    await client.connect();
    await client.query('BEGIN READ ONLY');
    await client.query("SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)", [
      JSON.stringify(claims),
    ]);
    const objects = await client.query('SELECT FROM storage.objects WHERE name LIKE $1', [`%${row.file_id}%`]);
    await client.end();
    return objects.rowCount ?? 0;
  };

  assert.equal(await visibleTo({ sub: 'rita', team: 'red' }), 1);
  assert.equal(await visibleTo({ sub: 'boris', team: 'blue' }), 0);
  await service.database.query('DELETE FROM public.issue WHERE id = 42');
  assert.equal(await fileRow(row.file_id), undefined, 'deleting the entity deletes its files');
});

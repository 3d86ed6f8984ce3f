/**
 * Mistakes of published examples and of deployed systems on the path of uploads through PostgREST, each a test by the number
 * that it has in the requirements (D, and F for what was found in deployed ones). None may ever be made again.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { migrate } from '@rowlock/server';
import {
  assertInvariants,
  createEmptyDatabase,
  createMigratedDatabase,
  startService,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';
import sharp from 'sharp';
import { pdfOfPage } from '../../../packages/server/dist/imaging/sources/sample-documents.js';
import { type Application, ann, bob, putBytes, startApplication, type UploadRequest } from './application.ts';

let app: Application;
let photo: Buffer;

before(async () => {
  app = await startApplication();
  photo = await sharp({ create: { width: 900, height: 600, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer();
});
after(() => app.stop());

const request = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'photo.jpg', p_file_type: 'image/jpeg' };

async function uploaded(
  changes: object,
  bytes: Buffer | string,
  type: string,
): Promise<Readonly<Record<string, unknown>>> {
  const row = await app.requestUrl({ ...request, ...changes });
  assert.equal((await putBytes(row.url, bytes, { 'content-type': type })).status, 200);
  await app.call('create_file_record', app.recordOf(row, { ...request, ...changes }));
  return await app.committed(row.file_id);
}

async function stateOf(fileId: unknown): Promise<Readonly<Record<string, unknown>> | undefined> {
  const [row] = await app.service.database.query('SELECT * FROM public.files WHERE id = $1', [fileId]);
  return row?.['thumbnail_status'] === 'pending' || row?.['thumbnail_status'] === 'processing' ? undefined : row;
}

test('D1 thumbnails have keys of their own, and the original keeps its bytes', async () => {
  const { id } = await uploaded({}, photo, 'image/jpeg');
  const file = await until(() => stateOf(id), { what: 'the thumbnails are there' });

  const keys = ['original', 'thumbnail_small', 'thumbnail_medium', 'thumbnail_large'].map(
    (part) => file[`s3_${part}_key`],
  );
  const read = await app.service.fetch(`/storage/v1/object/files/${String(keys[0])}`, { as: 'ann' });

  assert.equal(file['thumbnail_status'], 'completed');
  assert.equal(new Set(keys).size, 4, String(keys));
  assert.deepEqual(Buffer.from(await read.arrayBuffer()), photo);
});

test('D2 a job says how often it may be tried, also where the column has no default', async () => {
  const database = await createMigratedDatabase();
  await database.query('ALTER TABLE metadata.river_job ALTER COLUMN max_attempts DROP DEFAULT');
  const client = new pg.Client({ connectionString: database.apiUrl });
  await client.connect();

  await client.query('BEGIN');
  await client.query(
    "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{\"sub\":\"ann\"}', true)",
  );
  await client.query("SELECT public.request_upload_url('issue', '1', 'a.jpg', 'image/jpeg')");
  await client.query('COMMIT');
  const [job] = await database.query('SELECT max_attempts FROM metadata.river_job');
  await client.end();
  await database.drop();

  assert.equal(job?.['max_attempts'], 25);
});

test('D3 the columns that triggers and jobs read are there, `updated_at` of a request among them', async () => {
  const columns = await app.service.database.query<{ column_name: string }>(
    `SELECT column_name FROM information_schema.columns
     WHERE table_schema = 'metadata' AND table_name = 'file_upload_requests'`,
  );
  const names = columns.map(({ column_name }) => column_name);

  for (const name of ['status', 'presigned_url', 's3_key', 'file_id', 'error_message', 'created_at', 'updated_at']) {
    assert.ok(names.includes(name), name);
  }
});

test('D4 a request that is signed is `completed`; `ready` cannot be stored', async () => {
  const { status } = await app.requestUrl();

  const ready = app.service.database.query("UPDATE metadata.file_upload_requests SET status = 'ready'");

  assert.equal(status, 'completed');
  await assert.rejects(ready, { code: '23514' });
});

test('D5 a PDF is no image that failed: the media type decides, however it is written', async () => {
  const [page, without] = await Promise.all(
    [pdfOfPage({ width: 300, height: 200 }), '%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n'].map((bytes) =>
      uploaded({ p_file_name: 'a.pdf', p_file_type: 'application/pdf' }, bytes, 'application/pdf'),
    ),
  );
  const shown = await until(() => stateOf(page?.['id']), { what: 'its first page is shown' });
  const failed = await until(() => stateOf(without?.['id']), { what: 'that it has none is said' });
  const sizes = await app.service.database.query(
    `SELECT d.preset, d.width, d.height FROM storage.variants AS d JOIN storage.objects AS o ON o.version_id = d.source_version_id
     WHERE o.id = $1 ORDER BY d.width`,
    [shown['object_id']],
  );

  assert.deepEqual([shown['thumbnail_status'], shown['thumbnail_error']], ['completed', null]);
  assert.deepEqual(sizes, [
    { preset: 'small', width: 150, height: 100 },
    { preset: 'medium', width: 400, height: 267 },
    { preset: 'large', width: 800, height: 533 },
  ]);
  assert.equal(failed['thumbnail_status'], 'failed');
});

test('D6 no function of the contract is for PUBLIC, runs with a path of its caller, or asks nobody', async () => {
  const open = await app.service.database.query(
    `SELECT p.oid::regprocedure::text AS name FROM pg_proc AS p
     WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = 'rowlock_owner'::regrole
       AND (p.prosecdef
         OR has_function_privilege('rowlock_authenticator', p.oid, 'EXECUTE')
         OR (p.prosqlbody IS NULL AND NOT coalesce(p.proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp']))`,
  );

  assert.deepEqual(open, []);
});

test('D7 the synchronous call answers a URL as a bare string, and bytes may be put there', async () => {
  const url = await until(
    async () => {
      const answer = await app.call('get_upload_url_sync', request);
      return answer.status === 200 ? answer.json<string>() : undefined;
    },
    { what: 'the database has a key to sign with' },
  );

  assert.match(url, /^http:.+X-Amz-Signature=[0-9a-f]{64}$/);
  assert.equal((await putBytes(url, photo, { 'content-type': 'image/jpeg' })).status, 200);
});

test('D8, C11 the answer to a poll is an array whose first row has status, url, file_id and error, in this order', async () => {
  const { id } = await app.requestUrl();

  const poll = { method: 'GET', path: '/rpc/get_upload_url', query: { p_request_id: id }, as: ann } as const;
  const rows = (await app.postgrest.ask(poll)).json<Record<string, unknown>[]>();

  assert.ok(Array.isArray(rows));
  assert.deepEqual(Object.keys(rows[0] ?? {}), ['status', 'url', 'file_id', 'error']);
});

test('D9, R2 what is asked for while no worker runs is signed when one starts, once', async () => {
  const idle = await startApplication({ workers: false });
  const asked = await Promise.all(Array.from({ length: 10 }, () => idle.call('request_upload', request)));
  const pending = asked.map((answer) => answer.json<UploadRequest>());

  const worker = await startService({ database: idle.service.database, root: idle.service.root });
  await until(
    async () => {
      const [row] = await idle.service.database.query(
        "SELECT count(*)::int AS n FROM metadata.file_upload_requests WHERE status = 'completed'",
      );
      return row?.['n'] === 10;
    },
    { what: 'all are signed' },
  );
  const [jobs] = await idle.service.database.query(
    "SELECT count(*)::int AS n, max(attempt) AS attempts FROM metadata.river_job WHERE kind = 's3_presign'",
  );
  await worker.stop();
  await idle.stop();

  assert.ok(
    pending.every(({ status }) => status === 'pending'),
    'the call answers without a worker',
  );
  assert.deepEqual(jobs, { n: 10, attempts: 1 });
});

test('D15 no policy of ours needs a schema `auth`', async () => {
  const policies = await app.service.database.query(
    "SELECT policyname FROM pg_policies WHERE concat(qual, with_check) ~ '\\mauth\\.'",
  );

  assert.deepEqual(policies, []);
});

test('D16, F7 whoever enqueues wakes the signer: nobody waits for a poll', async () => {
  const database = await createMigratedDatabase();
  const listener = new pg.Client({ connectionString: database.workerUrl });
  await listener.connect();
  const told: string[] = [];
  listener.on('notification', ({ channel, payload }) => told.push(`${channel} ${payload}`));
  await listener.query('LISTEN "metadata.river_insert"');

  await database.query(
    `INSERT INTO metadata.file_upload_requests (entity_type, entity_id, file_name, file_type) VALUES ('issue', '1', 'a.txt', '')`,
  );
  await until(() => told.length > 0, { what: 'the signer is told' });
  await listener.end();
  await database.drop();

  assert.deepEqual(told, ['metadata.river_insert {"queue" : "s3_signer"}']);
});

test('D18 nothing depends on the second AWS SDK', () => {
  const lock = readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8');

  assert.doesNotMatch(lock, /"node_modules\/(.+\/)?aws-sdk"/);
});

test('D26, F6 no part of an entity or of a file name becomes a path or an extension that was not one', async () => {
  for (const changes of [
    { p_entity_type: '../x' },
    { p_entity_id: '../../1' },
    { p_entity_id: 'a/b' },
    { p_entity_type: '..' },
    { p_entity_id: '%2e%2e' },
  ]) {
    for (const name of ['request_upload_url', 'request_upload']) {
      const answer = await app.call(name, { ...request, ...changes });
      assert.equal(answer.json<{ code: string }>().code, '22023', JSON.stringify(changes));
    }
  }
  const { key } = await app.requestUpload({ ...request, p_file_name: 'a.jpg/../../x' });
  assert.match(key, /^issue\/7\/[0-9a-f-]{36}\/original\.bin$/);
});

test('D30 without a token nobody asks for a URL, by either function', async () => {
  for (const name of ['request_upload_url', 'request_upload']) {
    const answer = await app.postgrest.ask({ method: 'POST', path: `/rpc/${name}`, body: request });

    assert.deepEqual([answer.status, answer.json<{ code: string }>().code], [401, '42501'], name);
  }
});

test('F6 knowing an id is not enough: to see a URL, to register a file, to name another bucket or key', async () => {
  const row = await app.requestUrl(request);
  await putBytes(row.url, photo, { 'content-type': 'image/jpeg' });
  const mine = (changes: object = {}): object => app.recordOf(row, { ...request, ...changes });

  const poll = { method: 'GET', path: '/rpc/get_upload_url', query: { p_request_id: row.id }, as: bob } as const;
  const seen = await app.postgrest.ask(poll);
  const registered = await app.call('create_file_record', mine(), bob);
  const elsewhere = await app.call('create_file_record', mine({ p_s3_original_key: 'issue/1/of-bob/original.jpg' }));
  const bucket = await app.call('create_file_record', mine({ p_s3_bucket: 'secrets' }));
  const typed = await app.call('create_file_record', mine({ p_file_type: 'text/html', p_file_size: 10_000_000 }));
  const file = await app.committed(row.file_id);

  assert.deepEqual(seen.json(), []);
  assert.equal(registered.json<{ code: string }>().code, 'P0002');
  assert.equal(elsewhere.json<{ code: string }>().code, '22023');
  assert.equal(bucket.json<{ code: string }>().code, '22023');
  assert.equal(typed.status, 200);
  assert.deepEqual([file['file_type'], file['file_size']], ['image/jpeg', String(photo.byteLength)]);
});

test('F10 a view that lost security_invoker shows what it must not; the catalog’s rule tells it, and migrating mends it', async () => {
  const database = await createEmptyDatabase();
  await migrate({ url: database.url });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const lost = async (): Promise<readonly string[]> =>
    (
      await client.query<{ name: string }>(
        `SELECT c.oid::regclass::text AS name FROM pg_class AS c
         WHERE c.relkind = 'v' AND c.relnamespace::regnamespace::text IN ('public', 'storage', 'metadata')
           AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}'`,
      )
    ).rows.map(({ name }) => name);
  const shown = async (): Promise<number> => {
    await client.query('BEGIN; SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claims = \'{"sub":"bob"}\'');
    const { rowCount } = await client.query('SELECT FROM public.files');
    await client.query('COMMIT');
    return rowCount ?? 0;
  };
  await client.query(
    `INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, created_by)
     VALUES ('issue', '1', 'secret', '', 1, 'x', 'ann')`,
  );
  const columns = `SELECT string_agg(attname, ', ' ORDER BY attnum) AS list FROM pg_attribute
    WHERE attrelid = 'public.files'::regclass AND attnum > 0`;
  const { rows } = await client.query<{ list: string }>(columns);

  const before = [await lost(), await shown()];
  await client.query(
    `SET ROLE rowlock_owner; CREATE OR REPLACE VIEW public.files AS SELECT ${rows[0]?.list} FROM metadata.files; RESET ROLE`,
  );
  const leaking = [await lost(), await shown()];
  await migrate({ url: database.url });
  const mended = [await lost(), await shown()];
  await client.end();
  await database.drop();

  assert.deepEqual(before, [[], 0]);
  assert.deepEqual(leaking, [['files'], 1]);
  assert.deepEqual(mended, before);
});

test('F4 the states of a thumbnail are five, and a failure is one of them with its reason', async () => {
  const broken = Buffer.concat([photo.subarray(0, 200), Buffer.alloc(3000, 7)]);

  const { id } = await uploaded({}, broken, 'image/jpeg');
  const file = await until(() => stateOf(id), { what: 'the thumbnails failed' });
  const error = app.service.database.query("UPDATE metadata.files SET thumbnail_status = 'error'");

  assert.equal(file['thumbnail_status'], 'failed');
  assert.match(String(file['thumbnail_error']), /\w/);
  await assert.rejects(error, { code: '23514' });
});

test('what was written by all of this is whole', async () => {
  const due =
    "SELECT id FROM metadata.river_job WHERE kind = 'thumbnail_generate' AND state IN ('available', 'running')";
  await until(async () => (await app.service.database.query(due)).length === 0, { what: 'all thumbnails are made' });
  await assertInvariants(app.service);
});

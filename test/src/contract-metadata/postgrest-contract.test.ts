/**
 * The contract with applications that know only PostgREST, as deployed ones call it: each call, its exact answer, its
 * errors. Through PostgREST itself where POSTGREST_BIN names one, through an imitation of its transactions otherwise.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants } from '@rowlock/test-harness';
import { type Application, ann, bob, putBytes, startApplication } from './application.ts';

let app: Application;

before(async () => {
  app = await startApplication();
  await app.service.database.query(`
    CREATE TABLE public.cases (id bigint PRIMARY KEY, sub text NOT NULL);
    INSERT INTO public.cases VALUES (1, 'ann'), (2, 'bob');
    ALTER TABLE public.cases ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON public.cases FOR SELECT TO authenticated USING (sub = storage.claim('sub'));
    GRANT SELECT ON public.cases TO authenticated;
  `);
  await app.service.database.query("SELECT storage.attach_entity('public.cases')");
  await app.postgrest.reload();
});
after(() => app.stop());

const request = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'a.txt', p_file_type: 'text/plain' };
const nowhere = '00000000-0000-4000-8000-000000000000';

test('4.2 request_upload_url answers a bare JSON string, whatever kind of id the entity has', async () => {
  for (const id of ['42', 'a7a4a6c6-0d5c-4d0a-9b39-0d3f1a2c4b5d', 'draft-1']) {
    const answer = await app.call('request_upload_url', { ...request, p_entity_id: id });

    assert.equal(answer.status, 200);
    assert.match(answer.bytes.toString(), /^"[0-9a-f-]{36}"$/);
  }
});

test('4.2 get_upload_url answers an array of one row by GET from the first poll on, in a transaction that cannot write', async () => {
  const id = (await app.call('request_upload_url', request)).json<string>();

  const poll = { method: 'GET', path: '/rpc/get_upload_url', query: { p_request_id: id } } as const;
  const first = await app.postgrest.ask({ ...poll, as: ann });
  const foreign = await app.postgrest.ask({ ...poll, as: bob });
  const anonymous = await app.postgrest.ask(poll);

  assert.equal(first.status, 200);
  const rows = first.json<Record<string, unknown>[]>();
  assert.equal(rows.length, 1);
  assert.deepEqual(Object.keys(rows[0] ?? {}), ['status', 'url', 'file_id', 'error']);
  assert.deepEqual([foreign.json(), anonymous.json()], [[], []]);
});

test('4.2 a function that writes is refused by GET with 405', async () => {
  const answer = await app.postgrest.ask({ method: 'GET', path: '/rpc/request_upload_url', query: request, as: ann });

  assert.equal(answer.status, 405);
  assert.equal(answer.json<{ code: string }>().code, '25006');
});

test('4.2 create_file_record answers the whole row as an object, with and without a property name, and again', async () => {
  const row = await app.requestUrl();
  await putBytes(row.url, 'a note');

  const bare = await app.call('create_file_record', app.recordOf(row));
  const again = await app.call('create_file_record', app.recordOf(row, { p_property_name: 'photo' }));
  const file = await app.committed(row.file_id);

  assert.equal(bare.status, 200);
  const { id, s3_original_key, s3_bucket, created_by, thumbnail_status } = bare.json<Record<string, unknown>>();
  assert.deepEqual(
    { id, s3_original_key, s3_bucket, created_by, thumbnail_status },
    {
      id: row.file_id,
      s3_original_key: `issue/7/${row.file_id}/original.txt`,
      s3_bucket: 'civic-os-files',
      created_by: 'ann',
      thumbnail_status: 'not_applicable',
    },
  );
  assert.equal(again.json<{ id: string }>().id, row.file_id, 'a double click is answered alike');
  assert.equal(file['property_name'], null, 'and changes nothing');
  assert.equal(file['file_size'], '6');
});

test('4.2 files are listed with filters, order, a page and the exact count', async () => {
  for (const name of ['one.txt', 'two.txt', 'three.md']) {
    const row = await app.requestUrl({ p_entity_id: 'list', p_file_name: name });
    await putBytes(row.url, name);
    await app.call('create_file_record', app.recordOf(row, { p_entity_id: 'list', p_file_name: name }));
    await app.committed(row.file_id);
  }
  const ask = (query: Readonly<Record<string, string>>, as: typeof ann | typeof bob = ann) =>
    app.postgrest.ask({
      method: 'GET',
      path: '/files',
      query: { entity_type: 'eq.issue', entity_id: 'eq.list', ...query },
      headers: { prefer: 'count=exact' },
      as,
    });

  const page = await ask({ order: 'created_at.asc', limit: '2', offset: '1', select: 'file_name' });
  const filtered = await ask({
    file_name: 'ilike.*.TXT',
    file_type: 'like.text/*',
    select: 'file_name,thumbnail_status',
  });
  const foreign = await ask({}, bob);

  assert.equal(page.status, 206);
  assert.equal(page.headers['content-range'], '1-2/3');
  assert.deepEqual(page.json(), [{ file_name: 'two.txt' }, { file_name: 'three.md' }]);
  assert.equal(filtered.json<unknown[]>().length, 2);
  assert.deepEqual(foreign.json(), []);
  assert.equal(foreign.headers['content-range'], '*/0');
});

test('4.2 delete_file_record answers 204 to the creator, and to others what it answers to nobody’s file', async () => {
  const row = await app.requestUrl();
  await putBytes(row.url, 'short-lived');
  await app.call('create_file_record', app.recordOf(row));
  await app.committed(row.file_id);

  const foreign = await app.call('delete_file_record', { p_file_id: row.file_id }, bob);
  const missing = await app.call('delete_file_record', { p_file_id: nowhere }, bob);
  const own = await app.call('delete_file_record', { p_file_id: row.file_id });

  assert.deepEqual([foreign.status, foreign.json()], [missing.status, missing.json()]);
  assert.equal(foreign.json<{ code: string }>().code, 'P0002');
  assert.equal(own.status, 204);
  assert.equal(own.bytes.length, 0);
});

test('4.2 whoever sees a file and did not make it may not delete it: 403', async () => {
  await app.service.database.query("INSERT INTO public.cases VALUES (9, 'bob')");
  const row = await app.requestUrl({ p_entity_type: 'cases', p_entity_id: '9' }, bob);
  await putBytes(row.url, 'of bob');
  await app.call('create_file_record', app.recordOf(row, { p_entity_type: 'cases', p_entity_id: '9' }), bob);
  await app.committed(row.file_id);
  await app.service.database.query("UPDATE public.cases SET sub = 'ann' WHERE id = 9");

  const refused = await app.call('delete_file_record', { p_file_id: row.file_id }, ann);

  assert.equal(refused.status, 403);
  assert.equal(refused.json<{ code: string }>().code, '42501');
});

test('4.2 get_file_storage_stats answers an array of one row that counts what the caller sees', async () => {
  const answer = await app.call('get_file_storage_stats', {}, { sub: 'nobody', role: 'authenticated' });

  assert.deepEqual(answer.json(), [{ total_count: 0, total_size_bytes: 0 }]);
});

test('4.2 refusals have four fields, and the codes that clients know', async () => {
  const refusals = [
    [await app.call('request_upload_url', { ...request, p_entity_id: '../1' }), 400, '22023'],
    [await app.call('request_upload_url', { ...request, p_file_type: 'no type' }), 400, '22023'],
    [await app.call('request_upload_url', { ...request, p_entity_type: 'cases', p_entity_id: '2' }), 403, '42501'],
    [await app.postgrest.ask({ method: 'POST', path: '/rpc/request_upload_url', body: request }), 401, '42501'],
    [await app.call('request_upload_url', { p_entity_type: 'issue' }), 404, 'PGRST202'],
  ] as const;

  for (const [answer, status, code] of refusals) {
    const body = answer.json<Readonly<Record<string, unknown>>>();
    assert.deepEqual([answer.status, body['code']], [status, code], answer.bytes.toString());
    assert.deepEqual(Object.keys(body).sort(), ['code', 'details', 'hint', 'message']);
  }
});

test('4.2 a type that the bucket does not take is refused with 23514, before any bytes move', async () => {
  const { database } = app.service;
  await database.query(
    "UPDATE storage.buckets SET allowed_mime_types = '{image/*}', file_size_limit = 100 WHERE id = 'files'",
  );

  const type = await app.call('request_upload_url', request);
  const size = await app.call('request_upload', { ...request, p_file_type: 'image/png', p_file_size: 101 });
  await database.query(
    "UPDATE storage.buckets SET allowed_mime_types = NULL, file_size_limit = NULL WHERE id = 'files'",
  );

  for (const answer of [type, size]) {
    assert.equal(answer.status, 400);
    assert.equal(answer.json<{ code: string }>().code, '23514');
  }
  assert.match(size.json<{ message: string }>().message, /101 bytes; at most 100/);
});

test('R36 the view of files is nothing but columns of its table, so that PostgREST embeds it where a column references it', async () => {
  const [view] = await app.service.database.query<{ text: string }>(
    "SELECT pg_get_viewdef('public.files'::regclass) AS text",
  );

  assert.match(view?.text ?? '', /^ SELECT [\w,\s]+ FROM metadata\.files;$/);
});

test('R36 a file is embedded by the column that references it', {
  skip: (process.env['POSTGREST_BIN'] ?? '') === '' && 'needs PostgREST: POSTGREST_BIN names no program',
}, async () => {
  const row = await app.requestUrl();
  await putBytes(row.url, 'embedded');
  await app.call('create_file_record', app.recordOf(row));
  await app.committed(row.file_id);
  await app.service.database.query(`
      CREATE TABLE public.reports (id int PRIMARY KEY, photo uuid REFERENCES metadata.files (id));
      GRANT SELECT ON public.reports TO authenticated;
      INSERT INTO public.reports VALUES (1, '${row.file_id}')`);
  await app.postgrest.reload();

  const select = 'photo:files!photo(id,file_name,s3_original_key,thumbnail_status)';
  const answer = await app.postgrest.ask({ method: 'GET', path: '/reports', query: { select }, as: ann });
  await app.service.database.query('DROP TABLE public.reports');

  const [report] = answer.json<{ photo: { id: string } }[]>();
  assert.equal(report?.photo.id, row.file_id);
});

test('R3 a token whose role is not there is refused, and one without a role is anonymous', async () => {
  const unknown = await app.call('get_file_storage_stats', {}, { sub: 'ann', role: 'nobody_at_all' });

  assert.ok([401, 403].includes(unknown.status), String(unknown.status));
});

test('R5 the owner of a file may be a number in a nested claim', async () => {
  const as = { role: 'authenticated', user: { user_id: 73060937185904, role: 'org_client' } };

  const row = await app.requestUrl({}, as);
  await putBytes(row.url, 'numbered');
  await app.call('create_file_record', app.recordOf(row), as);
  const file = await app.committed(row.file_id);

  assert.equal(file['created_by'], '73060937185904');
});

test('what was written by all of this is whole', async () => {
  await assertInvariants(app.service);
});

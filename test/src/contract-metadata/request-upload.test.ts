/**
 * `request_upload`, the call for what four arguments cannot carry: its answer, how long its URL lives, and what the URL
 * binds of size, type and checksum, at the store and again before the file is visible.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { openBackend } from '@rowlock/server';
import { assertInvariants, until } from '@rowlock/test-harness';
import { type Application, ann, bob, putBytes, startApplication, type UploadRequest } from './application.ts';

let app: Application;

before(async () => {
  app = await startApplication();
  await until(async () => (await app.service.database.query('SELECT FROM storage.s3_signing_keys')).length > 0, {
    what: 'the keys of the day are derived',
  });
});
after(() => app.stop());

const request = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'note.txt', p_file_type: 'text/plain' };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const codeOf = async (answer: Response): Promise<string | undefined> =>
  /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1];

/** The job that completes an upload, at once and to its end: `completed`, or what else became of it. */
async function completionOf(fileId: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const [row] = await app.service.database.query(
    `SELECT f.thumbnail_error AS error, f.object_id, (SELECT count(*)::int FROM storage.uploads AS u WHERE u.id = r.upload_id) AS uploads
     FROM metadata.file_upload_requests AS r JOIN metadata.files AS f ON f.id = r.file_id WHERE r.file_id = $1`,
    [fileId],
  );
  return row?.['uploads'] === 0 ? row : undefined;
}

test('it is signed as it is made, without a job', async () => {
  const signed = (await app.call('request_upload', request)).json<UploadRequest>();
  const jobs = await app.service.database.query("SELECT FROM metadata.river_job WHERE args ->> 'request_id' = $1", [
    signed.request_id,
  ]);

  const { url, expires_at } = signed;
  assert.deepEqual(signed, {
    request_id: signed.request_id,
    file_id: signed.file_id,
    status: 'completed',
    url,
    method: 'PUT',
    headers: { 'content-type': 'text/plain' },
    bucket: 'civic-os-files',
    key: `issue/7/${signed.file_id}/original.txt`,
    put_key: `issue/7/${signed.file_id}/original.txt`,
    expires_at,
    error: null,
  });
  assert.ok(url?.includes(`/civic-os-files/${signed.key}?`));
  assert.ok(Date.parse(String(expires_at)) > Date.now());
  assert.deepEqual(jobs, []);
});

test('where the database has no key to sign with, it answers what is known, and the signer the rest', async () => {
  const shift = (interval: string): Promise<unknown> =>
    app.service.database.query(`UPDATE storage.s3_signing_keys SET valid_from = valid_from ${interval}`);
  await shift("+ interval '1 year'");

  const pending = (await app.call('request_upload', request)).json<UploadRequest>();
  const signed = await app.requestUpload();

  await shift("- interval '1 year'");
  assert.equal(pending.status, 'pending');
  assert.equal(pending.key, `issue/7/${pending.file_id}/original.txt`);
  for (const unknown of ['url', 'headers', 'bucket', 'expires_at'] as const) assert.equal(pending[unknown], null);
  assert.deepEqual(Object.keys(signed), Object.keys(pending));
  assert.deepEqual(signed.headers, { 'content-type': 'text/plain' });
  assert.equal(signed.bucket, 'civic-os-files');
  assert.ok(signed.url.includes(`/civic-os-files/${signed.key}?`));
});

test('the four arguments of request_upload_url stay, and no function of the schema has a twin', async () => {
  const twins = await app.service.database.query(
    `SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = 'rowlock_owner'::regrole
     GROUP BY proname HAVING count(*) > 1`,
  );
  const [old] = await app.service.database.query<{ signature: string }>(
    `SELECT pg_get_function_identity_arguments(oid) || ' ' || prorettype::regtype AS signature
     FROM pg_proc WHERE proname = 'request_upload_url'`,
  );

  assert.deepEqual(twins, []);
  assert.equal(old?.signature, 'p_entity_type text, p_entity_id text, p_file_name text, p_file_type text uuid');
});

test('another caller learns nothing of a request', async () => {
  const { request_id } = await app.requestUpload();

  const poll = { method: 'GET', path: '/rpc/get_upload_request', query: { p_request_id: request_id } } as const;
  const foreign = await app.postgrest.ask({ ...poll, as: bob });
  const rows = await app.postgrest.ask({ ...poll, as: ann });

  assert.equal(foreign.json(), null);
  assert.equal(rows.json<UploadRequest>().request_id, request_id);
});

test('C2 a URL lives 900 s, longer for what takes longer at 1 Mbit/s, and never beyond an hour', async () => {
  for (const [size, seconds] of [
    [undefined, 900],
    [0, 900],
    [90_000_000, 900],
    [100_000_000, 1000],
    [287_000_000, 2870],
    [5_000_000_000, 3600],
  ] as const) {
    const { url, expires_at } = await app.requestUpload(size === undefined ? {} : { p_file_size: size });

    const query = new URL(url).searchParams;
    const signedAt = String(query.get('X-Amz-Date')).replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5');
    assert.equal(query.get('X-Amz-Expires'), String(seconds), String(size));
    assert.equal(Date.parse(expires_at) - Date.parse(signedAt), seconds * 1000, 'the row says when that is');
  }
});

test('C2 both bounds are settings, and the intent outlives the URL', async () => {
  const { database } = app.service;
  await database.query("UPDATE storage.settings SET value = '60' WHERE name = 'upload_url_seconds'");
  await database.query("UPDATE storage.settings SET value = '120' WHERE name = 'upload_url_seconds_max'");

  const short = await app.requestUpload();
  const long = await app.requestUpload({ p_file_size: 1_000_000_000 });
  await database.query("UPDATE storage.settings SET value = '900' WHERE name = 'upload_url_seconds'");
  await database.query("UPDATE storage.settings SET value = '3600' WHERE name = 'upload_url_seconds_max'");
  const [row] = await database.query(
    `SELECT bool_and(u.expires_at > r.url_expires_at + interval '10 minutes') AS outlives
     FROM metadata.file_upload_requests AS r JOIN storage.uploads AS u ON u.id = r.upload_id`,
  );

  assert.equal(new URL(short.url).searchParams.get('X-Amz-Expires'), '60');
  assert.equal(new URL(long.url).searchParams.get('X-Amz-Expires'), '120');
  assert.equal(row?.['outlives'], true);
});

test('R23 a declared size is signed: more and less are refused by the store', async () => {
  const { url, headers } = await app.requestUpload({ p_file_size: 5 });

  const more = await putBytes(url, '123456', headers);
  const less = await putBytes(url, '1234', headers);
  const exact = await putBytes(url, '12345', headers);

  assert.deepEqual([more.status, await codeOf(more)], [403, 'SignatureDoesNotMatch']);
  assert.deepEqual([less.status, await codeOf(less)], [403, 'SignatureDoesNotMatch']);
  assert.equal(exact.status, 200);
});

test('a declared SHA-256 is signed: the store takes these bytes only, and the object says it', async () => {
  const { url, headers, file_id } = await app.requestUpload({ p_sha256: sha256('these bytes').toUpperCase() });

  const bare = await putBytes(url, 'these bytes');
  const wrong = await putBytes(url, 'those bytes', headers);
  const right = await putBytes(url, 'these bytes', headers);
  await app.call('create_file_record', app.recordOf({ file_id, url }));
  const { object_id } = await app.committed(file_id);
  const [object] = await app.service.database.query('SELECT sha256 FROM public.storage_objects WHERE id = $1', [
    object_id,
  ]);

  assert.equal(bare.status, 403, 'the header is signed, so it is sent');
  assert.deepEqual([wrong.status, await codeOf(wrong)], [400, 'BadDigest']);
  assert.equal(right.status, 200);
  assert.equal(object?.['sha256'], sha256('these bytes'));
});

test('bytes that came by another way than the URL are compared before the file is visible, and purged', async () => {
  const backend = await openBackend(app.service.config.backend);
  const short = await app.requestUpload({ p_file_size: 5 });
  const other = await app.requestUpload({ p_sha256: sha256('these bytes') });
  const same = await app.requestUpload({ p_sha256: sha256('these bytes') });
  await backend.put(short.key, bytesOf('1234'));
  await backend.put(other.key, bytesOf('those bytes'));
  await backend.put(same.key, bytesOf('these bytes'));
  await app.service.database.query("UPDATE metadata.file_upload_requests SET put_headers = '{}'");

  for (const each of [short, other, same]) await app.call('create_file_record', app.recordOf(each));
  const refused = [];
  for (const { file_id } of [short, other]) {
    refused.push(await until(() => completionOf(file_id), { what: 'the upload is refused' }));
  }
  const taken = await app.committed(same.file_id);
  await until(async () => (await backend.head(short.key)) === undefined, { what: 'the bytes are purged' });
  await until(async () => (await backend.head(other.key)) === undefined, { what: 'the bytes are purged' });
  await backend.close();

  assert.deepEqual(
    refused.map(({ error, object_id }) => [error, object_id]),
    [
      ['The object has 4 bytes instead of 5', null],
      ['The object does not have the SHA-256 that was declared', null],
    ],
  );
  assert.equal(taken['file_size'], '11');
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

test('property and consent are the file’s, also where nobody registers it', async () => {
  const said = { p_property_name: 'photo', p_consent_location: true };
  const told = await app.requestUpload(said);
  const untold = await app.requestUpload(said);
  await putBytes(told.url, 'registered');
  await putBytes(untold.url, 'found by the sweep');

  await app.call('create_file_record', app.recordOf(told));
  await app.service.database.query("UPDATE storage.uploads SET created_at = now() - interval '2 hours'");
  await app.service.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
  const files = [await app.committed(told.file_id), await app.committed(untold.file_id)];

  for (const file of files) assert.deepEqual([file['property_name'], file['consent_location']], ['photo', true]);
});

test('what a creator says of a file counts although the sweep was faster, and counts once', async () => {
  const row = await app.requestUrl({ p_entity_id: 'draft' });
  await putBytes(row.url, 'slow to be registered');
  await app.service.database.query("UPDATE storage.uploads SET created_at = now() - interval '2 hours'");
  await app.service.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
  await app.committed(row.file_id);

  const said = { p_entity_id: '8', p_file_name: 'better.txt', p_property_name: 'photo' };
  const first = await app.call('create_file_record', app.recordOf(row, said));
  const second = await app.call(
    'create_file_record',
    app.recordOf(row, { p_entity_id: '9', p_file_name: 'worse.txt' }),
  );

  for (const answer of [first, second]) {
    const { entity_id, file_name, property_name } = answer.json<Record<string, unknown>>();
    assert.deepEqual([entity_id, file_name, property_name], ['8', 'better.txt', 'photo']);
  }
});

test('arguments that cannot be are refused, and write nothing', async () => {
  const { database } = app.service;
  const [before] = await database.query('SELECT count(*) FROM metadata.file_upload_requests');

  for (const changes of [
    { p_file_size: -1 },
    { p_sha256: 'abc' },
    { p_sha256: 'ab' },
    { p_sha256: 'z'.repeat(64) },
    { p_property_name: 'a\nb' },
    { p_property_name: 'x'.repeat(1025) },
    { p_file_type: 'text/plain; charset="ü"' },
    { p_file_name: '' },
  ]) {
    const answer = await app.call('request_upload', { ...request, ...changes });

    assert.equal(answer.status, 400, JSON.stringify(changes));
    assert.equal(answer.json<{ code: string }>().code, '22023', JSON.stringify(changes));
  }
  const [after] = await database.query('SELECT count(*) FROM metadata.file_upload_requests');
  assert.deepEqual(after, before);
});

test('a request that an application inserts by itself has its intent, its id and its job, as whoever asked', async () => {
  const { database } = app.service;
  await database.query(`
    CREATE FUNCTION public.ask_for_logo() RETURNS uuid LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      INSERT INTO metadata.file_upload_requests (entity_type, entity_id, file_name, file_type)
      VALUES ('static_assets', gen_random_uuid()::text, 'logo.svg', 'image/svg+xml') RETURNING id $$`);
  await app.postgrest.reload();

  const id = (await app.call('ask_for_logo', {})).json<string>();
  const row = await until(
    async () => {
      const [found] = await database.query(
        `SELECT r.*, u.caller_role, u.caller_claims ->> 'sub' AS sub
         FROM metadata.file_upload_requests AS r JOIN storage.uploads AS u ON u.id = r.upload_id WHERE r.id = $1`,
        [id],
      );
      return found?.['status'] === 'completed' ? found : undefined;
    },
    { what: 'it is signed' },
  );
  await putBytes(String(row['presigned_url']), '<svg/>', { 'content-type': 'image/svg+xml' });
  await database.query("UPDATE storage.uploads SET created_at = now() - interval '2 hours'");
  await database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
  const file = await app.committed(String(row['file_id']));
  const path = database.query(
    "INSERT INTO metadata.file_upload_requests (entity_type, entity_id, file_name, file_type) VALUES ('..', '1', 'a', '')",
  );

  assert.deepEqual([row['requested_by'], row['caller_role'], row['sub']], ['ann', 'authenticated', 'ann']);
  assert.deepEqual([file['created_by'], file['entity_type']], ['ann', 'static_assets']);
  await assert.rejects(path, { code: '22023' });
});

test('what was written by all of this is whole', async () => {
  await assertInvariants(app.service);
});

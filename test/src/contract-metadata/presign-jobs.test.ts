/**
 * The job path: `s3_presign` in every shape that was ever enqueued, tried again, failing, late; and what it makes the PUT
 * send. Jobs are performed by hand here, one after the other, so that each test knows which did what.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Backend, Backends, Database, openBackend } from '@rowlock/server';
import { assertInvariants, type JobParts, performJob, until } from '@rowlock/test-harness';
import { type Application, ann, putBytes, startApplication, type UploadRequest } from './application.ts';

let app: Application;
let parts: JobParts & { readonly backend: Backend };

before(async () => {
  app = await startApplication({ workers: false });
  parts = {
    db: new Database({
      url: app.service.database.workerUrl,
      connectionsMax: 4,
      statementTimeoutMs: 10_000,
      applicationName: 'jobs by hand',
    }),
    backend: await openBackend(app.service.config.backend),
  };
});
after(async () => {
  await parts.db.close();
  await parts.backend.close();
  await app.stop();
});

const asked = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'note.txt', p_file_type: 'text/plain' };

async function ask(changes: object = {}): Promise<UploadRequest> {
  return (await app.call('request_upload', { ...asked, ...changes })).json<UploadRequest>();
}

async function now(request: UploadRequest): Promise<UploadRequest> {
  const query = { p_request_id: request.request_id };
  const poll = { method: 'GET', path: '/rpc/get_upload_request', query, as: ann } as const;
  return (await app.postgrest.ask(poll)).json<UploadRequest>();
}

const expirySecondsOf = ({ url }: UploadRequest): number =>
  Number(new URL(String(url)).searchParams.get('X-Amz-Expires'));

test('C8 of the arguments only the request’s id is read, in every shape that was ever enqueued', async () => {
  const shapes: readonly object[] = [
    { bucket: 'somebody-elses', key: '../../etc/passwd', operation: 'upload' },
    { bucket: 'civic-os-files', key: 'x', operation: 'download' },
    { file_name: 'lie.exe', file_type: 'text/html', entity_type: 'other', entity_id: '1' },
    { unknown: { nested: [1] }, __proto__: { request_id: 'x' }, constructor: 'x' },
    {},
  ];

  for (const shape of shapes) {
    const request = await ask();
    await performJob(parts, 's3_presign', { ...shape, request_id: request.request_id.toUpperCase() });

    const { status, url, bucket } = await now(request);
    assert.deepEqual([status, bucket], ['completed', 'civic-os-files'], JSON.stringify(shape));
    assert.equal(new URL(String(url)).pathname, `/civic-os-files/${request.key}`);
  }
});

test('the job that a request enqueues has the arguments of deployed workers, and how often it may be tried', async () => {
  const { request_id } = await ask();

  const [job] = await app.service.database.query(
    "SELECT kind, queue, priority, max_attempts, state, args FROM metadata.river_job WHERE args ->> 'request_id' = $1",
    [request_id],
  );

  assert.deepEqual(job, {
    kind: 's3_presign',
    queue: 's3_signer',
    priority: 1,
    max_attempts: 25,
    state: 'available',
    args: { request_id, file_name: 'note.txt', file_type: 'text/plain', entity_type: 'issue', entity_id: '7' },
  });
});

test('D27 a job that runs again changes nothing: the client may hold the first URL', async () => {
  const request = await ask();

  await performJob(parts, 's3_presign', { request_id: request.request_id });
  // Signed in another second it would be another one.
  await app.service.database.query(
    "UPDATE metadata.file_upload_requests SET presigned_url = 'https://held' WHERE id = $1",
    [request.request_id],
  );
  const first = await now(request);
  await Promise.all([
    performJob(parts, 's3_presign', { request_id: request.request_id }, 2),
    performJob(parts, 's3_presign', { request_id: request.request_id }, 3),
  ]);
  const second = await now(request);

  assert.deepEqual(second, first);
  assert.equal(first.file_id, request.file_id, 'the id was there from the start');
});

test('a URL that has expired is signed anew, for the same key and file', async () => {
  const request = await ask();
  await performJob(parts, 's3_presign', { request_id: request.request_id });
  const first = await now(request);
  await app.service.database.query(
    "UPDATE metadata.file_upload_requests SET url_expires_at = now() - interval '1 second', presigned_url = 'https://old' WHERE id = $1",
    [request.request_id],
  );

  await performJob(parts, 's3_presign', { request_id: request.request_id });
  const second = await now(request);

  assert.deepEqual([second.file_id, second.key], [first.file_id, first.key]);
  assert.equal((await putBytes(String(second.url), 'late')).status, 200);
});

test('a signer that comes late signs no URL that outlives the intent, and none when that is over', async () => {
  const late = await ask();
  const tooLate = await ask();
  const expire = 'UPDATE storage.uploads SET expires_at = now() + make_interval(secs => $2) WHERE name = $1';
  await app.service.database.query(expire, [late.key, 100]);
  await app.service.database.query(expire, [tooLate.key, -1]);

  for (const { request_id } of [late, tooLate]) await performJob(parts, 's3_presign', { request_id });
  const [signed, unsigned] = [await now(late), await now(tooLate)];

  assert.ok(expirySecondsOf(signed) >= 90 && expirySecondsOf(signed) <= 100, String(expirySecondsOf(signed)));
  assert.deepEqual([unsigned.status, unsigned.url], ['pending', null]);
});

test('R29 what cannot be signed ever fails at once, with a message for people, and is not tried again', async () => {
  const request = await ask();
  await app.service.database.query(
    "UPDATE metadata.file_upload_requests SET file_type = 'text/plain; ü' WHERE id = $1",
    [request.request_id],
  );

  await assert.rejects(performJob(parts, 's3_presign', { request_id: request.request_id }), { name: 'JobCancel' });
  const { status, url, error } = await now(request);

  assert.deepEqual([status, url], ['failed', null]);
  assert.equal(error, 'No URL can be signed for this file; its type may be at fault');
});

test('D25 a signer that fails leaves the request pending, and failed after its last attempt, without a word from inside', async () => {
  const request = await ask();
  await app.service.database.query("UPDATE storage.versions SET backend = 'elsewhere' WHERE key = $1", [request.key]);
  const args = { request_id: request.request_id };
  const without = { ...parts, backends: new Backends(parts.backend) };

  await assert.rejects(performJob(without, 's3_presign', args, 24));
  const before = await now(request);
  await assert.rejects(performJob(without, 's3_presign', args, 25));
  const failed = await now(request);
  await app.service.database.query("UPDATE storage.versions SET backend = 'disk' WHERE key = $1", [request.key]);
  await performJob(without, 's3_presign', args, 25);
  const retried = await now(request);

  assert.deepEqual([before.status, before.error], ['pending', null]);
  assert.deepEqual([failed.status, failed.error], ['failed', 'The upload URL could not be signed; try again later']);
  assert.deepEqual([retried.status, retried.error], ['completed', null], 'and an operator who tries again mends it');
});

test('a job without an id of a request fails, and one whose request is gone is done', async () => {
  for (const args of [{}, { request_id: '7' }, { request_id: null }, { request_id: ['x'] }]) {
    await assert.rejects(performJob(parts, 's3_presign', args), { name: 'TypeError' });
  }
  await performJob(parts, 's3_presign', { request_id: '00000000-0000-4000-8000-000000000000' });
});

test('F2 with S3_UPLOAD_ACL the PUT must send that ACL, and is told to', async () => {
  const request = await ask();
  await performJob({ ...parts, upload_acl: 'public-read' }, 's3_presign', { request_id: request.request_id });
  const { url, headers } = await now(request);
  const type = { 'content-type': 'text/plain' };

  const bare = await putBytes(String(url), 'x', type);
  const other = await putBytes(String(url), 'x', { ...type, 'x-amz-acl': 'private' });
  const inQuery = await putBytes(`${url}&x-amz-acl=public-read`, 'x', type);
  const right = await putBytes(String(url), 'x', headers ?? {});

  assert.deepEqual(headers, { ...type, 'x-amz-acl': 'public-read' });
  assert.match(decodeURIComponent(String(url)), /SignedHeaders=content-type;host;x-amz-acl&/);
  assert.deepEqual([bare.status, other.status, inQuery.status, right.status], [403, 403, 403, 200]);
});

test('F2 without it an ACL is refused, as stores refuse any header of theirs that is not signed', async () => {
  const request = await ask();
  await performJob(parts, 's3_presign', { request_id: request.request_id });
  const { url, headers } = await now(request);

  const answer = await putBytes(String(url), 'x', { ...headers, 'x-amz-acl': 'public-read' });

  assert.equal(answer.status, 403);
  assert.match(await answer.text(), /<Code>AccessDenied<\/Code><Message>There were headers present in the request/);
});

test('R17 jobs come with their requests, however many ask at once, and D9 several workers sign each once', async () => {
  await app.service.database.query("UPDATE storage.settings SET value = '0' WHERE name LIKE 'upload_requests_%'");
  await app.service.database.query('DELETE FROM metadata.river_job');
  const requests = await Promise.all(Array.from({ length: 200 }, () => ask()));
  const jobs = await app.service.database.query<{ args: { request_id: string } }>(
    'SELECT args FROM metadata.river_job',
  );
  const ids = jobs.map(({ args }) => args.request_id);

  const signing = [1, 2, 3].flatMap(() => ids.map((request_id) => performJob(parts, 's3_presign', { request_id })));
  await Promise.all(signing);
  const urls = await Promise.all(requests.map(async (each) => (await now(each)).url));

  assert.deepEqual(ids.sort(), requests.map(({ request_id }) => request_id).sort());
  assert.equal(new Set(urls).size, 200);
  await until(async () => (await app.service.fetch('/readyz')).ok);
});

test('what was written by all of this is whole', async () => {
  await assertInvariants(app.service);
});

/**
 * F10: jobs that are delivered twice, at once, too late or in the wrong order, to one worker or two, and requests that
 * are sent again because their answer was lost. Each effect is there once.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, performJob, startService, until } from '@rowlock/test-harness';
import { ask, bucket, deleteObject, type FaultySite, pathOf, startFaultySite, writeObject } from './faulty-site.ts';

let site: FaultySite;

before(async () => {
  site = await startFaultySite();
});
after(() => site.stop());

const rpc = (name: string, body: object) =>
  ask(site.service, `/rpc/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

interface RequestRow extends Record<string, unknown> {
  readonly id: string;
  readonly url: string;
  readonly file_id: string;
  readonly key: string;
  readonly upload_id: string;
}

async function requested(entity: string): Promise<RequestRow> {
  const names = { p_entity_type: 'issue', p_entity_id: entity, p_file_name: 'a.jpg', p_file_type: 'image/jpeg' };
  const id = JSON.parse((await rpc('request_upload_url', names)).body.toString()) as string;
  await performJob(site.parts, 's3_presign', { request_id: id });
  return await requestRow(id);
}

async function requestRow(id: string): Promise<RequestRow> {
  const [row] = await site.service.database.query<RequestRow>(
    `SELECT id, presigned_url AS url, file_id, s3_key AS key, upload_id
     FROM metadata.file_upload_requests WHERE id = $1`,
    [id],
  );
  assert.ok(row);
  return row;
}

const send = (url: string, body: BodyOfPut = site.photo) =>
  ask(site.service, url, { as: undefined, method: 'PUT', body, headers: { 'content-type': 'image/jpeg' } });
type BodyOfPut = Buffer | string;

const changesOf = async (name: string): Promise<readonly string[]> =>
  (
    await site.service.database.query<{ type: string }>(
      'SELECT type FROM storage.changes WHERE name = $1 ORDER BY seq',
      [name],
    )
  ).map(({ type }) => type.replace('storage.object.', ''));

async function versionOf(name: string): Promise<string> {
  const [row] = await site.service.database.query<{ id: string }>(
    'SELECT version_id AS id FROM storage.objects WHERE name = $1',
    [name],
  );
  return row?.id ?? '';
}

test('a thumbnail job that runs five times at once makes each variant once', async () => {
  assert.equal(await writeObject(site, 'five', site.photo), 201);
  const version_id = await versionOf('five');

  await Promise.allSettled(
    Array.from({ length: 5 }, () => performJob(site.parts, 'thumbnail_generate', { version_id })),
  );
  await performJob(site.parts, 'thumbnail_generate', { version_id });

  const variants = await site.service.database.query<{ status: string }>(
    'SELECT status FROM storage.variants WHERE source_version_id = $1',
    [version_id],
  );
  assert.deepEqual(
    variants.map(({ status }) => status),
    ['completed', 'completed', 'completed'],
  );
  await assertInvariants(site.service, { history: site.history });
});

test('a thumbnail job that comes after the delete makes nothing', async () => {
  assert.equal(await writeObject(site, 'late', site.photo), 201);
  const version_id = await versionOf('late');
  assert.equal(await deleteObject(site, 'late'), 200);

  await performJob(site.parts, 'thumbnail_generate', { version_id });
  await performJob(site.parts, 'version_purge', { version_ids: [version_id] });
  await performJob(site.parts, 'thumbnail_generate', { version_id });

  await assertInvariants(site.service, { history: site.history });
  assert.deepEqual(await site.service.database.query('SELECT FROM storage.versions WHERE id = $1', [version_id]), []);
});

test('a purge of what is still there, or long gone, removes nothing', async () => {
  assert.equal(await writeObject(site, 'alive', 'alive'), 201);
  const version_id = await versionOf('alive');
  const version_ids = [version_id, version_id, '00000000-0000-7000-8000-000000000000'];

  await Promise.all([1, 2, 3].map(() => performJob(site.parts, 'version_purge', { version_ids })));

  assert.equal((await ask(site.service, pathOf('alive'))).body.toString(), 'alive');
  await assertInvariants(site.service, { history: site.history });
});

test('a URL that was signed stays the same when its job runs again', async () => {
  const { id, url } = await requested('signed-twice');

  await Promise.all([1, 2].map(() => performJob(site.parts, 's3_presign', { request_id: id })));

  assert.equal((await requestRow(id)).url, url);
});

test('a direct upload that is completed five times at once, and reported twice, is one object and one file', async () => {
  const { url, key, file_id, upload_id } = await requested('completed-often');
  assert.equal((await send(url)).status, 200);
  const record = {
    p_id: file_id,
    p_entity_type: 'issue',
    p_entity_id: 'completed-often',
    p_file_name: 'a.jpg',
    p_file_type: 'image/jpeg',
    p_file_size: 1,
    p_s3_bucket: 'civic-os-files',
    p_s3_original_key: key,
  };

  const outcomes = await Promise.allSettled([
    ...[1, 2, 3, 4, 5].map(() => performJob(site.parts, 'upload_complete', { upload_id })),
    rpc('create_file_record', record),
    rpc('create_file_record', record),
  ]);
  await performJob(site.parts, 'upload_complete', { upload_id });
  const again = await rpc('create_file_record', record);

  assert.deepEqual(
    outcomes.filter(({ status }) => status === 'rejected'),
    [],
  );
  assert.equal(again.status, 200, again.body.toString());
  assert.deepEqual(await changesOf(key), ['created']);
  assert.equal((await site.service.database.query('SELECT FROM metadata.files WHERE id = $1', [file_id])).length, 1);
  await assertInvariants(site.service, { history: site.history });
});

test('a completion that comes before the bytes is tried again and finds them', async () => {
  const { url, key, upload_id } = await requested('too-early');

  await assert.rejects(performJob(site.parts, 'upload_complete', { upload_id }), /not arrived/);
  assert.equal((await send(url)).status, 200);
  await performJob(site.parts, 'upload_complete', { upload_id });

  assert.deepEqual(await changesOf(key), ['created']);
});

test('bytes that come when the upload was given up are refused, and those on their way do not stay', async () => {
  const { url, key } = await requested('too-late');
  await site.service.database.query('UPDATE storage.uploads SET expires_at = now()');
  await site.service.database.query("UPDATE storage.versions SET expires_at = now() WHERE state = 'writing'");

  const { status } = await send(url);

  assert.equal(status, 410);
  await assertInvariants(site.service, { history: site.history });
  assert.equal(await site.parts.backend.head(key), undefined);
});

test('requests that are sent again after a lost answer change nothing twice', async () => {
  const { service, proxy } = site;
  const commits = ({ text }: { readonly text: string }): boolean =>
    /commit_upload|DELETE FROM storage.objects/.test(text);
  const lose = () => proxy.arm({ at: 1, fault: { kind: 'cut_after' }, matching: commits });
  const create = (name: string, headers: Readonly<Record<string, string>>) =>
    ask(service, pathOf(name), { method: 'POST', body: 'mine', headers });

  lose();
  const lostCreate = await create('again', { 'if-none-match': '*' });
  const createdAgain = await create('again', { 'if-none-match': '*' });
  lose();
  const lostUpsert = await create('again', { 'x-upsert': 'true' });
  const upsertedAgain = await create('again', { 'x-upsert': 'true' });
  proxy.arm({ at: 1, fault: { kind: 'cut_after' }, matching: ({ text }) => text === 'COMMIT' });
  const lostDelete = await ask(service, pathOf('again'), { method: 'DELETE' });
  const deletedAgain = await ask(service, pathOf('again'), { method: 'DELETE' });

  assert.deepEqual(
    [lostCreate, createdAgain, lostUpsert, upsertedAgain, lostDelete, deletedAgain].map(({ status }) => status),
    [503, 412, 503, 200, 503, 200],
  );
  assert.deepEqual(await changesOf('again'), ['created', 'updated', 'updated', 'deleted']);
  await assertInvariants(service, { history: site.history });
});

test('two workers share jobs that were enqueued twice, and every picture has its variants once', async () => {
  const { database } = site.service;
  const names = Array.from({ length: 12 }, (_, i) => `shared-${i}`);
  await Promise.all(names.map((name) => writeObject(site, name, site.photo)));
  await database.query(
    `SELECT metadata.enqueue_job('thumbnail_generate', jsonb_build_object('version_id', version_id), 'thumbnails', 2::smallint)
     FROM storage.objects WHERE name LIKE 'shared-%'`,
  );
  const parts = { database, root: site.service.root };
  const workers = [await startService(parts), await startService(parts)];

  const left = () =>
    database.query("SELECT FROM metadata.river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')");
  await until(async () => (await left()).length === 0, { timeoutMs: 60_000, what: 'no job is left' });
  const variants = await database.query<{ n: string }>(
    `SELECT count(*) AS n FROM storage.variants AS d JOIN storage.objects AS o ON o.version_id = d.source_version_id
     WHERE o.name LIKE 'shared-%' AND o.bucket_id = '${bucket}' AND d.status = 'completed'`,
  );
  for (const worker of workers) await worker.stop();

  assert.equal(variants[0]?.n, '36');
  await assertInvariants(site.service, { history: site.history });
});

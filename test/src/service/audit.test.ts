/**
 * The audit log over HTTP and in SQL: every write says who did it, in its own transaction; refusals and signed URLs are
 * told after their answers; nothing that is written can be changed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, startService, type TestService, until } from '@rowlock/test-harness';

interface Entry extends Record<string, unknown> {
  readonly request_id: string | null;
  readonly address: string | null;
  readonly login: string;
  readonly role: string;
  readonly subject: string | null;
  readonly operation: string;
  readonly bucket_id: string | null;
  readonly name: string | null;
  readonly outcome: string;
  readonly reason: string | null;
  readonly detail: Record<string, unknown> | null;
}

let service: TestService;

before(async () => {
  service = await startService();
  const body = JSON.stringify({ name: 'audited', policy: 'private' });
  await service.fetch('/storage/v1/bucket', { as: 'alice', method: 'POST', body, headers: json });
});
after(async () => {
  await assertInvariants(service);
  await service.stop();
});

const json = { 'content-type': 'application/json' };

const send = (method: string, path: string, id: string, init: RequestInit & { as?: string } = {}): Promise<Response> =>
  service.fetch(`/storage/v1/${path}`, {
    as: 'alice',
    ...init,
    method,
    headers: { 'x-request-id': id, ...init.headers },
  });

/** The entries of a request, once there are so many. */
async function entriesOf(id: string, count: number): Promise<readonly Entry[]> {
  const find = (): Promise<Entry[]> =>
    service.database.query<Entry>('SELECT * FROM storage.audit WHERE request_id = $1 ORDER BY id', [id]);
  await until(async () => (await find()).length >= count, { what: `${count} entries of ${id}` });
  return find();
}

test('every write of an object is told with its request, address and caller, and is there when the answer is', async () => {
  await (await send('POST', 'object/audited/a', 'made', { body: 'one' })).arrayBuffer();
  await (await send('PUT', 'object/audited/a', 'changed', { body: 'three' })).arrayBuffer();
  const move = JSON.stringify({ bucketId: 'audited', sourceKey: 'a', destinationKey: 'b' });
  await (await send('POST', 'object/move', 'moved', { body: move, headers: json })).arrayBuffer();
  await (await send('DELETE', 'object/audited/b', 'deleted')).arrayBuffer();

  const found = await service.database.query<Entry>(
    "SELECT * FROM storage.audit WHERE request_id IN ('made', 'changed', 'moved', 'deleted') ORDER BY id",
  );

  assert.deepEqual(
    found.map(({ operation, name, request_id }) => [request_id, operation, name]),
    [
      ['made', 'storage.object.created', 'a'],
      ['changed', 'storage.object.updated', 'a'],
      ['moved', 'storage.object.moved', 'b'],
      ['deleted', 'storage.object.deleted', 'b'],
    ],
  );
  for (const { address, login, role, subject, outcome } of found) {
    assert.deepEqual(
      [address, login, role, subject, outcome],
      ['127.0.0.1', 'rowlock_authenticator', 'authenticated', 'alice', 'done'],
    );
  }
  assert.deepEqual(found[2]?.detail?.['from'], ['audited', 'a']);
});

test('buckets are told with what changed in them', async () => {
  const body = (settings: Record<string, unknown>): RequestInit => ({ body: JSON.stringify(settings), headers: json });
  await (await send('POST', 'bucket', 'bucket-made', body({ name: 'other' }))).arrayBuffer();
  await (await send('PUT', 'bucket/other', 'bucket-changed', body({ file_size_limit: 7 }))).arrayBuffer();
  await (await send('DELETE', 'bucket/other', 'bucket-deleted')).arrayBuffer();

  const [made] = await entriesOf('bucket-made', 1);
  const [changed] = await entriesOf('bucket-changed', 1);
  const [deleted] = await entriesOf('bucket-deleted', 1);

  assert.deepEqual(
    [made?.operation, changed?.operation, deleted?.operation],
    ['storage.bucket.created', 'storage.bucket.updated', 'storage.bucket.deleted'],
  );
  assert.deepEqual(changed?.detail, { file_size_limit: [null, 7] });
});

test('refusals are told with their reason, and many alike in one entry that counts them', async () => {
  const path = '/storage/v1/object/audited/hidden';
  const tries = Array.from({ length: 20 }, () =>
    service.fetch(path, { method: 'POST', body: 'x', headers: { 'x-request-id': 'refused' } }),
  );
  const answers = await Promise.all(tries.map(async (each) => (await each).status));

  const times = (entries: readonly Entry[]): number =>
    entries.reduce((sum, { detail }) => sum + Number(detail?.['times'] ?? 1), 0);
  await until(async () => times(await entriesOf('refused', 1)) === 20, { what: 'all refusals are told' });
  const found = await entriesOf('refused', 1);

  assert.ok(answers.every((status) => status === 401));
  assert.ok(found.length < 20);
  assert.deepEqual(
    [found[0]?.outcome, found[0]?.reason, found[0]?.role, found[0]?.bucket_id, found[0]?.name],
    ['refused', 'auth_required', 'anon', 'audited', 'hidden'],
  );
});

test('a token that is not valid is told as nobody', async () => {
  const headers = { 'x-request-id': 'forged', authorization: 'Bearer a.b.c' };
  await service.fetch('/storage/v1/object/audited/a', { headers });

  const [found] = await entriesOf('forged', 1);

  assert.deepEqual([found?.reason, found?.role, found?.subject], ['invalid_token', 'unknown', null]);
});

test('signing is told, and never the token that was signed', async () => {
  await (await send('POST', 'object/audited/signed', 'before', { body: 'x' })).arrayBuffer();
  const answer = await send('POST', 'object/sign/audited/signed', 'signed', {
    body: JSON.stringify({ expiresIn: 60 }),
    headers: json,
  });
  const { signedURL } = (await answer.json()) as { signedURL: string };

  const [found] = await entriesOf('signed', 1);

  assert.deepEqual([found?.operation, found?.name, found?.outcome], ['storage.object.sign', 'signed', 'done']);
  assert.equal(found?.detail?.['expires_in'], 60);
  const token = new URL(signedURL, service.url).searchParams.get('token') ?? '';
  assert.ok(token.length > 20 && !JSON.stringify(found).includes(token));
});

test('an upload by a signed URL is told as its signer, from the address of who held the URL', async () => {
  const signed = await send('POST', 'object/upload/sign/audited/by-url', 'upload-signed', {
    body: '{}',
    headers: json,
  });
  const { url } = (await signed.json()) as { url: string };
  const held = { method: 'PUT', body: 'bytes', headers: { 'x-request-id': 'upload-by-url' } };
  const put = await service.fetch(`/storage/v1${url}`, held);

  const [sign] = await entriesOf('upload-signed', 1);
  const [found] = await entriesOf('upload-by-url', 1);

  assert.equal(put.status, 201, await put.text());
  assert.equal(sign?.operation, 'storage.object.sign');
  assert.deepEqual(
    [found?.operation, found?.subject, found?.address],
    ['storage.object.created', 'alice', '127.0.0.1'],
  );
});

test('a write in plain SQL is told with the role that connected', async () => {
  await (await send('POST', 'object/audited/sql', 'uploaded', { body: 'x' })).arrayBuffer();
  await service.database.query("DELETE FROM storage.objects WHERE name = 'sql'");

  const [found] = await service.database.query<Entry & { connected: string }>(
    `SELECT a.*, session_user AS connected FROM storage.audit AS a
     WHERE name = 'sql' AND operation = 'storage.object.deleted'`,
  );

  assert.equal(found?.login, found?.connected);
  assert.equal(found?.request_id, null);
});

test('a write that is rolled back leaves no entry', async () => {
  await service.database.query(`DO $$ BEGIN
    DELETE FROM storage.objects WHERE name = 'signed';
    RAISE EXCEPTION 'taken back';
  EXCEPTION WHEN raise_exception THEN NULL; END $$`);

  const found = await service.database.query(
    "SELECT id FROM storage.audit WHERE name = 'signed' AND operation = 'storage.object.deleted'",
  );

  assert.deepEqual(found, []);
});

test('what is older than the retention goes by the function of the sweep, and nothing younger by any statement', async () => {
  const { database } = service;
  await database.query(`INSERT INTO storage.audit_log (occurred_at, role, operation, outcome)
    VALUES (now() - interval '400 days', 'anon', 'old', 'done')`);

  await assert.rejects(database.query('DELETE FROM storage.audit_log'), { code: '42501' });
  await assert.rejects(database.query("UPDATE storage.audit_log SET subject = 'x'"), { code: '42501' });
  await assert.rejects(database.query('TRUNCATE storage.audit_log'), { code: '42501' });
  const [before] = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM storage.audit_log');
  await database.query(`UPDATE storage.settings SET value = '0' WHERE name = 'audit_retention_days'`);
  await database.query('SELECT storage_internal.audit_expire(1000)');
  const [left] = await database.query<{ n: number; old: number }>(
    "SELECT count(*)::int AS n, (count(*) FILTER (WHERE operation = 'old'))::int AS old FROM storage.audit_log",
  );

  assert.ok((before?.n ?? 0) > 1);
  assert.deepEqual([left?.n, left?.old], [(before?.n ?? 0) - 1, 0], 'a retention below a day is one of a day');
});

/** Signed uploads: once, as who signed, of what was signed, and judged again when the bytes are there. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';

let service: TestService;

const json = { 'content-type': 'application/json' };

interface SignedUpload {
  readonly url: string;
  readonly token: string;
  readonly signedURL: string;
  readonly expires_at: string;
}

before(async () => {
  service = await startService({ workers: false });
  for (const bucket of [{ name: 'box' }, { name: 'open', public: true }, { name: 'fixed', overwrite: 'deny' }]) {
    const made = await service.fetch('/storage/v1/bucket', {
      as: 'ann',
      method: 'POST',
      headers: json,
      body: JSON.stringify(bucket),
    });
    assert.equal(made.status, 201);
  }
});
after(() => service.stop());

/** As `nobody`: without a token. */
const sign = (path: string, body: object = {}, headers: Record<string, string> = {}, as = 'ann') =>
  service.fetch(`/storage/v1/object/upload/sign/${path}`, {
    as: as === 'nobody' ? undefined : as,
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });

async function signed(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<SignedUpload> {
  const answer = await sign(path, body, headers);
  assert.equal(answer.status, 200);
  return (await answer.json()) as SignedUpload;
}

const use = ({ url }: SignedUpload, body: string | FormData, headers: Record<string, string> = {}) =>
  fetch(new URL(`/storage/v1${url}`, service.url), { method: 'PUT', body, headers });

const read = async (path: string): Promise<string | number> => {
  const response = await service.fetch(`/storage/v1/object/${path}`, { as: 'ann' });
  const text = await response.text();
  return response.status === 200 ? text : response.status;
};

const reasonOf = async (response: Response): Promise<string> => ((await response.json()) as { reason: string }).reason;

test('a signed upload works once, without a token, and the object belongs to who signed', async () => {
  const upload = await signed('box/été/a b.txt');

  const first = await use(upload, 'hello', { 'content-type': 'text/plain', 'x-upsert': 'true' });
  const second = await use(upload, 'again');

  assert.equal(first.status, 201);
  assert.equal(((await first.json()) as { Key: string }).Key, 'box/été/a b.txt');
  assert.equal(second.status, 410);
  assert.equal(await reasonOf(second), 'upload_gone');
  assert.equal(await read('box/été/a b.txt'), 'hello');
  const [row] = await service.database.query<{ owner_id: string }>(
    "SELECT owner_id FROM storage.objects WHERE name LIKE '%a b.txt'",
  );
  assert.equal(row?.owner_id, 'ann');
  assert.equal(new URL(upload.signedURL).pathname, '/storage/v1/object/upload/sign/box/%C3%A9t%C3%A9/a%20b.txt');
});

test('of many uses at once exactly one wins, and the bytes of the others are swept', async () => {
  const upload = await signed('box/many');

  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => use(upload, `body ${i}`)));

  assert.equal(answers.filter(({ status }) => status === 201).length, 1);
  // One that began behind the commit finds the name taken, the others their ticket used.
  assert.equal(answers.filter(({ status }) => status === 410 || status === 409).length, 9);
  await assertInvariants(service);
});

test('what was bound holds: type, size and SHA-256; what fails may be tried again', async () => {
  const sha256 = createHash('sha256').update('hello').digest('hex');
  const upload = await signed('box/bound', { content_type: 'text/plain', size_max: 5, sha256: sha256.toUpperCase() });
  const plain = { 'content-type': 'text/plain; charset=utf-8' };

  assert.equal(await reasonOf(await use(upload, 'hello', { 'content-type': 'text/html' })), 'media_type_not_allowed');
  assert.equal(await reasonOf(await use(upload, 'hello!', plain)), 'too_large');
  assert.equal(await reasonOf(await use(upload, 'HELLO', plain)), 'bad_digest');
  assert.equal((await use(upload, 'hello', plain)).status, 201);
  const disguised = await signed('box/disguised', { content_type: 'image/png' });
  const html = await use(disguised, '<!doctype html><script>x</script>', { 'content-type': 'image/png' });
  assert.equal(await reasonOf(html), 'media_type_not_allowed');
  assert.equal(await read('box/disguised'), 404);
  await assertInvariants(service);
});

test('the right is asked when it is signed, as the caller', async () => {
  assert.equal((await sign('box/x', {}, {}, 'bob')).status, 404);
  assert.equal((await sign('open/x', {}, {}, 'bob')).status, 403);
  assert.equal((await sign('open/x', {}, {}, 'nobody')).status, 401);
  assert.equal((await sign('nowhere/x')).status, 404);
  assert.equal((await sign('box/x', { expiresIn: 86_401 })).status, 400);
  assert.equal((await sign('box/x', { expiresIn: 0 })).status, 400);
  assert.equal((await sign('box/../x')).status, 404);
  assert.equal((await sign('box/x', { sha256: 'x' })).status, 400);
  const [tickets] = await service.database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM storage.upload_tickets WHERE name = 'x'",
  );
  assert.equal(tickets?.n, 0);
});

test('the policies judge again when the bytes come: a bucket that was given away takes nothing', async () => {
  const upload = await signed('open/judged');
  await service.database.query("UPDATE storage.buckets SET owner_id = 'bob' WHERE id = 'open'");

  const refused = await use(upload, 'hello');

  await service.database.query("UPDATE storage.buckets SET owner_id = 'ann' WHERE id = 'open'");
  assert.equal(refused.status, 403);
  assert.equal(await read('open/judged'), 404);
  assert.equal((await use(upload, 'hello')).status, 201);
});

test('a name that is taken is overwritten only where that was signed', async () => {
  assert.equal((await use(await signed('box/taken'), 'first')).status, 201);

  assert.equal((await sign('box/taken')).status, 409);
  assert.equal((await sign('box/taken', {}, { 'if-none-match': '*' })).status, 412);
  const before = await signed('box/late');
  assert.equal((await use(await signed('box/late'), 'other')).status, 201);
  assert.equal((await use(before, 'mine')).status, 409);
  assert.equal((await use(await signed('box/taken', {}, { 'x-upsert': 'true' }), 'second')).status, 200);
  assert.equal(await read('box/taken'), 'second');
  assert.equal(await read('box/late'), 'other');
});

test('If-Match is kept by the signed upload and judged when it commits', async () => {
  assert.equal((await use(await signed('box/matched'), 'one')).status, 201);
  const etag = `"${createHash('sha256').update('one').digest('hex')}"`;
  const upload = await signed('box/matched', {}, { 'x-upsert': 'true', 'if-match': etag });
  await service.fetch('/storage/v1/object/box/matched', { as: 'ann', method: 'PUT', body: 'two' });

  assert.equal((await use(upload, 'three')).status, 412);
  assert.equal(await read('box/matched'), 'two');
});

test('a token opens its own name only, and no other token opens an upload', async () => {
  const upload = await signed('box/own');
  const { token } = upload;
  const at = (path: string, given: string) =>
    fetch(new URL(`/storage/v1/object/upload/sign/${path}?token=${given}`, service.url), { method: 'PUT', body: 'x' });
  await service.fetch('/storage/v1/object/box/readable', { as: 'ann', method: 'PUT', body: 'x' });
  const download = await service.fetch('/storage/v1/object/sign/box/readable', {
    as: 'ann',
    method: 'POST',
    headers: json,
    body: '{}',
  });
  const { url } = (await download.json()) as { url: string };

  assert.equal((await at('box/another', token)).status, 403);
  assert.equal((await at('open/own', token)).status, 403);
  assert.equal((await at('box/own', `${token.slice(0, -4)}AAAA`)).status, 403);
  assert.equal((await at('box/readable', new URL(url).searchParams.get('token') ?? '')).status, 403);
  const read = await fetch(new URL(`/storage/v1/object/sign/box/own?token=${token}`, service.url));
  assert.equal(read.status, 403);
  const bearer = await service.fetch('/storage/v1/bucket', { headers: { authorization: `Bearer ${token}` } });
  assert.equal(bearer.status, 401);
  assert.equal((await use(upload, 'x')).status, 201);
});

test('an upload that expired cannot begin, and its ticket is swept; one that began in time is not hindered', async () => {
  const upload = await signed('box/expired', { expiresIn: 600 });
  await service.database.query(
    "UPDATE storage.upload_tickets SET expires_at = now() - interval '1 second' WHERE name = 'expired'",
  );

  const refused = await use(upload, 'late');
  await assertInvariants(service);

  assert.equal(refused.status, 410);
  assert.equal(await reasonOf(refused), 'url_expired');
  assert.deepEqual(await service.database.query("SELECT FROM storage.upload_tickets WHERE name = 'expired'"), []);
});

test('a form is taken as well, with metadata where none was signed', async () => {
  const metadata = Buffer.from('{"signed":true}').toString('base64');
  const form = (): FormData => {
    const body = new FormData();
    body.append('', new Blob(['hello'], { type: 'text/csv' }));
    body.append('metadata', '{"signed":false}');
    return body;
  };

  assert.equal((await use(await signed('box/form1'), form())).status, 201);
  assert.equal((await use(await signed('box/form2', {}, { 'x-metadata': metadata }), form())).status, 201);

  const rows = await service.database.query(
    "SELECT content_type, user_metadata FROM storage.objects WHERE name LIKE 'form_' ORDER BY name",
  );
  assert.deepEqual(rows, [
    { content_type: 'text/csv', user_metadata: { signed: false } },
    { content_type: 'text/csv', user_metadata: { signed: true } },
  ]);
});

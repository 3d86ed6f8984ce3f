/**
 * The presigned PUT at the door of the disk: clocks, expiry, replays with another type or length, types as browsers send
 * them, and names with every awkward character. What a store of S3's kind answers, the door answers.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Backend, openBackend } from '@rowlock/server';
import { assertInvariants, until } from '@rowlock/test-harness';
import { type Application, ann, putBytes, startApplication } from './application.ts';

let app: Application;
let backend: Backend;

before(async () => {
  app = await startApplication();
  backend = await openBackend(app.service.config.backend);
});
after(async () => {
  await backend.close();
  await app.stop();
});

const codeOf = async (answer: Response): Promise<string> =>
  `${answer.status} ${/<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1] ?? ''}`;

test('a signer’s clock may be 14 minutes ahead and not 16, and behind by less than its URL lives', async () => {
  const sign = async (aheadSeconds: number): Promise<string> => {
    const { key } = await app
      .requestUrl()
      .then(({ url }) => ({ key: new URL(url).pathname.split('/').slice(2).join('/') }));
    const at = new Date(Date.now() + aheadSeconds * 1000);
    return backend.presignPut(key, { expirySeconds: 900, contentType: 'text/plain', now: at });
  };

  const answers = [];
  for (const ahead of [14 * 60, 16 * 60, -14 * 60, -16 * 60]) {
    answers.push(await codeOf(await putBytes(await sign(ahead), 'x')));
  }

  assert.deepEqual(answers, ['200 ', '403 AccessDenied', '200 ', '403 AccessDenied']);
});

test('an expired URL is refused however often it is tried, and stores nothing', async () => {
  const { url } = await app.requestUrl();
  const key = new URL(url).pathname.split('/').slice(2).join('/');
  const now = new Date(Date.now() - 901_000);
  const expired = await backend.presignPut(key, { expirySeconds: 900, contentType: 'text/plain', now });

  for (const body of ['x', '', 'y'.repeat(100_000)]) {
    const answer = await putBytes(expired, body);
    assert.match(await answer.text(), /<Code>AccessDenied<\/Code><Message>The URL has expired/);
    assert.equal(answer.status, 403);
  }
  assert.equal(await backend.head(key), undefined);
  assert.equal((await putBytes(url, 'in time')).status, 200, 'the URL of the request is still good');
});

test('a URL whose upload was given up takes nothing, although it has not expired', async () => {
  const { url, file_id } = await app.requestUrl();
  await app.service.database.query(
    `SELECT storage_internal.abandon_upload(upload_id, 'changed my mind') FROM metadata.file_upload_requests WHERE file_id = $1`,
    [file_id],
  );

  const answer = await putBytes(url, 'late');

  assert.equal(await codeOf(answer), '410 NoSuchUpload');
});

test('a PUT that is replayed changes nothing: same or other bytes, type or length, before and after the commit', async () => {
  const { url, headers, file_id, key } = await app.requestUpload({ p_file_size: 5 });
  const length = { 'content-type': 'text/plain' };
  const replays = async (): Promise<readonly string[]> => [
    await codeOf(await putBytes(url, 'first', headers)),
    await codeOf(await putBytes(url, 'other', headers)),
    await codeOf(await putBytes(url, 'other', { 'content-type': 'text/html' })),
    await codeOf(await putBytes(url, 'another', length)),
    await codeOf(await putBytes(url, '', length)),
  ];
  const refused = ['412 PreconditionFailed', '412 PreconditionFailed', ...Array(3).fill('403 SignatureDoesNotMatch')];

  const stored = await putBytes(url, 'first', headers);
  const before = await replays();
  await app.call('create_file_record', app.recordOf({ file_id, url }));
  await app.committed(file_id);
  const afterCommit = await replays();
  const read = await app.service.fetch(`/storage/v1/object/files/${key}`, { as: 'ann' });
  await app.call('delete_file_record', { p_file_id: file_id });
  await until(async () => (await backend.head(key)) === undefined, { what: 'the bytes are purged' });
  const afterPurge = await codeOf(await putBytes(url, 'first', headers));

  assert.equal(stored.status, 200);
  assert.deepEqual(before, refused);
  assert.deepEqual(afterCommit, refused);
  assert.equal(await read.text(), 'first');
  assert.equal(afterPurge, '410 NoSuchUpload');
});

test('R22, C18 a type is signed as it was declared, parameters and all; an empty one is not signed', async () => {
  for (const type of ['text/plain; charset=utf-8', 'text/plain;charset=UTF-8', 'Image/JPEG', 'application/x-a+b']) {
    const { url } = await app.requestUrl({ p_file_type: type });

    const other = await putBytes(url, 'x', { 'content-type': 'application/octet-stream' });
    const same = await putBytes(url, 'x', { 'content-type': type });

    assert.deepEqual([other.status, same.status], [403, 200], type);
  }
  for (const type of [undefined, 'image/png']) {
    const { url } = await app.requestUrl({ p_file_type: '' });
    const answer = await fetch(url, {
      method: 'PUT',
      body: new Uint8Array([1]),
      headers: type === undefined ? {} : { 'content-type': type },
    });
    assert.equal(answer.status, 200, String(type));
  }
});

/** Names that have broken clients, stores and proxies. */
const awkward: readonly string[] = [
  ...Array.from({ length: 95 }, (_, at) => `a${String.fromCharCode(32 + at)}b.jpg`),
  '../../etc/passwd',
  '..\\..\\boot.ini',
  '/absolute.png',
  'a%2Fb%00c.png',
  'photo.jpg/',
  'größe und maß.jpeg',
  'e\u0301\u202egnp.exe',
  '\u{1f600}.webp',
  'no extension',
  '.htaccess',
  'two.dots..tar.gz',
  'x.'.repeat(200),
  `${'n'.repeat(1000)}.png`,
  'name.toolongextension',
  'name.ü',
  'name.PNG ',
  '?X-Amz-Signature=0&x=y.png',
];

test('R25 a file with any name has a key that needs no decoding, and keeps its name', async () => {
  const { database } = app.service;
  const answers = await Promise.all(
    awkward.map((name) => app.call('request_upload', { ...named(name), p_entity_id: 'awkward' })),
  );
  const keys = answers.map((answer) => answer.json<{ key: string }>().key);
  const rows = await database.query<{ file_name: string }>(
    "SELECT file_name FROM metadata.file_upload_requests WHERE entity_id = 'awkward'",
  );

  for (const key of keys) assert.match(key, /^issue\/awkward\/[0-9a-f-]{36}\/original\.[a-z0-9]{1,10}$/);
  assert.equal(new Set(keys).size, awkward.length, 'D29 equal names have keys of their own');
  assert.deepEqual(rows.map(({ file_name }) => file_name).sort(), [...awkward].sort());
});

const named = (name: string): object => ({
  p_entity_type: 'issue',
  p_entity_id: '7',
  p_file_name: name,
  p_file_type: 'image/jpeg',
});

test('R25 such a file goes the whole way, with bucket and key taken from the URL undecoded', async () => {
  for (const name of ['a%2Fb+c d.jpg', '\u{1f600} #1?.webp', '../x;y.png']) {
    const row = await app.requestUrl(named(name));
    await putBytes(row.url, name, { 'content-type': 'image/jpeg' });
    const recorded = await app.call('create_file_record', app.recordOf(row, named(name)), ann);
    const file = await app.committed(row.file_id);
    const read = await app.service.fetch(`/storage/v1/object/files/${String(file['s3_original_key'])}`, { as: 'ann' });

    assert.equal(recorded.status, 200, recorded.bytes.toString());
    assert.equal(file['file_name'], name);
    assert.equal(await read.text(), name);
  }
});

test('what was written by all of this is whole', async () => {
  await assertInvariants(app.service);
});

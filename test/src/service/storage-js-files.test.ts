/** Every method of storage-js' file API, unmodified, against the service, by each kind of caller. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';
import { photo, shapeOf } from './renders-site.ts';
import { byEveryCaller, type Clients, clientsOf, outcome } from './storage-js-clients.ts';

let service: TestService;
let clients: Clients;

before(async () => {
  service = await startService({ workers: false });
  clients = await clientsOf(service);
  for (const [name, options] of [
    ['box', { public: false }],
    ['open', { public: true }],
    ['elsewhere', { public: false }],
  ] as const) {
    assert.equal(outcome(await clients.owner.createBucket(name, options)), 'ok');
  }
});
after(() => service.stop());

/** The data of an answer that must be one. */
function dataOf<Data>(answer: { readonly data: Data; readonly error: unknown }): NonNullable<Data> {
  assert.equal(answer.error, null);
  assert.ok(answer.data !== null && answer.data !== undefined);
  return answer.data;
}

const textOf = async (name: string, bucket = 'box'): Promise<string> =>
  dataOf(await clients.owner.from(bucket).download(name)).text();

const metadataOf = async (name: string): Promise<Record<string, unknown> | undefined> =>
  (
    await service.database.query(
      'SELECT content_type, cache_control, user_metadata FROM storage.objects WHERE name = $1',
      [name],
    )
  )[0];

test('upload takes every kind of body', async () => {
  const form = new FormData();
  form.append('note', 'an application keeps this');
  form.append('file', new Blob(['bytes'], { type: 'text/csv' }), 'a.csv');
  const bodies = {
    text: 'bytes',
    buffer: Buffer.from('bytes'),
    array: new TextEncoder().encode('bytes').buffer,
    view: new Uint8Array(Buffer.from('bytes')),
    blob: new Blob(['bytes'], { type: 'text/csv' }),
    file: new File(['bytes'], 'a.csv', { type: 'text/csv' }),
    form,
    parameters: new URLSearchParams('bytes'),
    stream: new Blob(['bytes']).stream(),
    node: Readable.from([Buffer.from('bytes')]) as NodeJS.ReadableStream,
  };

  for (const [kind, body] of Object.entries(bodies)) {
    const options = { contentType: 'text/csv', cacheControl: '60', metadata: { kind }, duplex: 'half' };
    const uploaded = dataOf(await clients.owner.from('box').upload(`kinds/${kind}`, body, options));

    assert.equal(uploaded.path, `kinds/${kind}`);
    assert.equal(uploaded.fullPath, `box/kinds/${kind}`);
    assert.match(uploaded.id, /^[0-9a-f-]{36}$/);
    assert.equal(await textOf(`kinds/${kind}`), kind === 'parameters' ? 'bytes=' : 'bytes', kind);
    assert.deepEqual(await metadataOf(`kinds/${kind}`), {
      content_type: 'text/csv',
      cache_control: 'max-age=60',
      user_metadata: { kind },
    });
  }
});

test('upload and update overwrite only where that is wanted, and only what is the caller’s', async () => {
  assert.equal(outcome(await clients.owner.from('open').upload('mine', 'first')), 'ok');

  assert.equal(outcome(await clients.owner.from('open').upload('mine', 'second')), '409 409');
  assert.equal(outcome(await clients.owner.from('open').upload('mine', 'third', { upsert: true })), 'ok');
  assert.equal(outcome(await clients.owner.from('open').update('mine', 'fourth')), 'ok');
  assert.equal(outcome(await clients.owner.from('open').update('new', 'by update')), 'ok');
  assert.equal(await textOf('mine', 'open'), 'fourth');
  const overwritten = await byEveryCaller(clients, (client) => client.from('open').update('mine', 'x'));
  assert.deepEqual(overwritten, { anonymous: '401 401', owner: 'ok', other: '403 403', service: 'ok' });
  const created = await byEveryCaller(clients, (client, kind) => client.from('box').upload(`by ${kind}`, 'x'));
  assert.deepEqual(created, { anonymous: '401 401', owner: 'ok', other: '404 404', service: 'ok' });
});

test('download, info and exists show a private object to its owner and the service only', async () => {
  dataOf(await clients.owner.from('box').upload('été/a b+c.txt', 'private', { metadata: { a: 1 } }));
  const name = 'été/a b+c.txt';

  const hidden = { anonymous: '401 401', owner: 'ok', other: '404 404', service: 'ok' };
  assert.deepEqual(await byEveryCaller(clients, (client) => client.from('box').info(name)), hidden);
  const read = await byEveryCaller(clients, async (client) => client.from('box').download(name));
  assert.deepEqual(read, hidden);
  const info = dataOf(await clients.owner.from('box').info(name));
  assert.equal(info.bucketId, 'box');
  assert.equal(info.name, name);
  assert.equal(info.size, 7);
  assert.equal(info.contentType, 'text/plain');
  assert.equal(info.cacheControl, 'max-age=3600');
  assert.deepEqual(info.metadata, { a: 1 });
  assert.equal((await clients.owner.from('box').exists(name)).data, true);
  assert.equal((await clients.owner.from('box').exists('nothing')).data, false);
  assert.equal((await clients.other.from('box').exists(name)).data, false);
});

test('a missing object is an error of the API with its true status, and its code', async () => {
  const { error } = await clients.owner.from('box').info('nothing');

  assert.equal(error?.name, 'StorageApiError');
  assert.equal(error?.message, 'Object not found');
  assert.deepEqual([error?.status, error?.statusCode], [404, '404']);
});

test('copy and move, within a bucket and into another', async () => {
  dataOf(await clients.owner.from('box').upload('source', 'bytes'));
  dataOf(await clients.owner.from('open').upload('public source', 'public bytes'));

  const copied = dataOf(await clients.owner.from('box').copy('source', 'copied'));
  dataOf(await clients.owner.from('box').copy('source', 'copied', { destinationBucket: 'elsewhere' }));
  const moved = dataOf(await clients.owner.from('box').move('source', 'folder/moved'));
  dataOf(await clients.owner.from('box').move('folder/moved', 'moved', { destinationBucket: 'elsewhere' }));

  assert.equal(copied.path, 'box/copied');
  assert.equal(moved.message, 'Successfully moved');
  assert.equal(await textOf('copied'), 'bytes');
  assert.equal(await textOf('copied', 'elsewhere'), 'bytes');
  assert.equal(await textOf('moved', 'elsewhere'), 'bytes');
  assert.equal(outcome(await clients.owner.from('box').move('source', 'again')), '404 404');
  assert.equal(outcome(await clients.owner.from('elsewhere').copy('copied', 'moved')), '409 409');
  const copies = await byEveryCaller(clients, (client, kind) =>
    client.from('open').copy('public source', `by ${kind}`),
  );
  assert.deepEqual(copies, { anonymous: '401 401', owner: 'ok', other: '403 403', service: 'ok' });
  const moves = await byEveryCaller(clients, (client) => client.from('open').move('public source', 'by owner 2'));
  assert.deepEqual(moves, { anonymous: '401 401', owner: 'ok', other: '404 404', service: '404 404' });
});

test('remove deletes what is the caller’s, and says nothing of the rest', async () => {
  for (const name of ['r1', 'r2', 'r3']) dataOf(await clients.owner.from('open').upload(name, 'x'));

  assert.deepEqual(dataOf(await clients.other.from('open').remove(['r1', 'nothing'])), []);
  assert.equal(outcome(await clients.anonymous.from('open').remove(['r1'])), '401 401');
  const removed = dataOf(await clients.owner.from('open').remove(['r1', 'r2', 'nothing']));
  assert.deepEqual(removed.map(({ name }) => name).sort(), ['r1', 'r2']);
  assert.deepEqual(dataOf(await clients.service.from('open').remove(['r3'])).length, 1);
});

test('list shows a folder, its folders without an id, to those who may', async () => {
  for (const name of ['l/a.txt', 'l/b.txt', 'l/sub/c.txt']) dataOf(await clients.owner.from('box').upload(name, 'x'));

  const entries = dataOf(await clients.owner.from('box').list('l'));
  const page = dataOf(
    await clients.owner.from('box').list('l', { limit: 1, offset: 1, sortBy: { column: 'name', order: 'desc' } }),
  );
  const found = dataOf(await clients.owner.from('box').list('l', { search: 'B.T' }));

  assert.deepEqual(
    entries.map(({ name, id }) => [name, id === null]),
    [
      ['a.txt', false],
      ['b.txt', false],
      ['sub', true],
    ],
  );
  assert.equal(entries[0]?.metadata?.['size'], 1);
  assert.deepEqual(
    page.map(({ name }) => name),
    ['b.txt'],
  );
  assert.deepEqual(
    found.map(({ name }) => name),
    ['b.txt'],
  );
  assert.equal(outcome(await clients.other.from('box').list('l')), '404 404');
});

test('listV2 pages through everything below a prefix', async () => {
  for (const name of ['v/1', 'v/2', 'v/3', 'v/sub/4']) dataOf(await clients.owner.from('box').upload(name, 'x'));
  const names: (string | undefined)[] = [];

  let cursor: string | undefined;
  do {
    const page = dataOf(
      await clients.owner.from('box').listV2({ prefix: 'v/', limit: 2, ...(cursor === undefined ? {} : { cursor }) }),
    );
    names.push(...page.objects.map(({ name }) => name));
    cursor = page.hasNext ? page.nextCursor : undefined;
  } while (cursor !== undefined);
  const folders = dataOf(await clients.owner.from('box').listV2({ prefix: 'v/', with_delimiter: true }));

  assert.deepEqual(names, ['v/1', 'v/2', 'v/3', 'v/sub/4']);
  assert.deepEqual(
    folders.folders.map(({ name }) => name),
    ['v/sub/'],
  );
});

test('createSignedUrl and createSignedUrls open objects for whoever holds them', async () => {
  const name = 'signed/ä & b.txt';
  dataOf(await clients.owner.from('box').upload(name, 'signed bytes'));

  const { signedUrl } = dataOf(await clients.owner.from('box').createSignedUrl(name, 60, { download: 'o.txt' }));
  const many = dataOf(await clients.owner.from('box').createSignedUrls([name, 'nothing'], 60));

  const one = await fetch(signedUrl);
  assert.equal(await one.text(), 'signed bytes');
  assert.match(one.headers.get('content-disposition') ?? '', /attachment; .*o\.txt/);
  assert.equal(await (await fetch(many[0]?.signedUrl ?? '')).text(), 'signed bytes');
  assert.equal(many[1]?.signedUrl, null);
  assert.ok(many[1]?.error);
  const signers = await byEveryCaller(clients, (client) => client.from('box').createSignedUrl(name, 60));
  assert.deepEqual(signers, { anonymous: '401 401', owner: 'ok', other: '404 404', service: 'ok' });
});

test('createSignedUploadUrl and uploadToSignedUrl upload once, by whoever holds the token', async () => {
  const { token, path, signedUrl } = dataOf(await clients.owner.from('box').createSignedUploadUrl('up/ö ä.txt'));

  const stranger = clients.anonymous.from('box');
  const uploaded = dataOf(
    await stranger.uploadToSignedUrl(path, token, new Blob(['by link'], { type: 'text/csv' }), { metadata: { a: 1 } }),
  );

  assert.equal(new URL(signedUrl).searchParams.get('token'), token);
  assert.equal(uploaded.fullPath, 'box/up/ö ä.txt');
  assert.equal(await textOf('up/ö ä.txt'), 'by link');
  assert.equal(outcome(await stranger.uploadToSignedUrl(path, token, 'again')), '410 410');
  assert.equal(outcome(await clients.owner.from('box').createSignedUploadUrl(path)), '409 409');
  const upsert = dataOf(await clients.owner.from('box').createSignedUploadUrl(path, { upsert: true }));
  assert.equal(outcome(await stranger.uploadToSignedUrl(path, upsert.token, 'over')), 'ok');
  assert.equal(await textOf('up/ö ä.txt'), 'over');
  const signers = await byEveryCaller(clients, (client, kind) => client.from('box').createSignedUploadUrl(`s/${kind}`));
  assert.deepEqual(signers, { anonymous: '401 401', owner: 'ok', other: '404 404', service: 'ok' });
});

test('getPublicUrl opens objects of public buckets, and of no others', async () => {
  dataOf(await clients.owner.from('open').upload('p/ü.txt', 'public'));
  dataOf(await clients.owner.from('box').upload('p/ü.txt', 'private'));

  const { publicUrl } = clients.anonymous.from('open').getPublicUrl('p/ü.txt').data;
  const { publicUrl: closed } = clients.anonymous.from('box').getPublicUrl('p/ü.txt').data;

  assert.equal(await (await fetch(publicUrl)).text(), 'public');
  assert.notEqual((await fetch(closed)).status, 200);
});

test('transforms show pictures by download, by signed and by public URLs', async () => {
  for (const bucket of ['box', 'open']) {
    dataOf(await clients.owner.from(bucket).upload('photo.jpg', photo, { contentType: 'image/jpeg' }));
  }
  const box = clients.owner.from('box');

  const downloaded = dataOf(
    await box.download('photo.jpg', { transform: { width: 300, height: 200, resize: 'fill' } }),
  );
  const exact = { width: 299, height: 100, quality: 33 };
  const { signedUrl } = dataOf(await box.createSignedUrl('photo.jpg', 60, { transform: exact }));
  const transform = { width: 100, format: 'origin' } as const;
  const { publicUrl } = clients.anonymous.from('open').getPublicUrl('photo.jpg', { transform }).data;

  assert.equal(await shapeOf(downloaded), 'jpeg 384x256', 'brought to a step, in its ratio');
  assert.match(signedUrl, /\/render\/image\/sign\/box\/photo\.jpg\?token=/);
  assert.equal(await shapeOf(await fetch(signedUrl)), 'jpeg 299x100', 'exactly what was signed');
  assert.equal(await shapeOf(await fetch(publicUrl)), 'jpeg 128x85');
  const readers = await byEveryCaller(clients, async (client) =>
    client.from('box').download('photo.jpg', { transform: { width: 64 } }),
  );
  assert.deepEqual(readers, { anonymous: '401 401', owner: 'ok', other: '404 404', service: 'ok' });
});

test('after all of it rows and bytes agree', async () => {
  await assertInvariants(service);
});

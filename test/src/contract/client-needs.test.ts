/**
 * Section 11: what the unmodified storage-js needs beside its routes: names as it sends and encodes them, parameters that
 * it adds, statuses as it passes them on, and what a browser asks before it sends anything.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import { StorageClient } from '@supabase/storage-js';
import fc from 'fast-check';
import { type Clients, clientsOf, outcome } from '../service/storage-js-clients.ts';
import { ContractSite } from './contract-site.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const origin = 'https://app.example.com';

let site: ContractSite;
let clients: Clients;

before(async () => {
  site = await ContractSite.start({ config: { cors_origins: [origin] } });
  clients = await clientsOf(site.service);
  assert.equal(outcome(await clients.owner.createBucket('mine', { public: false })), 'ok');
  assert.equal(outcome(await clients.owner.createBucket('ours', { public: true })), 'ok');
});
after(() => site.stop());

/** The data of an answer that must be one. */
function dataOf<Data>(answer: { readonly data: Data; readonly error: unknown }, what: string): NonNullable<Data> {
  assert.equal(answer.error, null, what);
  assert.ok(answer.data !== null && answer.data !== undefined, what);
  return answer.data;
}

/**
 * Names that the client can send: it puts them into URLs as they are, where `#`, `?`, `%` and `\` mean something else and
 * a space at the end is cut off. Nothing that is no name.
 */
const segment = fc
  .array(
    fc.oneof(
      fc.constantFrom(...' !"$&\'()*+,-.:;<=>@[]^_`{|}~'),
      fc.constantFrom(...'aZ09'),
      fc.constantFrom('é', 'ß', '日', '本', '😀', 'ﬁ', '\u202e', '\u00a0', 'e\u0301'),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((letters) => letters.join(''))
  .filter((text) => !/^\.{1,2}$/.test(text) && text.trim() === text);
const names = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/').normalize('NFC'));

test('11.1 whatever name the client sends is the name by every one of its methods', async (t) => {
  const { seed } = seededRandom();
  t.diagnostic(`ROWLOCK_TEST_SEED=${seed}`);

  await fc.assert(
    fc.asyncProperty(names, async (name) => {
      const [mine, ours] = [clients.owner.from('mine'), clients.owner.from('ours')];

      const uploaded = dataOf(await mine.upload(name, name, { upsert: true }), 'upload');
      dataOf(await ours.update(name, name), 'update');
      const { signedUrl } = dataOf(await mine.createSignedUrl(name, 60), 'createSignedUrl');
      const [batched] = dataOf(await mine.createSignedUrls([name], 60), 'createSignedUrls');
      const { publicUrl } = ours.getPublicUrl(name).data;
      const upload = dataOf(await mine.createSignedUploadUrl(name, { upsert: true }), 'createSignedUploadUrl');

      assert.deepEqual([uploaded.path, uploaded.fullPath], [name, `mine/${name}`]);
      assert.equal(dataOf(await mine.info(name), 'info').name, name);
      assert.equal(await dataOf(await mine.download(name), 'download').text(), name);
      for (const url of [signedUrl, batched?.signedUrl ?? '', publicUrl]) {
        assert.equal(await (await fetch(url)).text(), name, url);
      }
      dataOf(await clients.anonymous.from('mine').uploadToSignedUrl(name, upload.token, 'new'), 'uploadToSignedUrl');
      assert.equal(await dataOf(await mine.download(name), 'download').text(), 'new');
      assert.equal(dataOf(await ours.remove([name]), 'remove').length, 1);
      assert.equal((await ours.exists(name)).data, false);
    }),
    { numRuns: 8 * rounds, seed },
  );
});

test('11.2 URLs of the client stay good with what it appends to them', async () => {
  const file = clients.owner.from('mine');
  dataOf(await file.upload('appended.txt', 'bytes', { upsert: true }), 'upload');
  dataOf(await clients.owner.from('ours').upload('appended.txt', 'bytes', { upsert: true }), 'upload');

  const options = { download: 'other.txt', cacheNonce: 'n 1' };
  const { signedUrl } = dataOf(await file.createSignedUrl('appended.txt', 60, options), 'createSignedUrl');
  const [batched] = dataOf(await file.createSignedUrls(['appended.txt'], 60, options), 'createSignedUrls');
  const { publicUrl } = clients.anonymous.from('ours').getPublicUrl('appended.txt', options).data;

  for (const url of [signedUrl, batched?.signedUrl ?? '', publicUrl]) {
    const answer = await fetch(url);
    assert.deepEqual([answer.status, await answer.text()], [200, 'bytes'], url);
    assert.match(answer.headers.get('content-disposition') ?? '', /filename="other\.txt"/);
  }
  const nonced = await file.download('appended.txt', { cacheNonce: 'n 1' });
  assert.equal(await dataOf(nonced, 'download').text(), 'bytes');
});

test('11.3 the client passes on the status of HTTP, and the one in the body as a text', async () => {
  const { error } = await clients.owner.from('mine').createSignedUrl('nothing', 60);
  const taken = await clients.owner.createBucket('mine', { public: false });

  assert.deepEqual([error?.name, error?.status, error?.statusCode], ['StorageApiError', 404, '404']);
  assert.deepEqual([taken.error?.status, taken.error?.statusCode], [409, '409']);
  assert.equal(taken.error?.message, 'The resource already exists');
});

test('11.4 exists is false for what is missing and for what is hidden', async () => {
  dataOf(await clients.owner.from('mine').upload('secret', 'x', { upsert: true }), 'upload');

  const own = await clients.owner.from('mine').exists('secret');
  const missing = await clients.owner.from('mine').exists('nothing');
  const hidden = await clients.other.from('mine').exists('secret');

  assert.deepEqual([own.data, missing.data, hidden.data], [true, false, false]);
});

test('11.5 a key that the client sends beside its token changes nothing', async () => {
  const client = new StorageClient(`${site.service.url}/storage/v1`, { apikey: 'some-key', 'x-client-info': 'a/1' });

  assert.deepEqual(dataOf(await client.from('ours').list(), 'list').length >= 0, true);
  assert.equal(outcome(await client.from('mine').list()), '401 401');
});

test('11.6 a browser may send every header of the client, and read every header that it needs', async () => {
  const wanted = [
    'authorization',
    'apikey',
    'x-client-info',
    'x-upsert',
    'x-metadata',
    'cache-control',
    'content-type',
    'range',
    'if-match',
    'if-none-match',
  ];
  const asked = { origin, 'access-control-request-headers': wanted.join(',') };

  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const preflight = await site.ask('OPTIONS', 'object/mine/a', {
      as: 'nobody',
      headers: { ...asked, 'access-control-request-method': method },
    });
    const list = (name: string): readonly string[] =>
      (preflight.headers.get(name) ?? '').split(',').map((text) => text.trim().toLowerCase());

    assert.equal(preflight.status, 204, method);
    assert.equal(preflight.headers.get('access-control-allow-origin'), origin);
    assert.ok(list('access-control-allow-methods').includes(method.toLowerCase()), method);
    assert.deepEqual(
      wanted.filter((name) => !list('access-control-allow-headers').includes(name)),
      [],
    );
  }
  const { headers } = await site.ask('GET', 'bucket', { headers: { origin } });
  const exposed = (headers.get('access-control-expose-headers') ?? '').split(',').map((text) => text.trim());
  for (const name of ['etag', 'content-range', 'location', 'content-length', 'accept-ranges', 'content-disposition']) {
    assert.ok(exposed.includes(name), name);
  }
});

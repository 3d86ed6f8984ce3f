import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { signToken, startService, type TestService } from '@rowlock/test-harness';
import { createClient, type StorageClient } from './client.ts';
import { isRowlockError } from './contract/errors.ts';

describe('the client of a real service', () => {
  let service: TestService;
  let ann: StorageClient;
  let bob: StorageClient;

  before(async () => {
    service = await startService();
    const tokens = await Promise.all(['ann', 'bob'].map((sub) => signToken({ sub, role: 'authenticated' })));
    ann = createClient({ url: `${service.url}/`, token: tokens[0] });
    bob = createClient({ url: service.url, token: () => tokens[1] ?? '' });
    await ann.createBucket({ name: 'box' });
  });
  after(() => service.stop());

  test('objects go up in every kind of body and come back', async () => {
    const bodies = {
      text: 'héllo',
      bytes: new TextEncoder().encode('héllo'),
      blob: new Blob(['héllo']),
      stream: new Blob(['héllo']).stream(),
    };

    for (const [name, body] of Object.entries(bodies)) {
      const uploaded = await ann.put('box', `bodies/${name}`, body, {
        contentType: 'text/plain',
        metadata: { é: 1 },
        cacheControl: '60',
      });
      const read = await ann.download('box', `bodies/${name}`);

      assert.equal(uploaded.size, 6, name);
      assert.equal(await read.text(), 'héllo');
      assert.equal(read.headers.get('cache-control'), 'private, max-age=60');
      assert.deepEqual((await ann.info('box', `bodies/${name}`)).metadata, { é: 1 });
    }
  });

  test('ranges, existence, links, listing and removal', async () => {
    await ann.put('box', 'tree/a/1.txt', 'one');
    await ann.put('box', 'tree/2.txt', 'two');
    const names = async (recursive: boolean): Promise<string[]> => {
      const found: string[] = [];
      for await (const entry of ann.list('box', 'tree', { recursive })) {
        found.push(entry.name);
      }
      return found;
    };

    const part = await ann.download('box', 'tree/2.txt', { range: 'bytes=1-' });
    const link = await ann.sign('box', 'tree/2.txt', { expirySeconds: 60 });

    assert.equal(await part.text(), 'wo');
    assert.equal(await (await fetch(link.url)).text(), 'two');
    assert.deepEqual(await names(false), ['2.txt', 'a']);
    assert.deepEqual(await names(true), ['2.txt', 'a/1.txt']);
    assert.equal(await ann.exists('box', 'tree/2.txt'), true);
    assert.equal(await bob.exists('box', 'tree/2.txt'), false);
    assert.deepEqual(await ann.remove('box', ['tree/2.txt', 'none']), ['tree/2.txt']);
  });

  test('links are made one by one or many at once, are good for so many uses, and can be ended', async () => {
    await ann.put('box', 'what?/#1.txt', 'one');
    const open = async (url: string | undefined): Promise<string> => {
      const answer = await fetch(url ?? 'missing:');
      return answer.ok ? answer.text() : String(answer.status);
    };

    const [many, none] = await ann.signAll('box', ['what?/#1.txt', 'none'], { expirySeconds: 60 });
    const once = await ann.sign('box', 'what?/#1.txt', {
      usesMax: 1,
      addresses: ['127.0.0.1', '::1'],
      download: 'x.txt',
    });
    const other = await ann.sign('box', 'what?/#1.txt');
    const picture = await ann.sign('box', 'what?/#1.txt', { transform: { width: 100 } });
    assert.equal((await fetch(picture.url)).status, 415, 'no picture is made of a text');

    assert.deepEqual([await open(many), none], ['one', undefined]);
    assert.deepEqual([await open(once.url), await open(once.url)], ['one', '410']);
    await ann.revoke('box', 'what?/#1.txt', other.id);
    assert.deepEqual([await open(other.url), await open(many)], ['410', 'one']);
    await ann.revoke('box', 'what?/#1.txt');
    assert.equal(await open(many), '410');
    await assert.rejects(bob.revoke('box', 'what?/#1.txt'), (error) => isRowlockError(error, 'bucket_not_found'));
  });

  test("errors are the service's own reasons", async () => {
    await ann.put('box', 'taken', '1');

    await assert.rejects(ann.put('box', 'taken', '2', { overwrite: false }), (error) =>
      isRowlockError(error, 'object_exists'),
    );
    await assert.rejects(bob.download('box', 'taken'), (error) => isRowlockError(error, 'bucket_not_found'));
    await assert.rejects(ann.deleteBucket('box'), (error) => isRowlockError(error, 'bucket_not_empty'));
    await assert.rejects(createClient({ url: service.url }).getBucket('box'), (error) =>
      isRowlockError(error, 'auth_required'),
    );
    await assert.rejects(
      ann.rpc('request_upload_url', { p_entity_type: '..', p_entity_id: '1', p_file_name: 'a', p_file_type: '' }),
      (error) => isRowlockError(error, 'invalid_request'),
    );
  });
});

test('a service that is not there is unavailable, and an aborted request is aborted', async () => {
  const client = createClient({ url: 'http://127.0.0.1:1' });

  await assert.rejects(client.listBuckets(), (error) => isRowlockError(error, 'unavailable'));
  await assert.rejects(
    client.download('a', 'b', { signal: AbortSignal.abort() }),
    (error: Error) => error.name === 'AbortError',
  );
});

test('an answer that is no JSON of ours still becomes an error by its status', async () => {
  const client = createClient({
    url: 'http://x',
    fetch: async () => new Response('<html>', { status: 503, headers: { 'retry-after': '7' } }),
  });

  await assert.rejects(
    client.listBuckets(),
    (error) => isRowlockError(error, 'unavailable') && error.retryAfterSeconds === 7,
  );
});

test('an answer that breaks off while it is read is unavailable, whether it was a success or not', async (t) => {
  for (const status of [200, 409]) {
    const server = createServer((_, answer) => {
      answer.writeHead(status, { 'content-length': '100' }).write('{"reason"', () => answer.destroy());
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const client = createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

    const asked = client.listBuckets();

    await assert.rejects(asked, (error) => isRowlockError(error, 'unavailable'), `${status}`);
  }
});

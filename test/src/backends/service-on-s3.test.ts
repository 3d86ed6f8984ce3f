/** The whole service with its bytes in an S3 store: up, down, in ranges, away, and gone when they are purged. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { assertInvariants, type FaultProxy, requires, startFaultProxy, until } from '@rowlock/test-harness';
import { openS3Backend, type S3Backend } from '../../../packages/server/dist/backend/s3/s3-backend.js';
import { type BackendsSite, startBackendsSite } from './backends-site.js';
import { cephConfig } from './ceph-backend.js';
import { madeBytes } from './made-bytes.js';

const mebi = 1024 ** 2;

interface Site extends BackendsSite {
  /** Between the service and the store. */
  readonly proxy: FaultProxy;
  /** Beside the service. */
  readonly direct: S3Backend;
  keys(): Promise<string[]>;
}

async function site(t: TestContext): Promise<Site> {
  const config = await cephConfig();
  const proxy = await startFaultProxy({ url: config.endpoint });
  const direct = await openS3Backend(config);
  const through = { ...config, kind: 's3', endpoint: proxy.through(config.endpoint) } as const;
  const started = await startBackendsSite({ workers: true, blobs: false, config: { other_backends: [through] } });
  t.after(async () => {
    await started.stop();
    await direct.close();
    await proxy.close();
  });
  await started.bucket('photos', 's3');
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of direct.list()) found.push(key);
    return found;
  };
  return { ...started, proxy, direct, keys };
}

async function bytesOf(size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of madeBytes(size)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a service on an S3 store', { skip: requires('ceph') }, () => {
  test('small and large bodies go up, come down in parts too, and are purged when they are replaced and deleted', async (t) => {
    const { service, put, read, placeOf, keys, direct } = await site(t);
    const large = await bytesOf(9 * mebi);

    await put('photos/a.bin', 'first');
    await put('photos/a.bin', 'second');
    await put('photos/b.bin', large);
    const { backend } = await placeOf('photos/b.bin');
    const whole = await read('photos/b.bin');
    const range = await service.fetch('/storage/v1/object/photos/b.bin', {
      as: 'ann',
      headers: { range: `bytes=${8 * mebi - 2}-${8 * mebi + 1}` },
    });
    const rangeBytes = Buffer.from(await range.arrayBuffer());
    await until(async () => (await keys()).length === 2, { timeoutMs: 30_000, what: 'the first bytes are purged' });
    await assertInvariants(service);
    for (const name of ['a.bin', 'b.bin']) {
      await service.fetch(`/storage/v1/object/photos/${name}`, { as: 'ann', method: 'DELETE' });
    }
    await until(async () => (await keys()).length === 0, { timeoutMs: 30_000, what: 'all bytes are purged' });

    assert.equal(backend, 's3');
    assert.ok(Buffer.isBuffer(whole) && whole.equals(large));
    assert.deepEqual([range.status, rangeBytes], [206, large.subarray(8 * mebi - 2, 8 * mebi + 2)]);
    for await (const left of direct.listUnfinished()) assert.fail(`${left.id} was left`);
    await assertInvariants(service);
  });

  test('while the store is away uploads and downloads are answered 503, nothing is lost, and all works when it is back', async (t) => {
    const { service, proxy, put, read } = await site(t);
    await put('photos/a.bin', 'kept');

    await proxy.cut();
    const up = await service.fetch('/storage/v1/object/photos/new.bin', { as: 'ann', method: 'POST', body: 'lost' });
    const down = await read('photos/a.bin');
    await proxy.restore();
    const after = await read('photos/a.bin');
    await put('photos/new.bin', 'found');

    assert.deepEqual([up.status, down], [503, 503]);
    assert.equal(after.toString(), 'kept');
    assert.equal((await read('photos/new.bin')).toString(), 'found');
    await assertInvariants(service);
  });
});

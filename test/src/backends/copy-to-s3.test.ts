/** A service with three backends, a real S3 store among them: bytes go from the database and from the disk to it, and back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, requires, seededRandom } from '@rowlock/test-harness';
import { type BackendsSite, startBackendsSite } from './backends-site.ts';
import { cephConfig } from './ceph-backend.ts';

const skip = requires('ceph');
const random = seededRandom();

let site: BackendsSite;

before(async () => {
  if (skip !== false) return;
  site = await startBackendsSite({ config: { other_backends: [{ kind: 's3', ...(await cephConfig()) }] } });
  await site.bucket('box');
});
after(() => site?.stop());

/** Where the bytes of each path are. */
const backendsOf = async (paths: Iterable<string>): Promise<readonly string[]> =>
  await Promise.all([...paths].map(async (path) => (await site.placeOf(path)).backend));

test('bytes from rows and from the disk are in the S3 store afterwards, the same, and come back', {
  skip,
}, async (t) => {
  t.diagnostic(`seed ${random.seed}`);
  const bodies = new Map([0, 1, 300_000].map((size) => [`box/rows/${size}`, random.bytes(size)]));
  for (const [path, body] of bodies) await site.put(path, body);
  await site.copy({ from: 'disk', to: 'postgres' });
  for (const size of [5, 9_000_000]) {
    const body = Buffer.alloc(size, random.bytes(1000));
    bodies.set(`box/disk/${size}`, body);
    await site.put(`box/disk/${size}`, body);
  }
  const read = (): Promise<readonly (Buffer | number)[]> =>
    Promise.all([...bodies.keys()].map((path) => site.read(path)));

  const fromRows = await site.copy({ from: 'postgres', to: 's3' });
  const fromDisk = await site.copy({ from: 'disk', to: 's3' });
  const there = await backendsOf(bodies.keys());
  const readThere = await read();
  await assertInvariants(site.service);
  const returned = await site.copy({ from: 's3', to: 'disk' });
  const readHere = await read();

  assert.deepEqual([fromRows.copied, fromDisk.copied, fromDisk.failed], [3, 2, 0]);
  assert.deepEqual(new Set(there), new Set(['s3']));
  assert.deepEqual(readThere, [...bodies.values()]);
  assert.deepEqual([returned.copied, returned.left], [5, 0]);
  assert.deepEqual(readHere, [...bodies.values()]);
  assert.deepEqual(new Set(await backendsOf(bodies.keys())), new Set(['disk']));
  await assertInvariants(site.service);
});

test('a presigned URL of a moved object opens its bytes at the S3 store itself', { skip }, async () => {
  await site.put('box/open', 'bytes');
  await site.copy({ from: 'disk', to: 's3', bucket: 'box', prefix: 'open' });
  const { backend, key } = await site.placeOf('box/open');

  const url = await site.backends.of(backend).presignGet(key, { expirySeconds: 60 });
  const answer = await fetch(url);

  assert.equal(backend, 's3');
  assert.ok(!url.startsWith(site.service.url));
  assert.deepEqual([answer.status, await answer.text()], [200, 'bytes']);
  await assertInvariants(site.service);
});

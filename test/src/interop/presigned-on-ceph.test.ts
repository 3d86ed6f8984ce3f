/** Our presigned URLs at a real S3 store: Ceph's RADOS gateway takes what we signed, and nothing else. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Presigner } from '@rowlock/server';
import { cephStore, requires } from '@rowlock/test-harness';

describe('presigned URLs at a RADOS gateway', { skip: requires('ceph') }, () => {
  let presigner: Presigner;

  before(async () => {
    const store = await cephStore();
    const { endpoint, region, credentials } = store;
    presigner = new Presigner({ endpoint, region, bucket: await store.newBucket(), credentials });
  });

  const sign = (
    method: string,
    key: string,
    more: { headers?: Record<string, string>; query?: Record<string, string> } = {},
  ): string => presigner.presign({ method, key, expirySeconds: 600, now: new Date(), ...more });

  test('a PUT with its signed type is taken, and a GET answers what was signed', async () => {
    const put = await fetch(sign('PUT', 'issue/42/photo.jpg', { headers: { 'content-type': 'image/jpeg' } }), {
      method: 'PUT',
      headers: { 'content-type': 'image/jpeg' },
      body: 'bytes',
    });
    const query = { 'response-content-disposition': 'attachment; filename="a b+c.jpg"' };
    const get = await fetch(sign('GET', 'issue/42/photo.jpg', { query }));

    assert.equal(put.status, 200);
    assert.equal(await get.text(), 'bytes');
    assert.equal(get.headers.get('content-type'), 'image/jpeg');
    assert.equal(get.headers.get('content-disposition'), query['response-content-disposition']);
  });

  test('another type, another key, another method and a changed signature are refused', async () => {
    const url = sign('PUT', 'issue/42/other.jpg', { headers: { 'content-type': 'image/jpeg' } });
    const put = (target: string, type: string) =>
      fetch(target, { method: 'PUT', headers: { 'content-type': type }, body: 'x' });

    assert.equal((await put(url, 'text/html')).status, 403);
    assert.equal((await put(url.replace('other.jpg', 'third.jpg'), 'image/jpeg')).status, 403);
    assert.equal((await fetch(url)).status, 403);
    assert.equal(
      (
        await put(
          url.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
          'image/jpeg',
        )
      ).status,
      403,
    );
    assert.equal((await fetch(sign('GET', 'issue/42/other.jpg'))).status, 404, 'nothing was stored');
  });
});

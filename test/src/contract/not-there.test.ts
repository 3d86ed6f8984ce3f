/**
 * Sections 4, 6 and 8 to 10: what the contract has and the service does not have yet is answered as what it is, a route
 * that is not there, whoever asks and whatever is sent; and none of it touches what there is.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ContractSite, jsonOf } from './contract-site.ts';

let site: ContractSite;

before(async () => {
  site = await ContractSite.start();
  await site.put('box/kept.txt', 'bytes');
});
after(() => site.stop());

const absent: readonly (readonly [what: string, method: string, path: string])[] = [
  ['4.23 forgetting what a cache has of an object', 'DELETE', 'cdn/box/kept.txt'],
  ['4.23 forgetting what a cache has of a bucket', 'DELETE', 'cdn/box'],
  ['4.23 forgetting what a cache has', 'DELETE', 'cdn'],
  ['8.1 beginning a resumable upload', 'POST', 'upload/resumable'],
  ['8.1 going on with a resumable upload', 'PATCH', 'upload/resumable/x'],
  ['8.1 asking for a resumable upload', 'HEAD', 'upload/resumable/x'],
  ['8.1 ending a resumable upload', 'DELETE', 'upload/resumable/x'],
  ['8.1 a resumable upload by a signature', 'POST', 'upload/resumable/sign'],
  ['9.1 a list of buckets of S3', 'GET', 's3'],
  ['9.1 an upload of S3', 'PUT', 's3/box/kept.txt'],
  ['9.1 a sub-resource of an object of S3', 'PUT', 's3/box/kept.txt?tagging'],
  ['9.1 a sub-resource of a bucket of S3', 'DELETE', 's3/box?policy'],
];

for (const [what, method, path] of absent) {
  test(`${what} is a route that is not there, and touches nothing`, async () => {
    const answer = await site.ask(method, path, {
      as: 'service',
      headers: { 'tus-resumable': '1.0.0', 'upload-length': '1' },
      ...(method === 'GET' || method === 'HEAD' ? {} : { body: 'x' }),
    });

    assert.equal(answer.status, 404);
    if (method !== 'HEAD') assert.equal(jsonOf(answer)['code'], 'NoSuchRoute');
    assert.equal((await site.ask('GET', 'object/box/kept.txt')).text, 'bytes');
  });
}

test('6.1 a render names a preset, or a size and a format, and not both; and of a text there is none', async () => {
  const ask = async (query: string): Promise<number> =>
    (await site.ask('GET', `render/image/authenticated/box/kept.txt${query}`)).status;

  assert.equal(await ask(''), 400);
  assert.equal(await ask('?width=100&height=100&resize=cover&format=webp&quality=80'), 415);
  assert.equal(await ask('?preset=huge&width=100'), 400);
  assert.equal(await ask('?preset=huge'), 404);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBucket } from './bucket-checks.ts';
import { type Environment, Settings } from './options.ts';

const check = (env: Environment): ReturnType<typeof checkBucket> => checkBucket(new Settings({}, env));
const s3 = { BACKEND: 's3', S3_ENDPOINT: 'http://127.0.0.1:9', S3_ACCESS_KEY_ID: 'k', S3_SECRET_ACCESS_KEY: 's' };

test('a bucket is asked only where there is one, and not where it may be public', async () => {
  assert.deepEqual(await check({ BACKEND: 'disk' }), []);
  assert.deepEqual(await check({ ...s3, S3_PUBLIC_BUCKET: 'on' }), [
    { check: 's3-bucket', state: 'ok', says: 'may be public: S3_PUBLIC_BUCKET is on' },
  ]);
  await assert.rejects(check({ ...s3, S3_PUBLIC_BUCKET: 'yes' }), /S3_PUBLIC_BUCKET is on or off/);
});

test('a store that does not answer is a warning: nobody knows what is open', async () => {
  const found = await check(s3);

  assert.deepEqual(
    found.map(({ state }) => state),
    ['warn'],
  );
  assert.match(found[0]?.says ?? '', /nobody knows/);
});

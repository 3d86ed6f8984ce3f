/** A bucket that strangers can read is found out, whichever way it was opened, and `rowlock serve` does not start on it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PutBucketAclCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { exposureOf, type S3BackendConfig } from '@rowlock/server';
import { type CephStore, cephStore, requires } from '@rowlock/test-harness';
import { checkBucket } from '../../../packages/cli/dist/bucket-checks.js';
import { Settings } from '../../../packages/cli/dist/options.js';
import { isPublicPolicy } from '../../../packages/server/dist/backend/s3/s3-exposure.js';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

const policy = (statement: object): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
const reading = (bucket: string, Principal: unknown = '*'): string =>
  policy({ Principal, Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` });

test('a policy is public when it allows anything to everybody, whatever it is about', () => {
  const open = ['*', { AWS: '*' }, { AWS: ['arn:aws:iam::1:root', '*'] }, ['*']];
  const closed = [{ AWS: 'arn:aws:iam::1:root' }, { Service: 's3.amazonaws.com' }, undefined, { AWS: ['a'] }];

  for (const Principal of open) assert.equal(isPublicPolicy(policy({ Principal, Action: '*' })), true);
  for (const Principal of closed) assert.equal(isPublicPolicy(policy({ Principal, Action: '*' })), false);
  assert.equal(isPublicPolicy(policy({ Principal: '*', Effect: 'Deny' })), false);
  assert.equal(isPublicPolicy('{}'), false);
});

describe('R146 a bucket of an S3 store', { skip: requires('ceph') }, () => {
  let store: CephStore;
  let client: S3Client;

  before(async () => {
    store = await cephStore();
    const { endpoint, region, credentials } = store;
    const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = credentials;
    client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  });

  async function newConfig(): Promise<S3BackendConfig> {
    const { endpoint, region, credentials } = store;
    return { endpoint, region, credentials, bucket: await store.newBucket(), flavour: 'ceph' };
  }

  test('that is closed is called so, and every question was asked', async () => {
    assert.deepEqual(await exposureOf(await newConfig()), { open: [], unknown: [] });
  });

  test('that was opened by a policy, or by its ACL, is found out, and so is what strangers can do', async () => {
    const [byPolicy, byAcl, bySignedIn] = [await newConfig(), await newConfig(), await newConfig()];
    await client.send(new PutBucketPolicyCommand({ Bucket: byPolicy.bucket, Policy: reading(byPolicy.bucket) }));
    await client.send(new PutBucketAclCommand({ Bucket: byAcl.bucket, ACL: 'public-read' }));
    await client.send(new PutBucketAclCommand({ Bucket: bySignedIn.bucket, ACL: 'authenticated-read' }));

    const found = [await exposureOf(byPolicy), await exposureOf(byAcl), await exposureOf(bySignedIn)];

    const isPublic = 'the store calls it public';
    assert.deepEqual(found[0]?.open, ['everybody may read what is in it', 'its policy is public', isPublic]);
    assert.deepEqual(found[1]?.open, ['everybody may list it', 'its ACL gives everybody READ', isPublic]);
    assert.ok(found[2]?.open.includes('its ACL gives everybody READ'), String(found[2]?.open));
  });

  test('that is public stops `rowlock work` from starting, with words on how to close it', async () => {
    const { bucket, endpoint = '', region, credentials } = await newConfig();
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: reading(bucket) }));
    const env = {
      PATH: process.env['PATH'] ?? '',
      BACKEND: 's3',
      S3_BUCKET: bucket,
      S3_ENDPOINT: endpoint,
      S3_REGION: region,
      S3_FLAVOUR: 'ceph',
      S3_ACCESS_KEY_ID: credentials?.access_key_id ?? '',
      S3_SECRET_ACCESS_KEY: credentials?.secret_access_key ?? '',
      WORKER_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    };

    const refused = await new Promise<string>((resolve) => {
      execFile(process.execPath, [program, 'work'], { env }, (_error, out, err) => resolve(out + err));
    });
    const [told] = await checkBucket(new Settings({}, env));

    assert.match(
      refused,
      /not safe to start:\n {2}s3-bucket: \S+ is public: everybody may read .*S3_PUBLIC_BUCKET=on/s,
    );
    assert.equal(told?.state, 'fail', 'doctor tells it too');
    assert.match(told.fix ?? '', /public-access-block/);
  });
});

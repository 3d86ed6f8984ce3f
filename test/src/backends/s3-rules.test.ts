/** `rowlock s3`: the rules of a bucket among those of others on a real store, and the documents that are shipped. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { S3 } from '@aws-sdk/client-s3';
import { applyCors, applyLifecycle, corsRule, lifecycleRule, policyDocument, policyKinds } from '@rowlock/server';
import { type CephStore, cephStore, requires } from '@rowlock/test-harness';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
const origins = ['https://app.example.com'];
const shipped = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../deploy/s3/${name}.json`, import.meta.url), 'utf8'));

function run(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'] ?? '', ...env } };
    execFile(process.execPath, [program, 's3', ...args], options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

describe('documents for S3', () => {
  const place = { bucket: 'civic-os-files', key_prefix: '' };

  test('those in deploy/s3 are the ones that are applied and printed', () => {
    assert.deepEqual(shipped('cors'), { CORSRules: [corsRule(origins)] });
    assert.deepEqual(shipped('lifecycle'), { Rules: [lifecycleRule(place)] });
    for (const kind of policyKinds) {
      assert.deepEqual(shipped(`policy-${kind}`), policyDocument(kind, place));
    }
  });

  test('a policy names one bucket, its prefix, and no action with a star', () => {
    const mine = { bucket: 'mine', key_prefix: 'rowlock/' };
    const statements = policyKinds.flatMap((kind) => policyDocument(kind, mine, { acl: true }).Statement);

    assert.deepEqual(
      statements.filter(({ Resource }) => !/^arn:aws:s3:::mine(\/rowlock\/\*)?$/.test(Resource)),
      [],
    );
    assert.deepEqual(
      statements.flatMap(({ Action }) => Action).filter((action) => action.includes('*')),
      [],
    );
    const signer = policyDocument('signer', mine).Statement.flatMap(({ Action }) => Action);
    assert.deepEqual(signer, ['s3:GetObject', 's3:PutObject']);
  });

  test('rowlock s3 prints a policy without any store, and refuses origins that are none', async () => {
    const env = { S3_BUCKET: 'mine', S3_REGION: 'us-east-1', S3_UPLOAD_ACL: 'public-read' };

    const printed = await run(['print-policy', '--for', 'signer'], env);
    const path = await run(['apply-cors'], { ...env, CORS_ORIGINS: 'https://app.example.com/path' });

    assert.deepEqual(JSON.parse(printed.out).Statement[0].Action, ['s3:GetObject', 's3:PutObject', 's3:PutObjectAcl']);
    assert.equal(path.code, 2);
    assert.match(path.err, /is no origin: scheme, host and port without a path/);
  });
});

describe('rules of a real bucket', { skip: requires('ceph') }, () => {
  let store: CephStore;
  let client: S3;

  before(async () => {
    store = await cephStore();
    client = new S3({
      endpoint: store.endpoint,
      region: store.region,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      credentials: {
        accessKeyId: store.credentials.access_key_id,
        secretAccessKey: store.credentials.secret_access_key,
      },
    });
  });

  const configOf = (bucket: string) => ({
    endpoint: store.endpoint,
    region: store.region,
    credentials: store.credentials,
    bucket,
    flavour: 'ceph' as const,
  });

  test('CORS is written once, beside a rule of somebody else, and answers a browser', async () => {
    const Bucket = await store.newBucket();
    const theirs = { ID: 'theirs', AllowedOrigins: ['https://other.example'], AllowedMethods: ['GET'] };
    await client.putBucketCors({ Bucket, CORSConfiguration: { CORSRules: [theirs] } });

    const trial = await applyCors(configOf(Bucket), origins, { dryRun: true });
    const untouched = (await client.getBucketCors({ Bucket })).CORSRules?.length;
    const first = await applyCors(configOf(Bucket), origins);
    const again = await applyCors(configOf(Bucket), origins);
    const other = await applyCors(configOf(Bucket), ['https://new.example']);

    assert.deepEqual(
      [trial.changed, untouched, first.changed, again.changed, other.changed],
      [true, 1, true, false, true],
    );
    const rules = (await client.getBucketCors({ Bucket })).CORSRules ?? [];
    assert.deepEqual(rules.map(({ ID }) => ID).sort(), ['rowlock-direct-transfers', 'theirs']);
    const preflight = await fetch(`${store.endpoint}/${Bucket}/a.txt`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://new.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type,x-amz-acl',
      },
    });
    assert.equal(preflight.status, 200);
    assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://new.example');
  });

  test('the lifecycle is written once, beside a rule of somebody else', async () => {
    const Bucket = await store.newBucket();
    const theirs = { ID: 'theirs', Status: 'Enabled' as const, Filter: { Prefix: 'logs/' }, Expiration: { Days: 30 } };
    await client.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules: [theirs] } });

    const first = await applyLifecycle(configOf(Bucket));
    const again = await applyLifecycle(configOf(Bucket));

    assert.deepEqual([first.changed, first.kept, again.changed], [true, 1, false]);
    const rules = (await client.getBucketLifecycleConfiguration({ Bucket })).Rules ?? [];
    assert.deepEqual(rules.map(({ ID }) => ID).sort(), ['rowlock-unfinished-uploads', 'theirs']);
    assert.equal(rules.find(({ ID }) => ID === 'theirs')?.Expiration?.Days, 30);
  });

  test('a bucket that is not there, and a credential that nobody knows, are said in words', async () => {
    const config = configOf('nowhere-at-all');

    await assert.rejects(applyCors(config, origins), /there is no bucket nowhere-at-all/);
    await assert.rejects(
      applyLifecycle({ ...config, credentials: { access_key_id: 'nobody', secret_access_key: 'nothing' } }),
      /does not know the access key/,
    );
  });
});

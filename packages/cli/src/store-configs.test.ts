import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Environment, Settings } from './options.ts';
import { type StoreConfigs, storeConfigs } from './store-configs.ts';

const database = { url: 'postgres://x', connections_max: 1, statement_timeout_ms: 1000 };
const keys = { S3_ACCESS_KEY_ID: 'k', S3_SECRET_ACCESS_KEY: 's', PUBLIC_URL: 'https://files.example.com' };

const configs = (env: Environment): StoreConfigs => storeConfigs(new Settings({}, { ...keys, ...env }), database);

test('without a word of backends, bytes are on the disk and URLs are as they always were', () => {
  const { backend, other_backends } = configs({ STORAGE_ROOT: '/srv/blobs', S3_ENDPOINT: 'https://cdn.example.com' });

  assert.deepEqual(other_backends, []);
  assert.equal(backend.kind, 'disk');
  assert.deepEqual([backend.bucket, backend.endpoint], ['civic-os-files', 'https://cdn.example.com']);
});

test('the first backend is for new bytes, and each of the others is there once', () => {
  const { backend, other_backends } = configs({
    BACKEND: 'postgres',
    OTHER_BACKENDS: 'disk, postgres,disk',
    STORAGE_ROOT: '/srv/blobs',
    BLOB_BYTES_MAX: '1000',
  });

  assert.equal(backend.kind === 'postgres' && backend.bytes_max, 1000);
  assert.deepEqual(
    other_backends.map(({ kind }) => kind),
    ['disk'],
  );
});

test("beside an S3 store, the disk's URLs are for this service and for a bucket of its own", () => {
  const { backend, other_backends } = configs({
    BACKEND: 's3',
    OTHER_BACKENDS: 'disk',
    STORAGE_ROOT: '/srv/blobs',
    S3_ENDPOINT: 'https://s3.example.com',
    S3_BUCKET: 'pictures',
    S3_FLAVOUR: 'minio',
    S3_FORCE_PATH_STYLE: 'on',
    S3_UPLOAD_GUARD: 'recheck',
  });
  const [disk] = other_backends;

  assert.deepEqual(backend, {
    kind: 's3',
    bucket: 'pictures',
    region: 'us-east-1',
    endpoint: 'https://s3.example.com',
    public_endpoint: 'https://s3.example.com',
    flavour: 'minio',
    upload_guard: 'recheck',
    force_path_style: true,
    credentials: { access_key_id: 'k', secret_access_key: 's' },
  });
  assert.ok(disk !== undefined && disk.kind === 'disk');
  assert.deepEqual([disk.bucket, disk.endpoint], ['rowlock-disk', 'https://files.example.com']);
});

test('what cannot be is refused with the variable to set', () => {
  assert.throws(() => configs({ BACKEND: 'tape' }), /no backend "tape"; there are disk, s3, postgres/);
  assert.throws(() => configs({ BACKEND: 'disk' }), /STORAGE_ROOT is not set/);
  assert.throws(() => configs({ BACKEND: 's3', S3_FLAVOUR: 'gcs' }), /S3_FLAVOUR is one of aws, r2/);
  assert.throws(() => configs({ BACKEND: 's3', S3_FORCE_PATH_STYLE: 'yes' }), /on or off/);
  assert.throws(() => configs({ BACKEND: 's3', S3_UPLOAD_GUARD: 'none' }), /S3_UPLOAD_GUARD is one of auto, condition/);
});

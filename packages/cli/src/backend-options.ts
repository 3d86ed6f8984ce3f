/** The options of the stores of bytes: which there are, and what each needs. What is signed with the S3 keys is for all of them. */
import type { Option } from './options.ts';

export const backendOptions: readonly Option[] = [
  {
    name: 'backend',
    env: ['BACKEND'],
    type: 'text',
    default: 'disk',
    help: 'where new bytes go, unless their bucket says otherwise: disk, s3 or postgres',
  },
  {
    name: 'other-backends',
    env: ['OTHER_BACKENDS'],
    type: 'list',
    default: '',
    help: 'further backends that bytes are on or that buckets name: of disk, s3, postgres',
  },
  {
    name: 'disk-bucket',
    env: ['DISK_BUCKET'],
    type: 'text',
    help: 'bucket in presigned URLs of the disk; S3_BUCKET, or rowlock-disk beside an S3 backend',
  },
  {
    name: 'blob-bucket',
    env: ['BLOB_BUCKET'],
    type: 'text',
    default: 'rowlock-blobs',
    help: 'bucket in presigned URLs of the PostgreSQL backend',
  },
  {
    name: 'blob-bytes-max',
    env: ['BLOB_BYTES_MAX'],
    type: 'integer',
    default: String(16 * 2 ** 20),
    min: 1,
    max: 2 ** 30,
    help: 'largest object that the PostgreSQL backend keeps',
  },
  {
    name: 's3-endpoint',
    env: ['S3_ENDPOINT', 'AWS_ENDPOINT_URL'],
    type: 'text',
    help: 'where the server reaches the S3 backend; of AWS by its region when not set',
  },
  {
    name: 's3-flavour',
    env: ['S3_FLAVOUR'],
    type: 'text',
    help: 'what the S3 store is: aws, r2, b2, minio, ceph or generic',
  },
  {
    name: 's3-force-path-style',
    env: ['S3_FORCE_PATH_STYLE'],
    type: 'text',
    help: 'on for endpoint/bucket/key, off for bucket.endpoint/key; by the store when not set',
  },
  {
    name: 's3-key-prefix',
    env: ['S3_KEY_PREFIX'],
    type: 'text',
    help: 'stands before every key in the S3 backend, with its slash',
  },
  { name: 'storage-root', env: ['STORAGE_ROOT', 'ROWLOCK_DATA'], type: 'text', help: 'folder of the disk backend' },
  { name: 's3-bucket', env: ['S3_BUCKET'], type: 'text', default: 'civic-os-files', help: 'bucket in presigned URLs' },
  {
    name: 's3-region',
    env: ['S3_REGION', 'AWS_REGION'],
    type: 'text',
    default: 'us-east-1',
    help: 'region in presigned URLs',
  },
  {
    name: 's3-public-endpoint',
    env: ['S3_PUBLIC_ENDPOINT', 'S3_ENDPOINT', 'AWS_ENDPOINT_URL'],
    type: 'text',
    help: 'endpoint in presigned URLs; the public URL when not set',
  },
  {
    name: 's3-access-key-id',
    env: ['S3_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID'],
    type: 'text',
    help: 'key that presigned URLs are signed with',
  },
  {
    name: 's3-secret-access-key',
    env: ['S3_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY'],
    type: 'text',
    secret: true,
    help: 'its secret',
  },
];

/** The options of what a worker works: which queues, and how many jobs of each at once. What the jobs do, others say. */
import type { Option } from './options.ts';

export const queueOptions: readonly Option[] = [
  {
    name: 'queues',
    env: ['QUEUES'],
    type: 'list',
    default: 's3_signer,thumbnails,maintenance,checks',
    help: 'queues to work',
  },
  {
    name: 's3-signer-max-workers',
    env: ['S3_SIGNER_MAX_WORKERS'],
    type: 'integer',
    default: '50',
    min: 1,
    max: 10_000,
    help: 'attempts at once in s3_signer',
  },
  {
    name: 'thumbnail-max-workers',
    env: ['THUMBNAIL_MAX_WORKERS'],
    type: 'integer',
    default: '2',
    min: 1,
    max: 1000,
    help: 'attempts at once in thumbnails',
  },
  {
    name: 'decoder-memory-bytes',
    env: ['DECODER_MEMORY_BYTES'],
    type: 'integer',
    default: '0',
    min: 0,
    help: 'memory for images that thumbnails decode at once, by their headers; 0: a quarter of what there is',
  },
  {
    name: 'check-max-workers',
    env: ['CHECK_MAX_WORKERS'],
    type: 'integer',
    default: '2',
    min: 1,
    max: 1000,
    help: 'attempts at once in checks',
  },
  {
    name: 'lease-seconds',
    env: ['WORKER_LEASE_SECONDS'],
    type: 'integer',
    default: '30',
    min: 5,
    max: 3600,
    help: 'for how long the jobs of a worker that died wait for it before another takes them',
  },
];

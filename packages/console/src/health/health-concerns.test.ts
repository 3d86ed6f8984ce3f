import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobOverview, QueueFacts, StorageHealth } from '@rowlock/client';
import { concernsOf } from './health-concerns.ts';

const now = new Date('2026-02-01T00:00:00Z');

const good: StorageHealth = {
  at: now.toISOString(),
  kept: { is_estimate: false, objects: 1, bytes: 1, buckets: [], owners: [], media_types: [] },
  backends: [{ name: 'disk', versions: 1, bytes: 1 }],
  quotas: [],
  fsck: [
    {
      backend: 'disk',
      scrub: false,
      phase: 'done',
      started_at: '2026-01-20T00:00:00Z',
      ended_at: '2026-01-20T00:01:00Z',
      findings: {},
    },
  ],
  upkeep: { expired_uploads: 0, overdue_versions: 0, quarantined: 0, unchecked: 0 },
  tables: [{ name: 'metadata.river_job', rows_live: 10, rows_dead: 40_000, bytes: 1, vacuumed_at: null }],
  database: { bytes: 1, version: '17' },
  database_milliseconds: 3,
  stores: [{ name: 'disk', ok: true, milliseconds: 2 }],
  costs: null,
  concerns: [],
};

const queue: QueueFacts = {
  name: 'thumbnails',
  is_known: true,
  paused_at: null,
  counts: { available: 1 },
  oldest_due_seconds: 20,
  completed_per_second: 1,
  p50_seconds: 1,
  p95_seconds: 1,
  workers: 1,
};

const jobs: JobOverview = {
  at: now.toISOString(),
  counted_to: 10_000,
  states: {
    available: 1,
    cancelled: 0,
    completed: 0,
    discarded: 0,
    pending: 0,
    retryable: 0,
    running: 0,
    scheduled: 0,
  },
  queues: [queue],
  kinds: [],
  workers: [],
  leader: { client_id: 'one', elected_at: now.toISOString() },
};

const said = (health: Partial<StorageHealth>, queues: Partial<JobOverview> = {}): readonly string[] =>
  concernsOf({ ...good, ...health }, { ...jobs, ...queues }, now).map(({ level, says }) => `${level}: ${says}`);

test('where all is well, nothing is said', () => {
  assert.deepEqual(said({}), []);
});

test('a store that does not answer, and one that is slow, are told apart', () => {
  const stores = [
    { name: 'away', ok: false, milliseconds: null },
    { name: 'full', ok: false, milliseconds: 3 },
    { name: 'slow', ok: true, milliseconds: 1500 },
  ];

  assert.deepEqual(said({ stores }), [
    'broken: The store away does not answer.',
    'broken: The store full takes no writes.',
    'watch: The store slow took 1500 ms for a small write.',
  ]);
});

test('what the last comparison found is broken, and none for long is to be watched', () => {
  const [run] = good.fsck;
  assert.ok(run);

  assert.deepEqual(said({ fsck: [{ ...run, findings: { missing: 2, wrong_size: 1 } }] }), [
    'broken: The last check of disk found: 2 missing, 1 wrong size.',
  ]);
  assert.deepEqual(said({ fsck: [] }), ['watch: Rows and bytes of disk were never compared.']);
  assert.deepEqual(said({ fsck: [{ ...run, ended_at: '2025-12-01T00:00:00Z' }] }), [
    'watch: Rows and bytes of disk were for 62 days not compared.',
  ]);
});

test('jobs that wait long are named with why: no worker, a pause, or too few', () => {
  const late = { ...queue, oldest_due_seconds: 3600 };
  const queues = [{ ...late, workers: 0 }, { ...late, name: 'paused', paused_at: 'then' }, late];

  assert.deepEqual(said({}, { queues, leader: null }), [
    'broken: No worker leads: failed jobs are not retried, and nothing is cleaned up.',
    'broken: A job in the queue thumbnails has been due for 1 h. No worker of ours serves it.',
    'watch: A job in the queue paused has been due for 1 h. The queue is paused.',
    'watch: A job in the queue thumbnails has been due for 1 h.',
  ]);
});

test('full quotas, dead rows, what is overdue and what the start did not like are said', () => {
  const found = said({
    quotas: [
      {
        scope: 'owner',
        bucket_id: null,
        owner_id: 'ann',
        bytes_used: 95,
        bytes_reserved: 0,
        bytes_max: 100,
        objects_used: 1,
        objects_reserved: 0,
        objects_max: null,
        fullness: 0.95,
      },
    ],
    tables: [{ name: 'metadata.river_job', rows_live: 10, rows_dead: 60_000, bytes: 1e9, vacuumed_at: null }],
    upkeep: { expired_uploads: 1, overdue_versions: 2, quarantined: 4, unchecked: 5 },
    concerns: [{ check: 'schema', state: 'fail', says: 'lacks 0001', fix: 'rowlock migrate' }],
  });

  assert.deepEqual(found, [
    'broken: When the service started, the schema lacks 0001.',
    'watch: 3 uploads and purges are overdue by more than an hour.',
    'watch: 4 versions are in quarantine and not served.',
    'watch: 5 files have waited for their scan for more than a quarter of an hour.',
    'watch: The quota of the owner ann is 95 % full.',
    'watch: The table metadata.river_job (1 GB) has 60,000 dead rows.',
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueError } from '../queue-error.ts';
import { type WorkerOptions, workerSettings } from './worker-options.ts';

const options: WorkerOptions = {
  database: 'postgres://localhost/none',
  schema: 'metadata',
  queues: { default: { maxWorkers: 1 } },
  handlers: {},
};

test('the defaults are River’s where it has them', () => {
  const settings = workerSettings(options);

  assert.equal(settings.fetchPollIntervalMs, 1000);
  assert.equal(settings.jobTimeoutMs, 60_000);
  assert.match(settings.clientId, /_\d{4}_\d\d_\d\dT\d\d_\d\d_\d\d_\d{6}$/);
});

test('options out of bounds are refused', () => {
  const perform = (): undefined => undefined;
  const refused: Partial<WorkerOptions>[] = [
    { queues: {} },
    { queues: { default: { maxWorkers: 0 } } },
    { queues: { default: { maxWorkers: 10_001 } } },
    { queues: { 'Not a name': { maxWorkers: 1 } } },
    { handlers: { x: { perform } } },
    { handlers: { work: { perform, timeoutMs: 0 } } },
    { clientId: '' },
    { clientId: 'c'.repeat(101) },
    { leaseTtlMs: 4999 },
    { fetchPollIntervalMs: 0 },
    { jobTimeoutMs: 0 },
    { stopTimeoutMs: -1 },
  ];

  for (const over of refused) {
    assert.throws(() => workerSettings({ ...options, ...over }), QueueError, JSON.stringify(over));
  }
});

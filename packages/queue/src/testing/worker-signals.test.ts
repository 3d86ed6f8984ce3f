import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerSignals } from './worker-signals.ts';

test('a signal is waited for whether it has come or will, and only one that fits counts', async () => {
  const signals = new WorkerSignals();
  const paused = (queue: string) => ({ event: 'queue_paused', queue }) as const;
  signals.observe(paused('a'));

  const later = signals.waitFor('queue_paused', { fits: ({ queue }) => queue === 'b' });
  signals.observe({ event: 'listener_connected' });
  signals.observe(paused('b'));

  assert.deepEqual(await signals.waitFor('queue_paused'), paused('a'));
  assert.deepEqual(await later, paused('b'));
  assert.equal(signals.observed.length, 3);
});

test('waiting in vain fails and says what was observed', async () => {
  const signals = new WorkerSignals();
  signals.observe({ event: 'listener_connected' });

  const waiting = signals.waitFor('worker_stopped', { timeoutMs: 1 });

  await assert.rejects(waiting, /in vain for worker_stopped; observed:\n {2}\{"event":"listener_connected"\}/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueFacts } from '@rowlock/client';
import { QueueSamples } from './queue-samples.ts';

const queue = (name: string, available: number): QueueFacts => ({
  name,
  is_known: true,
  paused_at: null,
  counts: { available },
  oldest_due_seconds: null,
  completed_per_second: 1,
  p50_seconds: null,
  p95_seconds: null,
  workers: 1,
});

test('the last five minutes of a queue are kept, the oldest first', () => {
  const samples = new QueueSamples();

  for (let depth = 0; depth < 400; depth += 1) {
    samples.add({ queues: [queue('one', depth)] });
  }

  const kept = samples.of('one');
  assert.deepEqual([kept.length, kept[0]?.depth, kept.at(-1)?.depth], [150, 250, 399]);
});

test('a queue that is gone is forgotten', () => {
  const samples = new QueueSamples();
  samples.add({ queues: [queue('one', 1), queue('two', 2)] });

  samples.add({ queues: [queue('two', 3)] });

  assert.deepEqual([samples.of('one').length, samples.of('two').length], [0, 2]);
});

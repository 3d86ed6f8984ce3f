import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedStore } from './backend/s3/scripted-store.ts';
import type { Observation } from './domain/observation.ts';
import { createMetrics } from './metrics.ts';
import { openBackends } from './open-backends.ts';

test('calls to an S3 store are reported and become metrics, without a key', async (t) => {
  const store = await scriptedStore(t, () => ({ headers: { etag: '"abc"', 'content-length': '5' }, body: 'hello' }));
  const observed: Observation[] = [];
  const metrics = createMetrics();
  const backends = await openBackends({ backend: { kind: 's3', ...store.config, name: 'cloud' } }, (observation) => {
    observed.push(observation);
    metrics.observe(observation);
  });
  t.after(() => backends.close());

  await backends.default.get('objects/ab/x');
  const { text } = await metrics.render({ total: 0, idle: 0, waiting: 0 });

  assert.deepEqual(
    observed.map((each) => ({ ...each, duration_ms: 0 })),
    [{ type: 'backend_call', backend: 'cloud', call: 'get', outcome: 'ok', duration_ms: 0, bytes: 5 }],
  );
  assert.match(text, /rowlock_backend_bytes_total\{backend="cloud",call="get"\} 5/);
  assert.match(text, /rowlock_backend_call_duration_seconds_count\{backend="cloud",call="get",outcome="ok"\} 1/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Settling, settled } from './settling.ts';

const begun: Settling = { until: undefined, delay_ms: 0 };
const look = (oldest: bigint, next: bigint): { due_ms: null; oldest: bigint; next: bigint } => ({
  due_ms: null,
  oldest,
  next,
});

test('with no transaction under way there is nothing to wait for', () => {
  assert.equal(settled(begun, look(10n, 10n)), undefined);
});

test('those under way at the first look are waited for, and later ones are not', () => {
  const first = settled(begun, look(8n, 10n));
  const second = first && settled(first, look(9n, 15n));

  assert.deepEqual(first, { until: 10n, delay_ms: 5 });
  assert.deepEqual(second, { until: 10n, delay_ms: 10 });
  assert.equal(second && settled(second, look(10n, 20n)), undefined);
});

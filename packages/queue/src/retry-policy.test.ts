import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrySeconds, retrySecondsMax } from './retry-policy.ts';

const least = (): number => 0;
const most = (): number => 1 - Number.EPSILON;

test('the n-th failure waits n⁴ seconds, give or take a tenth, for the first 25', () => {
  for (let failures = 1; failures <= 25; failures += 1) {
    const base = failures ** 4;

    const bounds = [retrySeconds(failures - 1, least), retrySeconds(failures - 1, most)] as const;

    assert.ok(Math.abs(bounds[0] - base * 0.9) < 1e-6 * base, `${failures}: from ${bounds[0]}`);
    assert.ok(Math.abs(bounds[1] - base * 1.1) < 1e-6 * base, `${failures}: to ${bounds[1]}`);
  }
});

test('the jitter spans its range', () => {
  const waits = Array.from({ length: 100 }, (_, step) => retrySeconds(1, () => step / 100));

  assert.ok(Math.min(...waits) < 14.5);
  assert.ok(Math.max(...waits) > 17.5);
});

test('from the 310th failure on the wait is the maximum, without jitter and without overflow', () => {
  for (const failures of [310, 311, 1000, 32_767]) {
    assert.equal(retrySeconds(failures - 1, least), retrySecondsMax);
    assert.equal(retrySeconds(failures - 1, most), retrySecondsMax);
  }
  assert.ok(retrySeconds(308, least) < retrySecondsMax);
  assert.equal(retrySeconds(308, most), retrySecondsMax);
});

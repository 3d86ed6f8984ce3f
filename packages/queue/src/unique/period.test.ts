import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowerBoundOfPeriod, scheduledMs } from './period.ts';

test('periods are counted from the year one', () => {
  const at = Date.parse('2026-01-02T03:04:05.999Z');

  const bounds = [1, 420, 5400, 86_400, 604_800].map((seconds) => lowerBoundOfPeriod(seconds, at));

  assert.deepEqual(bounds, [
    '2026-01-02T03:04:05Z',
    '2026-01-02T03:03:00Z',
    '2026-01-02T03:00:00Z',
    '2026-01-02T00:00:00Z',
    '2025-12-29T00:00:00Z',
  ]);
});

test('the time of a job is read in its own zone, and refused where it has none', () => {
  const same = [
    '2026-01-02T03:04:05Z',
    '2026-01-02T05:04:05+02:00',
    '2026-01-02 05:04:05+02',
    '2026-01-02T03:04:05.000000Z',
    new Date('2026-01-02T03:04:05Z'),
  ].map(scheduledMs);

  assert.deepEqual([...new Set(same)], [Date.parse('2026-01-02T03:04:05Z')]);
  for (const unclear of ['2026-01-02T03:04:05', '2026-01-02', 'tomorrow', 'infinity', '1767323045Z']) {
    assert.throws(() => scheduledMs(unclear), { reason: 'invalid_job' }, unclear);
  }
});

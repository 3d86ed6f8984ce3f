import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrySecondsMax } from '../retry-policy.ts';
import { type EndedAttempt, type Outcome, settlementOf } from './outcome.ts';

const attempt: EndedAttempt = {
  id: '1',
  client_id: 'me',
  attempt: 2,
  max_attempts: 3,
  error_count: 1,
  metadata: {},
  at: Date.parse('2026-01-02T03:04:05.000Z'),
};

interface Row {
  readonly outcome: Outcome;
  readonly over?: Partial<EndedAttempt>;
  readonly state: string;
  readonly delay_seconds?: number | null;
  readonly attempt_after?: number;
}

const noJitter = (): number => 0.5;
const failed: Outcome = { kind: 'failed', error: 'no' };

/** River's table of outcomes. */
const table: readonly Row[] = [
  { outcome: { kind: 'completed' }, state: 'completed' },
  { outcome: failed, state: 'retryable', delay_seconds: 16 },
  { outcome: failed, over: { error_count: 0 }, state: 'available', delay_seconds: 1 },
  { outcome: failed, over: { attempt: 3 }, state: 'discarded' },
  { outcome: failed, over: { attempt: 4 }, state: 'discarded' },
  { outcome: failed, over: { retry_seconds: 5 }, state: 'available', delay_seconds: 5 },
  { outcome: failed, over: { retry_seconds: 5.001 }, state: 'retryable', delay_seconds: 5.001 },
  { outcome: failed, over: { retry_seconds: 1e300 }, state: 'retryable', delay_seconds: retrySecondsMax },
  { outcome: { kind: 'cancelled', error: 'no' }, state: 'cancelled' },
  { outcome: { kind: 'snoozed', delay_ms: 0 }, state: 'available', delay_seconds: 0, attempt_after: 1 },
  { outcome: { kind: 'snoozed', delay_ms: 5000 }, state: 'available', delay_seconds: 5, attempt_after: 1 },
  { outcome: { kind: 'snoozed', delay_ms: 5001 }, state: 'scheduled', delay_seconds: 5.001, attempt_after: 1 },
  { outcome: { kind: 'interrupted' }, state: 'available', delay_seconds: 0, attempt_after: 1 },
  { outcome: { kind: 'interrupted' }, over: { attempt: 0 }, state: 'available', delay_seconds: 0, attempt_after: 0 },
  { outcome: { kind: 'rescued' }, state: 'retryable', delay_seconds: 16 },
  { outcome: { kind: 'rescued' }, over: { attempt: 3 }, state: 'discarded' },
];

for (const { outcome, over = {}, state, delay_seconds = null, attempt_after } of table) {
  test(`${outcome.kind} with ${JSON.stringify(over)} leads to ${state}, due in ${delay_seconds} s`, () => {
    const settlement = settlementOf({ ...attempt, ...over }, outcome, noJitter);

    assert.equal(settlement.state, state);
    assert.equal(settlement.delay_seconds, delay_seconds);
    assert.equal(settlement.attempt, over.attempt ?? 2);
    assert.equal(settlement.attempt_after, attempt_after ?? over.attempt ?? 2);
    assert.equal(settlement.client_id, 'me');
  });
}

test('errors say when the attempt began, which it was and what happened; snoozes and interruptions leave none', () => {
  const errorOf = (outcome: Outcome): unknown => {
    const { error } = settlementOf(attempt, outcome, noJitter);
    return error === null ? null : JSON.parse(error);
  };
  const entry = { at: '2026-01-02T03:04:05.000Z', attempt: 2, trace: '' };

  assert.deepEqual(errorOf(failed), { ...entry, error: 'no' });
  assert.deepEqual(errorOf({ kind: 'cancelled', error: 'why' }), { ...entry, error: 'JobCancelError: why' });
  assert.deepEqual(errorOf({ kind: 'rescued' }), { ...entry, error: 'Stuck job rescued by JobRescuer' });
  for (const kind of ['completed', 'interrupted'] as const) assert.equal(errorOf({ kind }), null);
  assert.equal(errorOf({ kind: 'snoozed', delay_ms: 1 }), null);
});

test('counters in metadata are read leniently, as River reads them', () => {
  const counts: readonly (readonly [unknown, number])[] = [
    [undefined, 1],
    [2, 3],
    ['2', 3],
    [' 2 ', 3],
    [true, 2],
    [false, 1],
    ['two', 1],
    [null, 1],
    [{}, 1],
    [2.9, 3],
    [1e300, 1],
  ];

  for (const [before, after] of counts) {
    const metadata = { snoozes: before };
    const settlement = settlementOf({ ...attempt, metadata }, { kind: 'snoozed', delay_ms: 1 }, noJitter);
    assert.deepEqual(JSON.parse(settlement.metadata ?? ''), { snoozes: after }, JSON.stringify(before));
  }
});

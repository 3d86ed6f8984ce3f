import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '../job.ts';
import { AttemptRecord } from './attempt-record.ts';

const job: Job = {
  id: '1',
  kind: 'work',
  queue: 'default',
  state: 'running',
  args: {},
  attempt: 1,
  max_attempts: 25,
  priority: 1,
  metadata: {},
  tags: [],
  error_count: 0,
  created_at: '2026-01-02T03:04:05Z',
  scheduled_at: '2026-01-02T03:04:05Z',
  attempted_at: '2026-01-02T03:04:05Z',
};

function textOf(record: AttemptRecord): unknown {
  return JSON.parse(record.updatesText(true) ?? 'null');
}

test('an attempt that says nothing leaves nothing', () => {
  assert.equal(new AttemptRecord(job).updates(true), undefined);
  assert.equal(new AttemptRecord(job).updatesText(false), null);
});

test('output, keys and log lines are joined, and are as they were when they were said', () => {
  const record = new AttemptRecord(job);
  const output = { rows: [1, '\u0000'] };

  record.recordOutput(output);
  output.rows.push(2);
  record.mergeMetadata({ 'odd "key"\u0000': null, gone: undefined });
  record.log('a line');

  assert.deepEqual(textOf(record), {
    output: { rows: [1, '\uFFFD'] },
    'odd "key"\uFFFD': null,
    'river:log': [{ attempt: 1, log: 'a line\n' }],
  });
});

test('what JSON cannot say is thrown to the handler, and what was recorded before stays', () => {
  const record = new AttemptRecord(job);
  const cycle: unknown[] = [];
  cycle.push(cycle);
  record.recordOutput(undefined);

  assert.throws(() => record.recordOutput(cycle), TypeError);
  assert.throws(() => record.recordOutput(1n), TypeError);

  assert.deepEqual(textOf(record), { output: null });
});

test('an output of more than 32 MB is refused', () => {
  const record = new AttemptRecord(job);

  record.recordOutput('ä'.repeat(16 * 1024 * 1024 - 1));

  assert.throws(() => record.recordOutput('ä'.repeat(16 * 1024 * 1024)), { reason: 'invalid_option' });
});

test("keys that are River's own are refused, and none of the others is set", () => {
  const record = new AttemptRecord(job);

  assert.throws(() => record.mergeMetadata({ mine: 1, 'river:log': [] }), { reason: 'invalid_option' });
  assert.throws(() => record.mergeMetadata([] as unknown as Record<string, unknown>), { reason: 'invalid_option' });

  assert.equal(record.updates(true), undefined);
});

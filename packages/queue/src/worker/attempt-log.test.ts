import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttemptLog } from './attempt-log.ts';

const mebibyte = 1024 * 1024;

function entriesOf(log: AttemptLog, before?: unknown): { attempt: number; log: string }[] {
  return JSON.parse(log.entries(before, 3) ?? 'null');
}

test('lines of an attempt are one entry behind those of earlier attempts', () => {
  const log = new AttemptLog();
  log.add('one');
  log.add('two\u0000');

  const entries = entriesOf(log, [{ attempt: 1, log: 'before\n' }]);

  assert.deepEqual(entries, [
    { attempt: 1, log: 'before\n' },
    { attempt: 3, log: 'one\ntwo\uFFFD\n' },
  ]);
});

test('an attempt that logs nothing has no entry', () => {
  const log = new AttemptLog();

  assert.equal(log.entries([{ attempt: 1, log: 'before' }], 2), undefined);
});

test('beyond two megabytes an attempt is cut off at a whole character', () => {
  const log = new AttemptLog();
  log.add('x');
  for (let n = 0; n < 5; n += 1) log.add('ä𝄞'.repeat(mebibyte / 8));

  const text = entriesOf(log)[0]?.log ?? '';

  const bytes = Buffer.byteLength(text);
  assert.ok(bytes <= 2 * mebibyte && bytes > 2 * mebibyte - 4, `${bytes} bytes`);
  assert.doesNotMatch(text, /\uFFFD/);
});

test('beyond eight megabytes in all the oldest entries go, and the newest stays', () => {
  const log = new AttemptLog();
  log.add('new');
  const before = [1, 2, 3, 4, 5].map((attempt) => ({ attempt, log: 'x'.repeat(2 * mebibyte - 100) }));

  const entries = entriesOf(log, before);

  assert.deepEqual(
    entries.map(({ attempt }) => attempt),
    [2, 3, 4, 5, 3],
  );
  assert.deepEqual(
    entriesOf(log, [{ attempt: 1, log: 'x'.repeat(9 * mebibyte) }]).map(({ attempt }) => attempt),
    [3],
  );
});

test('what is under the key and is no list is replaced', () => {
  const log = new AttemptLog();
  log.add('line');

  assert.deepEqual(entriesOf(log, 'nonsense'), [{ attempt: 3, log: 'line\n' }]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBuckets } from './token-buckets.ts';

function clock(): { now: () => number; pass: (ms: number) => void } {
  let at = 1000;
  return { now: () => at, pass: (ms) => (at += ms) };
}

test('a key may take its whole limit at once, then one for each part of the minute that passed', () => {
  const { now, pass } = clock();
  const buckets = new TokenBuckets(6, 10, now);

  const first = Array.from({ length: 7 }, () => buckets.take('a'));
  pass(10_000);
  const later = [buckets.take('a'), buckets.take('a')];

  assert.deepEqual(
    first.map(({ allowed }) => allowed),
    [true, true, true, true, true, true, false],
  );
  assert.deepEqual(
    first.map(({ remaining }) => remaining),
    [5, 4, 3, 2, 1, 0, 0],
  );
  assert.equal(first[6]?.seconds, 10);
  assert.deepEqual(
    later.map(({ allowed }) => allowed),
    [true, false],
  );
});

test('a long pause saves up no more than the limit', () => {
  const { now, pass } = clock();
  const buckets = new TokenBuckets(2, 10, now);
  buckets.take('a');

  pass(3_600_000);
  const after = Array.from({ length: 3 }, () => buckets.take('a').allowed);

  assert.deepEqual(after, [true, true, false]);
});

test('whoever asks while refused does not wait longer for it', () => {
  const { now, pass } = clock();
  const buckets = new TokenBuckets(1, 10, now);

  buckets.take('a');
  const refused = Array.from({ length: 59 }, () => {
    pass(1000);
    return buckets.take('a').allowed;
  });
  pass(1000);

  assert.ok(refused.every((allowed) => !allowed));
  assert.equal(buckets.take('a').allowed, true);
});

test('keys do not take from each other', () => {
  const buckets = new TokenBuckets(1, 10, clock().now);

  assert.deepEqual(
    [buckets.take('a').allowed, buckets.take('b').allowed, buckets.take('a').allowed],
    [true, true, false],
  );
});

test('no number of other keys makes a used bucket forgotten, and memory stays bounded', () => {
  const { now } = clock();
  const buckets = new TokenBuckets(2, 100, now);
  buckets.take('attacker');
  buckets.take('attacker');

  for (let key = 0; key < 10_000; key += 1) buckets.take(`other ${key}`);

  assert.equal(buckets.take('attacker').allowed, false);
  assert.ok(buckets.size <= 101);
});

test('keys for which there is no room share one bucket until others are full again', () => {
  const { now, pass } = clock();
  const buckets = new TokenBuckets(1, 2, now);
  buckets.take('a');
  buckets.take('b');

  const crowded = [buckets.take('c').allowed, buckets.take('d').allowed];
  pass(60_000);
  const later = [buckets.take('e').allowed, buckets.take('f').allowed];

  assert.deepEqual(crowded, [true, false]);
  assert.deepEqual(later, [true, true]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowlockError } from '@rowlock/client';
import { bytesInWords, failureInWords, positionInWords, timeLeftInWords } from './wording.ts';

test('a size has two or three digits and the unit that fits', () => {
  const sizes = [0, 1, 999, 1000, 1250, 99_500, 999_499, 999_500, 20_000_000, 5 * 2 ** 30, 3e15].map(bytesInWords);

  assert.deepEqual(sizes, [
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1 kB',
    '1.3 kB',
    '100 kB',
    '999 kB',
    '1 MB',
    '20 MB',
    '5.4 GB',
    '3000 TB',
  ]);
});

test('a time that is left is said as one would say it', () => {
  const said = [0, 4.9, 5, 31, 54, 56, 89, 90, 600, 5399, 7200, 400_000].map(timeLeftInWords);

  assert.deepEqual(said, [
    'a few seconds left',
    'a few seconds left',
    'about 5 seconds left',
    'about 35 seconds left',
    'about 55 seconds left',
    'about a minute left',
    'about a minute left',
    'about 2 minutes left',
    'about 10 minutes left',
    'about 90 minutes left',
    'about 2 hours left',
    'more than two days left',
  ]);
});

test('a position has five digits behind the point, about a metre', () => {
  assert.equal(positionInWords(51.508, -0.12834567), '51.50800, -0.12835');
});

test('a failure is a sentence: ours where it helps more, the service’s own otherwise', () => {
  const ours = failureInWords(new RowlockError('object_exists', 'The resource already exists'));
  const theirs = failureInWords(new RowlockError('too_large', 'the body has 6 bytes; at most 5 are accepted'));

  assert.equal(ours, 'A file with this name is here already.');
  assert.equal(theirs, 'The body has 6 bytes; at most 5 are accepted.');
});

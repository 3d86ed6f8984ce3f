import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowlockError } from '@rowlock/client';
import { bytesInWords, failureInWords, momentInWords } from './wording.ts';

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

test('a moment is said by how long ago it was, up to a week', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const ago = (seconds: number): string => momentInWords(new Date(now.getTime() - seconds * 1000), now);

  const said = [-5, 59, 60, 3599, 7200, 86_400 * 6].map(ago);

  assert.deepEqual(said, ['just now', 'just now', '1 minute ago', '59 minutes ago', '2 hours ago', '6 days ago']);
  assert.match(ago(86_400 * 30), /^\d+ Oct 2026$/);
});

test('a failure is a sentence: ours where it helps more, the service’s own otherwise', () => {
  const ours = failureInWords(new RowlockError('object_exists', 'The resource already exists'));
  const theirs = failureInWords(new RowlockError('too_large', 'the body has 6 bytes; at most 5 are accepted'));

  assert.equal(ours, 'A file with this name is here already.');
  assert.equal(theirs, 'The body has 6 bytes; at most 5 are accepted.');
});

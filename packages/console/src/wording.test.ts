import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentInWords } from './wording.ts';

test('a moment is said by how long ago it was, up to a week', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const ago = (seconds: number): string => momentInWords(new Date(now.getTime() - seconds * 1000), now);

  const said = [-5, 59, 60, 3599, 7200, 86_400 * 6].map(ago);

  assert.deepEqual(said, ['just now', 'just now', '1 minute ago', '59 minutes ago', '2 hours ago', '6 days ago']);
  assert.match(ago(86_400 * 30), /^\d+ Oct 2026$/);
});

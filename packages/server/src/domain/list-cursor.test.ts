import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { type CursorListing, decodeCursor, encodeCursor } from './list-cursor.ts';

const byName: CursorListing = { bucket: 'box', prefix: 'a/', delimited: true, descending: false, sort: 'name' };
const byTime: CursorListing = { ...byName, sort: 'created_at' };
const at = '2026-11-21T15:05:03.123456Z';

test('a cursor comes back as the position that it was made of', () => {
  for (const position of [
    { name: 'a/b', folder: false, at: null },
    { name: 'a/été 😀/', folder: true, at: null },
  ]) {
    assert.deepEqual(decodeCursor(byName, encodeCursor(byName, position)), position);
  }
  const timed = { name: 'a/b', folder: false, at };
  assert.deepEqual(decodeCursor(byTime, encodeCursor(byTime, timed)), timed);
});

test('a cursor of another listing is refused', () => {
  const cursor = encodeCursor(byName, { name: 'a/b', folder: false, at: null });

  for (const change of [
    { bucket: 'other' },
    { prefix: 'a' },
    { delimited: false },
    { descending: true },
    { sort: 'updated_at' },
  ]) {
    assert.throws(() => decodeCursor({ ...byName, ...change }, cursor), isRowlockError, JSON.stringify(change));
  }
});

test('99 a cursor that was made by hand is refused', () => {
  const own = JSON.parse(
    Buffer.from(encodeCursor(byName, { name: 'a/b', folder: false, at: null }), 'base64url').toString(),
  );
  const [print] = own as [string];
  const made = (fields: unknown): string => Buffer.from(JSON.stringify(fields)).toString('base64url');
  const hostile = [
    '',
    'x',
    '%',
    'A'.repeat(1_000_000),
    made(null),
    made([]),
    made([print]),
    made([print, 'a/b', 0]),
    made([print, 'a/b', 0, null, null]),
    made([print, 'b/b', 0, null]),
    made([print, 7, 0, null]),
    made([print, 'a/b', 1, null]),
    made([print, 'a/b/', 0, null]),
    made([print, 'a/b/c/', 1, null]),
    made([print, 'a/', 1, null]),
    made([print, 'a/b', true, null]),
    made([print, 'a/b', 0, at]),
    made([print, 'a/b\u0000', 0, null]),
    made([print, 'a/\ud800', 0, null]),
    made([print, `a/${'b'.repeat(2000)}`, 0, null]),
    made(['__proto__', 'a/b', 0, null]),
    made({ 0: print, 1: 'a/b', 2: 0, 3: null, length: 4 }),
  ];

  for (const cursor of hostile) {
    assert.throws(
      () => decodeCursor(byName, cursor),
      (error) => isRowlockError(error, 'invalid_request'),
      cursor.slice(0, 80),
    );
  }
});

test('99 a time that is none is refused in a cursor', () => {
  const [print] = JSON.parse(
    Buffer.from(encodeCursor(byTime, { name: 'a/b', folder: false, at }), 'base64url').toString(),
  ) as [string];

  for (const time of [null, 0, '', 'now', 'infinity', "2026-01-01'", '2026-13-01T00:00:00Z', `${at}${at}`]) {
    const cursor = Buffer.from(JSON.stringify([print, 'a/b', 0, time])).toString('base64url');
    assert.throws(
      () => decodeCursor(byTime, cursor),
      (error) => isRowlockError(error, 'invalid_request'),
      String(time),
    );
  }
});

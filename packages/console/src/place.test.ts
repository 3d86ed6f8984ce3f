import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, home, type Place, placeOf, prefixOf } from './place.ts';

test('a place is spelt so that it is read back the same', () => {
  const places: readonly Place[] = [
    home,
    { bucket: 'box', folders: [] },
    { bucket: 'box', folders: ['a b', '50 %', '"><img>', 'é/never', '#?'] },
  ];

  for (const place of places) {
    const read = placeOf(addressOf(place));

    assert.deepEqual(read, place);
  }
});

test('what is no place is the list of buckets', () => {
  for (const hash of ['', '#', '#/', '#//', '#/%E0%A4%A/']) {
    const place = placeOf(hash);

    assert.deepEqual(place, home);
  }
});

test('the prefix of a folder ends in a slash, and that of a bucket is empty', () => {
  assert.equal(prefixOf({ bucket: 'box', folders: [] }), '');
  assert.equal(prefixOf({ bucket: 'box', folders: ['a', 'b'] }), 'a/b/');
});

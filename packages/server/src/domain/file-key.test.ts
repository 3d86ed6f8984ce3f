import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { parseFileKey } from './file-key.ts';

const id = '0198f3c1-7a52-7d3e-9b1f-4f2f6c1f5a10';

test('the keys of a file name it by its id: the original, and each thumbnail by its preset', () => {
  const original = parseFileKey(`issue/42/${id}/original.jpg`);
  const thumbnail = parseFileKey(`issue/42/${id}/thumb-small.png`);

  assert.deepEqual([original.file_id, original.preset], [id, undefined]);
  assert.deepEqual([thumbnail.file_id, thumbnail.preset], [id, 'small']);
  assert.equal(original.name, `issue/42/${id}/original.jpg`);
});

test("a variant's own key names its version", () => {
  assert.equal(parseFileKey(`objects/10/${id}`).version_id, id);
  assert.equal(parseFileKey(`variants/10/${id}`).version_id, id);
});

test('what only looks like one of these is the name of an object and nothing else', () => {
  for (const name of [
    `${id}/original.jpg`,
    `issue/42/${id}/thumb-.jpg`,
    `issue/42/${id}/thumb-small`,
    `issue/42/${id}/thumb-Small.jpg`,
    `issue/42/${id}/other.jpg`,
    `issue/42/more/${id}/original.jpg`,
    `issue/42/${id.toUpperCase()}/original.jpg`,
    `objects/10/${id}/thumb-small.jpg/x`,
    `other/10/${id}`,
    'a.txt',
  ]) {
    assert.deepEqual(parseFileKey(name), { name, file_id: undefined, preset: undefined, version_id: undefined }, name);
  }
});

test('what no object can be called is refused', () => {
  for (const name of ['', 'a//b', '../a', 'a/', `a\u0000b`]) {
    assert.throws(
      () => parseFileKey(name),
      (error) => isRowlockError(error, 'invalid_name'),
      JSON.stringify(name),
    );
  }
  assert.throws(
    () => parseFileKey('x'.repeat(1025)),
    (error) => isRowlockError(error, 'name_too_long'),
  );
});

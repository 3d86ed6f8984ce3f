import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertKey, fileKey, isKey, variantKey, versionKey } from './keys.ts';

const id = '0195a0b0-1234-7abc-8def-0123456789ab';

for (const key of ['a', 'A_9', '_', 'a.b-c_d', 'objects/ab/x', 'a/b/c/d', 'x'.repeat(255), `${'a/'.repeat(511)}ab`]) {
  test(`${key.slice(0, 20)} of ${key.length} characters is a key`, () => {
    assertKey(key);

    assert.ok(isKey(key));
  });
}

for (const [what, key] of [
  ['nothing', ''],
  ['a dot', '.'],
  ['two dots', 'a/..'],
  ['a parent folder first', '../../etc/passwd'],
  ['a parent folder within', 'a/../b'],
  ['an absolute path', '/etc/passwd'],
  ['a trailing slash', 'a/'],
  ['a doubled slash', 'a//b'],
  ['a backslash', 'a\\..\\b'],
  ['a drive', 'C:x'],
  ['an escape', '%2e%2e/a'],
  ['a NUL', 'a\0b'],
  ['a line feed at the end', 'a\n'],
  ['a space', 'a b'],
  ['a letter outside of ASCII', 'é'],
  ['an option', '-rf'],
  ['a hidden file', '.htaccess'],
  ['the temporary folder', '.tmp/x'],
] as const) {
  test(`${what} is not a key`, () => {
    assert.equal(isKey(key), false);

    assert.throws(() => assertKey(key), { reason: 'invalid_name' });
  });
}

test('a key is at most 1,024 bytes, and a segment at most 255', () => {
  assert.throws(() => assertKey('a'.repeat(1025)), { reason: 'name_too_long' });
  assert.throws(() => assertKey(`a/${'b'.repeat(256)}/c`), { reason: 'name_too_long' });
  assert.equal(isKey(`a/${'b'.repeat(256)}/c`), false);
});

test('the rule agrees with itself on random texts, and no key leaves its folder', () => {
  const texts = fc.string({ unit: fc.constantFrom(...'aZ0_.-/\\ %\0\n~é'), maxLength: 20 });

  fc.assert(
    fc.property(texts, (text) => {
      const segments = text.split('/');
      const expected = segments.every(
        (segment) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(segment) && !segment.includes('\n'),
      );

      assert.equal(isKey(text), expected);
      if (expected) assertKey(text);
      else assert.throws(() => assertKey(text), { reason: 'invalid_name' });
    }),
    { numRuns: 5000, seed: 24 },
  );
});

test('a version is kept under its id, in a folder by its last digits', () => {
  assert.equal(versionKey(id), `objects/ab/${id}`);
  assert.equal(versionKey(id.toUpperCase()), `objects/ab/${id}`);
  assert.throws(() => versionKey('../x'), { reason: 'invalid_name' });
});

for (const [name, expected] of [
  ['photo.JPG', 'original.jpg'],
  ['a.tar.gz', 'original.gz'],
  ['no-extension', 'original.bin'],
  ['', 'original.bin'],
  ['.htaccess', 'original.htaccess'],
  ['x.', 'original.bin'],
  ['x.verylongextension', 'original.bin'],
  ['x.j pg', 'original.bin'],
  ['x.jpg/../../y', 'original.bin'],
  ['x.jp\u00e9g', 'original.bin'],
  ['x.jpg\0', 'original.bin'],
  ['gpj.\u202eexe', 'original.bin'],
  ['x.jpg\n', 'original.bin'],
] as const) {
  test(`the file name ${JSON.stringify(name)} is kept as ${expected}`, () => {
    const key = fileKey({ entity_type: 'Issue', entity_id: '42', file_id: id, file_name: name });

    assert.equal(key, `Issue/42/${id}/${expected}`);
  });
}

for (const part of ['', '.', '..', 'a/b', 'a b', '../x', '-x', 'é', 'a\n']) {
  test(`the part ${JSON.stringify(part)} is refused, wherever it stands`, () => {
    const good = { entity_type: 'Issue', entity_id: '42', file_id: id, file_name: 'a.jpg' };

    for (const bad of [{ entity_type: part }, { entity_id: part }, { file_id: part }]) {
      assert.throws(() => fileKey({ ...good, ...bad }), { reason: 'invalid_name' });
    }
  });
}

test('thumbnails stand beside an original of an entity, under the same name every time', () => {
  const source = fileKey({ entity_type: 'Issue', entity_id: '42', file_id: id, file_name: 'a.png' });

  assert.equal(variantKey(source, 'small', 'jpg'), `Issue/42/${id}/thumb-small.jpg`);
  assert.equal(variantKey(source, 'small', 'jpg'), variantKey(source, 'small', 'jpg'));
});

test('variants of other keys get keys of their own', () => {
  const key = variantKey(versionKey(id), 'small', 'jpg');

  assert.match(key, /^variants\/([0-9a-f]{2})\/[0-9a-f-]{34}\1$/);
  assert.notEqual(variantKey(versionKey(id), 'small', 'jpg'), key);
  assert.match(variantKey('original.jpg', 'small', 'jpg'), /^variants\//);
});

test('a derived key never equals its source', () => {
  const segment = fc.string({ unit: fc.constantFrom(...'abthumb-small.original'), minLength: 1, maxLength: 15 });
  const source = fc
    .tuple(
      fc.array(segment, { maxLength: 3 }),
      fc.constantFrom('original.jpg', 'thumb-small.jpg', 'original.thumb', 'x'),
    )
    .map(([folders, name]) => [...folders, name].join('/'))
    .filter(isKey);

  fc.assert(
    fc.property(source, fc.constantFrom('small', 'medium', 'large'), (key, preset) => {
      const derived = variantKey(key, preset, 'jpg');

      assert.notEqual(derived, key);
      assert.ok(isKey(derived));
    }),
    { numRuns: 2000, seed: 1 },
  );
});

test('a preset that would leave the folder is refused', () => {
  const source = `Issue/42/${id}/original.jpg`;

  assert.throws(() => variantKey(source, '../../x', 'jpg'), { reason: 'invalid_name' });
  assert.throws(() => variantKey(source, 'small', 'j/pg'), { reason: 'invalid_name' });
});

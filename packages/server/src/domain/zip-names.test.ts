import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ZipNames } from './zip-names.ts';

test('ordinary names stay as they are', () => {
  for (const name of [
    'a.txt',
    'a/b/c.tar.gz',
    'été 😀/ü (1).png',
    '.hidden',
    'a..b',
    '-rf',
    '~/x',
    'console/connect.txt',
  ]) {
    assert.equal(new ZipNames().take(name, false), name);
  }
});

test('16 names that climb, name a drive or a device on another system are changed', () => {
  const cases: Readonly<Record<string, string>> = {
    'a\\..\\..\\b': 'a_.._.._b',
    'C:/Windows/x': 'C_/Windows/x',
    'x:stream': 'x_stream',
    '.. /x': '___/x',
    '.../x': '___/x',
    'a./b ': 'a_/b_',
    NUL: '_NUL',
    'a/con.txt': 'a/_con.txt',
    'a*?b': 'a__b',
  };

  for (const [name, expected] of Object.entries(cases)) {
    assert.equal(new ZipNames().take(name, false), expected);
  }
});

test('names that became the same are told apart', () => {
  const names = new ZipNames();

  const given = ['a_b.txt', 'a:b.txt', 'a|b.txt', 'x', 'x/y', 'a?b', 'a*b'].map((name) =>
    names.take(name, name === 'x'),
  );

  assert.deepEqual(given, ['a_b.txt', 'a_b (2).txt', 'a_b (3).txt', 'x (file)', 'x/y', 'a_b', 'a_b (2)']);
});

test('16 no name of an object leaves the folder that it is unpacked into', () => {
  const segment = fc.string({
    unit: fc.constantFrom('.', '..', ' ', '\\', ':', 'a', '~', 'é', '*'),
    minLength: 1,
    maxLength: 6,
  });

  fc.assert(
    fc.property(fc.array(fc.array(segment, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), (paths) => {
      const names = new ZipNames();

      const given = paths.map((path) => names.take(path.join('/'), false));

      assert.equal(new Set(given).size, given.length);
      for (const name of given) {
        assert.doesNotMatch(name, /\\|:|^\/|(^|\/)\.{0,2} *(\/|$)/, name);
      }
    }),
  );
});

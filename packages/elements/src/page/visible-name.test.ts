import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameInText, partsOfName } from './visible-name.ts';

test('an ordinary name is one part, whatever its script', () => {
  for (const name of ['a b+c.txt', 'été.jpg', 'תמונה.png', '写真.heic', '👩‍🚀.png', '<img src=x>']) {
    const parts = partsOfName(name);

    assert.deepEqual(parts, [{ text: name, disguise: false }]);
  }
});

test('characters that nobody sees are shown by their number, in their place', () => {
  const shown = ['a\u202Egpj.exe', '\u200Bx', 'x\u00AD', 'a\u2066b\u2069', 'a\tb', 'a\u{E0041}b'].map(nameInText);

  assert.deepEqual(shown, [
    'a[U+202E]gpj.exe',
    '[U+200B]x',
    'x[U+00AD]',
    'a[U+2066]b[U+2069]',
    'a[U+0009]b',
    'a[U+E0041]b',
  ]);
});

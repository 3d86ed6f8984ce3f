/** The page of interleavings names tests and pairs; this compares it with what there is, both ways for the pairs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pairs } from '../faults/interleaving-pairs.ts';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/reference/interleavings.md', root), 'utf8');
const names = new Set(pairs.map(({ name }) => name));

/** The cells of the rows of the tables, with `\|` for a bar inside of them. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .slice(2, -2)
      .split(/ (?<!\\)\| /)
      .map((cell) => cell.replaceAll('\\|', '|')),
  );

test('every test that the page names is there', () => {
  const named = rows
    .flatMap(([, , tests = '']) => tests.split('; '))
    .map((text) => /^`([\w/-]+)` (.+)$/.exec(text))
    .filter((match) => match !== null);

  const missing = named.filter(([, file = '', words = '']) => {
    if (file === 'faults/interleavings') return !names.has(words);
    return !readFileSync(new URL(`test/src/${file}.test.ts`, root), 'utf8').includes(words);
  });

  assert.ok(named.length > 30, `${named.length} tests are named`);
  assert.deepEqual(
    missing.map(([text]) => text),
    [],
  );
});

test('the page has every pair that is tried, and no other', () => {
  const onPage = rows.filter((cells) => cells.length === 2).flatMap(([cell = '']) => cell.split(', '));

  assert.deepEqual(
    onPage.filter((name) => name !== 'the first | the second' && name !== '---').sort(),
    [...names].sort(),
  );
});

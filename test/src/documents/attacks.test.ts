/** The page of attacks says of each row whether it holds, and by which tests; this compares it with the tests. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../../', import.meta.url);
const folders = ['test/src/attack/', 'test/src/database/'].map((path) => new URL(path, root));
const rows = new Map(
  readFileSync(new URL('docs/reference/attacks.md', root), 'utf8')
    .split('\n')
    .map((line) => /^\| (\d+) \| (.+) \| (.+) \| (.*) \|$/.exec(line))
    .filter((match) => match !== null)
    .map(([, number, , state = '', tests = '']) => [
      Number(number),
      { state, files: [...tests.matchAll(/`([\w-]+)`/g)].map(([, file]) => file ?? '').sort() },
    ]),
);

/** The files whose tests have a name that begins with each number, such as `12 patterns in a prefix are literal`. */
function testsByNumber(): Map<number, string[]> {
  const byNumber = new Map<number, string[]>();
  for (const file of folders.flatMap((folder) => readdirSync(folder).map((name) => new URL(name, folder)))) {
    const name = /([\w-]+)\.test\.ts$/.exec(file.pathname)?.[1];
    const source = name === undefined ? '' : readFileSync(file, 'utf8');
    for (const [, number] of source.matchAll(/\b(?:test|it|describe)\(\s*['"`](\d{1,3})\b/g)) {
      const files = byNumber.get(Number(number)) ?? [];
      byNumber.set(Number(number), [...new Set([...files, name ?? ''])].sort());
    }
  }
  return byNumber;
}

test('every attack of the list has a row, in order', () => {
  assert.deepEqual(
    [...rows.keys()],
    Array.from({ length: 124 }, (_, i) => i + 1),
  );
});

test('every row names exactly the tests that carry its number', () => {
  const tests = testsByNumber();

  const wrong = [...rows].filter(([number, { files }]) => String(tests.get(number) ?? []) !== String(files));

  assert.deepEqual(
    wrong.map(([number, { files }]) => ({ number, page: files, tests: tests.get(number) ?? [] })),
    [],
  );
});

test('a row that holds has a test, and a row without one says what it waits for', () => {
  for (const [number, { state, files }] of rows) {
    assert.match(state, /^(holds|holds; waits for .+: .+|waits for .+)$/, `row ${number}`);
    assert.equal(files.length > 0, state.startsWith('holds'), `row ${number}`);
  }
});

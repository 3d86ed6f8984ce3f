/** The page of the contract says of each statement whether it holds, and by which tests; this compares it with the tests. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../../', import.meta.url);
const tests = new URL('test/src/', root);

interface Row {
  readonly number: string;
  readonly state: string;
  readonly files: readonly string[];
}

const page = readFileSync(new URL('docs/reference/contract.md', root), 'utf8');
const rows: readonly Row[] = page
  .split('\n')
  .map((line) => /^\| (\d+\.\d+) \| (?:.+) \| (.+) \| (.*) \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, number = '', state = '', files = '']) => ({
    number,
    state,
    files: [...files.matchAll(/`([\w/-]+)`/g)].map(([, file]) => file ?? ''),
  }));

/** The files of the folder whose tests have a name that begins with each number, such as `4.12 a move is answered …`. */
function testsByNumber(): Map<string, string[]> {
  const byNumber = new Map<string, string[]>();
  const folder = new URL('contract/', tests);
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.test.ts'))) {
    const source = readFileSync(new URL(name, folder), 'utf8');
    for (const [, number = ''] of source.matchAll(/['"`](\d{1,2}\.\d{1,2}) [^'"`]{5}/g)) {
      const files = byNumber.get(number) ?? [];
      byNumber.set(number, [...new Set([...files, `contract/${name.slice(0, -'.test.ts'.length)}`])].sort());
    }
  }
  return byNumber;
}

test('statements are numbered in order, section by section', () => {
  const numbers = rows.map(({ number }) => number.split('.').map(Number));

  assert.ok(rows.length > 100, `${rows.length} rows`);
  for (const [at, [section = 0, place = 0]] of numbers.entries()) {
    const [before = 0, last = 0] = numbers[at - 1] ?? [];
    assert.ok(section === before ? place === last + 1 : section > before && place === 1, `${section}.${place}`);
  }
});

test('every row names the contract tests that carry its number, and no other', () => {
  const found = testsByNumber();

  const wrong = rows
    .map(({ number, files }) => ({
      number,
      page: files.filter((file) => file.startsWith('contract/')).sort(),
      tests: found.get(number) ?? [],
    }))
    // A test may prove more than the row whose number it carries: then the other row names it too.
    .filter(({ page: named, tests: carrying }) => carrying.some((file) => !named.includes(file)));

  assert.deepEqual(wrong, []);
  assert.deepEqual(
    [...found.keys()].filter((number) => !rows.some((row) => row.number === number)),
    [],
  );
});

test('every test file that a row names is there, and every file of contract tests is named', () => {
  const named = new Set(rows.flatMap(({ files }) => files));

  const missing = [...named].filter((file) => {
    const folder = file.startsWith('packages/') ? root : tests;
    return !existsSync(new URL(`${file}.test.ts`, folder));
  });
  const unnamed = [...testsByNumber().values()].flat().filter((file) => !named.has(file));

  assert.deepEqual([missing, unnamed], [[], []]);
});

test('a row holds, differs with a reason, or says what it waits for; what holds or differs has a test', () => {
  for (const { number, state, files } of rows) {
    assert.match(state, /^(holds\b|differs: .{10}|waits for \w)/, number);
    assert.ok(files.length > 0 || state.startsWith('waits for'), number);
  }
});

test('the operations of the page are those that the server says, and no other', () => {
  const [, table = ''] = page.split('## Operations');
  const described = [...table.matchAll(/`((?:bucket|object|render)\.\w+)`/g)].map(([, name]) => `storage.${name}`);
  const sources = ['packages/server/src', 'packages/server/sql/definitions'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /(?<!\.test)\.(ts|sql)$/.test(entry.name))
      .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8')),
  );
  const said = sources.flatMap((source) =>
    [...source.matchAll(/'(storage\.(?:bucket|object|render)\.\w+)'/g)].map(([, name]) => name ?? ''),
  );

  const events = /^storage\.(object|bucket)\.(created|updated|moved|deleted)$/;
  assert.deepEqual([...new Set(described)].sort(), [...new Set(said)].filter((name) => !events.test(name)).sort());
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bannedFileNames, defaultExports, fileNameCase } from './names.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

const tree = readTree();

test('no file or folder has a drawer name', () => {
  assertTidy(bannedFileNames(tree));
});

test('files are kebab-case', () => {
  assertTidy(fileNameCase(tree));
});

test('exports are named', () => {
  assertTidy(defaultExports(tree));
});

test('drawer names are reported as a file, as a folder and as an index inside a package', () => {
  const banned = [
    'packages/server/src/http/utils.ts',
    'packages/server/src/shared/clock.ts',
    'packages/cli/src/helpers.test.ts',
    'packages/server/src/http/index.ts',
    'test/src/misc.ts',
  ];
  const files = sampleTree(Object.fromEntries(banned.map((path) => [path, ''])));

  assert.deepEqual(
    bannedFileNames(files).map((found) => found.path),
    banned,
  );
});

test('public indexes, names that contain a banned word, and examples are not reported', () => {
  const files = sampleTree({
    'packages/client/src/index.ts': '',
    'packages/client/src/contract/index.ts': '',
    'test/harness/src/index.ts': '',
    'packages/server/src/domain/media-types.ts': '',
    'packages/console/src/index.html': '',
    'examples/react/src/types.ts': '',
  });

  assert.deepEqual(bannedFileNames(files), []);
});

test('file names in other cases are reported, and numbered migrations are not', () => {
  const files = sampleTree({
    'packages/server/src/domain/ObjectName.ts': '',
    'packages/server/src/domain/object_name.test.ts': '',
    'docs/how-to/Upload_Files.md': '',
    'docs/README.md': '',
    'README.md': '',
    'packages/server/sql/migrations/0001_first_tables.sql': '',
    'packages/server/src/domain/object-name.test.ts': '',
  });

  assert.deepEqual(
    fileNameCase(files).map((found) => found.path),
    [
      'packages/server/src/domain/ObjectName.ts',
      'packages/server/src/domain/object_name.test.ts',
      'docs/how-to/Upload_Files.md',
    ],
  );
});

test('every way to write a default export is reported, except in a configuration that needs one', () => {
  const files = sampleTree({
    'a.ts': `export const a = 1;\nexport default function f() {}`,
    'b.ts': `export default 1;`,
    'c.ts': `const x = 1;\nexport { x as default };`,
    'd.ts': `export default class {}`,
    'vite.config.ts': `export default {};`,
    'e.ts': `import x from 'pg';\nexport { x };`,
  });

  assert.deepEqual(
    defaultExports(files).map((found) => `${found.path}:${found.line}`),
    ['a.ts:2', 'b.ts:1', 'c.ts:2', 'd.ts:1'],
  );
});

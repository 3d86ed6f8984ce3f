import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { assertTidy, lineAt, readTree } from './tree.ts';

test('tracked and untracked files are read, and ignored and deleted ones are not', (t) => {
  const root = sampleFolder(t);
  const git = (...args: string[]): void => {
    execFileSync('git', ['-C', root, ...args], { stdio: 'ignore' });
  };
  git('init');
  writeFileSync(join(root, 'deleted.ts'), '');
  git('add', 'tracked.ts', 'deleted.ts');
  rmSync(join(root, 'deleted.ts'));

  const paths = readTree(root).map(({ path }) => path);

  assert.deepEqual(paths, ['.gitignore', 'folder/untracked.ts', 'picture.png', 'tracked.ts']);
});

test('without git the folders are walked, except those that are built or installed', (t) => {
  const root = sampleFolder(t);
  mkdirSync(join(root, 'folder/node_modules'));
  cpSync(join(root, 'tracked.ts'), join(root, 'folder/node_modules/installed.ts'));

  const paths = readTree(root).map(({ path }) => path);

  assert.deepEqual(paths, ['.gitignore', 'folder/untracked.ts', 'ignored.txt', 'picture.png', 'tracked.ts']);
});

test('binary files are listed without a text', (t) => {
  const files = readTree(sampleFolder(t));

  assert.deepEqual(
    files.filter(({ text }) => text === '').map(({ path }) => path),
    ['picture.png'],
  );
});

test('this repository is found from the compiled suite', () => {
  const paths = new Set(readTree().map(({ path }) => path));

  assert.ok(paths.has('test/src/tidy/tree.test.ts'));
  assert.ok(![...paths].some((path) => path.includes('node_modules/')));
});

test('a violation fails the test and says where, which and what to do', () => {
  const violation = { path: 'a.ts', line: 3, rule: 'a-rule', message: 'do the other thing' };

  assert.throws(() => assertTidy([violation]), /a\.ts:3 a-rule: do the other thing/);
  assert.doesNotThrow(() => assertTidy([]));
});

test('lines are counted from one', () => {
  const text = 'one\ntwo\n\nfour';

  assert.deepEqual(
    [0, 3, 4, 8, 9].map((offset) => lineAt(text, offset)),
    [1, 1, 2, 3, 4],
  );
});

function sampleFolder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'rowlock-tidy-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'folder'));
  writeFileSync(join(root, '.gitignore'), 'ignored.txt\n');
  writeFileSync(join(root, 'ignored.txt'), 'ignored');
  writeFileSync(join(root, 'tracked.ts'), 'tracked');
  writeFileSync(join(root, 'folder/untracked.ts'), 'untracked');
  writeFileSync(join(root, 'picture.png'), new Uint8Array([137, 80, 0, 1]));
  symlinkSync('tracked.ts', join(root, 'link.ts'));
  return root;
}

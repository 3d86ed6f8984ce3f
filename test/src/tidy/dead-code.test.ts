import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadExports, deadModules } from './dead-code.ts';
import { assertTidy, readTree, sampleTree, type Violation } from './tree.ts';

const tree = readTree();
const placesOf = (found: readonly Violation[]): string[] => found.map(({ path, line }) => `${path}:${line}`);

test('every module is imported by something', () => {
  assertTidy(deadModules(tree));
});

test('every export is used by another file', () => {
  assertTidy(deadExports(tree));
});

test('a module that nothing imports is reported', () => {
  const files = sampleTree({
    'packages/queue/src/index.ts': `export * from './used.ts';`,
    'packages/queue/src/used.ts': `import type { T } from './deep/typed.ts';`,
    'packages/queue/src/deep/typed.ts': `export type T = 1;`,
    'packages/queue/src/dead.ts': `import './used.ts';`,
    'packages/queue/src/only-named.ts': `const text = 'only-named.ts';`,
  });

  assert.deepEqual(placesOf(deadModules(files)), [
    'packages/queue/src/dead.ts:1',
    'packages/queue/src/only-named.ts:1',
  ]);
});

test('entries are named by manifests, pages, tools, tests, and URLs of workers', () => {
  const files = sampleTree({
    'packages/console/package.json': '{ "exports": { ".": "./dist/site.js" } }',
    'packages/console/src/site.ts': '',
    'packages/console/src/index.html': '<script type="module" src="./src/app.tsx"></script>',
    'packages/console/src/app.tsx': '',
    'packages/console/src/shell.tsx': '',
    'tools/build.mjs': `build(['packages/console/src/shell.tsx']);`,
    'packages/cli/src/main.ts': `await import('./dev/start.ts');`,
    'packages/cli/src/dev/start.ts': `new Worker(new URL('./thread.js', import.meta.url));`,
    'packages/cli/src/dev/thread.ts': '',
    'packages/cli/src/dev/probe.ts': '',
    'test/src/probe.test.ts': `import { probe } from '../../packages/cli/dist/dev/probe.js';`,
  });

  assert.deepEqual(deadModules(files), []);
});

test('exports that no other file names are reported with their line', () => {
  const files = sampleTree({
    'packages/queue/src/index.ts': `export { a } from './a.ts';`,
    'packages/queue/src/a.ts': [
      'export const a = 1, b = 2;',
      'export function c() { return c; }',
      'export interface D {}',
      'class E {}',
      'export { E };',
    ].join('\n'),
  });

  assert.deepEqual(placesOf(deadExports(files)), [
    'packages/queue/src/a.ts:1',
    'packages/queue/src/a.ts:2',
    'packages/queue/src/a.ts:3',
    'packages/queue/src/a.ts:5',
  ]);
});

test('exports used by a test, through a namespace, under another name, or as a type of their own module pass', () => {
  const files = sampleTree({
    'packages/queue/src/a.ts': 'export const a = 1;\nexport interface B {}\nexport function c(b: B): void {}',
    'packages/queue/src/a.test.ts': `import { a as first, c } from './a.ts';`,
    'packages/queue/src/d.ts': 'export const d = 1;\nexport const e = 2;',
    'packages/queue/src/main.ts': `import * as d from './d.ts';\nexport const run = () => d;`,
  });

  assert.deepEqual(deadExports(files), []);
});

test('an exemption silences one report, and is reported itself when it is not needed', () => {
  const files = sampleTree({ 'packages/queue/src/a.ts': 'export const a = 1;', 'packages/queue/src/b.ts': '' });

  const modules = deadModules(files, { 'packages/queue/src/a.ts': 'read by name', 'packages/queue/src/c.ts': 'gone' });
  const exports = deadExports(files, { 'packages/queue/src/a.ts#a': 'read by name' });

  assert.deepEqual(placesOf(modules), ['packages/queue/src/b.ts:1', 'packages/queue/src/c.ts:1']);
  assert.deepEqual(exports, []);
});

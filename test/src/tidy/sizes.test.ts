import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileSizes, functionSizes, nestingDepths, parameterCounts } from './sizes.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

const tree = readTree();
const statements = (count: number): string => 'work();\n'.repeat(count);

test('files have at most 400 lines', () => {
  assertTidy(fileSizes(tree));
});

test('functions have at most 70 lines', () => {
  assertTidy(functionSizes(tree));
});

test('functions have at most 4 positional parameters', () => {
  assertTidy(parameterCounts(tree));
});

test('statements are nested at most 3 deep', () => {
  assertTidy(nestingDepths(tree));
});

test('a file of 401 lines is reported and one of 400 is not', () => {
  const long = sampleTree({ 'a/long.ts': '\n'.repeat(401), 'a/sql/long.sql': `${'\n'.repeat(400)}--` });
  const short = sampleTree({ 'a/short.ts': '\n'.repeat(400), 'a/sql/schema.sql': '\n'.repeat(900) });

  assert.deepEqual(
    fileSizes(long).map((found) => found.path),
    ['a/long.ts', 'a/sql/long.sql'],
  );
  assert.deepEqual(fileSizes(short), []);
});

test('a function of 71 lines is reported, whether it is declared, a method or an arrow', () => {
  const files = sampleTree({
    'a.ts': `function f() {\n${statements(69)}}\n`,
    'b.ts': `class C {\n  m() {\n${statements(69)}}\n}\n`,
    'c.ts': `test('a case', () => {\n${statements(69)}});\n`,
  });

  assert.deepEqual(
    functionSizes(files).map((found) => `${found.path}:${found.line}`),
    ['a.ts:1', 'b.ts:2', 'c.ts:1'],
  );
});

test('a function of 70 lines and a long heading of tests are not reported', () => {
  const files = sampleTree({
    'a.ts': `// why\n\nfunction f() {\n${statements(68)}}\n`,
    'b.ts': `describe('a group', () => {\n${statements(200)}});\n`,
  });

  assert.deepEqual(functionSizes(files), []);
});

test('five positional parameters are reported in a function and in a signature', () => {
  const files = sampleTree({
    'a.ts': `function f(a, b, c, d, e) {}\ninterface I { m(a: 1, b: 1, c: 1, d: 1, e: 1): void }\n`,
    'b.ts': `function f(this: I, a, b, c, { d, e, g }) {}\nconst h = (a, b, c, d) => a;\n`,
  });

  assert.deepEqual(
    parameterCounts(files).map((found) => `${found.path}:${found.line}`),
    ['a.ts:1', 'a.ts:2'],
  );
});

test('the fourth level is reported once, where it begins', () => {
  const files = sampleTree({
    'a.ts': `function f() {\n for (;;) {\n  if (a) {\n   try {\n    while (b) {\n     if (c) {}\n    }\n   } finally {}\n  }\n }\n}\n`,
  });

  assert.deepEqual(
    nestingDepths(files).map((found) => found.line),
    [5],
  );
});

test('else if, case and catch add no level, and a function begins at none', () => {
  const files = sampleTree({
    'a.ts': `if (a) {} else if (b) {} else if (c) {} else if (d) {} else if (e) {}\n`,
    'b.ts': `for (;;) { switch (a) { case 1: try { b(); } catch { c(() => { if (d) { if (e) { if (f) g(); } } }); } } }\n`,
  });

  assert.deepEqual(nestingDepths(files), []);
});

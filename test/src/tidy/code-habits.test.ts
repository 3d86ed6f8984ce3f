import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyCasts, emptyCatches, environmentReads, leftOvers, strayPrints } from './code-habits.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

const tree = readTree();
const module = 'packages/server/src/domain/a.ts';

// Samples are put together from these words, so that a search for the real thing does not find them.
const later = ['TO', 'DO'].join('');
const silencer = ['@ts', 'ignore'].join('-');
const [nothing, anything, print] = ['{}', 'any', `console${'.log'}('x');`];

test('no error is swallowed', () => {
  assertTidy(emptyCatches(tree));
});

test('nothing is cast to any', () => {
  assertTidy(anyCasts(tree));
});

test('no note for later and no silenced compiler is left over', () => {
  assertTidy(leftOvers(tree));
});

test('only the command line, tools, benchmarks and tests print', () => {
  assertTidy(strayPrints(tree));
});

test('only the command line, tools, benchmarks and tests read the environment', () => {
  assertTidy(environmentReads(tree));
});

test('empty catches are reported, with or without a comment, and as a handler', () => {
  const files = sampleTree({
    [module]: [
      `try { a(); } catch ${nothing}`,
      `try { a(); } catch (error) { /* fine */ }`,
      `await a().catch(() => ${nothing});`,
      `try { a(); } catch { return undefined; }`,
      `await a().catch((error) => { report(error); });`,
    ].join('\n'),
  });

  assert.deepEqual(
    emptyCatches(files).map((found) => found.line),
    [1, 2, 3],
  );
});

test('casts to any are reported and the word any is not', () => {
  const files = sampleTree({
    [module]: `const a = b as ${anything};\nconst c = <${anything}>d;\nconst e = 'f as ${anything}'; // as ${anything}\n`,
  });

  assert.deepEqual(
    anyCasts(files).map((found) => found.line),
    [1, 2],
  );
});

test('left-overs are reported in comments of code and SQL and not in strings', () => {
  const files = sampleTree({
    [module]: `// ${later}: later\nconst a = '${later}';\n/* ${silencer} */\nconst b = /${later}/;`,
    'packages/server/sql/definitions/a.sql': `-- ${later}\nSELECT 1;`,
    'docs/a.md': later,
  });

  assert.deepEqual(
    leftOvers(files).map((found) => `${found.path}:${found.line}`),
    [`${module}:1`, `${module}:3`, 'packages/server/sql/definitions/a.sql:1'],
  );
});

test('prints are reported in packages and not in the command line or in tools', () => {
  const files = sampleTree({
    [module]: print,
    'packages/console/src/b.tsx': `console.error('x');`,
    'packages/cli/src/main.ts': print,
    'packages/server/src/domain/a.test.ts': print,
    'tools/start.mjs': print,
  });

  assert.deepEqual(
    strayPrints(files).map((found) => found.path),
    [module, 'packages/console/src/b.tsx'],
  );
});

test('reads of the environment are reported in each spelling', () => {
  const lines = [
    `const a = process.env.HOME;`,
    `const b = process['env'];`,
    `import { env } from 'node:process';`,
    `const { env: c } = process;`,
    `const d = globalThis.process.env;`,
    `const e = 'process.env'; // process.env`,
    `const { argv } = process;`,
  ];
  const files = sampleTree({ [module]: lines.join('\n'), 'packages/cli/src/config.ts': lines.join('\n') });

  assert.deepEqual(
    environmentReads(files).map((found) => found.line),
    [1, 2, 3, 4, 5],
  );
});

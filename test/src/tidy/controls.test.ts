import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doubledGuards, staleControls } from './controls.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

const tree = readTree();

test('every negative control can be applied, and names a test that exists', () => {
  assertTidy(staleControls(tree));
});

test('no two negative controls are called the same', () => {
  assertTidy(doubledGuards(tree));
});

const control = {
  guard: 'a limit is kept',
  file: 'packages/a/src/limit.ts',
  find: 'size > 10',
  replace: 'false',
  test: 'packages/a/src/limit.test.ts',
  name: 'limits > ten is too much',
};

const sample = (changes: object, more: readonly object[] = []) =>
  sampleTree({
    'test/controls/a.json': JSON.stringify([{ ...control, ...changes }, ...more], undefined, 2),
    'packages/a/src/limit.ts': 'if (size > 10) throw 1; if (other > 10 || other > 10) throw 2;',
    'packages/a/src/limit.test.ts': `import { cases } from './cases.ts';\ndescribe('limits', () => test(\`\${n} is too much\`))`,
    'packages/a/src/cases.ts': "check('from another module')",
  });

test('a control whose text, file or test is gone is reported', () => {
  const messages = [
    { find: 'size > 11' },
    { find: 'other > 10' },
    { file: 'packages/a/src/gone.ts' },
    { test: 'packages/a/src/gone.test.ts' },
    { name: 'limits > ten is fine' },
    { name: 'bounds > ten is too much' },
    { replace: 'size > 10' },
  ].map((changes) => staleControls(sample(changes)).map(({ message }) => message));

  assert.deepEqual(messages, [
    ['its text is 0 times in packages/a/src/limit.ts: "size > 11"'],
    ['its text is 2 times in packages/a/src/limit.ts: "other > 10"'],
    ['there is no file packages/a/src/gone.ts'],
    ['there is no file packages/a/src/gone.test.ts'],
    ['no test of packages/a/src/limit.test.ts is called "ten is fine"'],
    ['no test of packages/a/src/limit.test.ts is called "bounds"'],
    ['its edit changes nothing'],
  ]);
});

test('names from templates, parts of them, and names from imported modules are known', () => {
  const names = ['limits > ten is too much', 'limits > ten is too', 'is too much', 'from another module'];

  assert.deepEqual(
    names.flatMap((name) => staleControls(sample({ name }))),
    [],
  );
});

test('a guard that is there twice is reported with its line', () => {
  assert.deepEqual(
    doubledGuards(sample({}, [control])).map(({ path, line }) => `${path}:${line}`),
    ['test/controls/a.json:3'],
  );
});

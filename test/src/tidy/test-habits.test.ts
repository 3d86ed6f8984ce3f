import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareSleeps, skippedTests } from './test-habits.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

const tree = readTree();

// Samples are put together from these words, so that a search for the real thing does not find them.
const [run, group] = ['test', 'describe'];
const [yes, long] = ['true', '100'];

test('every test runs, or says why it does not', () => {
  assertTidy(skippedTests(tree));
});

test('tests wait on conditions and never on bare time', () => {
  assertTidy(bareSleeps(tree));
});

test('focused, planned and silently skipped tests are reported in each spelling', () => {
  const lines = [
    `${run}.only('a', () => {});`,
    `${run}.todo('b');`,
    `${group}.skip('c', () => {});`,
    `test('d', { skip: ${yes} }, () => {});`,
    `test('e', { skip: '' }, () => {});`,
    `test('f', { only: ${yes} }, () => {});`,
    `test('g', { todo: 'later' }, () => {});`,
    `test('h', (t) => { t.todo(); });`,
    `test('i', (t) => { t.skip(); });`,
  ];
  const files = sampleTree({ 'packages/queue/src/a.test.ts': lines.join('\n') });

  assert.deepEqual(
    skippedTests(files).map((found) => found.line),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

test('a reason for skipping is enough', () => {
  const lines = [
    `test('a', { skip: requires('promtool') }, () => {});`,
    `test('b', { skip: 'needs Linux' }, () => {});`,
    `test('c', { skip: !hasGo && 'no Go here' }, () => {});`,
    `test('d', (t) => { t.skip('no Go here'); });`,
    `test('e', { skip: false, timeout: 1000 }, () => {});`,
  ];
  const files = sampleTree({ 'packages/queue/src/a.test.ts': lines.join('\n') });

  assert.deepEqual(skippedTests(files), []);
});

test('bare sleeps are reported in each spelling', () => {
  const lines = [
    `await new Promise((resolve) => setTimeout(resolve, ${long}));`,
    `await timers.setTimeout(${long}_000);`,
    `await sleep(5 * ${long});`,
    `await delay(250);`,
  ];
  const files = sampleTree({ 'packages/queue/src/a.test.ts': lines.join('\n') });

  assert.deepEqual(
    bareSleeps(files).map((found) => found.line),
    [1, 2, 3, 4],
  );
});

test('short pauses, waits with a condition, and modules that are no tests are not reported', () => {
  const files = sampleTree({
    'packages/queue/src/a.test.ts': [
      `await setTimeout(20);`,
      `async function untilIdle() { while (busy()) await setTimeout(${long}); }`,
      `const waitUntil = async (met) => { await sleep(${long}); };`,
      `const timer = setTimeout(fail, deadlineMs);`,
    ].join('\n'),
    'packages/queue/src/a.ts': `setTimeout(flush, ${long});`,
  });

  assert.deepEqual(bareSleeps(files), []);
});

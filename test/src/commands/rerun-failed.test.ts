/** What `npm test -- --rerun-failed N` does with files that fail: its runner, over files made here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@rowlock/test-harness';

const runner = new URL('../../../tools/suite/run-files.mjs', import.meta.url).href;

/** Runs test files of a new folder by the names that they have in `sources`, and counts skipped tests. */
function runFiles(sources: Readonly<Record<string, string>>, rerun: number): { passed: boolean; output: string } {
  const folder = temporaryFolder();
  const head = "import { test } from 'node:test'; import { existsSync, writeFileSync } from 'node:fs';";
  const files = Object.entries(sources).map(([name, source]) => {
    const file = join(folder, name);
    writeFileSync(file, `${head}\n${source}`);
    return file;
  });
  const program = `
    const { runFiles } = await import(${JSON.stringify(runner)});
    let skipped = 0;
    const options = { concurrency: 2, timeoutMs: 60_000, patterns: [], rerun: ${rerun} };
    const report = { count: (skip) => { if (skip) skipped += 1; } };
    const passed = await runFiles(process.argv.slice(2), options, { signal: new AbortController().signal, report });
    process.stdout.write('skipped ' + skipped);
    process.exitCode = passed ? 0 : 1;`;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const main = join(folder, 'main.mjs'); // a file: the runner hands `-e` on to the files that it runs
  writeFileSync(main, program);
  const run = spawnSync(process.execPath, [main, ...files], { env, encoding: 'utf8' });
  return { passed: run.status === 0, output: run.stdout + run.stderr };
}

const good = "test('good', () => undefined); test('not here', { skip: 'no' }, () => undefined);";
const broken = "test('broken', () => { throw new Error('as always'); });";
const flaky = `test('at first', () => {
    const mark = new URL('./mark', import.meta.url);
    if (!existsSync(mark)) { writeFileSync(mark, ''); throw new Error('too busy'); }
  }); ${good}`;

test('a file that passes alone is named as flaky, with what failed, and the run passes', () => {
  const { passed, output } = runFiles({ 'good.mjs': good, 'flaky.mjs': flaky }, 1);

  assert.ok(passed, output);
  assert.match(output, /flaky: .*flaky\.mjs: failed beside others, passed alone: at first\n/);
  assert.doesNotMatch(output, /flaky: .*good\.mjs/);
  assert.match(output, /skipped 2$/, 'what ran twice is counted once');
});

test('a file that fails alone as well fails the run', () => {
  const { passed, output } = runFiles({ 'broken.mjs': broken, 'flaky.mjs': flaky }, 2);

  assert.ok(!passed, output);
  assert.match(output, /flaky: .*flaky\.mjs/);
  assert.doesNotMatch(output, /flaky: .*broken\.mjs/);
});

test('more failed files than may run again fail the run at once, and so does any unless it was asked for', () => {
  const many = runFiles({ 'broken.mjs': broken, 'flaky.mjs': flaky }, 1);
  const unasked = runFiles({ 'flaky.mjs': flaky }, 0);

  assert.ok(!many.passed && !unasked.passed);
  assert.doesNotMatch(many.output + unasked.output, /once more|flaky: /);
});

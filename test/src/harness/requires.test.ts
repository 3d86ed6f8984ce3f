import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@rowlock/test-harness';

const harness = import.meta.resolve('@rowlock/test-harness');

/** Runs a test file with one optional test and one other, with only `tools` in PATH. */
function runOptionalTest({ tools, required }: { tools: readonly string[]; required: string }): {
  readonly status: number | null;
  readonly output: string;
  readonly asked: string;
} {
  const folder = temporaryFolder();
  for (const tool of tools) {
    writeFileSync(join(folder, tool), '#!/bin/sh\n');
    chmodSync(join(folder, tool), 0o755);
  }
  const file = join(folder, 'optional.test.mjs');
  writeFileSync(
    file,
    `import { test } from 'node:test';
     import { requires } from ${JSON.stringify(harness)};
     test('optional', { skip: requires('chromium') }, () => {});
     test('other', () => {});`,
  );
  const asked = join(folder, 'asked.jsonl');
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const env = { ...environment, PATH: folder, ROWLOCK_REQUIRE: required, ROWLOCK_TEST_REQUIREMENTS_FILE: asked };
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], { env, encoding: 'utf8' });
  return { status: run.status, output: run.stdout, asked: readFileSync(asked, 'utf8') };
}

test('a test whose tool is missing is skipped, saying what was looked for', () => {
  const { status, output, asked } = runOptionalTest({ tools: [], required: '' });

  assert.equal(status, 0);
  assert.match(output, /# SKIP needs chromium: no chromium, chromium-browser, .* found in PATH/);
  assert.match(output, /# skipped 1/);
  assert.deepEqual(Object.keys(JSON.parse(asked)), ['name', 'missing']);
});

test('a test whose tool is here, under any of its names, runs', () => {
  const { status, output, asked } = runOptionalTest({ tools: ['google-chrome'], required: 'chromium' });

  assert.equal(status, 0);
  assert.match(output, /# pass 2/);
  assert.deepEqual(JSON.parse(asked), { name: 'chromium', missing: null });
});

test('a missing tool that ROWLOCK_REQUIRE names is a failure, and the other tests still run', () => {
  const { status, output } = runOptionalTest({ tools: [], required: 'go, chromium' });

  assert.equal(status, 1);
  assert.match(output, /ROWLOCK_REQUIRE names chromium, but no chromium/);
  assert.match(output, /ok \d+ - other/);
  assert.match(output, /# fail 1/);
});

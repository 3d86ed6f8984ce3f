import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requires, temporaryFolder, until } from '@rowlock/test-harness';
import { createSmallClone, runTool, writeSource } from './small-clone.ts';

const clone = join(temporaryFolder(), 'a clone with spaces');
const skip = requires('npm');
const setup = (): { status: number | null; output: string } => runTool(clone, 'setup.mjs');

before(() => {
  if (skip === false) createSmallClone(clone);
});

test('a new clone is installed and compiled, and the second time nothing is done', { skip }, () => {
  const first = setup();
  const second = setup();

  assert.equal(first.status, 0, first.output);
  assert.match(first.output, /^setup: installing packages\n(.*\n)*setup: compiling\n$/);
  assert.deepEqual(second, { status: 0, output: '' });
});

test('a changed source is compiled, and nothing is installed', { skip }, () => {
  setup();
  writeSource(clone, 'a.ts', 'export const a: number = 2;\n');

  const again = setup();

  assert.deepEqual(again, { status: 0, output: 'setup: compiling\n' });
  assert.match(readFileSync(join(clone, 'packages/a/dist/a.js'), 'utf8'), /a = 2/);
});

test('what was compiled from a source that is gone is removed, and nothing else', { skip }, () => {
  writeSource(clone, 'b.ts', 'export const b: number = 1;\n');
  setup();
  writeFileSync(join(clone, 'packages/a/dist/bundle.js'), '');
  rmSync(join(clone, 'packages/a/src/b.ts'));

  setup();

  assert.deepEqual(readdirSync(join(clone, 'packages/a/dist')).sort(), ['.tsbuildinfo', 'a.d.ts', 'a.js', 'bundle.js']);
});

test('a lost dist folder is compiled again', { skip }, () => {
  setup();
  rmSync(join(clone, 'packages/a/dist'), { recursive: true });

  setup();

  assert.ok(existsSync(join(clone, 'packages/a/dist/a.js')));
});

test('an error in a source is shown, ends setup with 1, and is shown again until it is repaired', { skip }, () => {
  writeSource(clone, 'wrong.ts', "export const wrong: number = 'text';\n");

  const runs = [setup(), setup()];
  rmSync(join(clone, 'packages/a/src/wrong.ts'));
  const repaired = setup();

  for (const { status, output } of runs) {
    assert.equal(status, 1);
    assert.match(output, /wrong\.ts.*TS2322/);
  }
  assert.equal(repaired.status, 0);
});

test('packages that npm has installed already are not installed again', { skip }, () => {
  setup();
  rmSync(join(clone, 'node_modules/.rowlock'), { recursive: true });

  const again = setup();

  assert.doesNotMatch(again.output, /installing/);
});

test('a removed node_modules is installed again', { skip }, () => {
  setup();
  rmSync(join(clone, 'node_modules'), { recursive: true });

  const again = setup();

  assert.match(again.output, /installing/);
  assert.equal(again.status, 0, again.output);
});

test('of two setups at once one works, and both end well', { skip }, async () => {
  setup();
  writeSource(clone, 'a.ts', 'export const a: number = 3;\n');
  const start = (): ReturnType<typeof spawn> =>
    spawn(process.execPath, [join(clone, 'tools/setup.mjs')], { stdio: 'ignore' });

  const codes = await Promise.all([start(), start()].map((child) => once(child, 'exit')));

  assert.deepEqual(codes, [
    [0, null],
    [0, null],
  ]);
  assert.deepEqual(setup(), { status: 0, output: '' });
});

test('the lock of a setup that was killed does not block', { skip }, () => {
  setup();
  writeSource(clone, 'a.ts', 'export const a: number = 4;\n');
  mkdirSync(join(clone, '.build/setup.lock'), { recursive: true });
  writeFileSync(join(clone, '.build/setup.lock/pid'), String(2 ** 22 + 1));

  const again = setup();

  assert.deepEqual(again, { status: 0, output: 'setup: compiling\n' });
  assert.equal(existsSync(join(clone, '.build/setup.lock')), false);
});

test('start says so when there is no program to start', { skip }, () => {
  const { status, output } = runTool(clone, 'start.mjs');

  assert.equal(status, 1);
  assert.match(output, /start: packages\/cli\/src\/main\.ts does not exist/);
});

test('start hands dev and its arguments over, and ends with its exit code', { skip }, () => {
  const dist = join(clone, 'packages/cli/dist');
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
  writeFileSync(join(dist, 'main.js'), 'export const main = async (args) => (console.log(JSON.stringify(args)), 7);\n');

  const { status, output } = runTool(clone, 'start.mjs', '--port', '1', 'a b');

  assert.equal(status, 7);
  assert.match(output, /\["dev","--port","1","a b"\]\n$/);
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`${signal} to npm alone, whose shell passes nothing on, ends the program with SIGTERM`, { skip }, async () => {
    setup();
    const dist = join(clone, 'packages/cli/dist');
    mkdirSync(dist, { recursive: true });
    writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
    const farewell = join(clone, `${signal}.txt`);
    writeFileSync(
      join(dist, 'main.js'),
      `import { writeFileSync } from 'node:fs';
       export const main = () => new Promise((resolve) => {
         const idle = setInterval(() => {}, 1000);
         process.once('SIGTERM', () => {
           clearInterval(idle);
           writeFileSync(${JSON.stringify(farewell)}, 'ended by SIGTERM');
           resolve(0);
         });
         console.log('running');
       });\n`,
    );
    const npm = spawn('npm', ['start'], { cwd: clone, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: npm.stdout })) if (line === 'running') break;

    npm.kill(signal);

    await until(() => existsSync(farewell), { what: 'the program has been told to end' });
  });
}

test('the entry points are written so that a Node of long ago can read them and refuse', () => {
  const tools = fileURLToPath(new URL('../../../tools', import.meta.url));
  const entries = readdirSync(tools).filter((name) => name.endsWith('.mjs'));

  for (const entry of entries) {
    const text = readFileSync(join(tools, entry), 'utf8');
    const code = text.replace(/\/\*\*.*?\*\//gs, '');
    assert.doesNotMatch(code, /\?\?|\?\.|^\s*await |\bstatic\b|#\w|with \{/m, entry);
    if (entry !== 'node-version.mjs')
      assert.deepEqual(code.match(/^import .*$/gm), ["import { fail } from './node-version.mjs';"]);
  }
});

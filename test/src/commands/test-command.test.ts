import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requires, temporaryFolder, until } from '@rowlock/test-harness';
import { isRunning } from '../embedded-postgres/processes.ts';

const tool = (name: string): string => fileURLToPath(new URL(`../../../tools/${name}`, import.meta.url));

function environment(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ROWLOCK_TEST_REQUIREMENTS_FILE: __, ...env } = process.env;
  return { ...env, ...changes };
}

function npmTest(args: readonly string[], changes: NodeJS.ProcessEnv = {}): { status: number | null; output: string } {
  const run = spawnSync(process.execPath, [tool('test.mjs'), ...args], { env: environment(changes), encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

test('a part of a path and a pattern choose what runs', () => {
  const { status, output } = npmTest(['test/src/harness/harness', '--only-pattern', 'free port']);

  assert.equal(status, 0, output);
  assert.match(output, /a free port can be listened on/);
  assert.doesNotMatch(output, /✔ equal seeds/);
});

test('a path that no test has is a failure', () => {
  const { status, output } = npmTest(['no/such/test']);

  assert.equal(status, 1);
  assert.match(output, /No test file's path contains no\/such\/test/);
});

test('an option that does not exist is refused with the list of those that do', () => {
  const { status, output } = npmTest(['--no-such-option']);

  assert.equal(status, 2);
  assert.match(output, /--only-pattern REGEX/);
});

test('skipped suites are listed at the end, with their number and the reason', { skip: requires('root') }, () => {
  const part = ['test/src/embedded-postgres/as-other', '--only-pattern', 'right to change users'];

  const { status, output } = npmTest(part, { PATH: '/nowhere' });

  assert.equal(status, 0, output);
  assert.match(output, /skipped: .*setpriv \(1 test: no setpriv found in PATH\)/);
});

test('with-postgres runs a command beside a server that is gone afterwards', () => {
  const tmp = temporaryFolder({ mode: 0o711 });
  const command = [process.execPath, '-e', 'console.log(process.env.ROWLOCK_TEST_DATABASE_URL); process.exit(3)'];
  const env = environment({ ROWLOCK_TEST_DATABASE_URL: '', DATABASE_URL: '', TMPDIR: tmp });

  const run = spawnSync(process.execPath, [tool('with-postgres.mjs'), ...command], { env, encoding: 'utf8' });

  assert.equal(run.status, 3, run.stderr);
  assert.match(run.stdout, /^postgres:\/\/postgres:.+@127\.0\.0\.1:\d+\/postgres\n$/);
  assert.deepEqual(readdirSync(tmp), []);
});

test('npm test that is interrupted in the middle stops its server and removes its files soon', async () => {
  const tmp = temporaryFolder({ mode: 0o711 });
  const env = environment({ ROWLOCK_TEST_DATABASE_URL: '', DATABASE_URL: '', TMPDIR: tmp });
  const part = [
    'test/src/embedded-postgres/start',
    '--only-pattern',
    'middle of initdb',
    '--only-pattern',
    'ephemeral',
  ];
  const run = spawn(process.execPath, [tool('test.mjs'), ...part], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(run, 'exit', { signal: AbortSignal.timeout(20_000) });
  await once(run.stdout, 'data');
  const servers = serversBelow(tmp);

  run.kill('SIGINT');

  assert.deepEqual(await exited, [130, null]);
  assert.ok(servers.length > 0);
  await until(() => !servers.some(isRunning), { what: 'the servers have stopped' });
  await until(() => readdirSync(tmp).length === 0, { what: 'the temporary files are gone' });
});

function serversBelow(folder: string): readonly number[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const pidFiles = files.filter((name) => name.endsWith('postmaster.pid'));
  return pidFiles.map((name) => Number.parseInt(readFileSync(join(folder, name), 'utf8'), 10));
}

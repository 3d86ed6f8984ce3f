/**
 * However a benchmark ends in the middle, nothing that it started is left: no service, no load, no PostgreSQL, no
 * temporary folder, and no database on a server that is not its own.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { databaseServerUrl, until } from '@rowlock/test-harness';
import pg from 'pg';
import { isSameProcess, processStart } from '../../../packages/cli/dist/dev/embedded/process-start.js';

const program = fileURLToPath(new URL('../../../bench/dist/main.js', import.meta.url));
const args = [program, 'calls', '--short', '--only', 'sign_p50_ms', '--seconds', '600'];
const sources = fileURLToPath(new URL('../../../bench/src', import.meta.url));

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly start: string;
  readonly command: string;
}

/** A benchmark in the middle of its only turn. */
interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything that it has started, with what those have. */
  readonly below: readonly Process[];
  readonly exited: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
}

function processesNow(): readonly Process[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(Number.isInteger)
    .flatMap((pid) => {
      const start = processStart(pid);
      if (start === undefined) return [];
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
        return [{ pid, start, command, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }];
      } catch {
        return []; // it has ended
      }
    });
}

function below(root: number): readonly Process[] {
  const all = processesNow();
  const found = all.filter(({ parent }) => parent === root);
  return [...found, ...found.flatMap(({ pid }) => below(pid))];
}

async function environment({ isOwnServer }: { readonly isOwnServer: boolean }): Promise<NodeJS.ProcessEnv> {
  const { ROWLOCK_TEST_DATABASE_URL: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  return isOwnServer ? env : { ...env, ROWLOCK_TEST_DATABASE_URL: await databaseServerUrl() };
}

/** Resolves when it is as far as `isReady` wants it, by what it has said or by what there is. */
async function when(
  child: ChildProcess,
  isReady: (said: string) => boolean,
  pidOf = () => child.pid,
): Promise<Running> {
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(`The benchmark has ended: ${said}`);
      return isReady(said);
    },
    { timeoutMs: 60_000, what: 'the benchmark is as far as that' },
  );
  const pid = pidOf() ?? 0;
  return { child, pid, below: below(pid), exited };
}

/** Its service answers the load. */
const measures = (said: string): boolean => said.includes('sign: rowlock, round 1');

/** A process like this is among those that a benchmark has started. */
const hasStarted = (pid: number | undefined, command: RegExp): boolean =>
  below(pid ?? 0).some((each) => command.test(each.command));

const service = /main\.js serve/;

/** On the server of the suite; in the middle as soon as there is a service, unless more is wanted. */
async function begin(isReady?: (said: string) => boolean): Promise<Running> {
  const env = await environment({ isOwnServer: false });
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  return await when(child, isReady ?? (() => hasStarted(child.pid, service)));
}

function has({ below: all }: Running, command: RegExp): Process {
  const found = all.find((each) => command.test(each.command));
  assert.ok(found, `${command} is among ${all.map((each) => each.command).join('; ')}`);
  return found;
}

/** Whatever is left is ended, so that a failure of this test leaves nothing either. */
async function assertNothingIsLeft({ pid, below: all }: Running): Promise<void> {
  const left = (): readonly Process[] => all.filter((each) => isSameProcess(each.pid, each.start));
  const folders = (): readonly string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`rowlock-test-${pid}-`));
  await until(() => left().length + folders().length === 0, { timeoutMs: 20_000 }).catch(() => undefined);
  const found = [left().map(({ command }) => command), folders()];
  for (const each of left()) process.kill(each.pid, 'SIGKILL');
  assert.deepEqual(found, [[], []]);
}

async function databasesOf(pid: number): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: await databaseServerUrl() });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datname ~ $1', [
    `^bench_${pid}_`,
  ]);
  await client.end();
  return rows.map(({ datname }) => datname);
}

describe('in the middle', { concurrency: true }, () => {
  test('a benchmark that is told to end leaves nothing, and ends with the code of the signal', async () => {
    const running = await begin();
    const before = await databasesOf(running.pid);

    running.child.kill('SIGINT');
    const [code] = await running.exited;

    assert.equal(before.length, 1);
    assert.equal(code, 130);
    assert.deepEqual(await databasesOf(running.pid), []);
    await assertNothingIsLeft(running);
  });

  test('a benchmark that is killed leaves no process and no folder', async () => {
    const running = await begin();

    running.child.kill('SIGKILL');
    await running.exited;

    await assertNothingIsLeft(running);
  });

  test('a benchmark that is killed takes its own PostgreSQL with it', async () => {
    const env = await environment({ isOwnServer: true });
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const running = await when(child, () => hasStarted(child.pid, /^postgres: .*checkpointer/));

    running.child.kill('SIGKILL');
    await running.exited;

    await assertNothingIsLeft(running);
  });

  test('a benchmark that fails says so and leaves nothing', async () => {
    const running = await begin(measures);

    process.kill(has(running, /http-load-program/).pid, 'SIGKILL');
    const [code] = await running.exited;

    assert.equal(code, 1);
    assert.deepEqual(await databasesOf(running.pid), []);
    await assertNothingIsLeft(running);
  });

  test('a benchmark whose parent is killed ends and leaves nothing', async () => {
    const env = await environment({ isOwnServer: false });
    const parent = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ${JSON.stringify(args)}, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      child.unref();
      setInterval(() => undefined, 1000);
    `;
    const child = spawn(process.execPath, ['-e', parent], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const running = await when(
      child,
      () => hasStarted(child.pid, service),
      () => below(child.pid ?? 0)[0]?.pid,
    );
    const start = processStart(running.pid) ?? 'gone';

    child.kill('SIGKILL');
    await running.exited;

    await until(() => !isSameProcess(running.pid, start), { timeoutMs: 20_000, what: 'the benchmark has ended' }).catch(
      (error: unknown) => {
        process.kill(running.pid, 'SIGTERM');
        throw error;
      },
    );
    assert.deepEqual(await databasesOf(running.pid), []);
    await assertNothingIsLeft(running);
  });
});

test('every process of a benchmark is started where it is kept', () => {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const starts = files.flatMap((file) => {
    const text = readFileSync(join(sources, file), 'utf8');
    // Whatever ends before the next line is begun needs no keeper.
    const begun = text.match(/(?<![a-zA-Z.])(?:spawn|fork|execFile)(?:\)?\()/g)?.length ?? 0;
    return begun === 0 ? [] : [{ file, begun, kept: text.match(/(?<![a-zA-Z])keep\(/g)?.length ?? 0 }];
  });

  const unkept = starts.filter(({ begun, kept }) => kept < begun).map(({ file }) => file);

  assert.ok(starts.length >= 6);
  assert.deepEqual(unkept.toSorted(), [join('measure', 'kept-processes.ts')]);
});

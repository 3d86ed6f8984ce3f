/**
 * What a newcomer waits for: from a fresh copy of the tree by `npm start` to the first thumbnail, with the packages in
 * npm's cache, and the same again on the second day. Beside it what PostgreSQL alone takes for the same. The short form
 * copies and installs nothing: it starts the compiled program.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, temporaryFolder, until } from '@rowlock/test-harness';
import { startEmbeddedPostgres } from '../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import type { BenchContext, Benchmark, BenchResult, Measured } from './measure/benchmark.ts';
import { keep } from './measure/kept-processes.ts';
import { inTurns } from './measure/rounds.ts';
import { stopChild } from './service/service-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'packages', 'cli', 'dist', 'main.js');
const startTimeoutMs = 300_000;

interface Starts {
  readonly first_seconds: number;
  readonly second_seconds: number;
  /** Seconds after which the first start said something new. */
  readonly said: Readonly<Record<string, number>>;
}

/** Copies what git would give to somebody who clones: no installed package, nothing compiled. */
function copyTree(to: string): void {
  const list = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  if (list.status !== 0) throw new Error('This tree is not in git, so there is nothing to clone');
  // A file that was removed and not yet committed is still listed.
  for (const path of list.stdout
    .toString()
    .split('\0')
    .filter((each) => each !== '' && existsSync(join(root, each)))) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(root, path), join(to, path));
  }
}

/** The environment of somebody's shell, without what npm tells the scripts that it runs. */
function shellEnvironment(): NodeJS.ProcessEnv {
  const isNpms = /^(npm_(lifecycle|package|command|execpath|node_execpath|config_local_prefix)|INIT_CWD|NODE_TEST)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isNpms.test(name)));
}

interface Place {
  /** A fresh tree, or undefined for the program that is compiled here. */
  readonly tree: string | undefined;
  readonly data: string;
}

function begin({ tree, data }: Place, port: number): ChildProcess {
  const flags = ['--port', String(port), '--data', data];
  const [command, args] =
    tree === undefined ? [process.execPath, [program, 'dev', ...flags]] : ['npm', ['start', '--', ...flags]];
  // A group of its own, so that what npm starts ends with it.
  const cwd = tree ?? dirname(data);
  const env = shellEnvironment();
  return keep(spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true }), { group: true });
}

/** Starts, waits until a thumbnail was downloaded, stops; answers how long the wait was and when what was said. */
async function timeStart(place: Place): Promise<{ seconds: number; said: Record<string, number> }> {
  const port = await freePort();
  const at = performance.now();
  const child = begin(place, port);
  const said: Record<string, number> = {};
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      output += text;
      for (const [line] of text.matchAll(/^(setup: .*|ready)/gm)) said[line] ??= (performance.now() - at) / 1000;
    });
  }
  try {
    const link = await until(
      () => {
        if (child.exitCode !== null) throw new Error(`The start has ended:\n${output}`);
        return /http:\/\/\S+\/render\/image\/sign\/[^\s'"]+/.exec(output)?.[0];
      },
      { timeoutMs: startTimeoutMs, intervalMs: 10, what: 'the first thumbnail is announced' },
    );
    const answer = await fetch(link);
    const bytes = (await answer.arrayBuffer()).byteLength;
    if (!answer.ok || bytes === 0) throw new Error(`The first thumbnail answered ${answer.status}`);
    return { seconds: (performance.now() - at) / 1000, said };
  } finally {
    await stopGroup(child);
  }
}

async function stopGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid !== undefined && child.exitCode === null) process.kill(-pid, 'SIGTERM');
  await stopChild(child);
}

async function ourStarts(context: BenchContext): Promise<Starts> {
  const folder = temporaryFolder({ mode: 0o711 });
  const tree = context.short ? undefined : join(folder, 'rowlock');
  const at = performance.now();
  if (tree !== undefined) copyTree(tree);
  const copied = (performance.now() - at) / 1000;
  const place = { tree, data: join(folder, 'data') };
  const first = await timeStart(place);
  const second = await timeStart(place);
  rmSync(folder, { recursive: true });
  return { first_seconds: copied + first.seconds, second_seconds: second.seconds, said: { copied, ...first.said } };
}

async function postgresStarts(): Promise<Omit<Starts, 'said'>> {
  const dataDir = join(temporaryFolder({ mode: 0o711 }), 'postgres');
  const seconds: number[] = [];
  for (const _ of ['first', 'second']) {
    const at = performance.now();
    const server = await startEmbeddedPostgres({ dataDir });
    seconds.push((performance.now() - at) / 1000);
    await server.stop();
  }
  return { first_seconds: seconds[0] ?? Number.NaN, second_seconds: seconds[1] ?? Number.NaN };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const all = await inTurns(context, 'start', {
    rowlock: async () => await ourStarts(context),
    postgres: async () => await postgresStarts(),
  });
  const figure = (which: 'first' | 'second', title: string, alone: string): Measured => ({
    id: `${which}_start_seconds`,
    title,
    unit: 's',
    better: 'lower',
    values: all.rowlock.map((each) => each[`${which}_seconds`]),
    beside: [{ name: alone, kind: 'ceiling', values: all.postgres.map((each) => each[`${which}_seconds`]) }],
  });
  return {
    figures: [
      figure('first', 'npm start, from a clone to the first thumbnail', 'initdb and start of PostgreSQL'),
      figure('second', 'npm start again, to a thumbnail', 'start of PostgreSQL'),
    ],
    details: { starts: all.rowlock },
  };
}

export const start: Benchmark = {
  name: 'start',
  summary: 'npm start from a clone to the first thumbnail, and again, beside PostgreSQL alone',
  needs: ['git'],
  untimed: true,
  run,
};

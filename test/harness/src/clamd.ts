/**
 * Provides the real scanner that tests use: a clamd of Debian's with one signature, of the string that the industry tests
 * scanners with. It downloads nothing, listens on a socket in a folder of its own, and ends with the process that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { toolPath } from './requires.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { until } from './until.ts';

export interface Clamd {
  /** The path of its socket. */
  readonly socket: string;
  /** The files of this size and less it takes, in bytes. */
  readonly bytesMax: number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const bytesMax = 4 * 2 ** 20;

/** What scanners find and nothing else minds. In two parts, so that no file of ours is it. */
export function eicar(): string {
  const head = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$';
  return [head, 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('');
}

let running: Promise<Clamd> | undefined;

/** Returns the scanner of this process, started now if it was not. Guard the test with `requires('clamd')`. */
export async function clamd(): Promise<Clamd> {
  running ??= startClamd();
  return await running;
}

async function startClamd(): Promise<Clamd> {
  const folder = temporaryFolder();
  const database = join(folder, 'signatures');
  const socket = join(folder, 'clamd.socket');
  const config = join(folder, 'clamd.conf');
  mkdirSync(database);
  // Any type, anywhere in the file.
  writeFileSync(join(database, 'test.ndb'), `Eicar-Test:0:*:${Buffer.from(eicar()).toString('hex')}\n`);
  writeFileSync(
    config,
    [
      `DatabaseDirectory ${database}`,
      `LocalSocket ${socket}`,
      `TemporaryDirectory ${folder}`,
      'Foreground yes',
      'Bytecode no',
      'ConcurrentDatabaseReload no',
      `StreamMaxLength ${bytesMax}`,
      '',
    ].join('\n'),
  );
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = runWithUs(toolPath('clamd'), [`--config-file=${config}`]);
    await until(() => answers(socket), { what: 'clamd answers', timeoutMs: 30_000 });
  };
  const stop = async (): Promise<void> => {
    child?.stdin?.end();
    await until(async () => !(await answers(socket)), { what: 'clamd is gone' });
  };
  await start();
  return { socket, bytesMax, start, stop };
}

/** Ends when its input does: with `stop`, and with this process however that ends. Keeps nothing waiting. */
function runWithUs(program: string, args: readonly string[]): ChildProcess {
  const script = '"$0" "$@" </dev/null & read -r _; kill -KILL $!';
  const child = spawn('/bin/sh', ['-c', script, program, ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return child;
}

async function answers(socket: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const line = connect(socket, () => line.write('zPING\0'));
    line.on('data', (chunk) => {
      resolve(String(chunk).startsWith('PONG'));
      line.destroy();
    });
    line.on('error', () => resolve(false));
    line.on('close', () => resolve(false));
  });
}

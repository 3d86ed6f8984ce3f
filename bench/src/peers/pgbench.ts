/**
 * pgbench as the ceiling: a program in C that sends prepared statements and does nothing with the answers. It runs one
 * script of ours on a database that is there already.
 */
import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder, toolPath } from '@rowlock/test-harness';
import { keep } from '../measure/kept-processes.ts';

export interface PgbenchRun {
  readonly url: string;
  readonly script: string;
  readonly clients: number;
  /** How long, or how many transactions of each client. */
  readonly seconds?: number;
  readonly transactions?: number;
}

/** Runs a script; answers its transactions a second, connecting not counted. */
export async function pgbench({ url, script, clients, seconds, transactions }: PgbenchRun): Promise<number> {
  const file = join(temporaryFolder(), 'script.sql');
  writeFileSync(file, script);
  // pgbench counts whole seconds.
  const length =
    transactions === undefined ? ['-T', String(Math.max(1, Math.round(seconds ?? 1)))] : ['-t', String(transactions)];
  const args = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', ...length, '-f', file, url];
  const running = promisify(execFile)(toolPath('pgbench'), args);
  keep(running.child);
  const { stdout } = await running;
  const perSecond = /tps = ([\d.]+)/.exec(stdout)?.[1];
  if (perSecond === undefined || /failed transactions: [1-9]/.test(stdout)) throw new Error(`pgbench said:\n${stdout}`);
  return Number(perSecond);
}

export function pgbenchVersion(): string {
  return /[\d.]+/.exec(spawnSync(toolPath('pgbench'), ['--version'], { encoding: 'utf8' }).stdout)?.[0] ?? 'unknown';
}

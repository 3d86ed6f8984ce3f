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
  const run = async (length: readonly string[]): Promise<string> => {
    const args = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', ...length, '-f', file, url];
    const running = promisify(execFile)(toolPath('pgbench'), args);
    keep(running.child);
    return (await running).stdout;
  };
  // pgbench counts whole seconds, those of connecting too: a short turn may be over before the first transaction.
  const turn = Math.max(1, Math.round(seconds ?? 1));
  let said = await run(transactions === undefined ? ['-T', `${turn}`] : ['-t', `${transactions}`]);
  if (transactions === undefined && /actually processed: 0$/m.test(said)) said = await run(['-T', `${10 * turn}`]);
  const perSecond = /tps = ([\d.]+)/.exec(said)?.[1];
  if (perSecond === undefined || /failed transactions: [1-9]/.test(said)) throw new Error(`pgbench said:\n${said}`);
  return Number(perSecond);
}

export function pgbenchVersion(): string {
  return /[\d.]+/.exec(spawnSync(toolPath('pgbench'), ['--version'], { encoding: 'utf8' }).stdout)?.[0] ?? 'unknown';
}

/**
 * Finds and ends PostgreSQL processes that a killed start left on a folder. It
 * trusts no process id from a file: a process counts only if it is PostgreSQL
 * and works on that very folder. Afterwards nothing runs there and nothing
 * stale keeps a new server from starting.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-error.ts';

interface ServerProcess {
  readonly pid: number;
  readonly parentPid: number;
}

/** The path of `postgres` or `initdb`, or the title that a server's child gives itself: `postgres: checkpointer`. */
const programPattern = /^((.*\/)?(postgres|initdb)$|postgres: )/s;

/** Each step asks less politely: fast shutdown, immediate shutdown, and no more asking. */
const escalation: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[] = [
  { signal: 'SIGINT', waitMs: 5_000 },
  { signal: 'SIGQUIT', waitMs: 2_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

/** Ends whatever PostgreSQL processes work in the folder and returns how many there were. */
export async function endLeftovers(folder: string): Promise<number> {
  const found = processesOn(folder);
  for (const { signal, waitMs } of escalation) {
    const running = processesOn(folder);
    if (running.length === 0) break;
    for (const { pid } of leaders(running)) sendSignal(pid, signal);
    await untilGone(folder, waitMs);
  }
  const stubborn = processesOn(folder);
  if (stubborn.length > 0) {
    const pids = stubborn.map(({ pid }) => pid).join(', ');
    throw new EmbeddedPostgresError(
      'data_folder_in_use',
      `PostgreSQL still runs on ${folder} (process ${pids}) and does not stop. End it and start again.`,
    );
  }
  return found.length;
}

/** Removes a pid file that says a server runs where none does; its number may be another process's by now. */
export async function clearPidFile(folder: string): Promise<void> {
  await rm(join(folder, 'postmaster.pid'), { force: true });
}

/** Signals go to those whose parent is not one of them: a server tells its own children. */
function leaders(processes: readonly ServerProcess[]): readonly ServerProcess[] {
  const pids = new Set(processes.map(({ pid }) => pid));
  return processes.filter(({ parentPid }) => !pids.has(parentPid));
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function untilGone(folder: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (processesOn(folder).length > 0 && Date.now() < deadline) await delay(20);
}

/** Lists PostgreSQL's processes that work in the folder, given by its real path, or below it. */
export function processesOn(folder: string): readonly ServerProcess[] {
  return process.platform === 'linux' ? linuxProcessesOn(folder) : psProcessesOn(folder);
}

function linuxProcessesOn(folder: string): readonly ServerProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const args = readProc(pid, (path) => readFileSync(`${path}/cmdline`, 'utf8')).split('\0');
    if (!programPattern.test(args[0] ?? '')) return [];
    const cwd = readProc(pid, (path) => readlinkSync(`${path}/cwd`));
    const stat = readProc(pid, (path) => readFileSync(`${path}/stat`, 'latin1'));
    const [state, parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || state === 'Z' || state === 'X') return [];
    const here = isWithin(cwd, folder) || namesFolder(args, folder);
    return here ? [{ pid: Number(pid), parentPid: Number(parentPid) }] : [];
  });
}

/** A process may end, or turn out to be another user's, at any moment: then there is nothing to read. */
function readProc(pid: string, read: (path: string) => string): string {
  try {
    return read(`/proc/${pid}`);
  } catch {
    return '';
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function namesFolder(args: readonly string[], folder: string): boolean {
  return args.some((arg) => isWithin(arg.replace(/^--pgdata=/, ''), folder));
}

/** Where there is no /proc, a server's arguments name its folder; its children are found by their parent. */
function psProcessesOn(folder: string): readonly ServerProcess[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const all = lines.flatMap((line) => {
    const [, pid, parentPid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return args === undefined ? [] : [{ pid: Number(pid), parentPid: Number(parentPid), args: `${args} ` }];
  });
  const starts = ['postgres -D ', 'initdb --pgdata='].flatMap((start) => [`${start}${folder} `, `${start}${folder}/`]);
  const heads = all.filter(({ args }) => starts.some((start) => args.includes(start)));
  const headPids = new Set(heads.map(({ pid }) => pid));
  return all.filter(({ pid, parentPid }) => headPids.has(pid) || headPids.has(parentPid));
}

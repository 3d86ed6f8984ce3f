/**
 * Tells one run of a process from another that got the same process id later.
 * It knows nothing about what the process does. Two answers are equal only if
 * they are about the same process since the same boot.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Returns when a process started, as an opaque text, or undefined if it does not run.
 *
 * A zombie does not run. A process that exists but hides its start (another
 * user's, under hidepid) answers `unknown`, which equals every other start.
 * Sees only processes of its own PID namespace.
 */
export function processStart(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !exists(pid)) return undefined;
  return process.platform === 'linux' ? linuxStart(pid) : psStart(pid);
}

/** Returns whether the process with this id is the one that had this start. */
export function isSameProcess(pid: number, start: string): boolean {
  const now = processStart(pid);
  return now !== undefined && (now === start || now === 'unknown' || start === 'unknown');
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot, after a name that may hold spaces and brackets. */
function linuxStart(pid: number): string | undefined {
  const stat = readIfAny(`/proc/${pid}/stat`);
  if (stat === undefined) return exists(pid) ? 'unknown' : undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return `${bootId()}:${fields[19] ?? ''}`;
}

function bootId(): string {
  return readIfAny('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

function psStart(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
  } catch {
    return exists(pid) ? 'unknown' : undefined;
  }
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

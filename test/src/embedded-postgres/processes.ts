/** Looks at processes from outside, as a test must that kills them. It starts none. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { until } from '@rowlock/test-harness';

/** Whether a process with this id runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  const state = ps('stat=', pid);
  return state !== '' && !state.startsWith('Z');
}

/** The user id that a process runs as. */
export function userOf(pid: number): number {
  return Number(ps('uid=', pid));
}

/** Kills the shell that watches over a child's server, so that nothing stops the server but the next start. */
export async function killWatchdogOf(child: ChildProcess): Promise<void> {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const line = processes.find((text) => new RegExp(`^\\s*\\d+\\s+${child.pid}\\s.*trap`).test(text));
  const pid = Number.parseInt(line ?? '', 10);
  if (Number.isNaN(pid)) throw new Error('The child has no watchdog');
  process.kill(pid, 'SIGKILL');
  await until(() => !isRunning(pid));
}

function ps(column: string, pid: number): string {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return ''; // ps fails when there is no such process
  }
}

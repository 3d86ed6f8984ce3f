/**
 * Ends this process when the npm that runs it is gone. npm puts a shell between
 * itself and a script, and a signal that npm passes on ends that shell only; the
 * script would live on unseen. It stops nothing that npm did not start.
 */
import { execFileSync } from 'node:child_process';

const intervalMs = 200;

/** From now on, raises SIGTERM in this process once its shell or its npm has ended. */
export function followNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const npm = npmAbove(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm === undefined || isRunning(npm))) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, intervalMs);
  timer.unref();
}

/** The parent's parent, if the parent is the shell that npm uses; a shell may also have made way for us. */
function npmAbove(parent) {
  try {
    const line = execFileSync('ps', ['-o', 'ppid=,args=', '-p', String(parent)], { encoding: 'utf8' });
    const [, pid] = /^\s*(\d+)\s+\S*sh -c .*tools\/\w+\.mjs/.exec(line) ?? [];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined; // without ps, the shell alone is watched
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

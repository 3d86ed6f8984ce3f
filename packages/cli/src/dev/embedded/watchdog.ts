/**
 * Stops a server soon after the process that started it was killed. Nothing
 * depends on it: the next start finds and ends what is left. It is a shell that
 * waits on a pipe which only the parent holds, so it works wherever initdb does
 * (initdb needs `sh` too), and a terminal's signals do not reach it.
 */
import { spawn } from 'node:child_process';
import { bareEnvironment } from './run-as.ts';

/** A watchdog on duty. */
export interface Watchdog {
  /** Tells it that the server has ended, so that its process id may be another's from now on. */
  serverEnded(): void;
  /** Sends it away; it then does nothing any more. */
  dismiss(): void;
}

/**
 * `setpriv --pdeathsig` would do without a process, but only on Linux, and it
 * fires when the thread that spawned ends. An end of file means that the parent
 * is dead. What is to be removed follows as arguments.
 */
const script = `
trap '' INT TERM HUP QUIT
signal=$1 pid=$2
shift 2
while read -r line; do
  case $line in
    dismissed) exit 0 ;;
    ended) pid= ;;
  esac
done
if [ -n "$pid" ]; then
  kill -s "$signal" "$pid"
  tries=0
  while kill -0 "$pid" && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
if [ "$#" -gt 0 ]; then rm -rf -- "$@"; fi
`;

/**
 * Watches over the server with this process id until dismissed.
 *
 * When this process dies first, the server gets `signal`, and the folders in
 * `remove` are deleted after it ended. Does not keep this process running.
 */
export function startWatchdog(pid: number, signal: 'INT' | 'QUIT', remove: readonly string[]): Watchdog {
  const child = spawn('/bin/sh', ['-c', script, 'sh', signal, String(pid), ...remove], {
    cwd: '/',
    detached: true,
    env: bareEnvironment,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', reportNothing);
  child.stdin.on('error', reportNothing);
  child.unref();
  const pipe = child.stdin as typeof child.stdin & { unref?: () => void };
  pipe.unref?.();
  return {
    serverEnded: () => {
      if (child.stdin.writable) child.stdin.write('ended\n');
    },
    dismiss: () => {
      child.stdin.end('dismissed\n');
    },
  };
}

/** A watchdog that is gone is no failure of the server. */
function reportNothing(): void {
  // deliberately nothing
}

/**
 * Runs a short program to its end, as ourselves or, being root, as another
 * user. It is not for the server itself, which outlives the call. The program
 * gets a bare environment and starts in `/`, so nothing of ours reaches it by
 * inheritance and it never starts in a folder that it cannot enter.
 */
import { spawn } from 'node:child_process';

/** The unprivileged user that runs PostgreSQL for root. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** How a program ended. `code` is null when it could not be started or was killed. */
export interface RunResult {
  readonly code: number | null;
  readonly output: string;
}

/** What may be given to `runAs` beside the command. */
export interface RunOptions {
  readonly user?: ServerUser | undefined;
  readonly input?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/** The whole environment of every program of the embedded server: English messages, UTC, no secrets. */
export const bareEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

/** The spawn options that make a child run as this user. */
export function spawnIdentity(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/**
 * Runs a program and returns its exit code and everything that it printed.
 *
 * Never rejects because of the program: one that cannot be started has the
 * reason in `output`. Kills it after `timeoutMs`; rejects when `signal` aborts.
 */
export async function runAs(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const result = await new Promise<RunResult>((resolve) => {
    let output = '';
    const note = (error: Error): void => {
      output += error.message;
    };
    try {
      const child = spawn(command, args, {
        ...spawnIdentity(options.user),
        cwd: '/',
        env: bareEnvironment,
        killSignal: 'SIGKILL',
        signal: options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]),
      });
      const collect = (chunk: Buffer): void => {
        output += chunk.toString('utf8');
      };
      child.stdout.on('data', collect);
      child.stderr.on('data', collect);
      child.on('error', (error) => {
        note(error);
        if (child.pid === undefined) resolve({ code: null, output }); // else it is being killed, and will close
      });
      child.on('close', (code) => resolve({ code, output }));
      child.stdin.on('error', collectNothing);
      child.stdin.end(options.input ?? '');
    } catch (error) {
      note(error as Error);
      resolve({ code: null, output });
    }
  });
  options.signal?.throwIfAborted();
  return result;
}

/** A program that ends before it has read its input is judged by its exit code alone. */
function collectNothing(): void {
  // deliberately nothing
}

/**
 * A service in a process of its own, for what cannot be done to the tests' own process: killing it, limiting its files,
 * giving it another clock. It is started again at will on the same database, folder and port.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createMigratedDatabase, startService, type TestService } from '@rowlock/test-harness';

export interface ChildOptions {
  /** A fault, as ROWLOCK_FAULT has it. */
  readonly fault?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A program and its arguments that run Node under themselves, such as `faketime +2h`. */
  readonly under?: readonly string[];
}

export interface ChildService extends TestService {
  /** Starts the process, after ending the one before with SIGKILL. */
  start(options?: ChildOptions): Promise<void>;
  kill(): Promise<void>;
  /** Arms a fault in the running process, or none. */
  arm(fault: string): Promise<void>;
  readonly pid: number;
  /** Whether the process has ended, by itself or killed. */
  readonly isDead: boolean;
}

const program = fileURLToPath(new URL('../service/crash-server.js', import.meta.url));

/** Makes everything that the process needs; nothing runs until `start`. */
export async function childService(): Promise<ChildService> {
  // Lends its database, its port and its folder, and is away before the first child is there.
  const database = await createMigratedDatabase();
  const lender = await startService({ workers: false, database });
  const { port } = lender.config;
  await lender.stop();
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    child = undefined;
  };
  return {
    ...lender,
    get pid() {
      return child?.pid ?? 0;
    },
    get isDead() {
      return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
    },
    async start({ fault = '', env = {}, under = [] } = {}) {
      await kill();
      const [command = process.execPath, ...args] = [...under, process.execPath, program];
      child = spawn(command, args, {
        env: {
          ...process.env,
          ...env,
          CRASH_API_URL: database.apiUrl,
          CRASH_WORKER_URL: database.workerUrl,
          CRASH_ROOT: lender.root,
          CRASH_PORT: String(port),
          CRASH_FAULT: fault,
        },
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      });
      assert.ok(child.stdout);
      await once(child.stdout, 'data');
    },
    kill,
    async arm(fault) {
      assert.ok(child, 'the process runs');
      const armed = once(child, 'message');
      child.send(fault);
      await armed;
    },
    async stop() {
      await kill();
      await database.drop();
    },
  };
}

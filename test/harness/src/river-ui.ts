/**
 * A real River UI for tests, from the module that `interop/river-ui` names, with its pages. Guard its tests with
 * `requires('go')`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './free-port.ts';
import { buildGoProgram } from './go-program.ts';
import { until } from './until.ts';

/** A running River UI. */
export interface RiverUi {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** Ends it. */
  stop(): Promise<void>;
}

/** Starts River UI on a schema of a database, and waits until it is well. */
export async function startRiverUi(options: { readonly url: string; readonly schema: string }): Promise<RiverUi> {
  const program = await buildGoProgram({ folder: 'river-ui', target: 'riverqueue.com/riverui/cmd/riverui' });
  const port = await freePort();
  const child = spawn(program, ['-schema', options.schema], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      TZ: 'UTC',
      DATABASE_URL: options.url,
      PORT: String(port),
      RIVER_HOST: '127.0.0.1',
      RIVER_LOG_LEVEL: 'error',
    },
  });
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const isWell = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`River UI ended with ${child.exitCode}`);
    try {
      return (await fetch(`${url}/api/health-checks/complete`)).ok;
    } catch {
      return false; // it does not listen yet
    }
  };
  await until(isWell, { what: 'River UI is well', timeoutMs: 30_000 });
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Runs the ceiling of durable uploads once, in a process with enough threads, and removes what it wrote. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '@rowlock/test-harness';
import { keep } from '../measure/kept-processes.ts';

const program = fileURLToPath(new URL('durable-writes-program.js', import.meta.url));

export interface DurableWrites {
  readonly bytes: number;
  readonly concurrency: number;
  readonly seconds: number;
}

/** Writes files durably for a while; answers how many a second. */
export async function durableWritesPerSecond({ bytes, concurrency, seconds }: DurableWrites): Promise<number> {
  const folder = join(temporaryFolder(), 'writes');
  const running = promisify(execFile)(
    process.execPath,
    [program, folder, String(bytes), String(concurrency), String(seconds)],
    { env: { ...process.env, UV_THREADPOOL_SIZE: String(concurrency) } },
  );
  keep(running.child);
  const { stdout } = await running;
  await rm(folder, { recursive: true });
  const done = JSON.parse(stdout) as { readonly count: number; readonly seconds: number };
  return done.count / done.seconds;
}

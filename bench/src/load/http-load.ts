/**
 * Starts the process that makes HTTP load and gives it orders. The process is kept for a whole benchmark, so that all
 * who are measured meet the same warm program, pinned to the same processor.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { keep } from '../measure/kept-processes.ts';
import type { HttpOrder, HttpSample } from './http-order.ts';

export interface HttpLoad {
  /** The processor it is bound to; undefined where it may use all. */
  readonly cpu: number | undefined;
  /** Makes the load and resolves with what was measured; fails with the first answer that is not as ordered. */
  send(order: HttpOrder): Promise<HttpSample>;
  stop(): Promise<void>;
}

/** Starts the process. With two processors or more it is bound to the last, if the system can do that. */
export function startHttpLoad(): HttpLoad {
  const program = [process.execPath, fileURLToPath(new URL('http-load-program.js', import.meta.url))];
  const cpus = availableParallelism();
  const cpu = cpus > 1 && spawnSync('taskset', ['--version']).status === 0 ? cpus - 1 : undefined;
  const [command = '', ...args] = cpu === undefined ? program : ['taskset', '-c', String(cpu), ...program];
  const child = keep(spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  return {
    cpu,
    send: async (order) => await answerOf(child, order),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

const gone = 'The process that makes the load has ended';

async function answerOf(child: ChildProcess, order: HttpOrder): Promise<HttpSample> {
  if (!child.connected) throw new Error(gone);
  const ended = new AbortController();
  try {
    const answered = once(child, 'message', { signal: ended.signal });
    const exited = once(child, 'exit', { signal: ended.signal });
    child.send(order);
    const first = await Promise.race([answered, exited.then(() => undefined)]);
    if (first === undefined) throw new Error(gone);
    const { sample, error } = first[0] as { readonly sample?: HttpSample; readonly error?: string };
    if (sample === undefined) throw new Error(error ?? 'The load was not made');
    return sample;
  } finally {
    ended.abort();
  }
}

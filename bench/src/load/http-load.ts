/**
 * Starts a process that makes load and gives it orders. The process is kept for a whole benchmark, so that all who are
 * measured meet the same warm program, pinned to the same processor.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { keep } from '../measure/kept-processes.ts';
import type { HttpOrder, HttpSample } from './http-order.ts';

export interface Load<Order, Sample> {
  /** The processor it is bound to; undefined where it may use all. */
  readonly cpu: number | undefined;
  /** Makes the load and resolves with what was measured; fails with the first answer that is not as ordered. */
  send(order: Order): Promise<Sample>;
  stop(): Promise<void>;
}

export type HttpLoad = Load<HttpOrder, HttpSample>;

/** Starts the process that sends one kind of request again and again. */
export function startHttpLoad(): HttpLoad {
  return startLoad('http-load-program.js');
}

/** Starts a program of this folder. With two processors or more it is bound to the last, if the system can do that. */
export function startLoad<Order extends object, Sample>(file: string): Load<Order, Sample> {
  const program = [process.execPath, fileURLToPath(new URL(file, import.meta.url))];
  const cpus = availableParallelism();
  const cpu = cpus > 1 && spawnSync('taskset', ['--version']).status === 0 ? cpus - 1 : undefined;
  const [command = '', ...args] = cpu === undefined ? program : ['taskset', '-c', String(cpu), ...program];
  const child = keep(spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  return {
    cpu,
    send: async (order) => await answerOf<Order, Sample>(child, order),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

const gone = 'The process that makes the load has ended';

async function answerOf<Order extends object, Sample>(child: ChildProcess, order: Order): Promise<Sample> {
  if (!child.connected) throw new Error(gone);
  const ended = new AbortController();
  try {
    const answered = once(child, 'message', { signal: ended.signal });
    const exited = once(child, 'exit', { signal: ended.signal });
    child.send(order);
    const first = await Promise.race([answered, exited.then(() => undefined)]);
    if (first === undefined) throw new Error(gone);
    const { sample, error } = first[0] as { readonly sample?: Sample; readonly error?: string };
    if (sample === undefined) throw new Error(error ?? 'The load was not made');
    return sample;
  } finally {
    ended.abort();
  }
}

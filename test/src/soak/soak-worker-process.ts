/** A process of `soak-worker.ts`, seen by its parent: started, asked one question at a time, and stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./soak-worker.js', import.meta.url));

/** How a worker fares. Durations are those since the last question; counts are since its start. */
export interface WorkerMeasures {
  /** Of plain jobs, from the time when they were due to the start of their handlers. */
  readonly start_ms: readonly number[];
  /** Of the same, to the moment when the worker knows that their end is recorded. */
  readonly finalised_ms: readonly number[];
  /** Of scheduled jobs, from their scheduled time to the start of their handlers. */
  readonly scheduled_ms: readonly number[];
  readonly rss_mib: number;
  readonly heap_mib: number;
  /** How late timers fire. */
  readonly loop_p99_ms: number;
  readonly cpu_percent: number;
  readonly ended: number;
  readonly lost: number;
  readonly failures: number;
  readonly last_failure: string | null;
}

export interface SoakWorkerOptions {
  readonly url: string;
  readonly schema: string;
  readonly clientId: string;
  readonly slots: number;
  readonly retentionMs: number;
  readonly queues: readonly string[];
}

/** A running worker. */
export class SoakWorkerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
  }

  /** Resolves when it claims jobs. */
  static async start(options: SoakWorkerOptions): Promise<SoakWorkerProcess> {
    const { url, schema, clientId, slots, retentionMs, queues } = options;
    const args = [url, schema, clientId, String(slots), String(retentionMs), queues.join(',')];
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const started = new SoakWorkerProcess(child);
    await started.#heard();
    return started;
  }

  async measure(): Promise<WorkerMeasures> {
    const answer = this.#heard();
    this.#child.send('measure');
    return (await answer) as WorkerMeasures;
  }

  /** Resolves when its jobs are done and it has ended; fails if it did not end well. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const [code, signal] = await this.#exited;
    if (code !== 0) throw new Error(`A worker of the soak has ended with ${code ?? signal}`);
  }

  /** The next thing that it says; fails if it ends instead. */
  async #heard(): Promise<unknown> {
    const silenced = new AbortController();
    const ended = this.#exited.then(() => {
      throw new Error('A worker of the soak has ended by itself');
    });
    try {
      const [said] = (await Promise.race([
        once(this.#child, 'message', { signal: silenced.signal }),
        ended,
      ])) as unknown[];
      return said;
    } finally {
      silenced.abort();
    }
  }
}

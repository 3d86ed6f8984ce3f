/**
 * Does something again and again, never twice at once, and sooner when asked. It does not know what it does. A failure
 * is reported and tried again at the next turn.
 */
import type { WorkerContext } from './worker-context.ts';

/** What to repeat. */
export interface Task {
  /** For reports. */
  readonly name: string;
  readonly intervalMs: number;
  /** Within which time the first turn comes. Default: the interval. */
  readonly firstWithinMs?: number;
  readonly run: () => Promise<unknown>;
}

/** The least time between two turns: whoever asks for one every moment gets no more than this. */
const gapMs = 20;

/** A task that repeats itself from `start` to `stop`. */
export class Repeating {
  readonly #context: WorkerContext;
  readonly #task: Task;
  #cancel: (() => void) | undefined;
  #turn: Promise<void> | undefined;
  #isAsked = false;
  #isStarted = false;
  #lastEnd = Number.NEGATIVE_INFINITY;

  constructor(context: WorkerContext, task: Task) {
    this.#context = context;
    this.#task = task;
  }

  /** Begins; the first turn comes at a random time, so that workers do not march in step. */
  start(): void {
    this.#isStarted = true;
    this.#plan((this.#task.firstWithinMs ?? this.#task.intervalMs) * this.#context.random());
  }

  /** Asks for a turn now, or right after the present one. */
  soon(): void {
    if (!this.#isStarted || this.#isAsked) return;
    this.#isAsked = true;
    if (this.#turn === undefined) this.#plan(this.#gapLeftMs());
  }

  /** Ends; resolves when the present turn has ended. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#cancel?.();
    await this.#turn;
  }

  #gapLeftMs(): number {
    return Math.max(0, this.#lastEnd + gapMs - this.#context.clock.monotonic());
  }

  #plan(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#context.clock.after(ms, () => {
      this.#turn = this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isAsked = false;
    try {
      await this.#task.run();
    } catch (error) {
      this.#context.observe({ event: 'task_failed', task: this.#task.name, error });
    }
    this.#turn = undefined;
    if (!this.#isStarted) return;
    this.#lastEnd = this.#context.clock.monotonic();
    this.#plan(this.#isAsked ? gapMs : this.#task.intervalMs * (1 + 0.1 * this.#context.random()));
  }
}

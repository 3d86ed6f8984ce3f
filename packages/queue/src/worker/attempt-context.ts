/**
 * What a handler is given beside its job: a front on the record of the attempt, and the two writes that a handler may
 * make in its own transaction. It decides nothing. Both writes are fenced: an attempt that was taken over can make none.
 */
import type { ClientBase } from 'pg';
import { decodeJob, type Job } from '../job.ts';
import { QueueError } from '../queue-error.ts';
import { jobCheckpoint } from '../statements/job-checkpoint.ts';
import { jobCompleteInTransaction, type OneAttempt } from '../statements/job-complete-in-transaction.ts';
import type { AttemptRecord } from './attempt-record.ts';
import type { PerformContext, StepContext } from './job-handler.ts';
import type { RunningJob } from './running-job.ts';
import type { AttemptSurroundings } from './worker-context.ts';

/** The context of one attempt. Getters make their functions when asked: most handlers need none. */
export class AttemptContext implements PerformContext {
  readonly #context: AttemptSurroundings;
  readonly #running: RunningJob;
  readonly #record: AttemptRecord;

  constructor(context: AttemptSurroundings, running: RunningJob, record: AttemptRecord) {
    this.#context = context;
    this.#running = running;
    this.#record = record;
  }

  get signal(): AbortSignal {
    return this.#running.signal;
  }

  get recordOutput(): PerformContext['recordOutput'] {
    return (value) => this.#record.recordOutput(value);
  }

  get mergeMetadata(): PerformContext['mergeMetadata'] {
    return (patch) => this.#record.mergeMetadata(patch);
  }

  get log(): PerformContext['log'] {
    return (line) => this.#record.log(line);
  }

  get step(): PerformContext['step'] {
    return async (name, perform) => await this.#perform(name, perform);
  }

  get completeTx(): PerformContext['completeTx'] {
    return async (tx) => await this.#complete(tx);
  }

  async #perform(name: string, perform: (step: StepContext) => unknown): Promise<void> {
    const { steps } = this.#record;
    const run = steps.begin(name);
    if (run === undefined) return;
    try {
      await perform({
        cursor: run.cursor,
        setCursor: (cursor) => steps.setCursor(name, cursor),
        checkpointTx: async (tx, progress) => await this.#checkpoint(tx, name, progress),
      });
    } catch (error) {
      steps.fail(error);
      throw error;
    }
    steps.end(name);
  }

  async #checkpoint(tx: ClientBase, name: string, progress?: { readonly cursor: unknown }): Promise<void> {
    const { steps } = this.#record;
    const cursor = progress === undefined ? undefined : { value: progress.cursor };
    const attempt = this.#attempt(steps.checkpoint(name, cursor));
    if (!(await jobCheckpoint(tx, this.#context.schema, attempt))) throw this.#notRunning();
    steps.checkpointed(name, cursor);
  }

  async #complete(tx: ClientBase): Promise<Job> {
    this.#record.assertDone();
    const attempt = this.#attempt(this.#record.updatesText(true));
    const row = await jobCompleteInTransaction(tx, this.#context.schema, attempt);
    if (row === undefined) throw this.#notRunning();
    return decodeJob(row);
  }

  #attempt(metadata: string | null): OneAttempt {
    const { id, attempt } = this.#running.observed;
    return { id, attempt, client_id: this.#context.client_id, metadata };
  }

  #notRunning(): QueueError {
    const { id, attempt } = this.#running.observed;
    return new QueueError('job_not_running', `Attempt ${attempt} at job ${id} is over, or is no longer this worker's`);
  }
}

/**
 * Performs the scripts that jobs carry in their arguments, as `scripts.go` of interop/river-go does for Go: so that the
 * same job does the same in both engines. It records nothing by itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Job, JobCancel, type JobHandler, JobSnooze, type PerformContext } from '@rowlock/queue';
import type { Pool } from 'pg';

/** One thing that a job does. */
export interface Action {
  readonly do: string;
  readonly text?: string;
  readonly ms?: number;
  readonly name?: string;
  readonly value?: unknown;
}

/** What a job does, a list for each time that it runs; the last one repeats. */
export interface Script {
  readonly script?: readonly (readonly Action[])[];
  readonly retry_ms?: number;
  readonly timeout_ms?: number;
}

/** A step that was run, not skipped. */
export interface StepRan {
  readonly job: string;
  readonly name: string;
  /** Null where there was none. */
  readonly cursor: unknown;
}

/** What a handler of scripts works with. */
export interface ScriptedOptions {
  /** For jobs that complete in a transaction. */
  readonly pool: Pool;
  readonly onStep?: (step: StepRan) => void;
}

/** A handler of scripts. */
export function scriptedHandler({ pool, onStep = () => undefined }: ScriptedOptions): JobHandler {
  return {
    async perform(job, context) {
      for (const action of actionsOf(job)) {
        await perform({ job, context, pool, onStep }, action);
      }
    },
    nextRetry: (job) => (job.args as Script).retry_ms,
  };
}

interface Stage extends Required<ScriptedOptions> {
  readonly job: Job;
  readonly context: PerformContext;
}

/** Each time is counted by a failure or a snooze. */
function actionsOf(job: Job): readonly Action[] {
  const all = (job.args as Script).script ?? [];
  const snoozes = Number(job.metadata['snoozes'] ?? 0);
  return all[Math.min(job.error_count + snoozes, all.length - 1)] ?? [];
}

async function perform(stage: Stage, action: Action): Promise<void> {
  const { context } = stage;
  switch (action.do) {
    case 'succeed':
      return;
    case 'fail':
    case 'panic':
      throw new Error(action.text);
    case 'cancel':
      throw new JobCancel(action.text ?? '');
    case 'snooze':
      throw new JobSnooze(action.ms ?? 0);
    case 'sleep':
      await delay(action.ms, undefined, { signal: context.signal });
      return;
    case 'stall': // as a handler that knows of no cancellation
      await delay(action.ms);
      return;
    case 'output':
      return context.recordOutput(action.value);
    case 'metadata':
      return context.mergeMetadata({ [action.name ?? '']: action.value });
    case 'step':
    case 'cursor_step':
      return await performStep(stage, action);
    case 'complete_tx':
      return await completeInTransaction(stage);
    default:
      throw new TypeError(`There is no action ${action.do}`);
  }
}

/** A step fails if it has a text, and remembers its value before that if it has one. */
async function performStep({ job, context, onStep }: Stage, { name = '', value, text }: Action): Promise<void> {
  await context.step(name, ({ cursor, setCursor }) => {
    onStep({ job: job.id, name, cursor: cursor ?? null });
    if (value !== undefined) setCursor(value);
    if (text !== undefined) throw new Error(text);
  });
}

async function completeInTransaction({ context, pool }: Stage): Promise<void> {
  const client = await pool.connect();
  await client.query('BEGIN');
  await context.completeTx(client);
  await client.query('COMMIT');
  client.release();
}

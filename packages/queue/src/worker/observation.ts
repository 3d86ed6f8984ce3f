/**
 * Everything that a worker can report, in one union: logs and metrics are two switches over it. It carries no
 * arguments and no metadata of jobs, which may be secret.
 */
import type { JobState } from '../job.ts';
import type { OutcomeKind } from './outcome.ts';

/** A job, as far as reports name it. */
export interface ObservedJob {
  readonly id: string;
  readonly kind: string;
  readonly queue: string;
  readonly attempt: number;
}

/** Something that happened in a worker. */
export type Observation =
  | { readonly event: 'worker_started'; readonly client_id: string }
  | { readonly event: 'worker_stopping'; readonly client_id: string }
  | { readonly event: 'worker_stopped'; readonly client_id: string }
  | ({ readonly event: 'job_started' } & ObservedJob)
  /** The handler has ended, or was left behind; its result is not recorded yet. */
  | ({
      readonly event: 'job_ended';
      readonly outcome: OutcomeKind;
      readonly run_ms: number;
      readonly error?: unknown;
    } & ObservedJob)
  /** The result is recorded; `state` is the job's true state now. */
  | ({ readonly event: 'job_settled'; readonly state: JobState } & ObservedJob)
  /** The job was no longer this worker's when its result arrived: rescued, finished or deleted by somebody else. */
  | ({ readonly event: 'job_lost' } & ObservedJob)
  /** The handler runs on, well after its time was up. */
  | ({ readonly event: 'job_stuck'; readonly timeout_ms: number } & ObservedJob)
  | { readonly event: 'queue_paused'; readonly queue: string }
  | { readonly event: 'queue_resumed'; readonly queue: string }
  | { readonly event: 'listener_connected' }
  | { readonly event: 'listener_lost'; readonly error: unknown }
  | { readonly event: 'jobs_scheduled'; readonly promoted: number; readonly discarded: number }
  | { readonly event: 'job_rescued'; readonly id: string; readonly kind: string; readonly client_id: string }
  /** This worker leads the fleet from now on; `elected_at` tells its terms apart. */
  | { readonly event: 'leader_elected'; readonly client_id: string; readonly elected_at: string }
  | {
      readonly event: 'leader_resigned';
      readonly client_id: string;
      readonly elected_at: string;
      readonly why: 'stopping' | 'asked';
    }
  /** It leads no longer, and has not resigned: somebody removed or replaced its row, or it could not renew in time. */
  | {
      readonly event: 'leader_lost';
      readonly client_id: string;
      readonly elected_at: string;
      readonly why: 'replaced' | 'not_renewed';
    }
  /** This worker does not stand for election, since it lacks rights such as `MAINTAIN on river_job`. */
  | { readonly event: 'leader_not_standing'; readonly missing: readonly string[] }
  | {
      readonly event: 'jobs_cleaned';
      readonly cancelled: number;
      readonly completed: number;
      readonly discarded: number;
    }
  | { readonly event: 'queues_cleaned'; readonly queues: readonly string[] }
  | { readonly event: 'index_rebuilt'; readonly index: string; readonly run_ms: number }
  /** An index was not rebuilt: unfinished copies of it have to be dropped by their owner first. */
  | { readonly event: 'index_skipped'; readonly index: string; readonly found: readonly string[] }
  /** A stuck job of a kind that is unknown here has no attempt left; only who knows its kind may discard it. */
  | { readonly event: 'job_left_running'; readonly id: string; readonly kind: string; readonly client_id: string }
  /** `id` is that of the job that is there: of an earlier one where this one would have been its duplicate. */
  | {
      readonly event: 'periodic_job_inserted';
      readonly id: string;
      readonly kind: string;
      readonly due_at: string;
      readonly is_duplicate: boolean;
    }
  /** Another live process has the same client id; this one claims nothing as long as that is so. */
  | { readonly event: 'client_id_in_use'; readonly client_id: string }
  /** A part of the worker failed; it will be tried again. */
  | { readonly event: 'task_failed'; readonly task: string; readonly error: unknown };

/** Gets every observation, at once and in order. What it throws ends the process: it is a defect of the program. */
export type Observe = (observation: Observation) => void;

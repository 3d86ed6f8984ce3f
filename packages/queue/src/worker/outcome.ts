/**
 * How an attempt ended, and what that means for the job: River's table of outcomes, as a pure function. It writes
 * nothing. Delays are relative, so that the database's clock alone decides when a job is due.
 */
import { attemptErrorJson, errorText, errorTrace } from '../attempt-error.ts';
import { retrySeconds, retrySecondsMax } from '../retry-policy.ts';
import type { Settlement } from '../statements/job-settle-many.ts';
import { metadataText } from './attempt-record.ts';

/** How an attempt ended. */
export type Outcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** By itself, by somebody, or by the error handler, which leaves an error its own words. */
  | { readonly kind: 'cancelled'; readonly error: unknown; readonly is_failure?: true }
  | { readonly kind: 'snoozed'; readonly delay_ms: number }
  /** The worker stopped before the handler had ended. */
  | { readonly kind: 'interrupted' }
  /** The worker died; another one says so. */
  | { readonly kind: 'rescued' };

export type OutcomeKind = Outcome['kind'];

/** What the decision needs to know of the attempt. */
export interface EndedAttempt {
  readonly id: string;
  readonly client_id: string;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly error_count: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** What the attempt itself leaves in the metadata, as JSON by key. */
  readonly updates?: ReadonlyMap<string, string> | undefined;
  /** When it began; when it was rescued. Milliseconds since 1970. */
  readonly at: number;
  /** Overrides the default policy; must not be negative. */
  readonly retry_seconds?: number | undefined;
}

/** A job that is due within the scheduler's interval is available at once; its time still holds it back. */
const schedulerIntervalSeconds = 5;

/** River's text, by which people and programs know a rescue. */
const rescueText = 'Stuck job rescued by JobRescuer';

/** Decides what becomes of the job. `random` gives the jitter of the retry policy. */
export function settlementOf(attempt: EndedAttempt, outcome: Outcome, random: () => number): Settlement {
  const same = {
    id: attempt.id,
    attempt: attempt.attempt,
    client_id: attempt.client_id,
    attempt_after: attempt.attempt,
    delay_seconds: null,
    error: null,
    metadata: metadataText(attempt.updates),
  };
  switch (outcome.kind) {
    case 'completed':
      return { ...same, state: 'completed' };
    case 'failed':
      return { ...same, ...afterFailure(attempt, random), error: failureOf(attempt, outcome.error) };
    case 'cancelled': {
      const words = `JobCancelError: ${errorText(outcome.error)}`;
      const error = outcome.is_failure ? failureOf(attempt, outcome.error) : errorOf(attempt, words);
      return { ...same, state: 'cancelled', error };
    }
    case 'snoozed': {
      const seconds = Math.min(outcome.delay_ms / 1000, retrySecondsMax);
      const state = seconds <= schedulerIntervalSeconds ? 'available' : 'scheduled';
      const before = Math.max(attempt.attempt - 1, 0);
      return { ...same, state, delay_seconds: seconds, attempt_after: before, metadata: counted(attempt, 'snoozes') };
    }
    case 'interrupted':
      return { ...same, state: 'available', delay_seconds: 0, attempt_after: Math.max(attempt.attempt - 1, 0) };
    case 'rescued': {
      const metadata = counted(attempt, 'river:rescue_count');
      return { ...same, ...afterFailure(attempt, random), error: errorOf(attempt, rescueText), metadata };
    }
  }
}

function afterFailure(attempt: EndedAttempt, random: () => number): Pick<Settlement, 'state' | 'delay_seconds'> {
  if (attempt.attempt >= attempt.max_attempts) return { state: 'discarded', delay_seconds: null };
  const seconds = Math.min(attempt.retry_seconds ?? retrySeconds(attempt.error_count, random), retrySecondsMax);
  return { state: seconds <= schedulerIntervalSeconds ? 'available' : 'retryable', delay_seconds: seconds };
}

function failureOf(attempt: EndedAttempt, thrown: unknown): string {
  return errorOf(attempt, errorText(thrown), errorTrace(thrown));
}

function errorOf({ at, attempt }: EndedAttempt, error: string, trace = ''): string {
  return attemptErrorJson({ at: new Date(at).toISOString(), attempt, error, trace });
}

/** The updates of the attempt with a counter that is one more than it was. */
function counted({ metadata, updates = new Map() }: EndedAttempt, counter: string): string | null {
  return metadataText(new Map([...updates, [counter, String(leniently(metadata[counter]) + 1)]]));
}

/** Reads a counter as River does: digits in a string count, true is one, and anything else is none. */
function leniently(value: unknown): number {
  if (value === true) return 1;
  const isCount = typeof value === 'number' || (typeof value === 'string' && /^\s*\d+\s*$/.test(value));
  const count = isCount ? Math.trunc(Number(value)) : 0;
  return Number.isSafeInteger(count) ? count : 0;
}

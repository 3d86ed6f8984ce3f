/**
 * How an attempt ended, and what that means for the job: River's table of outcomes, as a pure function. It writes
 * nothing. Delays are relative, so that the database's clock alone decides when a job is due.
 */
import { attemptErrorJson, errorText, errorTrace } from '../attempt-error.ts';
import { jsonbText } from '../jsonb-text.ts';
import { retrySeconds, retrySecondsMax } from '../retry-policy.ts';
import type { Settlement } from '../statements/job-settle-many.ts';

/** How an attempt ended. */
export type Outcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'cancelled'; readonly error: unknown }
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
  /** When it began; when it was rescued. RFC 3339 in UTC. */
  readonly at: string;
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
    metadata: null,
  };
  switch (outcome.kind) {
    case 'completed':
      return { ...same, state: 'completed' };
    case 'failed': {
      const error = errorOf(attempt, errorText(outcome.error), errorTrace(outcome.error));
      return { ...same, ...afterFailure(attempt, random), error };
    }
    case 'cancelled':
      return { ...same, state: 'cancelled', error: errorOf(attempt, `JobCancelError: ${errorText(outcome.error)}`) };
    case 'snoozed': {
      const seconds = Math.min(outcome.delay_ms / 1000, retrySecondsMax);
      const state = seconds <= schedulerIntervalSeconds ? 'available' : 'scheduled';
      const snoozes = leniently(attempt.metadata['snoozes']) + 1;
      const before = Math.max(attempt.attempt - 1, 0);
      return { ...same, state, delay_seconds: seconds, attempt_after: before, metadata: jsonbText({ snoozes }) };
    }
    case 'interrupted':
      return { ...same, state: 'available', delay_seconds: 0, attempt_after: Math.max(attempt.attempt - 1, 0) };
    case 'rescued': {
      const count = leniently(attempt.metadata['river:rescue_count']) + 1;
      const metadata = jsonbText({ 'river:rescue_count': count });
      return { ...same, ...afterFailure(attempt, random), error: errorOf(attempt, rescueText), metadata };
    }
  }
}

function afterFailure(attempt: EndedAttempt, random: () => number): Pick<Settlement, 'state' | 'delay_seconds'> {
  if (attempt.attempt >= attempt.max_attempts) return { state: 'discarded', delay_seconds: null };
  const seconds = Math.min(attempt.retry_seconds ?? retrySeconds(attempt.error_count, random), retrySecondsMax);
  return { state: seconds <= schedulerIntervalSeconds ? 'available' : 'retryable', delay_seconds: seconds };
}

function errorOf({ at, attempt }: EndedAttempt, error: string, trace = ''): string {
  return attemptErrorJson({ at, attempt, error, trace });
}

/** Reads a counter as River does: digits in a string count, true is one, and anything else is none. */
function leniently(value: unknown): number {
  if (value === true) return 1;
  const isCount = typeof value === 'number' || (typeof value === 'string' && /^\s*\d+\s*$/.test(value));
  const count = isCount ? Math.trunc(Number(value)) : 0;
  return Number.isSafeInteger(count) ? count : 0;
}

/**
 * The errors that this package raises by itself, with a closed union of reasons. Errors of PostgreSQL and of handlers
 * are not wrapped: they rise as they are. A reason is never reused for something else.
 */

/** Why an operation was refused. */
export type QueueErrorReason =
  | 'invalid_schema_name'
  | 'invalid_job'
  | 'invalid_option'
  | 'schema_not_supported'
  | 'client_id_in_use'
  | 'already_started'
  | 'job_timed_out'
  | 'job_cancelled'
  | 'worker_stopping'
  | 'job_not_running'
  | 'job_running'
  | 'not_found'
  | 'unique_conflict';

/** The one error class of the package. */
export class QueueError extends Error {
  readonly reason: QueueErrorReason;

  constructor(reason: QueueErrorReason, message: string) {
    super(message);
    this.name = 'QueueError';
    this.reason = reason;
  }
}

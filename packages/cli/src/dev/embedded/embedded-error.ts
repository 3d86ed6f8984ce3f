/**
 * Owns the error that the embedded PostgreSQL raises when the machine does not
 * give it what it needs. It does not describe SQL errors: those belong to the
 * client that ran the statement. Every message says what to do next.
 */

/** Why the embedded server could not be started. */
export type EmbeddedPostgresReason =
  | 'unsupported_platform'
  | 'binaries_missing'
  | 'binaries_unusable'
  | 'no_unprivileged_user'
  | 'data_folder_in_use'
  | 'data_folder_unreachable'
  | 'data_folder_invalid'
  | 'other_version'
  | 'port_taken'
  | 'disk_full'
  | 'server_failed';

/**
 * Says in full sentences why the embedded server did not start and what helps.
 *
 * `reason` is stable and meant for code; the message is meant for a person.
 */
export class EmbeddedPostgresError extends Error {
  override readonly name: string = 'EmbeddedPostgresError';
  readonly reason: EmbeddedPostgresReason;

  constructor(reason: EmbeddedPostgresReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The advice that ends most messages: any PostgreSQL 18 does instead of the embedded one. */
export const ownServerAdvice = 'or set DATABASE_URL to a PostgreSQL 18 server of your own';

const diskFullPattern = /No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/;

/**
 * Turns what a PostgreSQL program printed before it failed into an error.
 *
 * A full disk gets its own reason, because it is the one failure that the
 * reader can repair without understanding PostgreSQL.
 */
export function failureOf(program: string, folder: string, output: string): EmbeddedPostgresError {
  if (diskFullPattern.test(output)) {
    return new EmbeddedPostgresError(
      'disk_full',
      `The disk that holds ${folder} is full, so ${program} failed. Free some space (a new database needs about 50 MB) and start again.`,
    );
  }
  const last = output.trim().split('\n').slice(-15).join('\n');
  return new EmbeddedPostgresError('server_failed', `${program} failed on ${folder}. Its last words were:\n${last}`);
}

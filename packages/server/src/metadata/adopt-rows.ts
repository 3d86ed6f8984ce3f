/**
 * What workers and backfills ask and write of adopted rows. Run as the worker's own role, whose rights are these
 * functions; they are there once an adoption was installed.
 */
import type { Database, Statement } from './database.ts';

const statement = (name: string, text: string): Statement => ({ name, text });

export const adoptedRequestToSign: Statement = statement(
  'adopted_request_to_sign',
  'SELECT * FROM rowlock_adopt.request_to_sign($1, $2)',
);
export const adoptedRequestSigned: Statement = statement(
  'adopted_request_signed',
  'SELECT rowlock_adopt.request_signed($1, $2, $3)',
);
export const adoptedRequestFailed: Statement = statement(
  'adopted_request_failed',
  'SELECT rowlock_adopt.request_failed($1, $2)',
);
export const adoptedFileToRender: Statement = statement(
  'adopted_file_to_render',
  'SELECT * FROM rowlock_adopt.file_to_render($1)',
);
export const adoptedFileRendered: Statement = statement(
  'adopted_file_rendered',
  'SELECT rowlock_adopt.file_rendered($1, $2, $3, $4)',
);
export const adoptedFileFailed: Statement = statement(
  'adopted_file_failed',
  'SELECT rowlock_adopt.file_failed($1, $2)',
);

/** Their times are text, since they are compared for equality and keep their microseconds. */
export const adoptedRequeueRequests: Statement = statement(
  'adopted_requeue_requests',
  'SELECT last_time::text, last_id, examined, enqueued FROM rowlock_adopt.requeue_requests($1, $2, make_interval(secs => $3), $4, $5)',
);
export const adoptedRequeueFiles: Statement = statement(
  'adopted_requeue_files',
  'SELECT last_time::text, last_id, examined, enqueued FROM rowlock_adopt.requeue_files($1, $2, make_interval(secs => $3), $4, $5)',
);
export const adoptedFilesToTake: Statement = statement(
  'adopted_files_to_take',
  'SELECT id, created_at::text, bucket, key, has_own_key, small, medium, large FROM rowlock_adopt.files_to_take($1, $2, $3, $4)',
);
export const adoptedTakeFile: Statement = statement(
  'adopted_take_file',
  'SELECT rowlock_adopt.take_file($1, $2, $3, $4, $5, $6) AS taken',
);
export const adoptedFileFound: Statement = statement(
  'adopted_file_found',
  'SELECT rowlock_adopt.file_found($1, $2, $3)',
);

/** Whether this database was adopted: then bytes without a row of ours may be those of adopted rows. */
const adoptedIsInstalled: Statement = statement(
  'adopted_is_installed',
  "SELECT to_regclass('rowlock_adopt.installed') IS NOT NULL AS is_installed",
);
const adoptedKeysInUse: Statement = statement(
  'adopted_keys_in_use',
  'SELECT keys_in_use AS key FROM rowlock_adopt.keys_in_use($1::text[])',
);

/** Of these keys, those that adopted rows name; none where nothing was adopted. */
export async function keysOfAdopted(db: Database, keys: readonly string[]): Promise<readonly string[]> {
  const [row] = await db.run<{ is_installed: boolean }>(adoptedIsInstalled, []);
  if (row?.is_installed !== true) return [];
  return (await db.run<{ key: string }>(adoptedKeysInUse, [keys])).map(({ key }) => key);
}

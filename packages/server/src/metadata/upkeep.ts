/**
 * What the workers ask and write: upload requests to sign, uploads to complete, versions to purge, images to describe.
 * Run as the worker's own role, whose rights are these functions.
 */
import type { Database, Statement } from './database.ts';

const statement = (name: string, text: string): Statement => ({ name, text });

export const requestsToSign: Statement = statement(
  'requests_to_sign',
  'SELECT * FROM storage_internal.requests_to_sign($1)',
);
export const requestsSigned: Statement = statement(
  'requests_signed',
  'SELECT storage_internal.requests_signed($1, $2, $3, $4::jsonb[], $5)',
);
export const requestsClaim: Statement = statement(
  'requests_claim',
  'SELECT id FROM storage_internal.claim_requests($1, make_interval(secs => $2)) AS id',
);
export const requestFailed: Statement = statement('request_failed', 'SELECT storage_internal.request_failed($1, $2)');
export const uploadToComplete: Statement = statement(
  'upload_to_complete',
  `SELECT backend, key, put_guard, put_key, size_max, expires_at <= now() AS expired, declared_size, sha256, sha256_is_signed,
     store_id, part_size, part_count, named_parts, is_asked_for, is_for_entity,
     expires_at <= now() + interval '30 minutes' AS ends_soon
   FROM storage_internal.upload_to_complete($1)`,
);
export const uploadsUnreported: Statement = statement(
  'uploads_unreported',
  'SELECT unreported_uploads AS id FROM storage_internal.unreported_uploads(make_interval(secs => $1), $2)',
);
export const purgeBegin: Statement = statement(
  'purge_begin',
  'SELECT backend, key, storage_internal.store_upload_of($1) AS store_id FROM storage_internal.purge_begin($1)',
);
export const purgeEnd: Statement = statement('purge_end', 'SELECT storage_internal.purge_end($1)');
export const sweepExpired: Statement = statement(
  'sweep_expired',
  'SELECT storage_internal.sweep_expired($1) AS enqueued',
);
export const sweepUnreferenced: Statement = statement(
  'sweep_unreferenced',
  'SELECT examined, enqueued, ended FROM storage_internal.sweep_unreferenced(make_interval(secs => $1), $2, $3)',
);
export const historyExpire: Statement = statement(
  'history_expire',
  'SELECT storage_internal.expire_history($1) AS expired',
);
export const signedUrlsSweep: Statement = statement(
  'signed_urls_sweep',
  'SELECT storage_internal.sweep_signed_urls($1) AS swept',
);
export const requestsCleanUp: Statement = statement(
  'requests_clean_up',
  'SELECT archived, deleted, forgotten FROM storage_internal.cleanup_upload_requests($1)',
);
export const tombstonesDue: Statement = statement(
  'tombstones_due',
  'SELECT id, key FROM storage_internal.tombstones_due($1, $2)',
);
export const tombstonesForget: Statement = statement(
  'tombstones_forget',
  'SELECT storage_internal.tombstones_forget($1::uuid[])',
);
export const versionOfFile: Statement = statement(
  'version_of_file',
  'SELECT storage_internal.version_of_file($1) AS version_id',
);
export const imageIsUnread: Statement = statement(
  'image_is_unread',
  'SELECT storage_internal.image_is_unread($1) AS unread',
);
export const imageFactsKeep: Statement = statement(
  'image_facts_keep',
  'SELECT storage_internal.keep_image_facts($1, $2, $3, $4, $5) AS awaited',
);
export const imagePlace: Statement = statement('image_place', 'SELECT storage_internal.place_image($1)');
export const imagesToPlace: Statement = statement(
  'images_to_place',
  'SELECT id FROM storage_internal.images_to_place($1) AS id',
);
export const maintenanceEnqueue: Statement = statement(
  'maintenance_enqueue',
  'SELECT storage_internal.enqueue_maintenance($1) AS enqueued',
);
export const rendersSweep: Statement = statement('renders_sweep', 'SELECT storage_internal.sweep_renders($1)');
export const changesExpire: Statement = statement(
  'changes_expire',
  'SELECT storage_internal.changes_expire($1) AS deleted',
);
export const auditExpire: Statement = statement('audit_expire', 'SELECT storage_internal.audit_expire($1) AS gone');
export const ping: Statement = statement('ping', 'SELECT 1 AS one');

/** The first row of a statement, or `undefined`. */
export async function one<Row extends Record<string, unknown>>(
  db: Database,
  wanted: Statement,
  values: readonly unknown[],
): Promise<Row | undefined> {
  return (await db.run<Row>(wanted, values))[0];
}

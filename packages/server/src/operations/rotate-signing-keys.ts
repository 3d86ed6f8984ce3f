/**
 * Gives the database what it signs URLs with: the keys of today and tomorrow, derived from each store's secret. The days
 * are the database's, so that its midnight finds its key whatever this process takes for the time.
 */
import type { Backend } from '../backend/backend.ts';
import type { Database } from '../metadata/database.ts';
import { selectSigningDays, storeSigningKeys } from '../metadata/signing-keys.ts';

export interface RotationReport {
  /** Keys that are new or different. */
  readonly written: number;
  /** Keys of past days. */
  readonly removed: number;
}

/**
 * Writes the keys of every store that signs URLs. Idempotent, and what is unchanged is not written. One store whose
 * credentials cannot be had keeps no other from its keys; then this throws what that one threw.
 */
export async function rotateSigningKeys(context: {
  readonly db: Database;
  readonly backends: Iterable<Backend>;
  /** Signed into every upload URL as `x-amz-acl`. */
  readonly upload_acl?: string | undefined;
}): Promise<RotationReport> {
  const { db, backends, upload_acl } = context;
  const days = await selectSigningDays(db);
  const settled = await Promise.allSettled(
    [...backends].map(async (backend) => {
      const keys = await backend.signingKeys(days);
      return await storeSigningKeys(db, { backend: backend.name, keys, upload_acl });
    }),
  );
  const report = { written: 0, removed: 0 };
  for (const result of settled) {
    if (result.status === 'rejected') throw result.reason;
    report.written += result.value.written;
    report.removed += result.value.removed;
  }
  return report;
}

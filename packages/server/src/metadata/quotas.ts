/** Quotas as rows: what callers may know of them, what the service sets, and how they are counted and checked. */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

/** How much of one quota is used. Numbers of bytes and objects are texts: they are bigints. */
export interface QuotaUsage {
  /** What it is counted for: a bucket, or one owner. */
  readonly scope: 'bucket' | 'owner';
  /** Null for all buckets together. */
  readonly bucket_id: string | null;
  /** Null for a bucket's own quota. */
  readonly owner_id: string | null;
  readonly bytes_used: string;
  readonly objects_used: string;
  /** Held for uploads that are under way. */
  readonly bytes_reserved: string;
  readonly objects_reserved: string;
  /** Null for no limit. */
  readonly bytes_max: string | null;
  readonly objects_max: string | null;
  /** False until what was there before is counted; it refuses nothing until then. */
  readonly counted: boolean;
}

/** An account that does not say what the rows say; by how much it should say more. */
export interface QuotaDrift {
  readonly account_id: string;
  readonly bucket_id: string | null;
  readonly owner_id: string;
  readonly bytes: string;
  readonly objects: string;
}

export const quotaUsage: Statement = { name: 'quota_usage', text: 'SELECT * FROM storage.quota_usage($1)' };

export const quotaSetOwner: Statement = {
  name: 'quota_set_owner',
  text: 'SELECT storage.set_owner_quota($1, $2, $3)',
};

export const quotaCount: Statement = { name: 'quota_count', text: 'SELECT storage_internal.quota_count() AS waiting' };

export const quotaDrift: Statement = {
  name: 'quota_drift',
  text: 'SELECT account_id, bucket_id, owner_id, bytes, objects FROM storage_internal.quota_drift() ORDER BY account_id',
};

export const quotaRepair: Statement = {
  name: 'quota_repair',
  text: 'SELECT storage_internal.quota_repair() AS repaired',
};

/** What the caller may know: their own, those of buckets that they own; all of them for the service. At most 1,000. */
export function selectQuotas(db: Database, caller: Caller, bucket: string | undefined): Promise<readonly QuotaUsage[]> {
  return db.asCaller<QuotaUsage & Record<string, unknown>>(
    caller,
    { operation: 'storage.quota.get', readOnly: true },
    quotaUsage,
    [bucket ?? null],
  );
}

/** Sets what one owner, or with null each owner, may keep in all buckets together. @throws RowlockError `not_allowed` */
export async function setOwnerQuota(
  db: Database,
  caller: Caller,
  owner: string | null,
  limits: { readonly bytes: number | null; readonly objects: number | null },
): Promise<void> {
  await db.asCaller(caller, { operation: 'storage.quota.set' }, quotaSetOwner, [owner, limits.bytes, limits.objects]);
}

/** Counts what was there before a quota was set, as far as that can be said now. Returns how many quotas still wait. */
export async function countQuotas(db: Database): Promise<number> {
  const rows = await db.run<{ waiting: string }>(quotaCount, []);
  return Number(rows[0]?.waiting ?? 0);
}

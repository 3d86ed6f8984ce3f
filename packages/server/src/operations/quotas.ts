/**
 * Quotas: see what is used, set what owners may keep, and wait until a new quota holds. That it holds, the database's
 * triggers see to, whoever writes by whatever way.
 */
import { setTimeout as after } from 'node:timers/promises';
import type { Caller } from '../domain/caller.ts';
import type { Database } from '../metadata/database.ts';
import { countQuotas, type QuotaUsage, selectQuotas, setOwnerQuota } from '../metadata/quotas.ts';
import type { OperationContext } from './context.ts';
import { forbidden, refusalFor } from './refusals.ts';

/** What the caller may know of quotas, of one bucket where it is given. @throws RowlockError `auth_required` */
export async function showQuotas(
  context: OperationContext,
  caller: Caller,
  bucket: string | undefined,
): Promise<readonly QuotaUsage[]> {
  if (caller.anonymous) throw forbidden(caller);
  return selectQuotas(context.db, caller, bucket);
}

/**
 * Sets the quota of one owner, or with null that of each owner, over all buckets; nulls lift a limit. The service's alone.
 *
 * @throws RowlockError `not_allowed`, `auth_required`
 */
export async function changeOwnerQuota(
  context: OperationContext,
  caller: Caller,
  owner: string | null,
  limits: { readonly bytes: number | null; readonly objects: number | null },
): Promise<void> {
  try {
    await setOwnerQuota(context.db, caller, owner, limits);
  } catch (error) {
    throw refusalFor(caller, error);
  }
  await quotasCounted(context.db);
}

/** Pauses between two looks at transactions that began before the quota, in milliseconds. */
const pausesMs: readonly number[] = [0, 5, 20, 50, 100, 200, 400, 800];

/**
 * Waits until quotas that were just set count what was there before them, for about a second and a half: transactions
 * that began earlier must have ended. Where they have not, the next sweep counts. Returns how many still wait.
 */
export async function quotasCounted(db: Database): Promise<number> {
  let waiting = await countQuotas(db);
  for (const pause of pausesMs) {
    if (waiting === 0) break;
    await after(pause);
    waiting = await countQuotas(db);
  }
  return waiting;
}

export type { QuotaUsage } from '../metadata/quotas.ts';

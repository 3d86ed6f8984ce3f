/**
 * The keys that the database signs with, as the worker writes them. It reads none back: nobody but the functions of
 * storage_sign does.
 */
import type { Database, Statement } from './database.ts';

export const signingDays: Statement = {
  name: 'signing_days',
  text: `SELECT to_char(now() AT TIME ZONE 'UTC' + n * interval '1 day', 'YYYYMMDD') AS day FROM generate_series(0, 1) AS n`,
};

export const signingKeysStore: Statement = {
  name: 'signing_keys_store',
  text: 'SELECT written::int, removed::int FROM storage_internal.signing_keys_store($1, $2, $3)',
};

/** Today and tomorrow in UTC, `YYYYMMDD`, by the clock of the database: it is what URLs are signed with. */
export async function selectSigningDays(db: Database): Promise<readonly string[]> {
  return (await db.run<{ day: string }>(signingDays, [])).map(({ day }) => day);
}

/**
 * Writes the keys of a store, one a day, with the ACL that uploads are signed with, and removes those of past days.
 * Idempotent: what is the same is not written.
 */
export async function storeSigningKeys(
  db: Database,
  store: { readonly backend: string; readonly keys: readonly object[]; readonly upload_acl: string | undefined },
): Promise<{ readonly written: number; readonly removed: number }> {
  const values = [store.backend, JSON.stringify(store.keys), store.upload_acl ?? null];
  const [row] = await db.run<{ written: number; removed: number }>(signingKeysStore, values);
  return row ?? { written: 0, removed: 0 };
}

/**
 * Stores and rows for tests of presigning inside of PostgreSQL: signing keys as a worker writes them, versions that are
 * stored under any key at all, objects that name them. Rows are made with triggers off; no bytes are behind them.
 */
import type { MigratedDatabase } from '@rowlock/test-harness';
import { type DayKey, dayKeys, type PrefixedStore } from '../../../packages/server/dist/backend/s3/day-keys.js';

/** A store as its worker knows it. */
export interface SignedStore extends PrefixedStore {
  /** As in `versions.backend`. */
  readonly name: string;
  readonly upload_acl?: string;
}

export const plainStore: SignedStore = {
  name: 'disk',
  endpoint: 'http://127.0.0.1:8000',
  region: 'us-east-1',
  bucket: 'civic-os-files',
  credentials: { access_key_id: 'TESTKEY', secret_access_key: 'test-secret-access-key-of-forty-bytes...' },
};

/** Today in UTC by the clock of the database, and some days more. */
export async function daysOf(database: MigratedDatabase, days: readonly number[] = [0, 1]): Promise<readonly string[]> {
  const rows = await database.query<{ day: string }>(
    "SELECT to_char(now() AT TIME ZONE 'UTC' + n * interval '1 day', 'YYYYMMDD') AS day FROM unnest($1::int[]) AS n",
    [[...days]],
  );
  return rows.map(({ day }) => day);
}

/** Writes keys as the worker does. */
export async function storeKeys(
  database: MigratedDatabase,
  store: SignedStore,
  keys: readonly DayKey[],
): Promise<{ readonly written: number; readonly removed: number }> {
  const [row] = await database.query<{ written: number; removed: number }>(
    'SELECT written::int, removed::int FROM storage_internal.signing_keys_store($1, $2, $3)',
    [store.name, JSON.stringify(keys), store.upload_acl ?? null],
  );
  return row ?? { written: 0, removed: 0 };
}

/** Writes the keys of today and tomorrow. */
export async function giveKeys(database: MigratedDatabase, ...stores: readonly SignedStore[]): Promise<void> {
  for (const store of stores) await storeKeys(database, store, dayKeys(store, await daysOf(database)));
}

/** Runs statements with triggers and foreign keys off. */
export async function withoutTriggers(database: MigratedDatabase, statements: string): Promise<void> {
  await database.query(`BEGIN; SET LOCAL session_replication_role = replica; ${statements}; COMMIT`);
}

/** The time that is signed into a URL. */
export function signedAt(url: string): Date {
  const stamp = new URL(url).searchParams.get('X-Amz-Date') ?? '';
  return new Date(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** What events of a store have to say, in one statement: uploads, versions and adopted files that they are about get jobs. */
import type { Database, Statement } from './database.ts';

/** How many keys were about what. */
export interface AnnouncedKeys extends Record<string, unknown> {
  readonly arrived: number;
  readonly rechecked: number;
  readonly adopted: number;
  readonly unknown: number;
}

export const bytesAnnounced: Statement = {
  name: 'bytes_announced',
  text: 'SELECT arrived, rechecked, adopted, unknown FROM storage_internal.bytes_announced($1, $2, $3)',
};

/** Says that bytes are under these keys of a store, at most a thousand. Atomic and idempotent. */
export async function announceKeys(
  db: Database,
  { backend, bucket, keys }: { readonly backend: string; readonly bucket: string; readonly keys: readonly string[] },
): Promise<AnnouncedKeys> {
  const [row] = await db.run<AnnouncedKeys>(bytesAnnounced, [backend, bucket, keys]);
  return row ?? { arrived: 0, rechecked: 0, adopted: 0, unknown: 0 };
}

/** What is on which backend, and where buckets put new bytes, for operators. It reads rows and looks into no store. */
import { RowlockError } from '@rowlock/client/contract';
import type { Backends } from '../backend/backends.ts';
import type { Database } from '../metadata/database.ts';
import { backendsCounted, bucketPlace } from '../metadata/placed-buckets.ts';

export interface ListedBackend {
  readonly name: string;
  /** Whether this process has it. */
  readonly is_configured: boolean;
  readonly is_default: boolean;
  /** Stored versions, and their bytes. */
  readonly versions: number;
  readonly bytes: number;
  /** Buckets whose new bytes go there because they say so. */
  readonly buckets: readonly string[];
}

interface Stores {
  readonly db: Database;
  readonly backends: Backends;
}

/** Lists every backend that is configured, that has bytes, or that a bucket names. */
export async function listBackends({ db, backends }: Stores): Promise<readonly ListedBackend[]> {
  const rows = await db.run<{ name: string; versions: string; bytes: string; buckets: readonly string[] }>(
    backendsCounted,
    [],
  );
  const names = [...new Set([...backends.names, ...rows.map(({ name }) => name)])];
  return names.map((name) => {
    const row = rows.find((each) => each.name === name);
    return {
      name,
      is_configured: backends.has(name),
      is_default: backends.default.name === name,
      versions: Number(row?.versions ?? 0),
      bytes: Number(row?.bytes ?? 0),
      buckets: row?.buckets ?? [],
    };
  });
}

/**
 * Says where the new bytes of a bucket go; null for wherever the server puts them. What is there stays where it is. Servers
 * know within a few seconds.
 *
 * @throws RowlockError `bucket_not_found`; `invalid_request` for a backend that this process does not have
 */
export async function placeBucket({ db, backends }: Stores, bucket: string, backend: string | null): Promise<void> {
  if (backend !== null && !backends.has(backend)) {
    throw new RowlockError(
      'invalid_request',
      `There is no backend "${backend}"; there are ${backends.names.join(', ')}`,
    );
  }
  await db.run(bucketPlace, [bucket, backend]);
}

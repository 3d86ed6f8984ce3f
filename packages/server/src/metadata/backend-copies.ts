/**
 * Copies of versions between backends as rows: runs, pages, intents and switches, each one function. Run as the worker's own
 * role, whose rights are these functions. It moves no bytes.
 */
import type { Database, Statement } from './database.ts';

/** A version that is where it should be copied from. */
export interface VersionToCopy {
  readonly id: string;
  readonly key: string;
  /** Bytes, as text: a bigint. */
  readonly size: string;
}

/** What is to be copied, once its intent is written. */
export interface BegunCopy {
  readonly key: string;
  readonly size: string;
  /** Null where nobody has computed it. */
  readonly sha256: Buffer | null;
  /** Where the bytes go on the other backend. */
  readonly target_key: string;
}

export interface CopyRun {
  readonly id: string;
  readonly position: string;
  readonly progress: Readonly<Record<string, number>>;
}

/** A version that was not copied. */
export interface CopyFailure {
  readonly version_id: string;
  readonly key: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

const statement = (name: string, text: string): Statement => ({ name, text });

export const backendCopyBegin: Statement = statement(
  'backend_copy_begin',
  'SELECT id, position, progress FROM storage_internal.backend_copy_begin($1, $2, $3, $4, $5, $6)',
);
export const backendCopyPage: Statement = statement(
  'backend_copy_page',
  'SELECT id, key, size FROM storage_internal.backend_copy_page($1, $2, $3, $4, $5)',
);
export const backendCopyAdvance: Statement = statement(
  'backend_copy_advance',
  'SELECT storage_internal.backend_copy_advance($1, $2, $3, $4, $5, $6)',
);
export const backendCopyFailures: Statement = statement(
  'backend_copy_failures',
  `SELECT version_id, key, reason, detail FROM storage.backend_copy_failures
   WHERE run_id = $1 ORDER BY failed_at, version_id LIMIT $2`,
);
export const backendVersionsLeft: Statement = statement(
  'backend_versions_left',
  `SELECT count(*) AS count FROM storage.versions WHERE backend = $1 AND state = 'stored'`,
);
export const versionCopyBegin: Statement = statement(
  'version_copy_begin',
  `SELECT key, size, sha256, target_key
   FROM storage_internal.version_copy_begin($1, $2, $3, $4, $5, make_interval(secs => $6))`,
);
export const versionCopyCommit: Statement = statement(
  'version_copy_commit',
  'SELECT storage_internal.version_copy_commit($1, $2, $3, $4, $5, make_interval(secs => $6)) AS committed',
);
export const versionCopyAbandon: Statement = statement(
  'version_copy_abandon',
  'SELECT storage_internal.version_copy_abandon($1)',
);

/** Where versions are copied from and to, and which. */
export interface CopyScope {
  readonly source: string;
  readonly target: string;
  /** All where undefined. */
  readonly bucket: string | undefined;
  readonly prefix: string;
}

/** The next versions behind a key, in the order of keys. */
export async function selectVersionsToCopy(
  db: Database,
  { source, bucket, prefix }: CopyScope,
  after: string,
  limit: number,
): Promise<readonly VersionToCopy[]> {
  const values = [source, after, bucket ?? null, prefix, limit];
  return await db.run<VersionToCopy & Record<string, unknown>>(backendCopyPage, values);
}

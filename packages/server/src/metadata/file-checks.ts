/**
 * What looks at bytes after they were committed, as rows: what a check must know, what it found, what is in quarantine and
 * comes out of it. Jobs and operators are the worker's role; what a caller is told of their own file, a caller asks.
 */
import { jsonbText } from '@rowlock/queue';
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';
import { isRefusedValue } from './sql-errors.ts';
import { one } from './upkeep.ts';

export type CheckStatus = 'clean' | 'infected' | 'done' | 'error';

/** A version that somebody is to look at. */
export interface CheckedVersion {
  readonly version_id: string;
  readonly backend: string;
  readonly key: string;
  /** Bytes, as text: a bigint. */
  readonly size: string;
  /** Null for bytes that no server has seen. */
  readonly sha256: Buffer | null;
  readonly etag: string | null;
  readonly content_type: string;
  readonly detected_type: string | null;
  /** Where it is, or was; null where nothing names it any more. */
  readonly bucket_id: string | null;
  readonly name: string | null;
  readonly owner_id: string | null;
  /** How long it has been asked for already, in seconds. */
  readonly waited_seconds: number;
}

/** `kept`: somebody else's word counts. `waits`: it may not be said yet. `gone`: there is no such version any more. */
export type CheckOutcome = 'recorded' | 'released' | 'quarantined' | 'kept' | 'waits' | 'gone';

export interface EndedCheck {
  readonly outcome: CheckOutcome;
  readonly wait_seconds: number | null;
}

export const checkBegin: Statement = {
  name: 'check_begin',
  text: 'SELECT * FROM storage_internal.check_begin($1, $2)',
};
export const checkWaits: Statement = { name: 'check_waits', text: 'SELECT storage_internal.check_waits($1, $2, $3)' };
export const checkEnded: Statement = {
  name: 'check_ended',
  text: 'SELECT outcome, wait_seconds FROM storage_internal.check_ended($1, $2, $3, $4)',
};
export const checksRequeue: Statement = {
  name: 'checks_requeue',
  text: 'SELECT storage_internal.requeue_checks($1) AS requeued',
};
export const quarantineRelease: Statement = {
  name: 'quarantine_release',
  text: 'SELECT storage_internal.quarantine_release($1, $2) AS outcome',
};
export const quarantinePurge: Statement = {
  name: 'quarantine_purge',
  text: 'SELECT storage_internal.quarantine_purge($1, $2) AS names',
};
/** Newest first, one row for each name, without thumbnails. */
export const quarantineList: Statement = {
  name: 'quarantine_list',
  text: `SELECT q.version_id, coalesce(q.quarantine_cause, 'replaced') AS cause, q.quarantine_reason AS reason, q.quarantined_at,
           q.size, q.bucket_id, q.name, q.owner_id
         FROM storage.quarantine AS q
         WHERE q.quarantine_cause IS DISTINCT FROM 'derived' AND ($1::text IS NULL OR coalesce(q.quarantine_cause, 'replaced') = $1)
           AND ($2::text IS NULL OR q.bucket_id = $2)
         ORDER BY q.quarantined_at DESC, q.version_id, q.bucket_id, q.name LIMIT $3`,
};
/** Run as the login role of the API. */
export const keyInQuarantine: Statement = {
  name: 'key_in_quarantine',
  text: 'SELECT storage_internal.key_in_quarantine($1, $2) AS is_kept_back',
};

/** Run as the caller. */
export const whyUnread: Statement = {
  name: 'why_unread',
  text: 'SELECT cause, reason FROM storage.why_unread($1, $2, $3)',
};
/** Run as the caller: no row where the object is hidden or missing, and one without a kind where nothing looked at it. */
export const checkList: Statement = {
  name: 'check_list',
  text: `SELECT o.version_id, c.kind, c.status, c.detail, c.requested_at, c.checked_at
         FROM storage.objects AS o LEFT JOIN storage.version_checks AS c ON c.version_id = o.version_id
         WHERE o.bucket_id = $1 AND o.name = $2 ORDER BY c.kind`,
};

export interface QuarantinedVersion extends Record<string, unknown> {
  readonly version_id: string;
  readonly cause: string;
  readonly reason: string;
  readonly quarantined_at: Date;
  readonly size: string;
  readonly bucket_id: string | null;
  readonly name: string | null;
  readonly owner_id: string | null;
}

/** What was found in an object, as its owner reads it. */
export interface CheckRow {
  readonly version_id: string;
  readonly kind: string | null;
  readonly status: 'pending' | 'released' | CheckStatus;
  readonly detail: unknown;
  readonly requested_at: Date;
  readonly checked_at: Date | null;
}

/** The version, or `undefined` where there is nothing to look at: it is gone, or was looked at. */
export function beginCheck(db: Database, versionId: string, kind: string): Promise<CheckedVersion | undefined> {
  return one<CheckedVersion & Record<string, unknown>>(db, checkBegin, [versionId, kind]);
}

/** Says why nothing was found yet; of any text, since an error of somebody else's wrote it. */
export async function waitCheck(db: Database, versionId: string, kind: string, why: string): Promise<void> {
  await db.run(checkWaits, [versionId, kind, JSON.parse(jsonbText(why.slice(0, whyCharsMax)))]);
}

const whyCharsMax = 500;
const unkeepable = JSON.stringify({ error: 'what was found in it cannot be kept' });

/**
 * Records what was found. Idempotent. A detail that no jsonb holds is kept as far as it can be, or not at all: what follows
 * from the status must not depend on it.
 */
export async function endCheck(
  db: Database,
  versionId: string,
  kind: string,
  found: { readonly status: CheckStatus; readonly detail: unknown },
): Promise<EndedCheck> {
  const record = async (detail: string | null): Promise<EndedCheck> =>
    (await one<EndedCheck & Record<string, unknown>>(db, checkEnded, [versionId, kind, found.status, detail])) ?? {
      outcome: 'gone',
      wait_seconds: null,
    };
  if (found.detail === undefined) return record(null);
  try {
    return await record(jsonbText(found.detail));
  } catch (error) {
    if (!isRefusedValue(error)) throw error;
    return record(unkeepable);
  }
}

/** Why a caller cannot read what they own; `undefined` for everybody else, and where that is not the reason. */
export async function selectWhyUnread(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly version?: string | undefined },
): Promise<{ readonly cause: string; readonly reason: string } | undefined> {
  const scope = { operation: 'storage.object.info', readOnly: true };
  const values = [at.bucket, at.name, at.version ?? null];
  return (await db.asCaller<{ cause: string; reason: string }>(caller, scope, whyUnread, values))[0];
}

/** What was found in an object that the caller sees; `undefined` where they see none. Others' files have no findings. */
export async function selectChecks(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string },
): Promise<readonly CheckRow[] | undefined> {
  const scope = { operation: 'storage.object.info', readOnly: true };
  const rows = await db.asCaller<CheckRow & Record<string, unknown>>(caller, scope, checkList, [at.bucket, at.name]);
  return rows.length === 0 ? undefined : rows.filter(({ kind }) => kind !== null);
}

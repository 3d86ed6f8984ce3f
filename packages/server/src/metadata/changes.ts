/**
 * The change feed as rows: a page of it as a caller sees it, and what the poller of a process asks. It keeps no position;
 * cursors are PostgreSQL's to make and to read.
 */
import type { ChangePage } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

export interface ChangeFilter {
  readonly bucket?: string | undefined;
  /** Paths that begin with it; events of buckets have none. */
  readonly prefix?: string | undefined;
}

export interface ChangePoll {
  /** Where to poll from the next time. */
  readonly head: string;
  /** The cursor of the last change that was found. */
  readonly newest: string | null;
  /** Buckets that have changes; null without any. */
  readonly buckets: readonly string[] | null;
  readonly more: boolean;
  /** Age of the oldest change that nobody can read yet. */
  readonly lag_seconds: number;
  /** Whether SQL listeners have asked to be notified. */
  readonly has_listeners: boolean;
}

export const changesPage: Statement = {
  name: 'changes_page',
  text: 'SELECT storage_internal.changes_as($1, $2, $3, $4, $5, $6) AS page',
};

export const changesPoll: Statement = {
  name: 'changes_poll',
  text: 'SELECT head, newest, buckets, more, lag_seconds, has_listeners FROM storage_internal.changes_poll($1)',
};

export const changesNotify: Statement = {
  name: 'changes_notify',
  text: 'SELECT storage_internal.changes_notify($1) AS notified',
};

/**
 * The next changes behind a cursor that the caller may know of; `rows` of them are looked at. The caller's policies are
 * asked now, each time.
 *
 * @throws RowlockError `cursor_expired`, `invalid_request`, `role_not_allowed`, `not_allowed`, `unavailable`
 */
export async function selectChanges(
  db: Database,
  caller: Caller,
  since: string | undefined,
  { bucket, prefix, rows }: ChangeFilter & { readonly rows: number },
): Promise<ChangePage> {
  const [row] = await db.run<{ page: ChangePage }>(changesPage, [
    caller.role,
    caller.claims,
    since ?? null,
    rows,
    bucket ?? null,
    prefix ?? null,
  ]);
  if (row === undefined) {
    throw new TypeError('a page of changes is one row');
  }
  return row.page;
}

/** What there is to read behind a cursor, for whoever may. @throws RowlockError `cursor_expired`, `unavailable` */
export async function pollChanges(db: Database, since: string | undefined): Promise<ChangePoll> {
  const [row] = await db.run<ChangePoll>(changesPoll, [since ?? null]);
  if (row === undefined) {
    throw new TypeError('a poll of changes is one row');
  }
  return row;
}

/** Tells SQL listeners of changes up to a cursor, once for all processes. */
export async function notifyListeners(db: Database, newest: string): Promise<void> {
  await db.run(changesNotify, [newest]);
}

/**
 * The gateway in the database: sessions, and reading by the keys that applications use. Each is one statement of the API's
 * login role, which becomes the caller inside of it; the session is looked up in the statement that reads. It makes no ids.
 */
import type { Caller } from '../domain/caller.ts';
import type { FileKey } from '../domain/file-key.ts';
import type { Database, Statement } from './database.ts';
import type { ReadableObject } from './objects.ts';

export const keyRead: Statement = {
  name: 'key_read',
  text: 'SELECT * FROM storage_internal.read_key_as($1, $2, $3, $4, $5, $6, $7, $8, $9)',
};

export const sessionBegin: Statement = {
  name: 'session_begin',
  text: 'SELECT storage_internal.begin_session($1, $2, $3, $4, $5) AS expires_at',
};

export const sessionEnd: Statement = { name: 'session_end', text: 'SELECT storage_internal.end_session($1)' };

/** What a key led to. */
export interface KeyedObject extends ReadableObject {
  readonly bucket_id: string;
  readonly name: string;
  /** Whether the object's bucket is public. */
  readonly public: boolean;
}

export interface KeyedRead {
  /** Whether the session that was given lives. */
  readonly in_session: boolean;
  /** Undefined for what is hidden or missing. */
  readonly object: KeyedObject | undefined;
}

/** Who reads: the session's caller where it lives, else `caller`. */
export interface Reader {
  readonly caller: Caller;
  /** The hash of a session's id. */
  readonly session: Buffer | undefined;
  /** The roles that a session may still have. */
  readonly allowed_roles: readonly string[];
}

/** Reads by a key, of the bucket of files when none is named. */
export async function selectByKey(
  db: Database,
  { caller, session, allowed_roles }: Reader,
  at: FileKey & { readonly bucket: string | undefined },
): Promise<KeyedRead> {
  const [row] = await db.run<KeyedObject & { in_session: boolean; object_id: string | null }>(keyRead, [
    session ?? null,
    allowed_roles,
    caller.role,
    caller.claims,
    at.bucket ?? null,
    at.name,
    at.file_id ?? null,
    at.preset ?? null,
    at.version_id ?? null,
  ]);
  if (row === undefined) throw new Error('a read by a key answered no row');
  return { in_session: row.in_session, object: row.object_id === null ? undefined : row };
}

export interface NewSession {
  /** The hash of its id. */
  readonly hash: Buffer;
  /** The hash of the one that it takes the place of. */
  readonly before: Buffer | undefined;
  readonly seconds: number;
}

/** Writes down a session of the caller; answers when it ends. */
export async function insertSession(db: Database, caller: Caller, session: NewSession): Promise<Date> {
  const [row] = await db.run<{ expires_at: Date }>(sessionBegin, [
    caller.role,
    caller.claims,
    session.hash,
    session.before ?? null,
    session.seconds,
  ]);
  if (row === undefined) throw new Error('a session that was begun answered no row');
  return row.expires_at;
}

/** Ends a session; idempotent. */
export async function deleteSession(db: Database, hash: Buffer): Promise<void> {
  await db.run(sessionEnd, [hash]);
}

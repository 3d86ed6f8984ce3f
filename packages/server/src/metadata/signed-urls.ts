/**
 * Signed URLs in the database: what may be signed, what a URL opens, which are counted, and what was revoked. It makes
 * and checks no tokens. Looking for what is to be signed and opening are one statement each, of the API's login role.
 */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';
import type { ReadableObject } from './objects.ts';

export const urlSign: Statement = {
  name: 'url_sign',
  text: 'SELECT * FROM storage_internal.sign_object_as($1, $2, $3, $4, $5, $6, $7, $8, $9)',
};

export const urlSignMany: Statement = {
  name: 'url_sign_many',
  text: 'SELECT * FROM storage_internal.sign_objects_as($1, $2, $3, $4)',
};

export const urlOpen: Statement = {
  name: 'url_open',
  text: 'SELECT * FROM storage_internal.open_signed_object($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
};

export const urlsRevoke: Statement = { name: 'urls_revoke', text: 'SELECT storage.revoke_signed_urls($1, $2)' };

export const objectUrlsRevoke: Statement = {
  name: 'object_urls_revoke',
  text: 'SELECT storage.revoke_object_urls($1, $2, $3) AS found',
};

export const urlList: Statement = {
  name: 'url_list',
  text: `SELECT u.id, u.object_id, u.bucket_id AS bucket, u.name, u.preset, u.uses_max, u.uses_left, u.signed_at,
           u.expires_at, u.last_used_at
         FROM storage.signed_urls AS u
         WHERE u.expires_at > now() AND ($1::text IS NULL OR u.bucket_id = $1) AND ($2::text IS NULL OR u.name = $2)
           AND ($3::text IS NULL OR u.id > $3)
         ORDER BY u.id LIMIT $4`,
};

/** Who signs, and when, as the database says it. */
interface StampRow {
  readonly issuer: string;
  /** Seconds since 1970 with six decimals. */
  readonly signed_at: string;
}

export interface ToSignRow extends StampRow {
  /** Null where it is hidden or missing. */
  readonly object_id: string | null;
  readonly variant_status: string | null;
}

/** How a URL is kept in the database, where it is. */
export interface UrlRegistration {
  /** The second half of its id. */
  readonly unique: string;
  /** How often it may be used; counted no further when undefined. */
  readonly usesMax: number | undefined;
  readonly expirySeconds: number;
}

/** Finds what the caller may sign, and registers the URL where that is wanted. */
export async function selectToSign(
  db: Database,
  caller: Caller,
  at: {
    readonly bucket: string;
    readonly name: string;
    readonly preset: string | undefined;
    readonly version_id: string | undefined;
  },
  kept: UrlRegistration | undefined,
): Promise<ToSignRow> {
  const rows = await db.run<ToSignRow & Record<string, unknown>>(urlSign, [
    caller.role,
    caller.claims,
    at.bucket,
    at.name,
    at.preset ?? null,
    at.version_id ?? null,
    kept?.unique ?? null,
    kept?.usesMax ?? null,
    kept?.expirySeconds ?? null,
  ]);
  return only(rows);
}

const idCharacters = 36;

/** The ids of exact names in their order; undefined for each that is hidden or missing. One statement for all of them. */
export async function selectAllToSign(
  db: Database,
  caller: Caller,
  bucket: string,
  names: readonly string[],
): Promise<StampRow & { readonly objectIds: readonly (string | undefined)[] }> {
  const rows = await db.run<StampRow & { object_ids: string }>(urlSignMany, [
    caller.role,
    caller.claims,
    bucket,
    names,
  ]);
  const { object_ids, issuer, signed_at } = only(rows);
  const objectIds = names.map((_, place) => {
    const id = object_ids.slice(place * idCharacters, (place + 1) * idCharacters);
    return id.startsWith('-') ? undefined : id;
  });
  return { issuer, signed_at, objectIds };
}

/** What opening does to the count of uses: take one, ask that one is left, or nothing. */
export type UrlUse = 'take' | 'look' | null;

/** A verified URL, as far as the database is asked about it. */
export interface UrlToOpen {
  readonly bucket: string;
  readonly name: string;
  readonly object_id: string;
  readonly id: string;
  readonly signed_at: number;
  readonly preset?: string | undefined;
  readonly version_id?: string | undefined;
  readonly content_type?: string | undefined;
  readonly size_max?: number | undefined;
  readonly sha256?: string | undefined;
}

/**
 * What a verified signed URL opens; undefined where it is not there any more.
 *
 * @throws RowlockError `url_revoked`, `url_used_up`, `precondition_failed`; a use that is refused is not counted
 */
export async function openSignedObject(db: Database, url: UrlToOpen, use: UrlUse): Promise<ReadableObject | undefined> {
  const rows = await db.run<ReadableObject & Record<string, unknown>>(urlOpen, [
    url.bucket,
    url.name,
    url.object_id,
    url.preset ?? null,
    url.id,
    url.signed_at,
    url.version_id ?? null,
    url.content_type ?? null,
    url.size_max ?? null,
    url.sha256 ?? null,
    use,
  ]);
  const row = only(rows);
  // A function with OUT parameters answers one row always.
  return (row.object_id as string | null) === null ? undefined : row;
}

/** What is revoked: one URL, all of an object, of an issuer (the caller where no value is given), or all there are. */
export interface Revocation {
  readonly scope: 'id' | 'object' | 'issuer' | 'all';
  readonly value: string | undefined;
}

/** Revokes as the caller. @throws RowlockError `not_allowed` where it is not the caller's to revoke */
export async function insertRevocation(db: Database, caller: Caller, { scope, value }: Revocation): Promise<void> {
  await db.asCaller(caller, { operation: 'storage.object.revoke' }, urlsRevoke, [scope, value ?? null]);
}

/** Revokes every URL of an object, or one of them; false where the object is hidden or missing. @throws RowlockError `not_allowed` */
export async function insertObjectRevocation(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly id: string | undefined },
): Promise<boolean> {
  const rows = await db.asCaller<{ found: boolean }>(caller, { operation: 'storage.object.revoke' }, objectUrlsRevoke, [
    at.bucket,
    at.name,
    at.id ?? null,
  ]);
  return rows[0]?.found === true;
}

/** A signed URL that is counted or kept on the list. */
export interface SignedUrlRow {
  readonly id: string;
  readonly object_id: string;
  readonly bucket: string;
  readonly name: string;
  readonly preset: string | null;
  readonly uses_max: number | null;
  readonly uses_left: number | null;
  readonly signed_at: Date;
  readonly expires_at: Date;
  readonly last_used_at: Date | null;
}

/** The live URLs that the caller may see, by id. */
export function selectSignedUrls(
  db: Database,
  caller: Caller,
  query: {
    readonly bucket: string | undefined;
    readonly name: string | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly SignedUrlRow[]> {
  return db.asCaller<SignedUrlRow & Record<string, unknown>>(
    caller,
    { operation: 'storage.object.list_signed', readOnly: true },
    urlList,
    [query.bucket ?? null, query.name ?? null, query.after ?? null, query.limit],
  );
}

function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('a function with OUT parameters answered no row');
  return row;
}

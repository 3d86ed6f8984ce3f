/**
 * Sign URLs for objects that the caller may read: whoever holds one may read the object until it expires or is revoked.
 * The right is asked of the policies once, in one statement, however many objects there are; opening asks it no more.
 */
import { RowlockError } from '@rowlock/client/contract';
import { randomTexts } from '../auth/random-texts.ts';
import { assertExpiry, expiryOf, type SignedUrlTerms } from '../auth/signed-url.ts';
import { assertAddressRanges } from '../domain/address-ranges.ts';
import type { Caller } from '../domain/caller.ts';
import { normaliseMediaType } from '../domain/media-type.ts';
import { normaliseObjectName } from '../domain/names.ts';
import type { Transform } from '../domain/transform.ts';
import { selectAllToSign, selectToSign } from '../metadata/signed-urls.ts';
import type { OperationContext } from './context.ts';
import { missingObject } from './refusals.ts';

export interface SignedObject {
  /** Of this URL; revokes it, and is part of its token. */
  readonly id: string;
  readonly token: string;
  readonly name: string;
  readonly expires_at: Date;
}

/** How URLs are bound; each is optional but the method. */
export interface SignTerms extends Omit<SignedUrlTerms, 'preset' | 'transform' | 'version_id' | 'counted'> {
  readonly expirySeconds: number;
}

export interface SignRequest extends SignTerms {
  readonly bucket: string;
  readonly name: string;
  readonly preset?: string | undefined;
  /** The form that it is shown in; exactly this, and not in steps. */
  readonly transform?: Transform | undefined;
  /** A version of the object, the current one or one that history keeps; whatever is current when undefined. */
  readonly version_id?: string | undefined;
  /** How often it may be opened; each GET counts. */
  readonly usesMax?: number | undefined;
  /** Keep it on the list of live URLs, counted or not. */
  readonly register?: boolean | undefined;
}

/** Most names of one batch. */
export const signNamesMax = 1000;

/**
 * Signs for one object, for one variant of it, or for one form of it.
 *
 * @throws RowlockError `invalid_expiry`, `invalid_request`, `object_not_found`, `bucket_not_found`, `auth_required`,
 *   `variant_not_found`
 */
export async function signObject(
  context: OperationContext,
  caller: Caller,
  request: SignRequest,
): Promise<SignedObject> {
  const terms = checked(request);
  const name = normaliseObjectName(request.name);
  const { bucket, preset, transform, version_id, usesMax, expirySeconds } = request;
  const isKept = usesMax !== undefined || request.register === true;
  const unique = randomTexts.next();
  const kept = isKept ? { unique, usesMax, expirySeconds } : undefined;
  const row = await selectToSign(context.db, caller, { bucket, name, preset, version_id }, kept);
  const { object_id } = row;
  if (object_id === null) {
    throw await missingObject(context, caller, bucket);
  }
  if (preset !== undefined && row.variant_status === null) {
    throw new RowlockError('variant_not_found', 'There is no such variant');
  }
  const stamp = { issuer: row.issuer, signed_at: row.signed_at, expirySeconds };
  const counted = usesMax === undefined ? undefined : true;
  const sign = context.urls.signing(bucket, { ...terms, preset, transform, version_id, counted }, stamp);
  const { id, token } = sign({ name, object_id }, unique);
  return { id, token, name, expires_at: new Date(expiryOf(stamp) * 1000) };
}

/**
 * Signs for many objects of a bucket at once, in the order of their names. Each is the token, or undefined where the
 * object is hidden, missing or cannot be: nobody can tell which.
 *
 * @throws RowlockError `invalid_expiry`, `invalid_request`; `bucket_not_found` or `auth_required` where nothing at all is
 *   to be seen
 */
export async function signObjects(
  context: OperationContext,
  caller: Caller,
  request: SignTerms & { readonly bucket: string; readonly names: readonly string[] },
): Promise<readonly (SignedObject | undefined)[]> {
  const terms = checked(request);
  const { bucket, expirySeconds } = request;
  if (request.names.length > signNamesMax) {
    throw new RowlockError('invalid_request', `At most ${signNamesMax} names are signed at once`);
  }
  const names = request.names.map(nameOrNone);
  const { objectIds, ...found } = await selectAllToSign(context.db, caller, bucket, names);
  if (objectIds.every((id) => id === undefined)) {
    const missing = await missingObject(context, caller, bucket);
    if (missing.reason !== 'object_not_found') throw missing;
  }
  const stamp = { issuer: found.issuer, signed_at: found.signed_at, expirySeconds };
  const expires_at = new Date(expiryOf(stamp) * 1000);
  const sign = context.urls.signing(bucket, terms, stamp);
  return objectIds.map((object_id, place) => {
    const name = names[place] ?? '';
    if (object_id === undefined) return undefined;
    const { id, token } = sign({ name, object_id });
    return { id, token, name, expires_at };
  });
}

/** The terms as they are signed. @throws RowlockError `invalid_expiry`, `invalid_request`, `media_type_not_allowed` */
function checked(terms: SignTerms): SignedUrlTerms {
  assertExpiry(terms.expirySeconds);
  if (terms.addresses !== undefined) assertAddressRanges(terms.addresses);
  const { method, download, size_max, addresses } = terms;
  return {
    method,
    download: typeof download === 'string' ? download.toWellFormed() : download,
    size_max,
    addresses,
    content_type: normaliseMediaType(terms.content_type),
    sha256: terms.sha256?.toLowerCase(),
  };
}

/** A name as it is looked for; the empty one, which no object has, for what is none. */
function nameOrNone(name: string): string {
  try {
    return normaliseObjectName(name);
  } catch (error) {
    if (error instanceof RowlockError) return '';
    throw error;
  }
}

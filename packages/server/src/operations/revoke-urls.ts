/**
 * Revoke signed URLs: one, those of an object, of an issuer, or all; and list those that are counted or kept. Whose they
 * are to revoke or see, policies say. A revocation holds for every request that begins after it was answered.
 */
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import {
  insertObjectRevocation,
  insertRevocation,
  type Revocation,
  type SignedUrlRow,
  selectSignedUrls,
} from '../metadata/signed-urls.ts';
import type { OperationContext } from './context.ts';
import { forbidden, missingObject, refusalFor } from './refusals.ts';

/**
 * Revokes by id, object id, issuer (the caller's own URLs where no value is given) or everything.
 *
 * @throws RowlockError `not_allowed`, `auth_required`, `invalid_request`
 */
export async function revokeUrls(context: OperationContext, caller: Caller, revocation: Revocation): Promise<void> {
  if (caller.anonymous) {
    throw forbidden(caller);
  }
  try {
    await insertRevocation(context.db, caller, revocation);
  } catch (error) {
    throw refusalFor(caller, error);
  }
}

/**
 * Revokes every URL of an object, or the one with an id.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `auth_required`; `not_allowed` for who may read the object
 *   and neither owns it or its bucket nor signed that URL
 */
export async function revokeObjectUrls(
  context: OperationContext,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly id: string | undefined },
): Promise<void> {
  const name = normaliseObjectName(at.name);
  try {
    if (await insertObjectRevocation(context.db, caller, { ...at, name })) return;
  } catch (error) {
    throw refusalFor(caller, error);
  }
  throw await missingObject(context, caller, at.bucket);
}

/** Most URLs of one page. */
export const signedUrlsPageMax = 1000;

/** Live URLs that the caller signed or whose object is theirs, by id; the next page begins after the last id. */
export async function listSignedUrls(
  context: OperationContext,
  caller: Caller,
  query: {
    readonly bucket: string | undefined;
    readonly name: string | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly SignedUrlRow[]> {
  if (caller.anonymous) {
    throw forbidden(caller);
  }
  return selectSignedUrls(context.db, caller, query);
}

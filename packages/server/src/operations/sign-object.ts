/** Sign a URL for an object that the caller may read: whoever holds the URL may read it until it expires. */
import { RowlockError } from '@rowlock/client/contract';
import { assertExpiry } from '../auth/signed-url.ts';
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import type { OperationContext } from './context.ts';
import { findObject } from './read-object.ts';

export interface SignedObject {
  readonly token: string;
  readonly name: string;
  readonly expires_at: Date;
}

/**
 * Signs for one object, or for one variant of it.
 *
 * @throws RowlockError `invalid_expiry`, `object_not_found`, `bucket_not_found`, `auth_required`, `variant_not_found`
 */
export async function signObject(
  context: OperationContext,
  caller: Caller,
  request: {
    readonly bucket: string;
    readonly name: string;
    readonly preset?: string | undefined;
    readonly expirySeconds: number;
  },
): Promise<SignedObject> {
  assertExpiry(request.expirySeconds);
  const name = normaliseObjectName(request.name);
  const { bucket, preset } = request;
  const object = await findObject(context, caller, { bucket, name, preset, operation: 'storage.object.sign' });
  if (preset !== undefined && object.variant_status === null) {
    throw new RowlockError('variant_not_found', 'There is no such variant');
  }
  const expires_at = new Date(Math.floor(Date.now() / 1000 + request.expirySeconds) * 1000);
  const token = await context.urls.sign({ bucket, name, object_id: object.object_id, preset }, expires_at);
  return { token, name, expires_at };
}

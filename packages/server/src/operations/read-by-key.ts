/**
 * Read what a deployed application calls by a key of its store: an object, a file or a thumbnail, as the caller of a token
 * or of a session. Hidden and missing are one answer, and whoever has neither token nor session is told to bring one.
 */
import { RowlockError } from '@rowlock/client/contract';
import { hashOfSessionId } from '../auth/session-id.ts';
import type { Caller } from '../domain/caller.ts';
import { parseFileKey } from '../domain/file-key.ts';
import { selectByKey } from '../metadata/gateway.ts';
import type { OperationContext } from './context.ts';
import { type Found, type OpenedObject, opened } from './read-object.ts';

export interface KeyRequest {
  /** Of our buckets; the one of files when undefined. */
  readonly bucket: string | undefined;
  readonly key: string;
  /** What the browser holds; where it lives, its caller reads and not the one that is given. */
  readonly session: string | undefined;
  /** The roles that a session may still have. */
  readonly allowed_roles: readonly string[];
}

/**
 * Finds what a key names. Asks the primary: a session that was ended is over at once.
 *
 * @throws RowlockError `object_not_found`, `variant_not_found`, `invalid_name`, `auth_required`
 */
export async function readByKey(context: OperationContext, caller: Caller, request: KeyRequest): Promise<OpenedObject> {
  const at = { ...parseFileKey(request.key), bucket: request.bucket };
  const session = request.session === undefined ? undefined : hashOfSessionId(request.session);
  const reader = { caller, session, allowed_roles: request.allowed_roles };
  const look = async (): Promise<Found> => {
    const { in_session, object } = await selectByKey(context.db, reader, at);
    if (object !== undefined) {
      return { bucket: object.bucket_id, name: object.name, row: object, public: object.public };
    }
    throw caller.anonymous && !in_session
      ? new RowlockError('auth_required', 'Sign in first: POST /session with a token')
      : new RowlockError('object_not_found', 'Object not found');
  };
  return opened(context, await look(), look);
}

/**
 * Explains the access of any caller to one object, for the service role: what they may do, and what every policy says.
 * PostgreSQL does what it would do for them and takes it back; here only the question is checked.
 */
import { type AccessExplanation, type PolicyText, RowlockError } from '@rowlock/client/contract';
import { assertPlainClaims } from '../auth/plain-claims.ts';
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { selectAccess, selectPolicyTexts } from '../metadata/explain-access.ts';
import type { OperationContext } from './context.ts';
import { refusalFor } from './refusals.ts';

export interface AccessAsked {
  readonly role: string;
  /** The `sub` of their token; what the claims say when undefined. */
  readonly subject?: string | undefined;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  readonly bucket: string;
  readonly name: string;
}

/** Claims are as long as tokens may be at most. */
const claimsBytesMax = 12_288;

/**
 * Explains what a caller of a role, with these claims, may do with one object. Writes nothing that stays.
 *
 * @throws RowlockError `not_allowed` for all but the service role, `bucket_not_found`, `invalid_name`,
 *   `invalid_request` for a role outside of `allowedRoles` and for claims that no token could have
 */
export async function explainAccess(
  context: Pick<OperationContext, 'db'>,
  asker: Caller,
  asked: AccessAsked,
  allowedRoles: readonly string[],
): Promise<AccessExplanation> {
  const { role, subject, claims = {}, bucket } = asked;
  if (!allowedRoles.includes(role)) {
    throw new RowlockError('invalid_request', `No caller has that role; they have one of: ${allowedRoles.join(', ')}`);
  }
  const text = JSON.stringify({ ...claims, ...(subject === undefined ? {} : { sub: subject }) });
  assertClaims(text);
  const question = { role, claims: text, bucket, name: normaliseObjectName(asked.name) };
  return selectAccess(context.db, asker, question).catch((error: unknown) => {
    throw refusalFor(asker, error);
  });
}

/** @throws RowlockError `invalid_request` */
function assertClaims(text: string): void {
  if (Buffer.byteLength(text) > claimsBytesMax) {
    throw new RowlockError('invalid_request', `Claims have at most ${claimsBytesMax} bytes`);
  }
  try {
    assertPlainClaims(text);
  } catch (cause) {
    throw cause instanceof RowlockError ? new RowlockError('invalid_request', cause.message, { cause }) : cause;
  }
}

/** The policies of our tables, each as the SQL that makes it. @throws RowlockError `not_allowed` for all but the service role */
export function listPolicies(context: Pick<OperationContext, 'db'>, asker: Caller): Promise<readonly PolicyText[]> {
  return selectPolicyTexts(context.db, asker).catch((error: unknown) => {
    throw refusalFor(asker, error);
  });
}

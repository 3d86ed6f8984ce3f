/**
 * From an `Authorization` header to a verified caller. The only place that makes callers; what they may do is for the
 * database's policies to say.
 */
import { RowlockError } from '@rowlock/client/contract';
import { type Caller, type RequestOrigin, takeCallerMint } from '../domain/caller.ts';
import { type AccessRules, claimAt } from './access-rules.ts';
import type { TokenVerifier } from './token-verifier.ts';

const makeCaller = takeCallerMint();

/**
 * Turns an `Authorization` header into a caller. Without one the caller is anonymous. `origin` is where the request came
 * from, for the audit log; no policy sees it.
 *
 * @throws RowlockError `invalid_token` for what is not a valid bearer token, `role_not_allowed` for a valid one whose
 *   role is outside the allow-list
 */
export async function authenticate(
  header: string | undefined,
  verifier: TokenVerifier,
  rules: AccessRules,
  origin?: RequestOrigin,
): Promise<Caller> {
  if (header === undefined || header === '') {
    const role = rules.anonymous_role;
    return makeCaller({ role, claims: JSON.stringify({ role }), anonymous: true, subject: undefined, origin });
  }
  const token = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined) {
    throw new RowlockError('invalid_token', 'Authorization must be "Bearer <token>"');
  }
  const claims = await verifier.verify(token);
  const role = roleOf(claims, rules);
  return makeCaller({
    role,
    claims: JSON.stringify({ ...claims, role }),
    anonymous: role === rules.anonymous_role,
    subject: subjectOf(claims),
    origin,
  });
}

/** What the shipped `storage.caller_id()` answers. */
function subjectOf(claims: Readonly<Record<string, unknown>>): string | undefined {
  const subject = claimAt(claims, ['sub']) ?? claimAt(claims, ['user', 'user_id']);
  return typeof subject === 'string' || typeof subject === 'number' ? String(subject) : undefined;
}

function roleOf(claims: Readonly<Record<string, unknown>>, rules: AccessRules): string {
  const claimed = claimAt(claims, rules.role_claim);
  if (claimed === undefined || claimed === null) {
    return rules.default_role;
  }
  if (typeof claimed !== 'string' || !rules.allowed_roles.includes(claimed)) {
    throw new RowlockError('role_not_allowed', 'The token names a role that is not allowed here');
  }
  return claimed;
}

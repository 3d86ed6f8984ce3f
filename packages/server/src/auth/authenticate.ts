/**
 * From an `Authorization` header to a verified caller. The only place that makes callers; what they may do is for the
 * database's policies to say.
 */
import { RowlockError } from '@rowlock/client/contract';
import { type Caller, takeCallerMint } from '../domain/caller.ts';
import { type AccessRules, claimAt } from './access-rules.ts';
import type { TokenVerifier } from './token-verifier.ts';

const makeCaller = takeCallerMint();

/**
 * Turns an `Authorization` header into a caller. Without one the caller is anonymous.
 *
 * @throws RowlockError `invalid_token` for what is not a valid bearer token, `role_not_allowed` for a valid one whose
 *   role is outside the allow-list
 */
export async function authenticate(
  header: string | undefined,
  verifier: TokenVerifier,
  rules: AccessRules,
): Promise<Caller> {
  if (header === undefined || header === '') {
    return makeCaller(rules.anonymous_role, JSON.stringify({ role: rules.anonymous_role }), true);
  }
  const token = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined) {
    throw new RowlockError('invalid_token', 'Authorization must be "Bearer <token>"');
  }
  const claims = await verifier.verify(token);
  const role = roleOf(claims, rules);
  return makeCaller(role, JSON.stringify({ ...claims, role }), role === rules.anonymous_role);
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

/** Says who a verified caller is, so that a page need not guess from a token what is the caller's. */
import type { CallerFacts } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { selectPolicies } from '../metadata/policies.ts';
import type { OperationContext } from './context.ts';

/** The last moment that a `Date` can say; a token that ends later does not end. */
const secondsMax = 8.64e12;

/** Tells a caller who they are. Whether their role is the service's, the database says: its name is configuration. */
export async function showCaller(context: Pick<OperationContext, 'db'>, caller: Caller): Promise<CallerFacts> {
  const { exp } = JSON.parse(caller.claims) as { readonly exp?: unknown };
  const [asked] = await selectPolicies(context.db, caller.role, 'objects', ['read']);
  return {
    role: caller.role,
    subject: caller.subject ?? null,
    is_service: asked?.asked_by_service ?? false,
    expires_at: typeof exp === 'number' && exp <= secondsMax ? new Date(exp * 1000).toISOString() : null,
  };
}

/** Questions of access as calls of a client: who one is, what another may do, which links live. For the service role, but the first. */
import type { StorageClient } from './client.ts';
import type { AccessExplanation, CallerFacts, PolicyText } from './contract/access.ts';
import { queryOf } from './filled.ts';

/** A link that is counted or kept on the list. */
export interface LiveLink {
  readonly id: string;
  readonly object_id: string;
  readonly bucket: string;
  readonly name: string;
  readonly preset: string | null;
  readonly uses_max: number | null;
  readonly uses_left: number | null;
  readonly signed_at: string;
  readonly expires_at: string;
}

/** Whose access to what is asked about. `subject` is the `sub` of their token. */
export interface AccessQuestion {
  readonly role: string;
  readonly subject?: string | undefined;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  readonly bucket: string;
  readonly name: string;
}

/** Says who the service takes this client for. */
export function whoIs(client: StorageClient): Promise<CallerFacts> {
  return client.ask({ method: 'GET', path: '/storage/v1/caller' });
}

/** Explains what a caller may do with an object. @throws RowlockError `not_allowed`, `bucket_not_found`, `invalid_request` */
export function explainAccess(client: StorageClient, question: AccessQuestion): Promise<AccessExplanation> {
  return client.ask({ method: 'POST', path: '/storage/v1/access/explain', json: question });
}

/** Lists the policies as SQL, and the roles that callers may have. @throws RowlockError `not_allowed` */
export function listPolicies(
  client: StorageClient,
): Promise<{ readonly roles: readonly string[]; readonly policies: readonly PolicyText[] }> {
  return client.ask({ method: 'GET', path: '/storage/v1/access/policies' });
}

/** Lists live links, at most a hundred behind the id `after`. */
export function listLinks(client: StorageClient, after?: string): Promise<readonly LiveLink[]> {
  return client.ask({ method: 'GET', path: `/storage/v1/signed-urls${queryOf({ after })}` });
}

/** Ends a link for whoever holds it. */
export async function revokeLink(client: StorageClient, id: string): Promise<void> {
  await client.send({ method: 'POST', path: '/storage/v1/signed-urls/revoke', json: { id } });
}

/** What another caller may do, and what each policy says of it, asked of the database as the service role. It decides nothing. */
import type { AccessExplanation, PolicyText } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

export const accessExplain: Statement = {
  name: 'access_explain',
  text: 'SELECT storage.explain_access($1, $2::jsonb, $3, $4) AS explanation',
};

export const policyList: Statement = {
  name: 'policy_list',
  text: `SELECT table_name AS "table", name, command, permissive, roles, definition FROM storage.list_policies()`,
};

/** Whom and what is asked about. Claims are JSON text of an object. */
export interface AccessQuestion {
  readonly role: string;
  readonly claims: string;
  readonly bucket: string;
  readonly name: string;
}

/** Tries everything as the caller that the question names, and undoes it. @throws RowlockError `not_allowed`, `bucket_not_found` */
export async function selectAccess(db: Database, asker: Caller, question: AccessQuestion): Promise<AccessExplanation> {
  const { role, claims, bucket, name } = question;
  const scope = { operation: 'storage.access.explain' };
  const rows = await db.asCaller<{ explanation: AccessExplanation }>(asker, scope, accessExplain, [
    role,
    claims,
    bucket,
    name,
  ]);
  return (rows[0] as { explanation: AccessExplanation }).explanation;
}

/** The policies of our tables as SQL, for the service role. @throws RowlockError `not_allowed` */
export function selectPolicyTexts(db: Database, asker: Caller): Promise<readonly PolicyText[]> {
  const scope = { operation: 'storage.access.policies', readOnly: true };
  return db.asCaller<PolicyText & Record<string, unknown>>(asker, scope, policyList, []);
}

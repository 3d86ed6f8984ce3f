/** Policies of the database's own catalog: which of them a command of a role asks. It changes none and reads no row. */
import type { Database, Statement } from './database.ts';

/** What can be tried with rows. */
export type TriedAction = 'read' | 'create' | 'change' | 'delete';

type SqlCommand = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

const commands: Readonly<Record<TriedAction, SqlCommand>> = {
  read: 'SELECT',
  create: 'INSERT',
  change: 'UPDATE',
  delete: 'DELETE',
};

/** What PostgreSQL asks before a role's command does something to a row. */
export interface PoliciesAsked {
  readonly command: SqlCommand;
  /** Whether the role has the privilege that comes before policies. */
  readonly may_at_all: boolean;
  /** One of them must say yes. */
  readonly policies: readonly string[];
  /** All of them must. */
  readonly restrictive: readonly string[];
  readonly asked_by_service: boolean;
}

export const policiesAsked: Statement = {
  name: 'policies_asked',
  text: 'SELECT * FROM storage_internal.policies_asked($1, $2, $3)',
};

/** Policies of a table in the schema `storage` by command. Empty for a role or table that is not there. */
export function selectPolicies(
  db: Database,
  role: string,
  table: string,
  actions: readonly TriedAction[],
): Promise<readonly PoliciesAsked[]> {
  return db.run<PoliciesAsked & Record<string, unknown>>(policiesAsked, [
    role,
    table,
    actions.map((action) => commands[action]),
  ]);
}

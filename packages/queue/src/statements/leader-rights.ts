/**
 * Which rights the current role lacks for what a leader owes to the fleet. It reads catalogs only. A table that is not
 * there counts as one on which every right is missing.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

/** An index belongs to the owner of its table; from PostgreSQL 17 on the right to reindex can also be granted. */
const statement = defineStatement(
  'leader_rights_missing',
  () => `
    WITH needed (table_name, privilege) AS (
      SELECT table_name, privilege
      FROM unnest(ARRAY['river_job', 'river_leader', 'river_queue']) AS table_name,
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
      UNION ALL
      SELECT 'river_job', 'MAINTAIN' WHERE $2::boolean
    ),
    judged AS (
      SELECT needed.table_name, needed.privilege, CASE
        WHEN relation.oid IS NULL THEN false
        WHEN needed.privilege <> 'MAINTAIN' THEN has_table_privilege(relation.oid, needed.privilege)
        WHEN pg_has_role(relation.relowner, 'USAGE') THEN true
        WHEN current_setting('server_version_num')::integer < 170000 THEN false
        ELSE has_table_privilege(relation.oid, needed.privilege) END AS is_given
      FROM needed
      LEFT JOIN pg_class AS relation
        ON relation.relname = needed.table_name
        AND relation.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
    )
    SELECT privilege || ' on ' || table_name AS missing FROM judged WHERE NOT is_given
    ORDER BY table_name, privilege`,
);

/** Returns the missing rights, such as `DELETE on river_leader`; `MAINTAIN` is asked for where there is to reindex. */
export async function leaderRightsMissing(
  on: Queryable,
  schema: SchemaName,
  { reindex }: { readonly reindex: boolean },
): Promise<readonly string[]> {
  const { rows } = await run<'missing'>(on, statement(schema), [schema.name, reindex]);
  return rows.map((row) => text(row, 'missing'));
}

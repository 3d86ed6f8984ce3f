/**
 * Facts about a database that operators ask for: who we are there, what is installed, whether clocks agree. It only
 * reads, and works on a database that was never migrated.
 */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

export interface DatabaseFacts {
  /** Such as 180004. */
  readonly server_version_num: number;
  readonly server_version: string;
  readonly role: string;
  readonly is_superuser: boolean;
  readonly bypasses_rls: boolean;
  /** Whether the role may act as the owner of our tables, whom row-level security does not bind either. */
  readonly is_owner: boolean;
  /** Tables of ours that an application role may use and that have no row-level security: it was turned off. */
  readonly tables_without_rls: readonly string[];
  /** Of the application roles: those that this role cannot become, or that are not there. */
  readonly roles_missing: readonly string[];
  /** Of the application roles: superusers and owners of our tables. */
  readonly roles_unbound: readonly string[];
  /** Database clock minus ours, in seconds. */
  readonly clock_skew_seconds: number;
  /** Whether the schema was ever created. */
  readonly is_migrated: boolean;
  /** Steps of this version that were not applied; empty where the role may not look. */
  readonly missing_steps: readonly string[];
  /** Versions in quarantine, but for what waits for its scan; 0 where the role may not look. */
  readonly quarantined: number;
}

/** $1: the application roles. Written for roles and schemas that may not be there yet. */
const facts = `WITH application AS (
    SELECT r.oid, name, coalesce(pg_has_role(current_user, r.oid, 'MEMBER'), false) AS is_ours,
      coalesce(r.rolsuper OR pg_has_role(r.oid, o.oid, 'MEMBER'), false) AS is_unbound
    FROM unnest($1::text[]) AS name LEFT JOIN pg_roles AS r ON r.rolname = name
      LEFT JOIN pg_roles AS o ON o.rolname = 'rowlock_owner'
  ), open_tables AS (
    SELECT c.oid::regclass::text AS name FROM pg_class AS c JOIN pg_roles AS o ON o.oid = c.relowner
    WHERE o.rolname = 'rowlock_owner' AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND EXISTS (
      SELECT FROM application AS a WHERE has_any_column_privilege(a.oid, c.oid, 'SELECT, INSERT, UPDATE')
        OR has_table_privilege(a.oid, c.oid, 'DELETE'))
  )
  SELECT current_setting('server_version_num')::int AS server_version_num, current_setting('server_version') AS server_version,
  current_user::text AS role, r.rolsuper AS is_superuser, r.rolbypassrls AS bypasses_rls,
  coalesce(pg_has_role(r.oid, (SELECT oid FROM pg_roles WHERE rolname = 'rowlock_owner'), 'MEMBER'), false) AS is_owner,
  ARRAY(SELECT name FROM open_tables ORDER BY name) AS tables_without_rls,
  ARRAY(SELECT name FROM application WHERE NOT is_ours) AS roles_missing,
  ARRAY(SELECT name FROM application WHERE is_unbound) AS roles_unbound,
  extract(epoch FROM clock_timestamp())::float8 AS clock, m.oid IS NOT NULL AS is_migrated,
  coalesce(has_schema_privilege(m.relnamespace, 'USAGE') AND has_table_privilege(m.oid, 'SELECT'), false) AS may_look
  FROM pg_roles AS r LEFT JOIN (
    SELECT c.oid, c.relnamespace FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'storage' AND c.relname = 'migrations'
  ) AS m ON true
  WHERE r.rolname = current_user`;

/** The steps of this version: migrations and policies. */
export async function knownSteps(): Promise<readonly string[]> {
  const folders = ['migrations', 'policies'];
  const names = await Promise.all(
    folders.map(async (folder) => {
      const files = await readdir(fileURLToPath(new URL(`../../sql/${folder}/`, import.meta.url)));
      return files.filter((file) => file.endsWith('.sql')).map((file) => `${folder}/${file.slice(0, -'.sql'.length)}`);
    }),
  );
  return names.flat().sort();
}

/** Connects once and looks; `roles` are those that callers become. @throws the driver's error where the database cannot be reached */
export async function inspectDatabase(url: string, roles: readonly string[] = []): Promise<DatabaseFacts> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'rowlock doctor',
    connectionTimeoutMillis: 5000,
  });
  await client.connect();
  try {
    const { rows } = await client.query(facts, [roles]);
    const { clock, may_look, ...row } = rows[0];
    const applied = may_look
      ? (await client.query<{ name: string }>('SELECT name FROM storage.migrations')).rows.map(({ name }) => name)
      : undefined;
    const missing = applied === undefined ? [] : (await knownSteps()).filter((step) => !applied.includes(step));
    const isWhole = applied !== undefined && missing.length === 0;
    const health = isWhole ? await client.query('SELECT quarantined FROM storage_internal.health()') : undefined;
    return {
      ...row,
      clock_skew_seconds: clock - Date.now() / 1000,
      missing_steps: missing,
      quarantined: Number(health?.rows[0]?.quarantined ?? 0),
    };
  } finally {
    await client.end();
  }
}

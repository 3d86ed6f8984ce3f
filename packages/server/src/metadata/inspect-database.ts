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
  /** Database clock minus ours, in seconds. */
  readonly clock_skew_seconds: number;
  /** Whether the schema was ever created. */
  readonly is_migrated: boolean;
  /** Steps of this version that were not applied; empty where the role may not look. */
  readonly missing_steps: readonly string[];
}

const facts = `SELECT current_setting('server_version_num')::int AS server_version_num, current_setting('server_version') AS server_version,
  current_user::text AS role, r.rolsuper AS is_superuser, r.rolbypassrls AS bypasses_rls,
  extract(epoch FROM clock_timestamp())::float8 AS clock, to_regclass('storage.migrations') IS NOT NULL AS is_migrated,
  coalesce(has_table_privilege(to_regclass('storage.migrations'), 'SELECT'), false) AS may_look
  FROM pg_roles AS r WHERE r.rolname = current_user`;

async function steps(): Promise<readonly string[]> {
  const folders = ['migrations', 'policies'];
  const names = await Promise.all(
    folders.map(async (folder) => {
      const files = await readdir(fileURLToPath(new URL(`../../sql/${folder}/`, import.meta.url)));
      return files.filter((file) => file.endsWith('.sql')).map((file) => `${folder}/${file.slice(0, -'.sql'.length)}`);
    }),
  );
  return names.flat().sort();
}

/** Connects once and looks. @throws the driver's error where the database cannot be reached */
export async function inspectDatabase(url: string): Promise<DatabaseFacts> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'rowlock doctor',
    connectionTimeoutMillis: 5000,
  });
  await client.connect();
  try {
    const { rows } = await client.query(facts);
    const { clock, may_look, ...row } = rows[0];
    const applied = may_look
      ? (await client.query<{ name: string }>('SELECT name FROM storage.migrations')).rows.map(({ name }) => name)
      : undefined;
    return {
      ...row,
      clock_skew_seconds: clock - Date.now() / 1000,
      missing_steps: applied === undefined ? [] : (await steps()).filter((step) => !applied.includes(step)),
    };
  } finally {
    await client.end();
  }
}

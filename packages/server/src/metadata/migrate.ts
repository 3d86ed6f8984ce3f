/**
 * Brings a database to this version: roles, tables, functions, policies, and River's tables, in one transaction under
 * an advisory lock. Safe to run again and from several places at once; it needs no superuser.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { migrate as migrateQueue } from '@rowlock/queue';
import pg from 'pg';

/** Names that a deployment may choose. */
export interface SchemaNames {
  /** Files, upload requests and River's tables. */
  readonly metadata: string;
  /** What PostgREST exposes. */
  readonly api: string;
  readonly anon: string;
  readonly authenticated: string;
  readonly service_role: string;
}

export const defaultSchemaNames: SchemaNames = {
  metadata: 'metadata',
  api: 'public',
  anon: 'anon',
  authenticated: 'authenticated',
  service_role: 'service_role',
};

export interface MigrateOptions {
  readonly url: string;
  readonly names?: Partial<SchemaNames>;
  /** Runs everything and rolls back. */
  readonly dryRun?: boolean;
  /** Creates auth.uid(), auth.role() and auth.jwt() where they are absent. */
  readonly withAuthShim?: boolean;
  /** Passwords for the login roles, where they should be set. */
  readonly passwords?: { readonly rowlock_authenticator?: string; readonly rowlock_worker?: string };
}

export interface MigrateReport {
  /** Steps that were applied for the first time, such as `migrations/0001_storage`. */
  readonly applied: readonly string[];
  /** Steps that were there. */
  readonly present: readonly string[];
}

interface SqlFile {
  readonly name: string;
  readonly text: string;
}

const root: URL = new URL('../../sql/', import.meta.url);

async function sqlFiles(folder: string): Promise<readonly SqlFile[]> {
  const names = (await readdir(fileURLToPath(new URL(`${folder}/`, root))))
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return Promise.all(
    names.map(async (name) => ({
      name: `${folder}/${name.slice(0, -'.sql'.length)}`,
      text: await readFile(new URL(`${folder}/${name}`, root), 'utf8'),
    })),
  );
}

/** Puts names into SQL: `:"name"` becomes a quoted identifier, `:'name'` a literal, as psql does it. */
export function renderSql(text: string, names: Readonly<Partial<Record<string, string>>>): string {
  const value = (name: string): string => {
    const found = Object.hasOwn(names, name) ? names[name] : undefined;
    if (found === undefined) {
      throw new Error(`the SQL names a variable that does not exist: ${name}`);
    }
    return found;
  };
  return text
    .replace(/:"(\w+)"/g, (_, name: string) => pg.escapeIdentifier(value(name)))
    .replace(/:'(\w+)'/g, (_, name: string) => pg.escapeLiteral(value(name)));
}

/**
 * Migrates. Atomic: a failure leaves the database as it was.
 *
 * @throws Error with what to do, where roles are missing and may not be created
 */
export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  const names = { ...defaultSchemaNames, ...options.names };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await migrateOnce(options, names);
    } catch (error) {
      // Roles belong to the whole server: migrates of two databases can meet in its catalogs.
      if (
        attempt >= 5 ||
        !(error instanceof Error) ||
        !/tuple concurrently updated|could not serialize/.test(error.message)
      ) {
        throw explain(error);
      }
    }
  }
}

async function migrateOnce(options: MigrateOptions, names: SchemaNames): Promise<MigrateReport> {
  const client = new pg.Client({ connectionString: options.url, application_name: 'rowlock migrate' });
  await client.connect();
  try {
    await client.query('BEGIN');
    // Functions and operators that somebody made in a schema of the session's path must not run as who migrates.
    await client.query('SET LOCAL search_path = pg_catalog, pg_temp');
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('rowlock.migrate', 0))");
    await client.query(renderSql(await readFile(new URL('roles.sql', root), 'utf8'), { ...names }));
    await setPasswords(client, options.passwords ?? {});
    await client.query('SET LOCAL ROLE rowlock_owner');
    const report = await applyAll(client, names, options.withAuthShim ?? false);
    await client.query("NOTIFY pgrst, 'reload schema'");
    await client.query(options.dryRun ? 'ROLLBACK' : 'COMMIT');
    return report;
  } finally {
    await client.end();
  }
}

async function setPasswords(client: pg.Client, passwords: Readonly<Record<string, string | undefined>>): Promise<void> {
  for (const [role, password] of Object.entries(passwords)) {
    if (password !== undefined) {
      await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} PASSWORD ${pg.escapeLiteral(password)}`);
    }
  }
}

async function applyAll(client: pg.Client, names: SchemaNames, withAuthShim: boolean): Promise<MigrateReport> {
  await client.query(`CREATE TABLE IF NOT EXISTS storage.migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  const applied: string[] = [];
  const present: string[] = [];
  await migrateQueue(client, { schema: names.metadata });
  const once = async (files: readonly SqlFile[]): Promise<void> => {
    for (const file of files) {
      const isNew = await applyOnce(client, file, names);
      (isNew ? applied : present).push(file.name);
    }
  };
  await once(await sqlFiles('migrations'));
  for (const file of await sqlFiles('definitions')) {
    await applyDefinition(client, file, names);
  }
  await once(await sqlFiles('policies'));
  if (withAuthShim) {
    await client.query(renderSql(await readFile(new URL('auth-shim.sql', root), 'utf8'), { ...names }));
  }
  return { applied, present };
}

async function applyOnce(client: pg.Client, file: SqlFile, names: SchemaNames): Promise<boolean> {
  const checksum = createHash('sha256').update(file.text).digest('hex');
  const known = await client.query<{ checksum: string }>('SELECT checksum FROM storage.migrations WHERE name = $1', [
    file.name,
  ]);
  if (known.rows[0] !== undefined) {
    if (known.rows[0].checksum !== checksum) {
      throw new Error(`${file.name} was changed after it was applied to this database; changes go into a new file`);
    }
    return false;
  }
  await run(client, file, names);
  await client.query('INSERT INTO storage.migrations (name, checksum) VALUES ($1, $2)', [file.name, checksum]);
  return true;
}

/** Definitions are current truth and applied every time; replaceable ones only where nothing stands in their place. */
async function applyDefinition(client: pg.Client, file: SqlFile, names: SchemaNames): Promise<void> {
  if (file.name.endsWith('.replaceable')) {
    const [, schema, name] = /CREATE FUNCTION (\w+|"[^"]+")\.(\w+)\(/.exec(renderSql(file.text, { ...names })) ?? [];
    const found = await client.query('SELECT FROM pg_proc WHERE pronamespace = $1::regnamespace AND proname = $2', [
      schema,
      name,
    ]);
    if (found.rowCount !== 0) {
      return;
    }
  }
  await run(client, file, names);
}

async function run(client: pg.Client, file: SqlFile, names: SchemaNames): Promise<void> {
  try {
    await client.query(renderSql(file.text, { ...names }));
  } catch (error) {
    if (error instanceof Error) {
      error.message = `${file.name}: ${error.message}`;
    }
    throw error;
  }
}

function explain(error: unknown): unknown {
  if (error instanceof Error && 'code' in error && error.code === '42501') {
    return new Error(
      `the database role may not do this: ${error.message}. Run migrate as a role that owns the database and has CREATEROLE, ` +
        'or let an administrator run packages/server/sql/roles.sql once',
      { cause: error },
    );
  }
  return error;
}

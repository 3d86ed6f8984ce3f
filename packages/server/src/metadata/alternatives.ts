/**
 * Installs and removes the optional ways to ask for upload URLs: SQL that a database only has where somebody wants it.
 * It opens no listener and configures no worker. Atomic: a failure leaves the database as it was.
 */
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { defaultSchemaNames, renderSql, type SchemaNames } from './migrate.ts';

/** `pg_net` and `http` ask the HTTP signer, `notify` tells whoever listens. */
export const alternativeNames = ['pg_net', 'http', 'notify'] as const;
export type AlternativeName = (typeof alternativeNames)[number];

export interface AlternativeOptions {
  /** As the owner of the database. */
  readonly url: string;
  readonly name: AlternativeName;
  readonly names?: Partial<SchemaNames>;
  /** Where the database reaches the HTTP signer, and its secret; `notify` needs none. */
  readonly signer?: { readonly url: string; readonly secret: string } | undefined;
}

const root: URL = new URL('../../sql/alternatives/', import.meta.url);

const signerSettings = `INSERT INTO storage.settings (name, value, description)
  VALUES ('signer_url', $1, 'where the database reaches the HTTP signer'),
    ('signer_secret', $2, 'what the database sends to the HTTP signer')
  ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value`;

const httpSchema = `SELECT n.nspname AS name FROM pg_proc AS p
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_type AS t ON t.oid = p.proargtypes[0]
  WHERE p.proname = 'http' AND p.pronargs = 1 AND t.typname = 'http_request' LIMIT 1`;

const hasPgNet = `SELECT FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace('net') AND p.proname = 'http_post'
  AND p.proargnames @> ARRAY['url', 'body', 'headers', 'timeout_milliseconds']`;

/** @throws Error saying what is missing and how to get it */
export async function installAlternative(options: AlternativeOptions): Promise<void> {
  await inTransaction(options.url, async (client) => {
    const { name, signer } = options;
    const extensionSchema = await schemaOfExtension(client, name);
    if (name !== 'notify') {
      if (signer === undefined) throw new Error(`${name} needs to know where the signer is, and its secret`);
      await client.query(signerSettings, [signer.url.replace(/\/+$/, ''), signer.secret]);
    }
    await runFile(client, `${name}.sql`, { ...defaultSchemaNames, ...options.names, http: extensionSchema });
  });
}

/** Removes what `installAlternative` made; what was never there is no failure. */
export async function removeAlternative(options: Omit<AlternativeOptions, 'signer'>): Promise<void> {
  await inTransaction(options.url, async (client) => {
    await runFile(client, `remove_${options.name}.sql`, { ...defaultSchemaNames, ...options.names });
  });
}

async function schemaOfExtension(client: pg.Client, name: AlternativeName): Promise<string> {
  if (name === 'notify') return '';
  const { rows } = await client.query<{ name?: string }>(name === 'http' ? httpSchema : hasPgNet);
  if (rows[0] !== undefined) return rows[0].name ?? 'net';
  throw new Error(
    name === 'http'
      ? 'the database has no function http(http_request): CREATE EXTENSION http, and GRANT USAGE ON its schema TO rowlock_owner'
      : 'the database has no function net.http_post: add pg_net to shared_preload_libraries, CREATE EXTENSION pg_net, and GRANT USAGE ON SCHEMA net TO rowlock_owner',
  );
}

async function runFile(client: pg.Client, file: string, names: Readonly<Record<string, string>>): Promise<void> {
  await client.query(renderSql(await readFile(new URL(file, root), 'utf8'), names));
  await client.query("NOTIFY pgrst, 'reload schema'");
}

async function inTransaction(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'rowlock alternatives' });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL search_path = pg_catalog, pg_temp');
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('rowlock.migrate', 0))");
    await client.query('SET LOCAL ROLE rowlock_owner');
    await work(client);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

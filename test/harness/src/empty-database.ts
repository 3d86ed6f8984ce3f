/**
 * Makes databases for tests and removes them. It puts nothing into them. Names
 * are unique across processes, so suites never share a database by accident.
 */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { databaseServerUrl } from './test-server.ts';

/** A database of one test or one test file. */
export interface EmptyDatabase {
  /** Connects the role that owns the database, which may also create roles where the server's role may. */
  readonly url: string;
  readonly name: string;
  /** Disconnects whoever is connected and removes the database. Idempotent. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database on the tests' server.
 *
 * `prefix` (lower case, digits, underscores; at most 40 characters) starts its name.
 */
export async function createEmptyDatabase({
  prefix = 'test',
}: {
  readonly prefix?: string;
} = {}): Promise<EmptyDatabase> {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(prefix)) throw new TypeError(`No prefix for a database name: ${prefix}`);
  const serverUrl = await databaseServerUrl();
  const name = `${prefix}_${process.pid}_${randomBytes(4).toString('hex')}`;
  await onServer(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    drop: async () => await onServer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Databases that are migrated already: clones of one template for each state of the SQL, so that a test file has its
 * own within a fraction of a second. Roles belong to the server and are the same for all. Of the service nothing is loaded
 * unless there is no template yet.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { databaseServerUrl } from './test-server.ts';

/** The passwords of the login roles on test servers. */
const passwords = { rowlock_authenticator: 'test-authenticator', rowlock_worker: 'test-worker' };

/** A migrated database of one test file. */
export interface MigratedDatabase {
  readonly name: string;
  /** As the server's role: in tests a superuser as a rule. */
  readonly url: string;
  /** As `rowlock_authenticator`. */
  readonly apiUrl: string;
  /** As `rowlock_worker`. */
  readonly workerUrl: string;
  /** Runs statements as the server's role. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  const roots = [
    '../../../packages/server/sql',
    '../../../packages/queue/dist',
    '../../../packages/queue/sql',
    '../../../packages/server/dist/metadata',
  ];
  for (const root of roots) {
    const folder = fileURLToPath(new URL(root, import.meta.url));
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && /\.(sql|js)$/.test(entry.name) && !entry.name.endsWith('.test.js')) {
        hash.update(readFileSync(join(entry.parentPath, entry.name)));
      }
    }
  }
  return hash.digest('hex').slice(0, 16);
}

function at(serverUrl: string, database: string, role?: keyof typeof passwords): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role;
    url.password = passwords[role];
  }
  return url.href;
}

async function withServer<T>(serverUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Makes the template unless some process made it. Returns its name. */
async function ensureTemplate(serverUrl: string): Promise<string> {
  const template = `rowlock_template_${fingerprint()}`;
  await withServer(serverUrl, async (client) => {
    await client.query("SELECT pg_advisory_lock(hashtextextended('rowlock.test.template', 0))");
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1 AND datallowconn = false', [template]);
    if (found.rowCount === 0) {
      await client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
      await client.query(`CREATE DATABASE ${template}`);
      const { migrate } = await import('../../../packages/server/dist/index.js');
      await migrate({ url: at(serverUrl, template), passwords });
      await client.query(`ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
    }
  });
  return template;
}

let template: Promise<string> | undefined;

/** Creates a migrated database on the tests' server. */
export async function createMigratedDatabase(prefix = 'test'): Promise<MigratedDatabase> {
  const serverUrl = await databaseServerUrl();
  template ??= ensureTemplate(serverUrl);
  const from = await template;
  const name = `${prefix}_${process.pid}_${randomBytes(4).toString('hex')}`;
  await withServer(serverUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${from}`));
  const url = at(serverUrl, name);
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => undefined);
  return {
    name,
    url,
    apiUrl: at(serverUrl, name, 'rowlock_authenticator'),
    workerUrl: at(serverUrl, name, 'rowlock_worker'),
    query: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await pool.query<Row>(text, values)).rows,
    async drop() {
      await pool.end();
      await withServer(serverUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

/**
 * The PostgreSQL of a run: one of its own with fsync on, or the one that ROWLOCK_TEST_DATABASE_URL names, as it is. It
 * makes no schema; databases come from the test harness, which finds the same server by the same variable.
 */
import { join } from 'node:path';
import { createMigratedDatabase, type MigratedDatabase, temporaryFolder } from '@rowlock/test-harness';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import { keepProcess } from './kept-processes.ts';

export interface BenchPostgres {
  /** As a superuser. */
  readonly url: string;
  /** The process id, where the server is ours. */
  readonly pid: number | undefined;
  /** Whether statements can be counted with pg_stat_statements. */
  readonly countsStatements: boolean;
  /** Version and the settings that figures depend on. */
  readonly facts: Readonly<Record<string, string>>;
  createDatabase(): Promise<MigratedDatabase>;
  /** Ends the server, or drops what this process made on one that is given. */
  stop(): Promise<void>;
}

const settings = { max_connections: 200, shared_buffers: '256MB' };
const settingsShown = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size', 'jit'];

/** Starts a server, or uses the one that is given. */
export async function benchPostgres(options: { readonly countStatements: boolean }): Promise<BenchPostgres> {
  const given = process.env['ROWLOCK_TEST_DATABASE_URL'] ?? '';
  if (given !== '') {
    return { ...(await described(given)), url: given, pid: undefined, stop: async () => await dropDatabases(given) };
  }
  const server = await startEmbeddedPostgres({
    dataDir: join(temporaryFolder({ mode: 0o711 }), 'postgres'),
    ephemeral: true,
    settings: options.countStatements ? { ...settings, shared_preload_libraries: 'pg_stat_statements' } : settings,
  });
  keepProcess(server.pid, { signal: 'SIGQUIT' });
  process.env['ROWLOCK_TEST_DATABASE_URL'] = server.url;
  return { ...(await described(server.url)), url: server.url, pid: server.pid, stop: async () => await server.stop() };
}

/** Drops what this process made on a server that stays: the harness puts the process id into every name. */
async function dropDatabases(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>(
      `SELECT datname FROM pg_database WHERE datname ~ ('^bench[a-z_]*_' || $1::text || '_[0-9a-f]{8}$')`,
      [process.pid],
    );
    for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}

async function described(url: string): Promise<Pick<BenchPostgres, 'facts' | 'countsStatements' | 'createDatabase'>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, current_setting(name) AS setting FROM pg_settings
     WHERE name = ANY ($1) OR name IN ('server_version', 'shared_preload_libraries')`,
    [settingsShown],
  );
  await client.end();
  const facts = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  return {
    facts,
    countsStatements: facts['shared_preload_libraries']?.includes('pg_stat_statements') ?? false,
    createDatabase: async () => await createMigratedDatabase('bench'),
  };
}

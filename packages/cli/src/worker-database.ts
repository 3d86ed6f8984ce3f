/** A connection with the worker's rights for as long as one command takes. Whatever happens, it is closed. */
import { Database } from '@rowlock/server';
import type { Settings } from './options.ts';
import { database } from './service-config.ts';

export interface WorkerDatabaseUse {
  /** What PostgreSQL shows in `pg_stat_activity`. */
  readonly command: string;
  /** For statements over whole tables, which take longer than any of a request's. */
  readonly statementTimeoutMsMin?: number;
}

/** Calls `work` with the database, and closes it. @throws UsageError where none is configured */
export async function withWorkerDatabase<Result>(
  settings: Settings,
  { command, statementTimeoutMsMin = 0 }: WorkerDatabaseUse,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  const { url, statement_timeout_ms } = database(settings, 'worker-database-url');
  const db = new Database({
    url,
    connectionsMax: 1,
    statementTimeoutMs: Math.max(statement_timeout_ms, statementTimeoutMsMin),
    applicationName: `rowlock ${command}`,
  });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** Opens database and store for commands that work on both, as the workers do, and closes them again. */
import { Database, openBackend } from '@rowlock/server';
import type { Settings } from './options.ts';
import { database, diskBackend } from './service-config.ts';

/** The options that `withStores` reads. */
export const storeSettings: readonly string[] = [
  'worker-database-url',
  'storage-root',
  's3-bucket',
  's3-region',
  's3-access-key-id',
  's3-secret-access-key',
];

/** A statement over a whole table takes longer than any of a request's. */
const statementTimeoutMsMin = 600_000;

/** Runs the work with both open. @throws UsageError where one is not configured */
export async function withStores<T>(
  settings: Settings,
  work: (stores: { db: Database; backend: Awaited<ReturnType<typeof openBackend>> }) => Promise<T>,
): Promise<T> {
  const { url, statement_timeout_ms } = database(settings, 'worker-database-url');
  const db = new Database({
    url,
    connectionsMax: 4,
    statementTimeoutMs: Math.max(statement_timeout_ms, statementTimeoutMsMin),
    applicationName: 'rowlock upkeep',
  });
  const backend = await openBackend(diskBackend(settings));
  try {
    return await work({ db, backend });
  } finally {
    await db.close();
    await backend.close();
  }
}

/** Opens database and stores for commands that work on both, as the workers do, and closes them again. */
import { type Backend, type Backends, Database, openBackends } from '@rowlock/server';
import type { Settings } from './options.ts';
import { database } from './service-config.ts';
import { storeConfigs } from './store-configs.ts';

/** The options that `withStores` reads. */
export const storeSettings: readonly string[] = [
  'worker-database-url',
  'backend',
  'other-backends',
  'storage-root',
  'blob-bytes-max',
  's3-endpoint',
  's3-flavour',
  's3-force-path-style',
  's3-key-prefix',
  's3-bucket',
  's3-region',
  's3-access-key-id',
  's3-secret-access-key',
];

/** A statement over a whole table takes longer than any of a request's. */
const statementTimeoutMsMin = 600_000;

/** Runs the work with all open. @throws UsageError where one is not configured */
export async function withStores<T>(
  settings: Settings,
  work: (stores: { readonly db: Database; readonly backend: Backend; readonly backends: Backends }) => Promise<T>,
): Promise<T> {
  const worker = database(settings, 'worker-database-url');
  const { url, statement_timeout_ms } = worker;
  const db = new Database({
    url,
    connectionsMax: 4,
    statementTimeoutMs: Math.max(statement_timeout_ms, statementTimeoutMsMin),
    applicationName: 'rowlock upkeep',
  });
  try {
    const backends = await openBackends(storeConfigs(settings, worker));
    try {
      return await work({ db, backend: backends.default, backends });
    } finally {
      await backends.close();
    }
  } finally {
    await db.close();
  }
}

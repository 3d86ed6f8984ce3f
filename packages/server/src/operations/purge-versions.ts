/** Remove the bytes of versions that nothing points at: mark, delete, forget, each step durable before the next. */
import type { Backends } from '../backend/backends.ts';
import { fault } from '../domain/fault.ts';
import type { Database } from '../metadata/database.ts';
import { one, purgeBegin, purgeEnd } from '../metadata/upkeep.ts';

/**
 * Purges one version if nothing points at it. Idempotent; safe to repeat after a kill at any step.
 *
 * @throws RowlockError `unavailable` where its bytes are on a backend that this process does not have
 */
export async function purgeVersion(
  context: { readonly db: Database; readonly backends: Backends },
  versionId: string,
): Promise<'purged' | 'kept'> {
  const due = await one<{ backend: string; key: string; store_id: string | null }>(context.db, purgeBegin, [versionId]);
  if (due === undefined) {
    return 'kept';
  }
  await fault('purge.after_begin');
  const { key, store_id } = due;
  // The parts first: from then on nothing can make them bytes under the key.
  if (store_id !== null) await context.backends.of(due.backend).parts?.abort({ key, store_id });
  await context.backends.of(due.backend).delete(due.key);
  await fault('purge.after_bytes');
  await context.db.run(purgeEnd, [versionId]);
  await fault('purge.after_end');
  return 'purged';
}

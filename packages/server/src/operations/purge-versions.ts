/** Remove the bytes of versions that nothing points at: mark, delete, forget, each step durable before the next. */
import type { Backend } from '../backend/backend.ts';
import { fault } from '../domain/fault.ts';
import type { Database } from '../metadata/database.ts';
import { one, purgeBegin, purgeEnd } from '../metadata/upkeep.ts';

/** Purges one version if nothing points at it. Idempotent; safe to repeat after a kill at any step. */
export async function purgeVersion(
  context: { readonly db: Database; readonly backend: Backend },
  versionId: string,
): Promise<'purged' | 'kept'> {
  const due = await one<{ backend: string; key: string }>(context.db, purgeBegin, [versionId]);
  if (due === undefined) {
    return 'kept';
  }
  await fault('purge.after_begin');
  if (due.backend !== context.backend.name) {
    throw new Error(`version ${versionId} is on the backend ${due.backend}, which this worker does not serve`);
  }
  await context.backend.delete(due.key);
  await fault('purge.after_bytes');
  await context.db.run(purgeEnd, [versionId]);
  await fault('purge.after_end');
  return 'purged';
}

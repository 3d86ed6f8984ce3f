/** What the database knows of how the storage fares: one function, called as the caller, whose role decides. */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

/** What is read of the report here; the rest goes through as it is. */
export interface HealthReport {
  /** Bytes on each backend, older versions and thumbnails included. */
  readonly backends: readonly { readonly name: string; readonly bytes: number }[];
}

export const healthReport: Statement = { name: 'health_report', text: 'SELECT storage.health_report() AS body' };

/** Reports. Of a million objects it reads a sample. @throws RowlockError `not_allowed` */
export async function selectHealthReport(db: Database, caller: Caller): Promise<HealthReport> {
  const scope = { operation: 'storage.health.get', readOnly: true };
  const [row] = await db.asCaller<{ readonly body: HealthReport }>(caller, scope, healthReport, []);
  if (row === undefined) throw new Error('A function answered no row');
  return row.body;
}

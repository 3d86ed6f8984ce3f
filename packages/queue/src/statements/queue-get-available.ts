/** Which queues have jobs that could be claimed now, for tests that work them all. */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

const statement = defineStatement(
  'queue_get_available',
  (schema) => `
    SELECT DISTINCT queue FROM ${schema}.river_job
    WHERE state = 'available' AND scheduled_at <= pg_catalog.now()
    ORDER BY queue`,
);

/** Returns the names of the queues, in order. */
export async function queueGetAvailable(on: Queryable, schema: SchemaName): Promise<readonly string[]> {
  const { rows } = await run<'queue'>(on, statement(schema), []);
  return rows.map((row) => text(row, 'queue'));
}

/**
 * Says that queues are being worked, and reads which of them are paused. A row that is not refreshed for a day is
 * removed by whoever leads, and with it the pause.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

/** Sorted, so that two workers with the same queues do not wait for each other in a circle. */
const upsert = defineStatement(
  'queue_upsert_many',
  (schema) => `
    INSERT INTO ${schema}.river_queue AS queue (name, updated_at)
    SELECT name, now() FROM unnest($1::text[]) AS name ORDER BY name
    ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at`,
);

const getPaused = defineStatement(
  'queue_get_paused',
  (schema) => `SELECT name FROM ${schema}.river_queue WHERE name = ANY ($1::text[]) AND paused_at IS NOT NULL`,
);

/** Creates the rows of queues, or marks them as in use. */
export async function queueUpsertMany(on: Queryable, schema: SchemaName, queues: readonly string[]): Promise<void> {
  await run(on, upsert(schema), [queues]);
}

/** Returns those of the queues that are paused. */
export async function queueGetPaused(
  on: Queryable,
  schema: SchemaName,
  queues: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await run<'name'>(on, getPaused(schema), [queues]);
  return new Set(rows.map((row) => text(row, 'name')));
}

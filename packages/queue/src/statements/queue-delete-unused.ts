/**
 * Deletes the rows of queues that no client has reported for a while, and with them whether they are paused. The jobs
 * of such a queue stay.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

const statement = defineStatement(
  'queue_delete_unused',
  (schema) => `
    DELETE FROM ${schema}.river_queue AS queue
    WHERE queue.name IN (
      SELECT name FROM ${schema}.river_queue
      WHERE updated_at < now() - make_interval(secs => $1::float8)
      ORDER BY name
      LIMIT $2::integer
      FOR UPDATE SKIP LOCKED
    )
    RETURNING queue.name`,
);

/** Deletes up to `limit` queues that were last reported more than `ageSeconds` ago, and returns their names. */
export async function queueDeleteUnused(
  on: Queryable,
  schema: SchemaName,
  ageSeconds: number,
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await run<'name'>(on, statement(schema), [ageSeconds, limit]);
  return rows.map((row) => text(row, 'name'));
}

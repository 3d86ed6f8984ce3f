/**
 * Which running jobs somebody has asked to cancel. The table is asked and not the notification, which anybody may
 * send and which may be lost.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

const statement = defineStatement(
  'job_get_cancelled',
  (schema) => `
    SELECT id FROM ${schema}.river_job
    WHERE id = ANY ($1::bigint[]) AND state = 'running' AND metadata ? 'cancel_attempted_at'`,
);

/** Returns those of the ids whose cancellation was asked for. */
export async function jobGetCancelled(
  on: Queryable,
  schema: SchemaName,
  ids: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await run<'id'>(on, statement(schema), [ids]);
  return rows.map((row) => text(row, 'id'));
}

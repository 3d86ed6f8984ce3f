/** Makes jobs due that wait for their time, for tests that do not: as if that time had come. It claims nothing. */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'job_make_due',
  (schema) => `
    UPDATE ${schema}.river_job
    SET state = 'available', scheduled_at = least(scheduled_at, pg_catalog.now())
    WHERE state IN ('available', 'retryable', 'scheduled')
      AND scheduled_at <= $1::timestamptz
      AND (state <> 'available' OR scheduled_at > pg_catalog.now())
      AND ($2::text[] IS NULL OR queue = ANY ($2::text[]))`,
);

/** Makes every job due that is due at a time, of some queues or of all. */
export async function jobMakeDue(
  on: Queryable,
  schema: SchemaName,
  { until, queues }: { readonly until: string; readonly queues: readonly string[] | null },
): Promise<void> {
  await run(on, statement(schema), [until, queues]);
}

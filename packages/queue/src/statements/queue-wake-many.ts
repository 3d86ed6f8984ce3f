/** Tells whoever sleeps that queues have work; at the commit of the transaction it is called in. */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'queue_wake_many',
  (schema) => `SELECT ${schema}.rowlock_wake_queue(queue) AS woken FROM unnest($1::text[]) AS queue`,
);

/** Wakes the workers of each queue, where any has to be told. */
export async function queueWakeMany(on: Queryable, schema: SchemaName, queues: Iterable<string>): Promise<void> {
  const names = [...new Set(queues)];
  if (names.length > 0) await run(on, statement(schema), [names]);
}

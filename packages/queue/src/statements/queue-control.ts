/**
 * Reads queues, and pauses, resumes and labels them. Whoever works them is told when that commits, and reads it from
 * the table anyway.
 */
import { channelName, type SchemaName } from '../schema-name.ts';
import { timeColumn } from './job-columns.ts';
import { defineStatement, type Queryable, run, type TextRow, text } from './statement.ts';

/** The columns of a queue as they are selected: all text. */
export type QueueColumn = 'name' | 'metadata' | 'created_at' | 'paused_at' | 'updated_at';

/** A queue as text. */
export type QueueRow = TextRow<QueueColumn>;

const columns = ['created_at', 'paused_at', 'updated_at'].map((name) => timeColumn('queue', name)).join(', ');

const get = defineStatement(
  'queue_get',
  (schema) => `
    SELECT queue.name, queue.metadata, ${columns} FROM ${schema}.river_queue AS queue WHERE queue.name = $1::text`,
);

const list = defineStatement(
  'queue_list',
  (schema) => `
    SELECT queue.name, queue.metadata, ${columns} FROM ${schema}.river_queue AS queue
    ORDER BY queue.name LIMIT $1::integer`,
);

/** Aggregated, so that one notification is sent however many queues it is about. */
const setPaused = defineStatement(
  'queue_set_paused',
  (schema) => `
    WITH chosen AS MATERIALIZED (
      SELECT queue.name FROM ${schema}.river_queue AS queue
      WHERE $1::text = '*' OR queue.name = $1::text
      ORDER BY queue.name
      FOR UPDATE
    ),
    changed AS (
      UPDATE ${schema}.river_queue AS queue
      SET paused_at = CASE WHEN $2::boolean THEN coalesce(queue.paused_at, pg_catalog.now()) END,
        updated_at = CASE WHEN (queue.paused_at IS NULL) = $2::boolean THEN pg_catalog.now() ELSE queue.updated_at END
      FROM chosen WHERE queue.name = chosen.name
      RETURNING queue.name
    ),
    counted AS MATERIALIZED (SELECT pg_catalog.count(*) AS queues FROM changed)
    SELECT counted.queues,
      CASE WHEN counted.queues > 0 THEN pg_catalog.pg_notify($3::text, pg_catalog.json_build_object(
        'action', CASE WHEN $2::boolean THEN 'pause' ELSE 'resume' END, 'queue', $1::text)::text) END AS told
    FROM counted`,
);

const update = defineStatement(
  'queue_update',
  (schema) => `
    WITH changed AS (
      UPDATE ${schema}.river_queue AS queue
      SET metadata = $2::jsonb, updated_at = pg_catalog.now()
      WHERE queue.name = $1::text
      RETURNING queue.*
    )
    SELECT queue.name, queue.metadata, ${columns},
      pg_catalog.pg_notify($3::text, pg_catalog.json_build_object(
        'action', 'metadata_changed', 'queue', queue.name, 'metadata', queue.metadata)::text) AS told
    FROM changed AS queue`,
);

/** Reads a queue; undefined when there is none. */
export async function queueGet(on: Queryable, schema: SchemaName, name: string): Promise<QueueRow | undefined> {
  return (await run<QueueColumn>(on, get(schema), [name])).rows[0];
}

/** Reads queues, by name. */
export async function queueList(on: Queryable, schema: SchemaName, limit: number): Promise<readonly QueueRow[]> {
  return (await run<QueueColumn>(on, list(schema), [limit])).rows;
}

/** Pauses or resumes a queue, or all of them for `*`, and returns how many there are. */
export async function queueSetPaused(
  on: Queryable,
  schema: SchemaName,
  name: string,
  isPaused: boolean,
): Promise<number> {
  const values = [name, isPaused, channelName(schema, 'river_control')];
  const row = (await run<'queues' | 'told'>(on, setPaused(schema), values)).rows[0];
  if (row === undefined) throw new TypeError('An aggregate answered no row');
  return Number(text(row, 'queues'));
}

/** Replaces the metadata of a queue, given as JSON, and returns it; undefined when there is none. */
export async function queueUpdate(
  on: Queryable,
  schema: SchemaName,
  name: string,
  metadata: string,
): Promise<QueueRow | undefined> {
  const values = [name, metadata, channelName(schema, 'river_control')];
  return (await run<QueueColumn | 'told'>(on, update(schema), values)).rows[0];
}

/**
 * Inserts jobs and, for each queue in which any can run at once, tells whoever sleeps; all in the transaction it is
 * called in. A job whose unique key is held already is not inserted: the one that holds it is returned instead.
 */
import type { JobColumn, JobRow } from '../job.ts';
import type { CheckedInsert } from '../job-insert-options.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobColumnNames, jobColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

/**
 * Ids are given in the caller's order, which is the order in which jobs of equal priority and time are claimed. Rows
 * are inserted in the order of their keys: two that insert the same keys wait for each other in one order.
 *
 * ON CONFLICT repeats the condition of the unique index, by which PostgreSQL finds it. What it updates is nothing: it
 * has to update something for the row to be returned, and of a row that was updated `xmax` is not zero.
 *
 * Of several arrays, PostgreSQL takes its own unnest, and takes none that has a schema in front of its name.
 *
 * The wake-up reads what was inserted, so the transaction has its id when it looks at the leases.
 */
const statement = defineStatement(
  'job_insert_many',
  (schema) => `
    WITH given AS MATERIALIZED (
      SELECT pg_catalog.nextval((
          SELECT CAST(pg_catalog.pg_get_serial_sequence('${schema}.river_job', 'id') AS pg_catalog.regclass)
        )) AS id,
        job.kind, job.args, job.queue, job.priority, job.max_attempts, job.metadata, job.tags, job.is_pending,
        pg_catalog.decode(job.unique_key, 'hex') AS unique_key, job.unique_states,
        coalesce(job.scheduled_at, pg_catalog.now()) AS due
      FROM unnest($1::text[], $2::jsonb[], $3::text[], $4::smallint[], $5::smallint[], $6::jsonb[],
          $7::text[], $8::boolean[], $9::timestamptz[], $10::text[], $11::integer[])
        AS job (kind, args, queue, priority, max_attempts, metadata, tags, is_pending, scheduled_at, unique_key,
          unique_states)
    ),
    inserted AS (
      INSERT INTO ${schema}.river_job AS job
        (id, args, kind, max_attempts, metadata, priority, queue, scheduled_at, state, tags, unique_key, unique_states)
      SELECT given.id, given.args, given.kind, given.max_attempts, given.metadata, given.priority, given.queue,
        given.due,
        CAST(CASE
            WHEN given.is_pending THEN 'pending'
            WHEN given.due <= pg_catalog.clock_timestamp() + interval '5 seconds' THEN 'available'
            ELSE 'scheduled' END AS ${schema}.river_job_state),
        CAST(pg_catalog.string_to_array(given.tags, ',') AS varchar(255)[]),
        given.unique_key,
        CAST(nullif(given.unique_states, 0) AS bit(8))
      FROM given
      ORDER BY given.unique_key, given.id
      ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL
          AND ${schema}.river_job_state_in_bitmask(unique_states, state)
        DO UPDATE SET kind = job.kind
      RETURNING ${jobColumns('job')}, (job.xmax <> 0) AS is_duplicate,
        pg_catalog.encode(job.unique_key, 'hex') AS unique_key
    ),
    woken AS MATERIALIZED (
      SELECT ${schema}.rowlock_wake_queue(ready.queue) AS done
      FROM (SELECT DISTINCT queue FROM inserted WHERE state = 'available' AND NOT is_duplicate) AS ready
    )
    SELECT ${jobColumnNames.map((name) => `inserted.${name}`).join(', ')}, inserted.is_duplicate, inserted.unique_key,
      (SELECT pg_catalog.count(done) FROM woken) AS woken
    FROM inserted
    ORDER BY inserted.id`,
);

/** A row that was inserted, or the one that was there; the key is in hexadecimal digits. */
export type InsertedRow = JobRow & Readonly<Record<'is_duplicate' | 'unique_key', string | null>>;

type Column = JobColumn | 'is_duplicate' | 'unique_key' | 'woken';

/**
 * Inserts jobs that have been checked, no two of them with the same unique key.
 *
 * Returns as many rows, ordered by id: those without a key are in the order in which they were given.
 */
export async function jobInsertMany(
  on: Queryable,
  schema: SchemaName,
  jobs: readonly CheckedInsert[],
): Promise<readonly InsertedRow[]> {
  const column = <Key extends keyof CheckedInsert>(key: Key): CheckedInsert[Key][] => jobs.map((job) => job[key]);
  const { rows } = await run<Column>(on, statement(schema), [
    column('kind'),
    column('args'),
    column('queue'),
    column('priority'),
    column('max_attempts'),
    column('metadata'),
    jobs.map(({ tags }) => tags.join(',')),
    column('is_pending'),
    column('scheduled_at'),
    jobs.map(({ unique }) => unique?.key ?? null),
    jobs.map(({ unique }) => unique?.states ?? null),
  ]);
  return rows;
}

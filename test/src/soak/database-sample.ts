/** What PostgreSQL itself says of a queue: sizes, dead rows, waiting jobs, connections and snapshots. It changes nothing. */
import type pg from 'pg';
import type { Values } from './quantities.ts';

/** One look at the tables of a schema. */
export async function databaseSample(client: pg.Client, schema: string): Promise<Values> {
  const { rows } = await client.query<Record<string, number>>({
    name: 'soak_sample',
    text: `SELECT pg_table_size(relid)::float8 / 1048576 AS table_mib,
        pg_indexes_size(relid)::float8 / 1048576 AS indexes_mib,
        (SELECT sum(pg_relation_size(indexrelid))::float8 / 1048576
          FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_am ON pg_am.oid = index.relam
          WHERE indrelid = relid AND amname = 'gin') AS gin_indexes_mib,
        n_live_tup::float8 AS live_rows,
        n_dead_tup::float8 AS dead_rows,
        (SELECT count(*) FROM ${schema}.river_job WHERE state = 'available' AND scheduled_at <= now())::float8
          AS jobs_waiting,
        (SELECT count(*) FROM pg_stat_activity
          WHERE datname = current_database() AND backend_type = 'client backend')::float8 AS connections,
        (SELECT coalesce(max(age(backend_xmin)), 0) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid())::float8 AS oldest_xmin_age
      FROM pg_stat_user_tables WHERE schemaname = '${schema}' AND relname = 'river_job'`,
  });
  return rows[0] as Values;
}

/** How the server and the table are set up, as text. */
export async function databaseFacts(client: pg.Client, schema: string): Promise<Readonly<Record<string, string>>> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT current_setting('server_version') AS postgres, current_setting('autovacuum') AS autovacuum,
       current_setting('autovacuum_naptime') AS autovacuum_naptime, current_setting('fsync') AS fsync,
       current_setting('shared_buffers') AS shared_buffers,
       coalesce(array_to_string(reloptions, ', '), 'none') AS river_job_options
     FROM pg_class WHERE oid = '${schema}.river_job'::regclass`,
  );
  return rows[0] ?? {};
}

/** An index of the job table, and how large it is when it was rebuilt just now. */
export interface IndexSizes {
  readonly name: string;
  readonly mib: number;
  readonly rebuilt_mib: number;
}

/** Rebuilds the indexes of the job table, which needs its lock, and tells their sizes before and after it. */
export async function rebuiltIndexes(client: pg.Client, schema: string): Promise<readonly IndexSizes[]> {
  const sizes = async (): Promise<ReadonlyMap<string, number>> => {
    const { rows } = await client.query<{ name: string; mib: number }>(
      `SELECT relname AS name, pg_relation_size(oid)::float8 / 1048576 AS mib
       FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = '${schema}.river_job'::regclass ORDER BY 1`,
    );
    return new Map(rows.map(({ name, mib }) => [name, mib]));
  };
  const before = await sizes();
  await client.query(`REINDEX TABLE ${schema}.river_job`);
  const rebuilt = await sizes();
  return [...before].map(([name, mib]) => ({ name, mib, rebuilt_mib: rebuilt.get(name) ?? Number.NaN }));
}

/** How often the table was vacuumed automatically. */
export async function autovacuums(client: pg.Client, schema: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT autovacuum_count::float8 AS count FROM pg_stat_user_tables
     WHERE schemaname = '${schema}' AND relname = 'river_job'`,
  );
  return rows[0]?.count ?? 0;
}

/** How many jobs have not ended. */
export async function openJobs(client: pg.Client, schema: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::float8 AS count FROM ${schema}.river_job WHERE finalized_at IS NULL`,
  );
  return rows[0]?.count ?? 0;
}

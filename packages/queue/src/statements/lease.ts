/**
 * The leases of our workers: a worker is alive while its lease is, and says in it for which queues it sleeps until
 * told. What follows from a lease that has expired is decided elsewhere. All times are the database's.
 */
import type { ClientBase } from 'pg';
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

/** What a worker says of itself. */
export interface Lease {
  readonly client_id: string;
  /** A UUID of this process, so that another with the same client id is told from it. */
  readonly token: string;
  readonly queues: readonly string[];
  readonly waiting_queues: readonly string[];
  readonly notify_always: boolean;
  readonly ttl_seconds: number;
}

const upsert = defineStatement(
  'lease_upsert',
  (schema) => `
    INSERT INTO ${schema}.rowlock_worker_lease AS lease
      (client_id, token, queues, waiting_queues, notify_always, expires_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6::float8), clock_timestamp())
    ON CONFLICT (client_id) DO UPDATE SET
      token = excluded.token,
      queues = excluded.queues,
      waiting_queues = excluded.waiting_queues,
      notify_always = excluded.notify_always,
      expires_at = excluded.expires_at,
      updated_at = excluded.updated_at
    WHERE lease.token = excluded.token OR lease.expires_at < clock_timestamp()
    RETURNING client_id`,
);

const remove = defineStatement(
  'lease_delete',
  (schema) => `DELETE FROM ${schema}.rowlock_worker_lease WHERE client_id = $1 AND token = $2`,
);

const getExpired = defineStatement(
  'lease_get_expired',
  (schema) => `
    SELECT client_id FROM ${schema}.rowlock_worker_lease
    WHERE expires_at < clock_timestamp()
    ORDER BY expires_at
    LIMIT 10
    FOR UPDATE SKIP LOCKED`,
);

const removeUnused = defineStatement(
  'lease_delete_unused',
  (schema) => `
    DELETE FROM ${schema}.rowlock_worker_lease AS lease
    WHERE lease.client_id = ANY ($1::text[])
      AND NOT EXISTS (
        SELECT FROM ${schema}.river_job AS job
        WHERE job.state = 'running' AND job.attempted_by[array_upper(job.attempted_by, 1)] = lease.client_id
      )`,
);

/** Writes or renews a lease. Returns false when another live process has one under the same client id. */
export async function leaseUpsert(on: Queryable, schema: SchemaName, lease: Lease): Promise<boolean> {
  const { rows } = await run<'client_id'>(on, upsert(schema), [
    lease.client_id,
    lease.token,
    lease.queues,
    lease.waiting_queues,
    lease.notify_always,
    lease.ttl_seconds,
  ]);
  return rows.length === 1;
}

/** Gives up a lease. */
export async function leaseDelete(
  on: Queryable,
  schema: SchemaName,
  lease: Pick<Lease, 'client_id' | 'token'>,
): Promise<void> {
  await run(on, remove(schema), [lease.client_id, lease.token]);
}

/**
 * Locks up to ten expired leases and returns their clients, leaving out what another rescuer has locked. A client that
 * is alive after all waits with its renewal until the transaction ends.
 */
export async function leaseGetExpired(client: ClientBase, schema: SchemaName): Promise<readonly string[]> {
  const { rows } = await run<'client_id'>(client, getExpired(schema));
  return rows.map((row) => text(row, 'client_id'));
}

/** Removes those of the leases whose clients have no running job left. */
export async function leaseDeleteUnused(
  client: ClientBase,
  schema: SchemaName,
  clientIds: readonly string[],
): Promise<void> {
  await run(client, removeUnused(schema), [clientIds]);
}

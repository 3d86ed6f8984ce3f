/**
 * Rescues the running jobs of workers that died: those whose lease has expired. A client without a lease, such as one
 * of Go, is never touched, nor is a job finished or claimed again meanwhile. Whoever is first to lock an expired lease
 * does it; a worker that is alive after all has its result refused, and the job runs once more.
 */
import { decodeJob, type Job } from '../job.ts';
import { jobGetAbandoned, jobGetUnheardOf, type OwnedJobRow } from '../statements/job-get-running.ts';
import { jobSettleMany, type Settlement } from '../statements/job-settle-many.ts';
import { leaseDeleteUnused, leaseGetExpired } from '../statements/lease.ts';
import { queueWakeMany } from '../statements/queue-wake-many.ts';
import { inTransaction } from '../statements/transaction.ts';
import { type Outcome, settlementOf } from './outcome.ts';
import type { WorkerContext } from './worker-context.ts';

/** What a rescuer needs beside the surroundings. */
export interface RescuePolicy {
  /** Seconds until a rescued job's next attempt; undefined is River's policy. */
  readonly retrySeconds: (job: Job) => number | undefined;
}

/** Rescues what the workers with expired leases left, and returns how many jobs that were. */
export async function rescueAbandoned(context: WorkerContext, policy: RescuePolicy): Promise<number> {
  const { pool, schema, observe } = context;
  const rescued = await inTransaction(pool, async (client) => {
    const clients = await leaseGetExpired(client, schema);
    if (clients.length === 0) return [];
    const rows = await jobGetAbandoned(client, schema, clients);
    const settlements = rows.map((row) => settlement(context, row, { kind: 'rescued' }, policy));
    const settled = new Map((await jobSettleMany(client, schema, settlements)).map(({ id, state }) => [id, state]));
    const done = rows.filter(({ id }) => id !== null && settled.has(id));
    const available = done.filter(({ id }) => settled.get(id ?? '') === 'available');
    await queueWakeMany(
      client,
      schema,
      available.map(({ queue }) => queue ?? ''),
    );
    await leaseDeleteUnused(client, schema, clients);
    return done;
  });
  for (const { id, kind, client_id } of rescued) {
    observe({ event: 'job_rescued', id: id ?? '', kind: kind ?? '', client_id: client_id ?? '' });
  }
  return rescued.length;
}

/**
 * Gives back jobs that this client claimed without ever hearing of it, as when the connection broke before the answer.
 *
 * `ids` are the jobs that it knows of, taken before the call. A claim is only taken to be lost when it is older than
 * `ageSeconds`, which has to be more than a claim can take. Their attempt does not count.
 */
export async function giveBackUnheardOf(
  context: WorkerContext,
  ids: readonly string[],
  ageSeconds: number,
): Promise<number> {
  const { pool, schema, client_id } = context;
  const rows = await jobGetUnheardOf(pool, schema, { client_id, ids, age_seconds: ageSeconds });
  if (rows.length === 0) return 0;
  const settlements = rows.map((row) => settlement(context, row, { kind: 'interrupted' }));
  const settled = await jobSettleMany(pool, schema, settlements);
  await queueWakeMany(
    pool,
    schema,
    rows.map(({ queue }) => queue ?? ''),
  );
  return settled.length;
}

function settlement(context: WorkerContext, row: OwnedJobRow, outcome: Outcome, policy?: RescuePolicy): Settlement {
  const job = decoded(row);
  const attempt = {
    id: row.id ?? '',
    client_id: row.client_id ?? '',
    attempt: Number(row.attempt),
    max_attempts: Number(row.max_attempts),
    error_count: Number(row.error_count),
    metadata: job?.metadata ?? {},
    at: context.clock.now(),
    retry_seconds: job === undefined ? undefined : policy?.retrySeconds(job),
  };
  return settlementOf(attempt, outcome, context.random);
}

/** A job that cannot be read is rescued all the same: who runs it next will find out. */
function decoded(row: OwnedJobRow): Job | undefined {
  try {
    return decodeJob(row);
  } catch {
    return undefined;
  }
}

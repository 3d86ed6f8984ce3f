/**
 * The two trigger functions that enqueue: ours put in their place, and put back. Each way is one transaction. Invariant: a
 * body that neither an earlier switch nor the deployed system wrote is never overwritten, and a body that was replaced is
 * kept until it is back.
 */
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { type AdoptedFunction, type AdoptNames, adoptedFunctions } from './adopt-inspect.ts';
import { adoptSql, type StepPatience } from './adopt-steps.ts';

/** The queue that a function of the deployed system enqueues to, ours for it, and the file of our body. */
const switches: Readonly<Record<string, { readonly file: string; readonly kind: string; readonly queue: string }>> = {
  insert_s3_presign_job: { file: 'switched_presign', kind: 's3_presign', queue: 's3_signer' },
  insert_thumbnail_job: { file: 'switched_thumbnail', kind: 'thumbnail_generate', queue: 'thumbnails' },
};

/** Ours, and which of theirs a job goes back to. */
const adoptedQueues: Readonly<Record<string, string>> = { fs_presign: 's3_signer', fs_thumbnails: 'thumbnails' };

export interface PlannedSwitch {
  readonly function: string;
  /** `done`: ours is there. `foreign`: somebody else's, which is not overwritten. */
  readonly state: 'to do' | 'done' | 'foreign';
  readonly from: string;
  readonly to: string;
}

interface Body extends Record<string, unknown> {
  readonly id: string;
  readonly function: string;
  readonly original: string;
  readonly switched: string;
}

const activeBodies = 'SELECT id, function, original, switched FROM rowlock_adopt.bodies WHERE rolled_back_at IS NULL';

/** Whether a body does what the deployed one does: enqueue this kind to this queue. */
export function isDeployedBody({ name, source }: Pick<AdoptedFunction, 'name' | 'source'>): boolean {
  const known = switches[name];
  return (
    known !== undefined &&
    /\briver_job\b/.test(source) &&
    source.includes(`'${known.kind}'`) &&
    source.includes(`'${known.queue}'`) &&
    !/'fs_(presign|thumbnails)'/.test(source)
  );
}

/** What a switch would do to each function now. */
export async function planSwitch(
  client: pg.ClientBase,
  names: AdoptNames,
  { hasRecords, isForced }: { readonly hasRecords: boolean; readonly isForced: boolean },
): Promise<readonly PlannedSwitch[]> {
  const active = hasRecords ? (await client.query<Body>(activeBodies)).rows : [];
  const found = await adoptedFunctions(client, names.metadata);
  return await Promise.all(
    found.map(async (each) => {
      const isDone = active.some((body) => body.function === each.signature && body.switched === each.definition);
      const mayReplace = isDeployedBody(each) || isForced;
      return {
        function: each.signature,
        state: isDone ? 'done' : mayReplace ? 'to do' : 'foreign',
        from: each.definition,
        to: await switchedSql(each, names),
      } as const;
    }),
  );
}

async function switchedSql({ schema, name, is_definer }: AdoptedFunction, names: AdoptNames): Promise<string> {
  const known = switches[name];
  if (known === undefined) throw new TypeError(`There is no body for ${name}`);
  const sql = await adoptSql(known.file, { ...names, function_schema: schema });
  return is_definer ? sql.replace('SECURITY INVOKER', 'SECURITY DEFINER') : sql;
}

/** Whether a live worker of ours serves the queues. */
export async function hasWorkers(client: pg.ClientBase, metadata: string): Promise<boolean> {
  const lease = `${client.escapeIdentifier(metadata)}.rowlock_worker_lease`;
  const there = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [lease]);
  if (there.rows[0]?.found !== true) return false;
  const { rows } = await client.query<{ served: boolean }>(
    `SELECT coalesce(array_agg(q) @> $1, false) AS served
     FROM ${lease} AS l, unnest(l.queues) AS q WHERE l.expires_at > clock_timestamp()`,
    [Object.keys(adoptedQueues)],
  );
  return rows[0]?.served === true;
}

/**
 * Switches. Atomic: both functions or none. Run again it does nothing.
 *
 * @returns the functions that were switched now
 * @throws Error where a body is neither the deployed one nor ours
 */
export async function switchFunctions(
  url: string,
  names: AdoptNames,
  options: { readonly patience: StepPatience; readonly isForced: boolean; readonly beforeCommit: () => Promise<void> },
): Promise<readonly string[]> {
  return await inOneTransaction(url, options.patience, async (client) => {
    const plan = await planSwitch(client, names, { hasRecords: true, isForced: options.isForced });
    if (plan.length !== Object.keys(switches).length) {
      throw new Error(`of the two trigger functions ${plan.length} are there; is ${names.metadata} the right schema?`);
    }
    const foreign = plan.filter(({ state }) => state === 'foreign').map((each) => each.function);
    if (foreign.length > 0) {
      throw new Error(
        `${foreign.join(' and ')} is neither the deployed body nor ours and was left alone; look at it, and add --force to replace it`,
      );
    }
    const todo = plan.filter(({ state }) => state === 'to do');
    for (const each of todo) {
      // Whatever was recorded for it before is no longer what stands there: an upgrade has put its own body back.
      await client.query(
        'UPDATE rowlock_adopt.bodies SET rolled_back_at = now() WHERE function = $1 AND rolled_back_at IS NULL',
        [each.function],
      );
      await client.query(each.to);
      const now = (await adoptedFunctions(client, names.metadata)).find(({ signature }) => signature === each.function);
      await client.query('INSERT INTO rowlock_adopt.bodies (function, original, switched) VALUES ($1, $2, $3)', [
        each.function,
        each.from,
        now?.definition,
      ]);
    }
    await options.beforeCommit();
    return todo.map((each) => each.function);
  });
}

/**
 * Puts the original bodies back. Atomic; run again it does nothing.
 *
 * @returns the functions that were put back now
 * @throws Error where somebody replaced ours meanwhile, unless forced
 */
export async function restoreFunctions(
  url: string,
  names: AdoptNames,
  options: { readonly patience: StepPatience; readonly isForced: boolean; readonly beforeCommit: () => Promise<void> },
): Promise<readonly string[]> {
  return await inOneTransaction(url, options.patience, async (client) => {
    const restored: string[] = [];
    for (const body of (await client.query<Body>(`${activeBodies} ORDER BY id FOR UPDATE`)).rows) {
      const now = (await adoptedFunctions(client, names.metadata)).find(({ signature }) => signature === body.function);
      if (now?.definition === body.switched || options.isForced) {
        await client.query(body.original);
        restored.push(body.function);
      } else if (now !== undefined && !isDeployedBody(now)) {
        throw new Error(
          `${body.function} is not what the switch put there, and was left alone; look at it, and add --force to put the original back`,
        );
      }
      await client.query('UPDATE rowlock_adopt.bodies SET rolled_back_at = now() WHERE id = $1', [body.id]);
    }
    await options.beforeCommit();
    return restored;
  });
}

async function inOneTransaction<T>(
  url: string,
  { lockTimeoutMs }: StepPatience,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'rowlock adopt' });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    await client.query('SET LOCAL search_path = pg_catalog, pg_temp');
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('rowlock.adopt', 0))");
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await client.end();
  }
}

export interface GivenBack {
  readonly jobs: number;
  /** Jobs that live workers of ours still run: they end by themselves, or the next rollback gives them back. */
  readonly running: number;
  /** Whether no transaction is left that may enqueue to our queues. */
  readonly is_complete: boolean;
}

/**
 * Moves jobs from our queues to those of the old worker, until every transaction has ended that may have called our
 * bodies, since what it enqueues is seen only when it commits, and until our workers run none.
 */
export async function giveJobsBack(
  url: string,
  metadata: string,
  {
    timeoutMs,
    pauseMs,
    signal,
  }: { readonly timeoutMs: number; readonly pauseMs: number; readonly signal?: AbortSignal | undefined },
): Promise<GivenBack> {
  const client = new pg.Client({ connectionString: url, application_name: 'rowlock adopt' });
  await client.connect();
  try {
    const horizon = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
    const deadline = Date.now() + timeoutMs;
    let jobs = 0;
    for (;;) {
      // Asked first: whatever ends between the question and the move is moved.
      const ended = await client.query<{ ended: boolean }>(
        'SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8 AS ended',
        [horizon.rows[0]?.xid],
      );
      const isComplete = ended.rows[0]?.ended === true;
      for (const [from, to] of Object.entries(adoptedQueues)) jobs += await moveJobs(client, metadata, { from, to });
      const running = await runningJobs(client, metadata);
      if ((isComplete && running === 0) || Date.now() >= deadline) return { jobs, running, is_complete: isComplete };
      await wait(pauseMs, undefined, { signal });
    }
  } finally {
    await client.end();
  }
}

async function moveJobs(
  client: pg.ClientBase,
  metadata: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<number> {
  const schema = client.escapeIdentifier(metadata);
  // What a worker of ours ran that is dead would be rescued where nobody works any more.
  const moved = await client.query(
    `UPDATE ${schema}.river_job AS j SET queue = $2, state = CASE WHEN j.state = 'running' THEN 'available' ELSE j.state END
     WHERE j.queue = $1 AND (j.state IN ('available', 'retryable', 'scheduled', 'pending')
       OR (j.state = 'running' AND NOT EXISTS (
         SELECT FROM ${schema}.rowlock_worker_lease AS l WHERE l.expires_at > clock_timestamp()
           AND l.client_id = j.attempted_by[array_upper(j.attempted_by, 1)])))`,
    [from, to],
  );
  if ((moved.rowCount ?? 0) > 0) {
    await client.query('SELECT pg_notify($1, $2)', [`${metadata}.river_insert`, JSON.stringify({ queue: to })]);
  }
  return moved.rowCount ?? 0;
}

async function runningJobs(client: pg.ClientBase, metadata: string): Promise<number> {
  const { rows } = await client.query<{ running: number }>(
    `SELECT count(*)::int AS running FROM ${client.escapeIdentifier(metadata)}.river_job
     WHERE queue = ANY ($1) AND state = 'running'`,
    [Object.keys(adoptedQueues)],
  );
  return rows[0]?.running ?? 0;
}

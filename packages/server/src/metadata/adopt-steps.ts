/**
 * The steps of an installation beside a running system: each a short transaction of its own that gives up its lock
 * rather than let the application wait, and is tried again. Invariants: each does nothing where its result is there, so an
 * installation that was killed at any step is simply run again; and none locks two tables of the application, which may
 * lock them in the other order.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { planMigration } from '@rowlock/queue';
import pg from 'pg';
import { type AdoptFacts, type AdoptNames, inspectAdoption } from './adopt-inspect.ts';
import { renderSql } from './migrate.ts';

export interface AdoptStep {
  readonly name: string;
  /** What it does and what the application notices of it. */
  readonly words: string;
  readonly sql: string;
  /** Whether it must stand outside of a transaction. */
  readonly isAlone?: boolean;
}

export interface StepPatience {
  /**
   * How long one try may wait for a lock, in milliseconds; what stands behind it in the queue waits as long. Below the
   * server's deadlock_timeout (1 s unless set), so that of a deadlock it is never the application that fails.
   */
  readonly lockTimeoutMs: number;
  /** Tries before it is given up. */
  readonly triesMax: number;
  /** Between two tries, in milliseconds. */
  readonly pauseMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called when a try did not get its lock. */
  readonly onWait?: ((step: string, tries: number) => void) | undefined;
}

export const patienceDefault: StepPatience = { lockTimeoutMs: 400, triesMax: 60, pauseMs: 1000 };

const folder: URL = new URL('../../sql/adopt/', import.meta.url);

/** One file of `sql/adopt`, with its names put in. */
export async function adoptSql(name: string, names: Readonly<Record<string, string>>): Promise<string> {
  return renderSql(await readFile(new URL(`${name}.sql`, folder), 'utf8'), names);
}

/** River's tables stay what they are: of the queue's own steps those that only add, beside them. */
const queueSteps = new Set([
  'rowlock/worker_lease',
  'rowlock/wake_queue',
  'rowlock/enqueue_job',
  'rowlock/enqueue_jobs',
]);

/** The steps that are needed after our own schemas are there, in their order. */
export async function stepsOf(
  client: pg.ClientBase,
  facts: AdoptFacts,
  names: AdoptNames,
): Promise<readonly AdoptStep[]> {
  const named = { ...names };
  const schema = client.escapeIdentifier(names.metadata);
  const queue = (await planMigration(client, { schema: names.metadata })).filter(({ name }) => queueSteps.has(name));
  const steps: (AdoptStep | false)[] = [
    {
      name: 'records',
      words: 'a schema rowlock_adopt for what the adoption remembers, and a bucket for the files',
      sql: await adoptSql('10_records', named),
    },
    {
      name: 'queue',
      words: `${names.metadata}.rowlock_worker_lease and three functions, for workers; River's own tables stay as they are`,
      sql: queue.map(({ sql }) => sql.trim()).join('\n\n'),
    },
    !facts.has_column && {
      name: 'column',
      words: `${names.metadata}.files.object_id, empty: nothing is rewritten, nothing is scanned`,
      sql: `ALTER TABLE ${schema}.files ADD COLUMN object_id uuid REFERENCES storage.objects (id) ON DELETE CASCADE`,
    },
    { name: 'grants', words: 'what our roles may do with the adopted tables', sql: grantsSql(schema) },
    !facts.has_index && {
      name: 'index',
      words: 'an index of that column, built while the application writes',
      sql: `CREATE UNIQUE INDEX CONCURRENTLY files_rowlock_object_id_idx ON ${schema}.files (object_id) WHERE object_id IS NOT NULL`,
      isAlone: true,
    },
    {
      name: 'policy_files',
      words: 'our own role sees the adopted files; nobody else sees more than before',
      sql: policySql(`${schema}.files`),
    },
    {
      name: 'policy_requests',
      words: 'and the requests, if ever row-level security is enabled there',
      sql: policySql(`${schema}.file_upload_requests`),
    },
    { name: 'jobs', words: 'functions for jobs of the adopted rows', sql: await adoptSql('20_jobs', named) },
    { name: 'objects', words: 'functions that give files their objects', sql: await adoptSql('30_objects', named) },
    !facts.has_trigger && {
      name: 'trigger',
      words: 'who deletes a file that has an object deletes the object',
      sql: `CREATE TRIGGER rowlock_files_deleted AFTER DELETE ON ${schema}.files
        REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rowlock_adopt.files_deleted()`,
    },
  ];
  return steps.filter((step) => step !== false);
}

function grantsSql(schema: string): string {
  return `GRANT USAGE ON SCHEMA ${schema} TO rowlock_owner, rowlock_worker;
    GRANT SELECT, UPDATE (file_id, s3_key, presigned_url, status, error_message)
      ON ${schema}.file_upload_requests TO rowlock_owner;
    GRANT SELECT, UPDATE (object_id, thumbnail_status, thumbnail_error, s3_thumbnail_small_key, s3_thumbnail_medium_key,
      s3_thumbnail_large_key, updated_at) ON ${schema}.files TO rowlock_owner;
    GRANT SELECT, INSERT ON ${schema}.river_job TO rowlock_owner;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.river_job, ${schema}.river_queue, ${schema}.river_leader,
      ${schema}.rowlock_worker_lease TO rowlock_worker;
    GRANT SELECT ON ${schema}.river_migration TO rowlock_worker;
    GRANT USAGE ON SEQUENCE ${schema}.river_job_id_seq TO rowlock_owner, rowlock_worker;
    GRANT EXECUTE ON FUNCTION ${schema}.rowlock_wake_queue(text) TO rowlock_worker;`;
}

function policySql(table: string): string {
  return `DO $policy$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = '${table}'::regclass AND polname = 'rowlock_owner') THEN
        CREATE POLICY rowlock_owner ON ${table} TO rowlock_owner USING (true) WITH CHECK (true);
      END IF;
    END
    $policy$;`;
}

/** Looks again before each step: what an earlier one did may be there. */
export async function runSteps(
  url: string,
  names: AdoptNames,
  patience: StepPatience,
  onStep: (step: AdoptStep) => Promise<void>,
): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'rowlock adopt' });
  await client.connect();
  try {
    await client.query('SET search_path = pg_catalog, pg_temp');
    await assertAlone(client);
    const done: string[] = [];
    for (;;) {
      const steps = await stepsOf(client, await inspectAdoption(client, names), names);
      const next = steps.find(({ name }) => !done.includes(name));
      if (next === undefined) return done;
      await runStep(client, next, patience);
      done.push(next.name);
      await onStep(next);
    }
  } finally {
    await client.end();
  }
}

/** Never waits: an index that is built concurrently waits for whoever waits for us. */
async function assertAlone(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ alone: boolean }>(
    "SELECT pg_try_advisory_lock(hashtextextended('rowlock.adopt.install', 0)) AS alone",
  );
  if (rows[0]?.alone !== true)
    throw new Error('another rowlock adopt install is under way; look again when it has ended');
}

async function runStep(client: pg.Client, step: AdoptStep, patience: StepPatience): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    patience.signal?.throwIfAborted();
    try {
      return await tryStep(client, step, patience.lockTimeoutMs);
    } catch (error) {
      if (!isLockTimeout(error)) throw named(error, step);
      if (tries >= patience.triesMax) {
        throw new Error(
          `${step.name}: the lock was not free in ${tries} tries; look for long transactions in pg_stat_activity, and run this again`,
          { cause: error },
        );
      }
      patience.onWait?.(step.name, tries);
      await wait(patience.pauseMs, undefined, { signal: patience.signal });
    }
  }
}

async function tryStep(client: pg.Client, step: AdoptStep, lockTimeoutMs: number): Promise<void> {
  if (step.isAlone) {
    if (step.name === 'index') await dropInvalidIndex(client, step);
    await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
    await client.query(step.sql);
    return;
  }
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    await client.query(step.sql);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** One that was interrupted, or did not get its lock, leaves the index behind, invalid. */
async function dropInvalidIndex(client: pg.Client, step: AdoptStep): Promise<void> {
  const index = /INDEX CONCURRENTLY (\S+) ON (.+)\.files /.exec(step.sql);
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
     WHERE i.indrelid = $1::regclass AND c.relname = $2 AND NOT i.indisvalid`,
    [`${index?.[2]}.files`, index?.[1]],
  );
  for (const { name } of rows) await client.query(`DROP INDEX CONCURRENTLY ${name}`);
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '55P03' || error.code === '40P01');
}

function named(error: unknown, step: AdoptStep): unknown {
  if (error instanceof Error) error.message = `${step.name}: ${error.message}`;
  return error;
}

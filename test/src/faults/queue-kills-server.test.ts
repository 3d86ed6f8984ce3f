/**
 * PostgreSQL itself is stopped without a word while workers are at work, and comes back: every job is done. What was
 * recorded as done is not done again with synchronous_commit; a claim of the last moment may be forgotten, and its job run
 * again, since claims do not wait for the disk. The audit is in this process, so that no crash can touch it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { freePort, seededRandom, temporaryFolder, until } from '@rowlock/test-harness';
import pg from 'pg';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import { AuditedWorker, ageLostClaims, insertJobs, prepareQueue, schema } from './audited-queue.ts';
import { assertHistory } from './queue-history.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
/** Whether to wait until claims count as lost, instead of making them older. */
const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;
const jobs = 300 * rounds;
const crashes = 2 * rounds;

let server: EmbeddedPostgres;
let start: () => Promise<void>;
let pool: pg.Pool;
const workers: AuditedWorker[] = [];
const random = seededRandom();

before(async () => {
  const dataDir = join(temporaryFolder({ mode: 0o711 }), 'postgres');
  const port = await freePort();
  start = async () => {
    // Losing its process costs PostgreSQL nothing that it wrote, so fsync may be off.
    server = await startEmbeddedPostgres({ dataDir, port, settings: { fsync: 'off', max_connections: 100 } });
  };
  await start();
  const connectionString = `${server.url}?options=-c%20synchronous_commit%3Don`;
  pool = new pg.Pool({ connectionString, max: 2 });
  pool.on('error', () => undefined);
  await prepareQueue(pool);
});
beforeEach(async () => {
  await pool.query(`TRUNCATE ${schema}.river_job, audit`);
});
after(async () => {
  await Promise.all(workers.filter(({ isOver }) => !isOver).map(async (worker) => await worker.kill()));
  await pool.end();
  await server.stop('immediate');
});

function startWorker(): AuditedWorker {
  const worker = new AuditedWorker({
    clientId: `server_${workers.length + 1}`,
    queues: { default: { maxWorkers: 5 } },
    leaseTtlMs: 10_000,
    url: server.url,
    audit_url: null,
    schema,
  });
  workers.push(worker);
  return worker;
}

const finishes = (those: readonly AuditedWorker[]): number =>
  those.reduce((sum, worker) => sum + worker.count('audit_finish'), 0);

/** What the workers said, as rows for whoever judges. */
async function writeAudit(those: readonly AuditedWorker[]): Promise<void> {
  const whats: Readonly<Record<string, string>> = {
    audit_start: 'start',
    audit_finish: 'finish',
    job_settled: 'settled',
  };
  const noted = those
    .flatMap(({ heard }) => heard)
    .filter(({ event, state = 'completed' }) => Object.hasOwn(whats, event) && state === 'completed')
    .map(({ id, attempt, event, heard_at }) => ({ job_id: id, attempt, what: whats[event], seconds: heard_at / 1000 }));
  await pool.query(
    `INSERT INTO audit (job_id, attempt, what, at) SELECT job_id, attempt, what, to_timestamp(seconds)
     FROM json_to_recordset($1) AS noted (job_id bigint, attempt int, what text, seconds float8)`,
    [JSON.stringify(noted)],
  );
}

async function untilDone(): Promise<void> {
  const open = `SELECT count(*)::int AS open FROM ${schema}.river_job WHERE finalized_at IS NULL`;
  const isDone = async (): Promise<boolean> => {
    if (!isLong) await ageLostClaims(pool);
    return (await pool.query(open)).rows[0]?.open === 0;
  };
  await until(isDone, {
    intervalMs: 200,
    timeoutMs: 60_000 + 10_000 * rounds,
    what: 'all jobs are done',
  });
}

for (const synchronousCommit of ['on', 'off'] as const) {
  test(`PostgreSQL crashes ${crashes} times with synchronous_commit ${synchronousCommit}: all ${jobs} jobs are done`, async (t) => {
    await insertJobs(pool, jobs, { ms: 10, failing: jobs / 5 });
    await pool.query(`ALTER DATABASE postgres SET synchronous_commit = ${synchronousCommit}`);
    const those = [startWorker(), startWorker()];

    for (let crash = 1; crash <= crashes; crash += 1) {
      const wanted = Math.min(finishes(those) + 20 + random.integer(60), jobs - 10);
      await until(() => finishes(those) >= wanted, { intervalMs: 1, timeoutMs: 60_000, what: 'workers are at work' });
      await server.stop('immediate');
      await start();
    }
    const upAt = performance.now();
    await untilDone();
    const seconds = (performance.now() - upAt) / 1000;
    for (const worker of those) {
      const { code, complaints } = await worker.stop();
      assert.deepEqual({ code, complaints }, { code: 0, complaints: '' });
    }

    await writeAudit(those);
    await assertHistory(pool, { jobs, crashes: synchronousCommit === 'on' ? 'durable' : 'lossy' });
    const { rows } = await pool.query(`SELECT count(*) FILTER (WHERE metadata ? 'river:rescue_count')::int AS rescued,
      (SELECT count(*)::int FROM audit WHERE what = 'finish') - count(*)::int AS again FROM ${schema}.river_job`);
    t.diagnostic(
      `seed ${random.seed}: ${crashes} crashes, ${rows[0]?.again} done again, ${rows[0]?.rescued} rescued, ` +
        `all done ${seconds.toFixed(1)} s after the last start`,
    );
  });
}

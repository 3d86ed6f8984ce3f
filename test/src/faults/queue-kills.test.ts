/**
 * Workers are killed with SIGKILL at random points, again and again, while they work: every job comes to its end, none
 * is lost, and none is done twice unless a kill fell between its start and the record of its end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEmptyDatabase, type EmptyDatabase, seededRandom, until } from '@rowlock/test-harness';
import pg from 'pg';
import { prepareQueue } from './audited-queue.ts';
import { assertHistory, rescue } from './queue-history.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const jobs = 300 * rounds;
const kills = 6 * rounds;
const slots = 3;
/** A killed worker's jobs wait for its lease, of five seconds. */
const deadlineMs = 60_000 + 10_000 * rounds;
const program = fileURLToPath(new URL('./killed-worker.js', import.meta.url));

let database: EmptyDatabase;
let pool: pg.Pool;

before(async () => {
  database = await createEmptyDatabase({ prefix: 'kills' });
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => undefined); // its database is dropped while a connection closes
  await prepareQueue(pool);
});
after(async () => {
  await pool.end();
  await database.drop();
});

/** One place for a worker: killed when it has said enough, and started anew as long as there are kills left. */
async function occupy(
  random: ReturnType<typeof seededRandom>,
  left: { kills: number },
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    const isVictim = left.kills > 0;
    if (isVictim) left.kills -= 1;
    const child = startWorker(`kills_${random.integer(2 ** 32)}`);
    const exited = once(child, 'exit');
    let letters = isVictim ? 1 + random.integer(40) : Number.POSITIVE_INFINITY;
    child.stdout?.on('data', (data: Buffer) => {
      letters -= data.length;
      if (letters <= 0) child.kill('SIGKILL');
    });
    const stop = (): void => void child.kill('SIGTERM');
    end.addEventListener('abort', stop);
    await exited;
    end.removeEventListener('abort', stop);
  }
}

function startWorker(clientId: string): ChildProcess {
  const args = [program, database.url, 'river', clientId];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function count(query: string): Promise<number> {
  const { rows } = await pool.query(query);
  return Number(rows[0]?.['count']);
}

test(`${kills} kills over ${jobs} jobs lose none, and repeat only what a kill has interrupted`, async (t) => {
  const random = seededRandom();
  const left = { kills };
  const end = new AbortController();
  await pool.query(
    `INSERT INTO river.river_job (kind, args, max_attempts, metadata)
     SELECT 'audited', jsonb_build_object('fails_first', n % 5 = 0), 1000, '{}' FROM generate_series(1, $1) AS n`,
    [jobs],
  );
  t.diagnostic(`seed ${random.seed}`);

  const places = Array.from({ length: slots }, async () => await occupy(random, left, end.signal));
  try {
    const open = `SELECT count(*) FROM river.river_job WHERE finalized_at IS NULL`;
    await until(async () => (await count(open)) === 0, {
      timeoutMs: deadlineMs,
      intervalMs: 100,
      what: 'all are done',
    });
  } finally {
    end.abort();
    await Promise.all(places);
  }

  await assertHistory(pool, { jobs, hasDeaths: true });
  for (const line of await report()) t.diagnostic(line);
});

async function report(): Promise<readonly string[]> {
  const { rows } = await pool.query(`
    WITH rescued AS (
      SELECT job.id, (error ->> 'attempt')::int AS attempt, (error ->> 'at')::timestamptz AS at
      FROM river.river_job AS job, unnest(job.errors) AS error
      WHERE error ->> 'error' = '${rescue}'
    ),
    waits AS (
      SELECT extract(epoch FROM rescued.at - max(audit.at)) AS seconds
      FROM rescued JOIN audit ON audit.job_id = rescued.id AND audit.attempt = rescued.attempt
      GROUP BY rescued.id, rescued.attempt, rescued.at
    )
    SELECT (SELECT count(*) FROM rescued) AS rescues,
      (SELECT count(*) FROM audit WHERE what = 'finish') - (SELECT count(DISTINCT job_id) FROM audit) AS again,
      (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::numeric, 1) FROM waits) AS median,
      (SELECT round(max(seconds)::numeric, 1) FROM waits) AS longest`);
  const { rescues, again, median, longest } = rows[0] ?? {};
  return [
    `${jobs} jobs, ${kills} kills, ${rescues} rescues, ${again} done again after a kill`,
    `from the last sign of a killed attempt to its rescue: median ${median} s, longest ${longest} s`,
  ];
}

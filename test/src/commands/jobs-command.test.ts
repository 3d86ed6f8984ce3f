/** `rowlock jobs`, as an operator runs it: a process, the worker's own database role, no service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('rowlock jobs', () => {
  let database: MigratedDatabase;
  before(async () => {
    database = await createMigratedDatabase();
  });
  after(async () => await database.drop());
  beforeEach(async () => {
    await database.query('TRUNCATE metadata.river_job RESTART IDENTITY');
    await database.query('DELETE FROM metadata.river_queue');
  });

  async function jobs(...args: readonly string[]): Promise<Ran> {
    const env = { PATH: process.env['PATH'] ?? '', WORKER_DATABASE_URL: database.workerUrl };
    return await new Promise((resolve) => {
      execFile(process.execPath, [program, 'jobs', ...args], { env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  /** A job in a state, with what goes with it. */
  async function job(state: string, kind = 'send_email', queue = 'notifications'): Promise<string> {
    const isOver = ['cancelled', 'completed', 'discarded'].includes(state);
    const [row] = await database.query<{ id: string }>(
      `INSERT INTO metadata.river_job (args, kind, queue, state, attempt, max_attempts, attempted_at, finalized_at, errors)
       VALUES ('{"to": "x"}', $1, $2, $3::metadata.river_job_state, 3, 3, now(), $4,
         ARRAY['{"at": "2026-01-02T03:04:05Z", "attempt": 3, "error": "no route to host", "trace": ""}'::jsonb])
       RETURNING id`,
      [kind, queue, state, isOver ? new Date() : null],
    );
    return String(row?.id);
  }

  const stateOf = async (id: string): Promise<unknown> =>
    (await database.query<{ state: string }>('SELECT state FROM metadata.river_job WHERE id = $1', [id]))[0]?.state;

  test('lists the newest first with the last error, filters, and goes on behind a cursor', async () => {
    const ids = [await job('discarded'), await job('available', 's3_presign', 's3_signer'), await job('discarded')];

    const all = await jobs('list');
    const first = await jobs('list', '--state', 'discarded', '--limit', '1', '--json');
    const page = JSON.parse(first.out) as { jobs: { id: string }[]; cursor: string };
    const next = await jobs('list', '--state', 'discarded', '--limit', '1', '--after', page.cursor, '--json');

    assert.equal(all.code, 0, all.err);
    assert.match(all.out, /^id\s+state\s+queue\s+kind\s+attempt\s+at \(UTC\)\s+last error\n3\s+discarded/);
    assert.match(all.out, /no route to host/);
    assert.deepEqual(
      page.jobs.map(({ id }) => id),
      [ids[2]],
    );
    assert.deepEqual(
      (JSON.parse(next.out) as typeof page).jobs.map(({ id }) => id),
      [ids[0]],
    );
  });

  test('shows everything about one job, and says when there is none', async () => {
    const id = await job('discarded');

    const shown = await jobs('show', id);
    const missing = await jobs('show', '999');

    assert.match(shown.out, /^job\s+1, send_email in notifications\nstate\s+discarded\nattempt\s+3 of 3/);
    assert.match(shown.out, /attempt 3, 2026-01-02T03:04:05Z: no route to host/);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /999/);
  });

  test('retries what was discarded by a filter, and leaves the rest alone', async () => {
    const [dead, other, running] = [await job('discarded'), await job('discarded', 's3_presign'), await job('running')];

    const { code, out } = await jobs('retry', '--state', 'discarded', '--kind', 'send_email');

    assert.equal(code, 0);
    assert.equal(out, `retried 1: ${dead}\n`);
    assert.equal(await stateOf(dead), 'available');
    assert.equal(await stateOf(other), 'discarded');
    assert.equal(await stateOf(running), 'running');
  });

  test('cancels and deletes by id; one that is refused does not hold up the others', async () => {
    const [waiting, running, dead] = [await job('available'), await job('running'), await job('discarded')];

    const cancelled = await jobs('cancel', waiting, '--json');
    const deleted = await jobs('delete', running, dead, '--json');

    assert.deepEqual(JSON.parse(cancelled.out), { cancelled: [waiting], refused: [] });
    assert.equal(await stateOf(waiting), 'cancelled');
    assert.equal(deleted.code, 1);
    assert.deepEqual((JSON.parse(deleted.out) as { deleted: string[] }).deleted, [dead]);
    assert.match(deleted.out, /is running/);
    assert.equal(await stateOf(running), 'running');
    assert.equal(await stateOf(dead), undefined);
  });

  test('refuses neither ids nor filters, both, a word for an id, and a state that does not exist', async () => {
    const calls = [['delete'], ['delete', '1', '--state', 'discarded'], ['retry', 'all'], ['list', '--state', 'dead']];

    const ran = await Promise.all(calls.map((call) => jobs(...call)));

    assert.deepEqual(
      ran.map(({ code }) => code),
      [2, 2, 2, 2],
    );
    assert.match(ran[0]?.err ?? '', /Give the ids of jobs, or filters such as --state discarded/);
    assert.match(ran[3]?.err ?? '', /--state is one of available, cancelled/);
  });

  test('pauses and resumes queues, and lists them', async () => {
    await database.query("INSERT INTO metadata.river_queue (name, updated_at) VALUES ('thumbnails', now())");

    const paused = await jobs('pause', 'thumbnails');
    const listed = await jobs('queues');
    const resumed = await jobs('resume', '*');
    const unknown = await jobs('pause', 'nowhere');

    assert.equal(paused.out, 'paused thumbnails\n');
    assert.match(listed.out, /thumbnails\s+paused since \d{4}-/);
    assert.equal(resumed.out, 'resumed *\n');
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /nowhere/);
  });

  test('counts by queue and kind, with the age of the oldest that waits', async () => {
    const id = await job('available');
    await job('completed', 's3_presign', 's3_signer');
    await database.query("UPDATE metadata.river_job SET scheduled_at = now() - interval '10 min' WHERE id = $1", [id]);

    const text = await jobs();
    const { out } = await jobs('stats', '--json');
    const stats = JSON.parse(out) as {
      kinds: { queue: string; counts: Record<string, number>; oldest_due_seconds: number | null }[];
      latencies: { kind: string; completed: number }[];
    };

    assert.match(text.out, /notifications\s+send_email\s+1\s+0\s+0\s+0\s+0\s+10 min/);
    assert.match(text.out, /nobody leads/);
    assert.deepEqual(
      stats.kinds.map(({ queue, counts }) => [queue, counts]),
      [
        ['notifications', { available: 1 }],
        ['s3_signer', { completed: 1 }],
      ],
    );
    assert.ok((stats.kinds[0]?.oldest_due_seconds ?? 0) >= 600);
    assert.deepEqual(
      stats.latencies.map(({ kind, completed }) => [kind, completed]),
      [['s3_presign', 1]],
    );
  });
});

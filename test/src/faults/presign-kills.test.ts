/**
 * A hundred clients a second ask for upload URLs while one of two signers is killed again and again: each gets its URL, of
 * one file and one key, none is told that it failed, and what is uploaded is whole. The suite has four seconds of it; the
 * campaign has ten minutes, and waits until leases of the dead run out by themselves.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, seededRandom, until } from '@rowlock/test-harness';
import { type Application, startApplication } from '../contract-metadata/application.ts';
import { type Asked, planArrivals, untilAllAsked } from './asking-clients.ts';
import { KilledSigners, type PlannedKill } from './killed-signers.ts';

const minutes = process.env['ROWLOCK_ROUNDS'];
/** Whether to wait until a dead signer's lease has run out, instead of making it older. */
const isLong = minutes !== undefined;
const durationMs = isLong ? Number(minutes) * 60_000 : 4000;
const killEveryMs = isLong ? 30_000 : 1500;
/** A lease lives for half a minute, and is looked at every ten seconds or so. */
const patienceMs = isLong ? 120_000 : 40_000;
const rate = 100;
const signers = 2;

let app: Application;
let fleet: KilledSigners;

before(async () => {
  app = await startApplication({ workers: false });
  fleet = new KilledSigners(app.service);
  await fleet.start(signers);
});
after(async () => {
  await fleet.stop();
  await app.stop();
});

/** One in each stretch of time, in its middle third. */
function planKills(random: ReturnType<typeof seededRandom>): readonly PlannedKill[] {
  return Array.from({ length: Math.max(1, Math.floor(durationMs / killEveryMs)) }, (_, turn) => ({
    at_ms: killEveryMs * (turn + (1 + random.next()) / 3),
    place: random.integer(signers),
  }));
}

async function letLeaseExpire(clientId: string): Promise<void> {
  if (isLong) return;
  await app.service.database.query(
    "UPDATE metadata.rowlock_worker_lease SET expires_at = now() - interval '1 second' WHERE client_id = $1",
    [clientId],
  );
}

async function untilJobsEnd(): Promise<void> {
  const open = 'SELECT FROM metadata.river_job WHERE finalized_at IS NULL LIMIT 1';
  await until(async () => (await app.service.database.query(open)).length === 0, {
    timeoutMs: patienceMs,
    intervalMs: 100,
    what: 'all jobs have ended',
  });
}

interface RequestRow extends Record<string, unknown> {
  readonly id: string;
  readonly file_id: string;
  readonly status: string;
  readonly key: string;
  readonly url: string;
}

/** What clients were told is what is there, and each has a file and a key of its own. */
async function assertAllSigned(asked: readonly Asked[]): Promise<void> {
  const problems = asked.filter(({ problem }) => problem !== undefined);
  assert.deepEqual(
    problems.slice(0, 5).map(({ problem }) => problem),
    [],
    `${problems.length} of ${asked.length} clients met a problem`,
  );
  const rows = await app.service.database.query<RequestRow>(
    'SELECT id, file_id, status, s3_key AS key, presigned_url AS url FROM metadata.file_upload_requests',
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { id = '', file_ids, url = '' } of asked) {
    const row = byId.get(id);
    assert.ok(row, `request ${id} is there`);
    assert.deepEqual([row.status, row.url], ['completed', url], `request ${id} has the URL that its client holds`);
    assert.deepEqual([...file_ids], [row.file_id], `request ${id} has one file id`);
    assert.equal(new URL(url).pathname, `/civic-os-files/${row.key}`, `request ${id} has one key`);
  }
  assert.equal(rows.length, asked.length);
  for (const what of ['file_id', 'key', 'url'] as const) {
    assert.equal(new Set(rows.map((row) => row[what])).size, rows.length, `no two requests have one ${what}`);
  }
}

async function assertUploadsCommitted(asked: readonly Asked[]): Promise<void> {
  const files = await app.service.database.query<{ object_id: string | null }>('SELECT object_id FROM public.files');
  assert.equal(files.length, asked.filter(({ uploads }) => uploads).length);
  assert.equal(files.filter(({ object_id }) => object_id === null).length, 0, 'every file has its object');
}

interface JobRow extends Record<string, unknown> {
  readonly state: string;
  readonly request_id: string;
  readonly attempted_by: readonly string[];
  readonly is_rescued: boolean;
}

const jobsOf = (): Promise<JobRow[]> =>
  app.service.database.query<JobRow>(
    `SELECT state, args ->> 'request_id' AS request_id, attempted_by, metadata ? 'river:rescue_count' AS is_rescued
     FROM metadata.river_job WHERE kind = 's3_presign'`,
  );

const seconds = (ms: number | undefined): string => ((ms ?? 0) / 1000).toFixed(3);

function waitsText(asked: readonly Asked[]): string {
  const waits = asked.map(({ wait_ms }) => wait_ms).sort((a, b) => a - b);
  const at = (share: number): string => seconds(waits[Math.min(waits.length - 1, Math.floor(waits.length * share))]);
  return `p50 ${at(0.5)} s, p95 ${at(0.95)} s, p99 ${at(0.99)} s, longest ${at(1)} s`;
}

test(`R157 ${rate} clients a second for ${durationMs / 1000} s get their URLs while signers are killed`, async (t) => {
  const random = seededRandom();
  const kills = planKills(random);
  const arrivals = planArrivals(random, { rate, durationMs, uploadsOneIn: isLong ? 20 : 8 });
  t.diagnostic(`seed ${random.seed}`);

  const [asked] = await Promise.all([
    untilAllAsked(app, arrivals, patienceMs),
    fleet.untilKilled(kills, letLeaseExpire),
  ]);
  t.diagnostic(`${asked.length} requests, from when due to the URL: ${waitsText(asked)}`);
  await assertAllSigned(asked);
  await untilJobsEnd();
  const ends = await fleet.stop();
  const jobs = await jobsOf();

  await assertAllSigned(asked); // also after the jobs of the dead ran again
  await assertUploadsCommitted(asked);
  assert.deepEqual(ends, [0, 0], 'the signers that live stop when asked');
  assert.equal(jobs.length, asked.length, 'each request has one job');
  assert.deepEqual([...new Set(jobs.map(({ state }) => state))], ['completed']);
  const rescued = jobs.filter(({ is_rescued }) => is_rescued);
  const hits = fleet.killed.filter((victim) => rescued.some(({ attempted_by }) => attempted_by.includes(victim)));
  assert.equal(fleet.killed.length, kills.length);
  assert.ok(hits.length > 0, 'a kill fell on a running job');
  const caughtIds = new Set(rescued.map(({ request_id }) => request_id));
  const caught = asked.filter(({ id = '' }) => caughtIds.has(id));
  t.diagnostic(`${kills.length} kills, ${hits.length} of them on a running job; 0 requests lost, 0 failed`);
  t.diagnostic(`${caught.length} requests whose job ran again: ${waitsText(caught)}`);
  t.diagnostic(`${asked.filter(({ uploads }) => uploads).length} files uploaded and registered`);
  // The long form leaves tens of thousands of requests open that nobody is going to use.
  await assertInvariants(app.service, { keepsUploads: isLong });
});

/**
 * A process that signs upload URLs and does nothing else: how soon it claims a job that waits for it, how much memory it
 * takes, how fast it works a backlog, beside a bare process that claims one row; and what a thousand clients meet who all
 * ask the service at once. What a URL takes at a steady rate is in `presign.ts`.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MigratedDatabase, signToken, temporaryFolder, until } from '@rowlock/test-harness';
import { startHttpLoad, startLoad } from './load/http-load.ts';
import { nowMs } from './load/paced.ts';
import type { UrlCrowdOrder, UrlCrowdSample } from './load/url-crowd.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { peakMiB, residentMiB } from './measure/process-usage.ts';
import { inTurns } from './measure/rounds.ts';
import { bareSchema, besideBareWorker, signBareBacklog } from './peers/bare-presign.ts';
import { startBenchService } from './service/service-process.ts';
import { type SignerStore, type StartedProcess, startNode, startSigner } from './service/signer-process.ts';

const bareProgram = fileURLToPath(new URL('peers/bare-claim-program.js', import.meta.url));
const stores = ['disk', 's3'] as const;
const claimTimeoutMs = 30_000;
const signTimeoutMs = 120_000;

/** What one life of a signer was like. */
interface Life {
  readonly claim_ms: number;
  readonly started_mib: number;
  readonly worked_mib: number;
  readonly per_second: number;
}

interface Scale {
  /** Requests that wait all at once. */
  readonly backlog: number;
  /** How long a process is left alone before its memory is looked at. */
  readonly settleMs: number;
  readonly clients: number;
}

const scaleOf = ({ short }: BenchContext): Scale =>
  short ? { backlog: 100, settleMs: 50, clients: 20 } : { backlog: 5000, settleMs: 1000, clients: 1000 };

/** Nobody is asked for so many: they come by SQL, from whoever owns the table. */
async function request(database: MigratedDatabase, count: number): Promise<void> {
  await database.query(
    `INSERT INTO metadata.file_upload_requests (entity_type, entity_id, file_name, file_type)
     SELECT 'issue', n::text, 'photo-' || n || '.jpg', 'image/jpeg' FROM generate_series(1, $1::integer) AS n`,
    [count],
  );
}

/** Milliseconds from the beginning of a process to the claim that a query tells of, by the clock of the database. */
async function untilClaimed(database: MigratedDatabase, { at }: StartedProcess, query: string): Promise<number> {
  const claimedAt = await until(async () => (await database.query<{ at: number | null }>(query))[0]?.at ?? undefined, {
    timeoutMs: claimTimeoutMs,
    intervalMs: 5,
    what: 'the job that waits is claimed',
  });
  return claimedAt - at;
}

async function untilSigned(database: MigratedDatabase): Promise<void> {
  const query = `SELECT EXISTS (SELECT FROM metadata.river_job
    WHERE queue = 's3_signer' AND state NOT IN ('completed', 'discarded', 'cancelled')) AS is_pending`;
  await until(async () => (await database.query<{ is_pending: boolean }>(query))[0]?.is_pending === false, {
    timeoutMs: signTimeoutMs,
    intervalMs: 10,
    what: 'all requests are signed',
  });
}

async function assertSigned(database: MigratedDatabase): Promise<void> {
  const [row] = await database.query<{ unsigned: number }>(
    `SELECT count(*)::integer AS unsigned FROM metadata.file_upload_requests
     WHERE status <> 'completed' OR presigned_url IS NULL`,
  );
  if (row?.unsigned !== 0) throw new Error(`${row?.unsigned} requests were not signed`);
}

const settled = async ({ settleMs }: Scale): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
};

async function lifeOfSigner(database: MigratedDatabase, store: SignerStore, scale: Scale): Promise<Life> {
  await request(database, 1);
  const signer = startSigner(database, store);
  try {
    const claim_ms = await untilClaimed(
      database,
      signer,
      `SELECT extract(epoch FROM attempted_at)::float8 * 1000 AS at FROM metadata.river_job
       WHERE queue = 's3_signer' ORDER BY id DESC LIMIT 1`,
    );
    await signer.untilReady();
    await untilSigned(database);
    await settled(scale);
    const started_mib = residentMiB([signer.pid]);
    await request(database, scale.backlog);
    const begun = nowMs();
    await untilSigned(database);
    const per_second = (scale.backlog * 1000) / (nowMs() - begun);
    await assertSigned(database);
    return { claim_ms, started_mib, worked_mib: peakMiB(signer.pid), per_second };
  } finally {
    await signer.stop();
  }
}

async function lifeOfBare(database: MigratedDatabase, scale: Scale): Promise<Life> {
  await database.query('INSERT INTO bare.jobs (request_id) VALUES (gen_random_uuid())');
  const { NODE_OPTIONS: _, ...env } = process.env;
  const bare = startNode([bareProgram, database.workerUrl], env, join(temporaryFolder(), 'bare.log'));
  try {
    const claim_ms = await untilClaimed(
      database,
      bare,
      'SELECT extract(epoch FROM finalized_at)::float8 * 1000 AS at FROM bare.jobs ORDER BY id DESC LIMIT 1',
    );
    await settled(scale);
    const mib = residentMiB([bare.pid]);
    const { workerUrl } = database;
    const per_second = await besideBareWorker(workerUrl, () => signBareBacklog(database, scale.backlog));
    return { claim_ms, started_mib: mib, worked_mib: mib, per_second };
  } finally {
    await bare.stop();
  }
}

interface Look {
  readonly part: keyof Life;
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly beside: string;
}

function looksAt({ backlog }: Scale): readonly Look[] {
  const memory = { unit: 'MiB', better: 'lower', beside: 'bare Node process with pg' } as const;
  return [
    {
      ...{ part: 'claim_ms', name: 'first_claim_ms', title: 'start to the first claim', unit: 'ms', better: 'lower' },
      beside: 'bare Node process with pg',
    },
    { ...memory, part: 'started_mib', name: 'started_rss_mib', title: 'resident memory after the start' },
    { ...memory, part: 'worked_mib', name: 'worked_rss_mib', title: `most resident memory, ${backlog} URLs later` },
    {
      ...{ part: 'per_second', name: 'jobs_per_second', title: `a backlog of ${backlog}`, unit: '1/s' },
      ...{ better: 'higher', beside: 'bare transactions' },
    },
  ];
}

const idOf = (store: SignerStore, { name }: Look): string => `signer_${store === 'disk' ? '' : 's3_'}${name}`;

async function lives(context: BenchContext, scale: Scale): Promise<readonly Measured[]> {
  const looks = looksAt(scale);
  const isNeeded = (store: SignerStore): boolean => looks.some((look) => isWanted(context, idOf(store, look)));
  const needed = stores.filter(isNeeded);
  if (needed.length === 0) return [];
  const postgres = await context.postgres();
  const [disk, s3] = await Promise.all([postgres.createDatabase(), postgres.createDatabase()]);
  const databases = { disk, s3 };
  try {
    await databases.disk.query(bareSchema);
    // The first signer would say so, and the first request waits before there is one.
    await databases.s3.query("UPDATE storage.settings SET value = 's3' WHERE name = 'backend'");
    const ofStore = (store: SignerStore): (() => Promise<Life>) | undefined =>
      needed.includes(store) ? async () => await lifeOfSigner(databases[store], store, scale) : undefined;
    const all = await inTurns(context, 'signer', {
      disk: ofStore('disk'),
      s3: ofStore('s3'),
      bare: async () => await lifeOfBare(databases.disk, scale),
    });
    return needed.flatMap((store) =>
      looks
        .filter((look) => isWanted(context, idOf(store, look)))
        .map(({ part, beside, ...look }) => ({
          id: idOf(store, { part, beside, ...look }),
          title: `signer${store === 's3' ? ' for S3' : ''}, ${look.title}`,
          unit: look.unit,
          better: look.better,
          values: (all[store] ?? []).map((life) => life[part]),
          beside: [{ name: beside, kind: 'ceiling', values: all.bare.map((life) => life[part]) }],
        })),
    );
  } finally {
    await Promise.all([databases.disk.drop(), databases.s3.drop()]);
  }
}

const crowdId = 'crowd_1000_url_p99_ms';

/** An answer that is no URL ends the run. */
async function crowd(context: BenchContext, { clients }: Scale): Promise<BenchResult> {
  if (!isWanted(context, crowdId)) return { figures: [] };
  const service = await startBenchService(context, 'signer');
  const [load, askers] = [startHttpLoad(), startLoad<UrlCrowdOrder, UrlCrowdSample>('url-crowd-program.js')];
  try {
    const claims = Array.from({ length: clients }, (_, n) => ({ sub: `user-${n}`, role: 'authenticated' }));
    const tokens = await Promise.all(claims.map(async (each) => await signToken(each)));
    const { port } = service;
    const alive = { port, method: 'GET', path: '/healthz', headers: {}, statuses: [200] } as const;
    const all = await inTurns(context, `${clients} clients at once`, {
      urls: async () => await askers.send({ port, tokens }),
      alive: async () => await load.send({ ...alive, connections: clients, count: clients }),
    });
    const figure: Measured = {
      id: crowdId,
      title: `${clients} clients ask for URLs at once, p99`,
      unit: 'ms',
      better: 'lower',
      values: all.urls.map(({ p99_ms }) => p99_ms),
      beside: [{ name: 'as many, /healthz once', kind: 'ceiling', values: all.alive.map(({ p99_ms }) => p99_ms) }],
    };
    return { figures: [figure], details: { crowd: all.urls } };
  } finally {
    await Promise.all([load.stop(), askers.stop()]);
    await service.stop();
  }
}

async function run(given: BenchContext): Promise<BenchResult> {
  // A turn takes seconds, so the first one is for warming up also where time is short.
  const context = { ...given, brief: false };
  const scale = scaleOf(context);
  const ofLives = await lives(context, scale);
  // One client without a URL costs the figure and fails the run, and leaves what was measured before.
  const ofCrowd = await crowd(context, scale).catch(
    (error: unknown): BenchResult => ({ figures: [], failures: [`${crowdId}: ${String(error)}`] }),
  );
  for (const failure of ofCrowd.failures ?? []) context.say(failure);
  return {
    figures: [...ofLives, ...ofCrowd.figures],
    failures: ofCrowd.failures ?? [],
    details: { ...scale, ...ofCrowd.details },
  };
}

export const signer: Benchmark = {
  name: 'signer',
  summary: 'start, memory and speed of a process that only signs upload URLs, and a thousand clients at once',
  needs: [],
  untimed: true,
  run,
};

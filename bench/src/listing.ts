/**
 * Listings: a page of a hundred over HTTP under load, pages anywhere in a large bucket, and the query of an application
 * over the metadata. Rows of the large bucket are made by SQL with triggers off and have no bytes; policies judge them as
 * any others. `ROWLOCK_BENCH_ROWS` makes it ten million.
 */
import { jwtSecret, type MigratedDatabase, signToken } from '@rowlock/test-harness';
import { authenticate } from '../../packages/server/dist/auth/authenticate.js';
import { createTokenVerifier } from '../../packages/server/dist/auth/token-verifier.js';
import { Database } from '../../packages/server/dist/metadata/database.js';
import { selectPage } from '../../packages/server/dist/metadata/listing.js';
import { closedLoop, type LoopSample } from './load/closed-loop.ts';
import { startHttpLoad } from './load/http-load.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { CallerTransactions } from './service/caller-transactions.ts';
import { startBenchService } from './service/service-process.ts';

const claims = { sub: 'ann', role: 'authenticated' } as const;
const rules = {
  anonymous_role: 'anon',
  default_role: 'authenticated',
  allowed_roles: ['anon', 'authenticated'],
  role_claim: ['role'],
};
const filesOfFolder = 1000;

/** Rows of a bucket of ann's: folders of a thousand, every hundredth row owned by somebody else too. */
async function loadRows(database: MigratedDatabase, bucket: string, rows: number): Promise<void> {
  await database.query(`
    BEGIN;
    SET LOCAL session_replication_role = replica;
    SET LOCAL synchronous_commit = off;
    INSERT INTO storage.buckets (id, name, owner_id) VALUES ('${bucket}', '${bucket}', 'ann') ON CONFLICT DO NOTHING;
    INSERT INTO storage.versions (id, backend, key, state, size, sha256, stored_at)
      VALUES ('00000000-0000-0000-0000-0000000000aa', 'disk', 'no/bytes', 'stored', 1, sha256(''), now()) ON CONFLICT DO NOTHING;
    INSERT INTO storage.objects (bucket_id, name, owner_id, version_id, size, content_type, sha256, metadata)
      SELECT '${bucket}', 'folder-' || lpad((n / ${filesOfFolder})::text, 5, '0') || '/file ' || n || '.jpg',
        CASE WHEN n % 100 = 0 THEN 'ann' ELSE 'user-' || n % 5000 END, '00000000-0000-0000-0000-0000000000aa',
        n, 'image/jpeg', sha256(n::text::bytea),
        storage.object_metadata(n, 'image/jpeg', NULL, sha256(n::text::bytea), '00000000-0000-0000-0000-0000000000aa', now())
      FROM generate_series(0, ${rows - 1}) AS n;
    COMMIT;`);
  await database.query('VACUUM ANALYZE storage.objects');
}

async function smallPages(context: BenchContext): Promise<Measured> {
  const load = startHttpLoad();
  const service = await startBenchService(context, 'listing');
  try {
    const objects = context.short ? 120 : 2000;
    await loadRows(service.database, 'bench', objects);
    const headers = { ...service.headers, 'content-type': 'application/json' };
    const common = { port: service.port, connections: context.connections, seconds: context.seconds, statuses: [200] };
    const body_text = JSON.stringify({ prefix: 'folder-00000', limit: 100 });
    const all = await inTurns(context, 'list 100', {
      rowlock: async () =>
        await load.send({ ...common, headers, body_text, method: 'POST', path: '/storage/v1/object/list/bench' }),
      alive: async () => await load.send({ ...common, headers: service.headers, method: 'GET', path: '/healthz' }),
    });
    return {
      id: 'list_100_per_second',
      title: 'list 100 of a folder',
      unit: '1/s',
      better: 'higher',
      values: all.rowlock.map(({ per_second }) => per_second),
      beside: [
        { name: 'the same service, /healthz', kind: 'ceiling', values: all.alive.map(({ per_second }) => per_second) },
      ],
    };
  } finally {
    await service.stop();
    await load.stop();
  }
}

interface Deep {
  readonly context: BenchContext;
  readonly database: MigratedDatabase;
  readonly rows: number;
}

const slowest = (samples: readonly LoopSample[], which: 'p95_ms' | 'p99_ms'): readonly number[] =>
  samples.map((sample) => sample[which]);

async function deepPages({ context, database, rows }: Deep): Promise<Measured> {
  const options = { connectionsMax: 10, statementTimeoutMs: 30_000, applicationName: 'bench' };
  const db = new Database({ url: database.apiUrl, ...options });
  const caller = await authenticate(
    `Bearer ${await signToken(claims)}`,
    createTokenVerifier({ secret: jwtSecret }),
    rules,
  );
  const bare = new CallerTransactions(database.apiUrl, { connections: 10, role: claims.role, claims });
  const loop = { concurrency: 4, seconds: context.seconds };
  const anywhere = (): number => Math.floor((Math.random() * rows) / filesOfFolder);
  const folderOf = (place: number): string => `folder-${String(place).padStart(5, '0')}/`;
  const common = { bucket: 'deep', delimited: true, descending: false, sort: 'name', offset: 0, search: '' } as const;
  const select = {
    name: 'bare_page',
    text: `SELECT name, id, metadata FROM storage.objects
           WHERE bucket_id = 'deep' AND name >= $1 AND name < $1 || '\u{10FFFF}' ORDER BY name LIMIT 100`,
  };
  try {
    const pages = await inTurns(context, 'list 100 anywhere', {
      rowlock: async () =>
        await closedLoop(loop, async () => {
          const place = anywhere();
          const prefix = folderOf(place);
          const after = { name: `${prefix}file ${place}5`, folder: false, at: null };
          const page = await selectPage(db, caller, { ...common, prefix, after, limit: 100, fullNames: true });
          if (page.last === undefined) throw new Error('The page is empty');
        }),
      bare: async () => await closedLoop(loop, async () => await bare.run(select, [folderOf(anywhere())])),
    });
    return {
      id: 'list_100_deep_p95_ms',
      title: 'list 100 anywhere, p95',
      unit: 'ms',
      better: 'lower',
      values: slowest(pages.rowlock, 'p95_ms'),
      beside: [{ name: 'bare select as a caller', kind: 'ceiling', values: slowest(pages.bare, 'p95_ms') }],
    };
  } finally {
    await db.close();
    await bare.close();
  }
}

/** What an application asks over PostgREST: the caller's own objects of a bucket below a size. */
async function metadataQuery({ context, database }: Deep): Promise<Measured> {
  const bare = new CallerTransactions(database.apiUrl, {
    connections: 10,
    role: claims.role,
    claims: { ...claims, sub: 'user-7' },
  });
  const loop = { concurrency: 4, seconds: context.seconds };
  const asked = {
    name: 'metadata_query',
    text: `SELECT * FROM public.storage_objects
           WHERE bucket_id = 'deep' AND owner_id = storage.caller_id() AND size < 1000000`,
  };
  const one = { name: 'one_row', text: 'SELECT * FROM public.storage_buckets LIMIT 1' };
  try {
    const queries = await inTurns(context, 'metadata query', {
      rowlock: async () =>
        await closedLoop(loop, async () => {
          if ((await bare.run(asked, [])).length === 0) throw new Error('Nothing was found');
        }),
      bare: async () => await closedLoop(loop, async () => await bare.run(one, [])),
    });
    return {
      id: 'metadata_query_p99_ms',
      title: 'own objects below a size, p99',
      unit: 'ms',
      better: 'lower',
      values: slowest(queries.rowlock, 'p99_ms'),
      beside: [{ name: 'one bucket as a caller', kind: 'ceiling', values: slowest(queries.bare, 'p99_ms') }],
    };
  } finally {
    await bare.close();
  }
}

async function run(context: BenchContext): Promise<BenchResult> {
  const figures: Measured[] = [];
  if (isWanted(context, 'list_100_per_second')) figures.push(await smallPages(context));
  const rows = context.short ? 20_000 : Number(process.env['ROWLOCK_BENCH_ROWS'] ?? 1_000_000);
  const wanted = (['list_100_deep_p95_ms', 'metadata_query_p99_ms'] as const).filter((id) => isWanted(context, id));
  if (wanted.length > 0) {
    const database = await (await context.postgres()).createDatabase();
    try {
      context.say(`making ${rows} rows`);
      await loadRows(database, 'deep', rows);
      const deep = { context, database, rows };
      for (const id of wanted) {
        figures.push(id === 'list_100_deep_p95_ms' ? await deepPages(deep) : await metadataQuery(deep));
      }
    } finally {
      await database.drop();
    }
  }
  return { figures, details: { rows } };
}

export const listing: Benchmark = {
  name: 'listing',
  summary: 'pages of a hundred, small and anywhere in a million objects; a query over the metadata',
  needs: [],
  run,
};

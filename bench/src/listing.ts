/**
 * Listings: a page of a hundred over HTTP under load, the query of an application over the metadata of a million
 * objects, and pages anywhere in a large bucket, of a million too unless more are asked for. Policies judge its rows as
 * any others; that they have no bytes makes no difference.
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
import { loadRows, rowsOfFolder } from './service/load-rows.ts';
import { startBenchService } from './service/service-process.ts';

const claims = { sub: 'ann', role: 'authenticated' } as const;
const rules = {
  anonymous_role: 'anon',
  default_role: 'authenticated',
  allowed_roles: ['anon', 'authenticated'],
  role_claim: ['role'],
};
/** The query over the metadata has a floor at so many. */
const rowsOfQuery = 1_000_000;

async function smallPages(context: BenchContext): Promise<Measured> {
  const service = await startBenchService(context, 'listing');
  const load = startHttpLoad();
  try {
    const objects = context.short ? 120 : 2000;
    await loadRows(service.database, { bucket: 'bench', from: 0, to: objects });
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
  const anywhere = (): number => Math.floor((Math.random() * rows) / rowsOfFolder);
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
      title: `list 100 anywhere in ${rows.toLocaleString('en')} objects, p95`,
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

/**
 * What an application asks over PostgREST, as that asks the database: the caller's own objects of a bucket below a size, 200
 * of them, made into JSON there.
 */
async function metadataQuery({ context, database, rows }: Deep): Promise<Measured> {
  const bare = new CallerTransactions(database.apiUrl, {
    connections: 10,
    role: claims.role,
    claims: { ...claims, sub: 'user-7' },
  });
  const loop = { concurrency: 4, seconds: context.seconds };
  const asked = {
    name: 'metadata_query',
    text: `WITH source AS (
             SELECT * FROM public.storage_objects
             WHERE bucket_id = 'deep' AND owner_id = storage.caller_id() AND size < 1000000
           )
           SELECT count(s) AS page_total, coalesce(json_agg(s), '[]')::text AS body FROM (SELECT * FROM source) AS s`,
  };
  const one = { name: 'one_row', text: 'SELECT * FROM public.storage_buckets LIMIT 1' };
  try {
    const queries = await inTurns(context, 'metadata query', {
      rowlock: async () =>
        await closedLoop(loop, async () => {
          const [found] = await bare.run(asked, []);
          if (Number(found?.['page_total']) === 0) throw new Error('Nothing was found');
        }),
      bare: async () => await closedLoop(loop, async () => await bare.run(one, [])),
    });
    return {
      id: 'metadata_query_p99_ms',
      title: `own objects below a size of ${rows.toLocaleString('en')}, p99`,
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
  const most = context.short ? 20_000 : (context.rows ?? rowsOfQuery);
  const wanted = [
    { id: 'metadata_query_p99_ms', rows: Math.min(most, rowsOfQuery), one: metadataQuery },
    { id: 'list_100_deep_p95_ms', rows: most, one: deepPages },
  ].filter(({ id }) => isWanted(context, id));
  const made: Record<string, number> = {};
  if (wanted.length > 0) {
    const database = await (await context.postgres()).createDatabase();
    try {
      let there = 0;
      for (const { rows, one } of wanted) {
        context.say(`making ${rows} rows`);
        const begun = performance.now();
        await loadRows(database, { bucket: 'deep', from: there, to: rows });
        made[rows] = (performance.now() - begun) / 1000;
        there = rows;
        figures.push(await one({ context, database, rows }));
      }
    } finally {
      await database.drop();
    }
  }
  return { figures, details: { rows: most, seconds_to_make_rows: made } };
}

export const listing: Benchmark = {
  name: 'listing',
  summary: 'pages of a hundred, small and anywhere in a million objects or --rows; a query over the metadata',
  needs: [],
  run,
};

/**
 * Download URLs that the database signs, as PostgREST would ask for them: ten thousand by the function that takes their ids,
 * and as a column of a select. Beside both the same rows without URLs, and the function that signs one, as often as it would
 * have to be called. Rows are made by SQL with triggers off and have no bytes; policies judge them as any others.
 */
import type { MigratedDatabase } from '@rowlock/test-harness';
import { dayKeys } from '../../packages/server/dist/backend/s3/day-keys.js';
import { Database } from '../../packages/server/dist/metadata/database.js';
import { selectSigningDays, storeSigningKeys } from '../../packages/server/dist/metadata/signing-keys.js';
import { closedLoop } from './load/closed-loop.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { type BareStatement, CallerTransactions } from './service/caller-transactions.ts';

const claims = { sub: 'ann', role: 'authenticated' } as const;
const store = {
  endpoint: 'http://127.0.0.1:8000',
  region: 'us-east-1',
  bucket: 'files',
  credentials: { access_key_id: 'BENCH', secret_access_key: 'the-secret-of-the-benchmark' },
};

async function loadRows(database: MigratedDatabase, rows: number): Promise<readonly string[]> {
  await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('bench', 'ann')");
  await database.query(`
    BEGIN;
    SET LOCAL session_replication_role = replica;
    INSERT INTO storage.versions (id, backend, key, state, size, sha256, content_type, stored_at)
      SELECT id, 'disk', 'objects/' || right(id::text, 2) || '/' || id, 'stored', 1, sha256(''), 'image/jpeg', now()
      FROM (SELECT storage_internal.uuid_v7() AS id FROM generate_series(1, ${rows})) AS made;
    INSERT INTO storage.objects (bucket_id, name, owner_id, version_id, size, content_type, sha256)
      SELECT 'bench', 'photo ' || row_number() OVER () || '.jpg', 'ann', id, 1, 'image/jpeg', sha256('') FROM storage.versions;
    COMMIT;`);
  await database.query('VACUUM ANALYZE storage.objects, storage.versions');
  const db = new Database({
    url: database.workerUrl,
    connectionsMax: 1,
    statementTimeoutMs: 10_000,
    applicationName: 'bench',
  });
  const keys = dayKeys(store, await selectSigningDays(db));
  await storeSigningKeys(db, { backend: 'disk', keys, upload_acl: undefined });
  await db.close();
  return (await database.query<{ id: string }>('SELECT id FROM storage.objects')).map(({ id }) => id);
}

/** As PostgREST wraps what it is asked for. */
const wrapped = (name: string, query: string): BareStatement => ({
  name,
  text: `SELECT json_agg(r)::text AS body FROM (${query}) AS r`,
});
const bareOfIds = wrapped(
  'bare_ids',
  'SELECT o.id, o.name FROM public.storage_objects AS o WHERE o.id = ANY ($1::uuid[])',
);
const bareOfAll = wrapped(
  'bare_all',
  "SELECT o.id, o.name FROM public.storage_objects AS o WHERE o.bucket_id = 'bench'",
);
const batch = wrapped('batch', 'SELECT * FROM public.get_download_urls($1::uuid[])');
const column = wrapped(
  'column',
  "SELECT o.id, o.name, o.download_url FROM public.storage_objects AS o WHERE o.bucket_id = 'bench'",
);
const one: BareStatement = { name: 'one', text: 'SELECT public.get_download_url($1) AS body' };

interface Contest {
  readonly context: BenchContext;
  readonly callers: CallerTransactions;
  readonly ids: readonly string[];
}

/** Milliseconds of one call, the median of as many as there is time for. */
async function median(
  { context, callers, ids }: Contest,
  statement: BareStatement,
  values: (n: number) => readonly unknown[],
): Promise<number> {
  const { p50_ms } = await closedLoop({ concurrency: 1, seconds: context.seconds }, async (n) => {
    const [row] = await callers.run<{ body: string | null }>(statement, values(n));
    if (row?.body == null) throw new Error(`${statement.name} answered nothing of ${ids.length}`);
  });
  return p50_ms;
}

async function measured(
  contest: Contest,
  what: { readonly id: string; readonly title: string; readonly ours: BareStatement; readonly bare: BareStatement },
): Promise<Measured> {
  const { ids } = contest;
  const all = (statement: BareStatement) => async () =>
    await median(contest, statement, () => (statement.text.includes('$1') ? [ids] : []));
  const turns = await inTurns(contest.context, what.title, {
    ours: all(what.ours),
    bare: all(what.bare),
    one: async () => (await median(contest, one, (n) => [ids[n % ids.length]])) * ids.length,
  });
  return {
    id: what.id,
    title: what.title,
    unit: 'ms',
    better: 'lower',
    values: turns.ours,
    beside: [
      { name: 'the same rows without URLs', kind: 'ceiling', values: turns.bare },
      { name: 'one call for each', kind: 'peer', values: turns.one },
    ],
  };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const rows = context.short ? 500 : 10_000;
  const database = await (await context.postgres()).createDatabase();
  const callers = new CallerTransactions(database.apiUrl, { connections: 1, role: claims.role, claims });
  try {
    const contest = { context, callers, ids: await loadRows(database, rows) };
    const figures: Measured[] = [];
    const wanted = [
      { id: 'sql_presign_10k_batch_ms', title: '10,000 URLs by one function', ours: batch, bare: bareOfIds },
      { id: 'sql_presign_10k_column_ms', title: '10,000 URLs as a column', ours: column, bare: bareOfAll },
    ];
    for (const each of wanted.filter(({ id }) => isWanted(context, id))) figures.push(await measured(contest, each));
    return { figures, details: { rows } };
  } finally {
    await callers.close();
    await database.drop();
  }
}

export const sqlPresign: Benchmark = {
  name: 'sql-presign',
  summary: 'ten thousand download URLs that the database signs, beside the same rows without them',
  needs: [],
  run,
};

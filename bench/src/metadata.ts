/**
 * The database's share: Rowlock's own look-up, begin and commit, called directly, beside bare transactions of a caller
 * that read or write one row under a trivial policy. No HTTP and no bytes; all run in this process, with as many
 * connections and callers.
 */
import { randomUUID } from 'node:crypto';
import type { MigratedDatabase } from '@rowlock/test-harness';
import { jwtSecret, signToken } from '@rowlock/test-harness';
import { authenticate } from '../../packages/server/dist/auth/authenticate.js';
import { createTokenVerifier } from '../../packages/server/dist/auth/token-verifier.js';
import { versionKey } from '../../packages/server/dist/backend/keys.js';
import { timeOrderedUuid } from '../../packages/server/dist/domain/time-ordered-uuid.js';
import { Database } from '../../packages/server/dist/metadata/database.js';
import { selectObject } from '../../packages/server/dist/metadata/objects.js';
import { beginUpload, commitUpload } from '../../packages/server/dist/metadata/uploads.js';
import { closedLoop, type LoopSample } from './load/closed-loop.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { profiled } from './measure/profile.ts';
import { inTurns } from './measure/rounds.ts';
import { type BareStatement, CallerTransactions } from './service/caller-transactions.ts';

/** What `rowlock serve` has by default. */
const connectionsMax = 10;
const claims = { sub: 'ann', role: 'authenticated' } as const;

const bareSchema = (objects: number): string => `
  CREATE SCHEMA bare;
  CREATE TABLE bare.things (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, owner_id text NOT NULL,
    about jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now());
  ALTER TABLE bare.things ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON bare.things TO authenticated
    USING (owner_id = current_setting('request.jwt.claims')::jsonb ->> 'sub');
  INSERT INTO bare.things (name, owner_id) SELECT 'small/' || n, 'ann' FROM generate_series(0, ${objects - 1}) AS n;
  GRANT USAGE ON SCHEMA bare TO authenticated;
  GRANT SELECT, INSERT ON bare.things TO authenticated;
  ANALYZE bare.things;
`;
const bareSelect: BareStatement = { name: 'bare_select', text: 'SELECT * FROM bare.things WHERE name = $1' };
const bareInsert: BareStatement = {
  name: 'bare_insert',
  text: 'INSERT INTO bare.things (name, owner_id, about) VALUES ($1, $2, $3)',
};

function objectsOf({ short }: BenchContext): number {
  return short ? 50 : 1000;
}

/** Rowlock's side of the metadata, as one caller. */
interface Ours {
  lookUp(name: string): Promise<unknown>;
  /** Answers the upload's id. */
  begin(name: string): Promise<string>;
  commit(uploadId: string): Promise<unknown>;
  close(): Promise<void>;
}

async function ours(database: MigratedDatabase): Promise<Ours> {
  const rules = {
    anonymous_role: 'anon',
    default_role: 'authenticated',
    allowed_roles: ['anon', 'authenticated'],
    role_claim: ['role'],
  };
  const token = await signToken(claims);
  const caller = await authenticate(`Bearer ${token}`, createTokenVerifier({ secret: jwtSecret }), rules);
  const db = new Database({
    url: database.apiUrl,
    connectionsMax,
    statementTimeoutMs: 30_000,
    applicationName: 'bench',
  });
  return {
    lookUp: async (name) => {
      const found = await selectObject(db, caller, { bucket: 'bench', name }, 'storage.object.get');
      if (found === undefined) throw new Error(`The object ${name} was not found`);
    },
    async begin(name) {
      const upload_id = randomUUID();
      const version_id = timeOrderedUuid();
      const declared = { content_type: 'application/octet-stream', declared_size: 10_240, size_cap: 2 ** 30 };
      const nothing = { overwrite: false, cache_control: undefined, user_metadata: undefined };
      const at = { bucket: 'bench', name, backend: 'disk', key: versionKey(version_id) };
      await beginUpload(db, caller, { upload_id, version_id, ...at, ...declared, ...nothing });
      return upload_id;
    },
    commit: async (uploadId) => {
      const measured = { size: 10_240, sha256: Buffer.alloc(32, 7), etag: undefined, detected_type: undefined };
      await commitUpload(db, caller, uploadId, measured);
    },
    close: async () => await db.close(),
  };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const postgres = await context.postgres();
  const database = await postgres.createDatabase();
  await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('bench', 'ann')");
  const objects = objectsOf(context);
  await database.query(bareSchema(objects));
  const bare = new CallerTransactions(database.apiUrl, { connections: connectionsMax, role: claims.role, claims });
  const rowlock = await ours(database);
  try {
    await closedLoop({ concurrency: 4, seconds: 60, countMax: objects }, async (n) => {
      await rowlock.commit(await rowlock.begin(`small/${n}`));
    });
    await database.query('ANALYZE');
    return await profiled(
      context,
      { postgres, database, name: 'metadata' },
      async () => await measure(context, rowlock, bare),
    );
  } finally {
    await rowlock.close();
    await bare.close();
    await database.drop();
  }
}

async function measure(context: BenchContext, rowlock: Ours, bare: CallerTransactions): Promise<BenchResult> {
  const reads = ['lookup_per_second', 'lookup_p99_ms'].some((id) => isWanted(context, id));
  const writes = ['begin_per_second', 'commit_per_second'].some((id) => isWanted(context, id));
  const results = [
    ...(reads ? [await measureReads(context, rowlock, bare)] : []),
    ...(writes ? [await measureWrites(context, rowlock, bare)] : []),
  ];
  return {
    figures: results.flatMap(({ figures }) => figures),
    details: Object.assign({ connections_max: connectionsMax }, ...results.map(({ details }) => details)),
  };
}

const rate = { unit: '1/s', better: 'higher' } as const;
const rates = (samples: readonly LoopSample[]): readonly number[] => samples.map(({ per_second }) => per_second);

async function measureReads(context: BenchContext, rowlock: Ours, bare: CallerTransactions): Promise<BenchResult> {
  const loop = { concurrency: context.connections, seconds: context.seconds };
  const objects = objectsOf(context);
  const lookups = await inTurns(context, 'look-up', {
    rowlock: async () => await closedLoop(loop, async (n) => await rowlock.lookUp(`small/${n % objects}`)),
    bare: async () =>
      await closedLoop(loop, async (n) => {
        const rows = await bare.run(bareSelect, [`small/${n % objects}`]);
        if (rows.length !== 1) throw new Error('The bare look-up found nothing');
      }),
  });
  const ceiling = { name: 'bare select as a caller', kind: 'ceiling' } as const;
  const slowest = (samples: readonly LoopSample[]): readonly number[] => samples.map(({ p99_ms }) => p99_ms);
  const figures: readonly Measured[] = [
    {
      id: 'lookup_per_second',
      title: 'look-up for a download',
      ...rate,
      values: rates(lookups.rowlock),
      beside: [{ ...ceiling, values: rates(lookups.bare) }],
    },
    {
      id: 'lookup_p99_ms',
      title: 'look-up, p99',
      unit: 'ms',
      better: 'lower',
      values: slowest(lookups.rowlock),
      beside: [{ ...ceiling, values: slowest(lookups.bare) }],
    },
  ];
  return { figures, details: { lookups } };
}

async function measureWrites(context: BenchContext, rowlock: Ours, bare: CallerTransactions): Promise<BenchResult> {
  const loop = { concurrency: context.connections, seconds: context.seconds };
  const uploads: string[] = [];
  const writes = await inTurns(context, 'begin and commit', {
    begin: async (round) =>
      await closedLoop(loop, async (n) => {
        uploads.push(await rowlock.begin(`round${round}/${n}`));
      }),
    commit: async () => {
      const ids = uploads.splice(0);
      return await closedLoop({ ...loop, seconds: 600, countMax: ids.length }, async (n) => {
        await rowlock.commit(ids[n] ?? '');
      });
    },
    bare: async (round) =>
      await closedLoop(loop, async (n) => {
        await bare.run(bareInsert, [`round${round}/${n}`, claims.sub, { size: 10_240, type: 'text/plain' }]);
      }),
  });
  const beside = [{ name: 'bare insert as a caller', kind: 'ceiling', values: rates(writes.bare) } as const];
  const figures: readonly Measured[] = [
    { id: 'begin_per_second', title: 'begin of an upload', ...rate, values: rates(writes.begin), beside },
    { id: 'commit_per_second', title: 'commit of an upload', ...rate, values: rates(writes.commit), beside },
  ];
  return { figures, details: { writes } };
}

export const metadata: Benchmark = {
  name: 'metadata',
  summary: 'look-up, begin and commit, beside bare transactions of a caller',
  needs: [],
  run,
};

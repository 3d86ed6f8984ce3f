/**
 * What quotas and the audit log cost a writer: begin and commit of uploads by a hundred callers at once, with and without
 * a quota of the bucket and of its owners, and with the triggers of the audit log taken away. No HTTP and no bytes.
 */
import { randomUUID } from 'node:crypto';
import { jwtSecret, type MigratedDatabase, signToken } from '@rowlock/test-harness';
import { authenticate } from '../../packages/server/dist/auth/authenticate.js';
import { createTokenVerifier } from '../../packages/server/dist/auth/token-verifier.js';
import { versionKey } from '../../packages/server/dist/backend/keys.js';
import { timeOrderedUuid } from '../../packages/server/dist/domain/time-ordered-uuid.js';
import { Database } from '../../packages/server/dist/metadata/database.js';
import { beginUpload, commitUpload } from '../../packages/server/dist/metadata/uploads.js';
import { closedLoop, type LoopSample } from './load/closed-loop.ts';
import type { BenchContext, Benchmark, BenchResult } from './measure/benchmark.ts';
import { profiled } from './measure/profile.ts';
import { inTurns } from './measure/rounds.ts';

const writers = 100;
const connectionsMax = 20;
const auditTriggers = ['objects_y_audit_inserted', 'objects_y_audit_updated', 'objects_y_audit_deleted'];

/** The buckets of the contestants; large enough that no quota is reached. */
const buckets = `
  INSERT INTO storage.buckets (id, policy) VALUES ('plain', 'authenticated');
  INSERT INTO storage.buckets (id, policy, quota_bytes, quota_objects) VALUES ('with-quota', 'authenticated', 1000000000000, 100000000);
  INSERT INTO storage.buckets (id, policy, owner_quota_bytes) VALUES ('with-owner-quota', 'authenticated', 1000000000000);`;

type Pair = (bucket: string, name: string) => Promise<void>;

/** One upload of 10 KB that was measured already, by one of ten owners. */
async function pairsOf(db: Database): Promise<Pair> {
  const rules = {
    anonymous_role: 'anon',
    default_role: 'authenticated',
    allowed_roles: ['authenticated'],
    role_claim: ['role'],
  };
  const verifier = createTokenVerifier({ secret: jwtSecret });
  const callers = await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const token = await signToken({ sub: `owner ${n}`, role: 'authenticated' });
      return await authenticate(`Bearer ${token}`, verifier, rules, { request_id: randomUUID(), address: '192.0.2.1' });
    }),
  );
  let count = 0;
  return async (bucket, name) => {
    count += 1;
    const caller = callers[count % callers.length];
    if (caller === undefined) throw new Error('there is no caller');
    const upload_id = randomUUID();
    const version_id = timeOrderedUuid();
    await beginUpload(db, caller, {
      upload_id,
      version_id,
      bucket,
      name,
      backend: 'disk',
      key: versionKey(version_id),
      content_type: 'application/octet-stream',
      declared_size: 10_240,
      size_cap: 2 ** 30,
      overwrite: false,
      cache_control: undefined,
      user_metadata: undefined,
      if_match: undefined,
      if_none_match: undefined,
    });
    const measured = { size: 10_240, sha256: Buffer.alloc(32, 7), etag: undefined, detected_type: undefined };
    await commitUpload(db, caller, upload_id, measured);
  };
}

async function measure(context: BenchContext, database: MigratedDatabase, pair: Pair): Promise<BenchResult> {
  const loop = { concurrency: context.short ? 8 : writers, seconds: context.seconds };
  const into =
    (bucket: string) =>
    async (round: number): Promise<LoopSample> =>
      await closedLoop(loop, async (n) => await pair(bucket, `${round}/${randomUUID()}/${n}`));
  const switchAudit = async (state: 'ENABLE' | 'DISABLE'): Promise<void> => {
    for (const trigger of auditTriggers)
      await database.query(`ALTER TABLE storage.objects ${state} TRIGGER ${trigger}`);
  };
  const samples = await inTurns(context, 'guarded writes', {
    plain: into('plain'),
    quota: into('with-quota'),
    ownerQuota: into('with-owner-quota'),
    unaudited: async (round) => {
      await switchAudit('DISABLE');
      const sample = await into('plain')(round);
      await switchAudit('ENABLE');
      return sample;
    },
  });
  const rates = (each: readonly LoopSample[]): readonly number[] => each.map(({ per_second }) => per_second);
  const rate = { unit: '1/s', better: 'higher' } as const;
  const plain = { name: 'no quota', kind: 'ceiling', values: rates(samples.plain) } as const;
  const unaudited = { name: 'no audit log', kind: 'ceiling', values: rates(samples.unaudited) } as const;
  return {
    figures: [
      {
        id: 'quota_uploads_per_second',
        title: `uploads under a quota, ${writers} writers`,
        ...rate,
        values: rates(samples.quota),
        beside: [plain],
      },
      {
        id: 'owner_quota_uploads_per_second',
        title: 'uploads under a quota of each owner',
        ...rate,
        values: rates(samples.ownerQuota),
        beside: [plain],
      },
      {
        id: 'audited_uploads_per_second',
        title: 'uploads with the audit log',
        ...rate,
        values: rates(samples.plain),
        beside: [unaudited],
      },
    ],
    details: { writers, connections_max: connectionsMax, samples },
  };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const postgres = await context.postgres();
  const database = await postgres.createDatabase();
  await database.query(buckets);
  const db = new Database({
    url: database.apiUrl,
    connectionsMax,
    statementTimeoutMs: 30_000,
    applicationName: 'bench',
  });
  try {
    const pair = await pairsOf(db);
    const where = { postgres, database, name: 'guarded-writes' };
    return await profiled(context, where, async () => await measure(context, database, pair));
  } finally {
    await db.close();
    await database.drop();
  }
}

export const guardedWrites: Benchmark = {
  name: 'guarded-writes',
  summary: 'what quotas and the audit log cost a hundred writers',
  needs: [],
  run,
};

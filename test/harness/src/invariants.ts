/**
 * The oracle: asks a service, its database and its disk whether everything that Rowlock promises is true now, and makes
 * one cycle of the sweep to see what it leaves. Any test can call it after any harm. It repairs nothing and knows no
 * particular fault. The numbers are those of the list of invariants: rows and bytes (I1, I2), what was read and what
 * survived (I3 to I7), variants (I8), changes (I9), effects once (I10), connections and files (I14).
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import type { Backends } from '../../../packages/server/dist/index.js';
import { absent, type Content, contentOf, type History } from './history.ts';
import { type JobParts, performJob } from './perform-job.ts';
import type { TestService } from './service.ts';
import { until } from './until.ts';

export interface Expectations {
  /** What was done to objects; its names are `bucket/name`, read as the service role. */
  readonly history?: History;
  /** Leaves uploads that are open alone instead of letting them expire first. */
  readonly keepsUploads?: boolean;
  /** How many services have pools on this database. Default 1. */
  readonly services?: number;
  /** Whether the service must answer now; default true. */
  readonly lives?: boolean;
}

/** Loaded by who asks: most test files that use the harness have no service. */
const theServer = () => import('../../../packages/server/dist/index.js');

/** Asserts every invariant. Nothing may be under way that the test still waits for. */
export async function assertInvariants(service: TestService, expectations: Expectations = {}): Promise<void> {
  const { Database, openBackends } = await theServer();
  const { database, config } = service;
  const backends = await openBackends(config);
  const db = new Database({
    url: database.workerUrl,
    connectionsMax: 2,
    statementTimeoutMs: 30_000,
    applicationName: 'oracle',
  });
  try {
    if (expectations.lives !== false) await assertLives(service);
    await assertQuiet(service, expectations.services ?? 1);
    await runCycle(service, { db, backend: backends.default, backends }, expectations.keepsUploads ?? false);
    for (const backend of backends) await assertFsckClean({ db, backend });
    await assertRowsHaveBytes(service, backends);
    await assertNothingUnreferenced(service, expectations.keepsUploads ?? false);
    await assertVariants(service);
    await assertChanges(service);
    await assertNoFilesOpen(service.root);
    if (expectations.history !== undefined) await assertHistory(service, expectations.history);
  } finally {
    await db.close();
    await backends.close();
  }
}

async function assertLives(service: TestService): Promise<void> {
  assert.equal((await service.fetch('/healthz')).status, 200, 'the server lives');
  const isReady = async (): Promise<boolean> => (await service.fetch('/readyz')).status === 200;
  await until(isReady, { what: 'the server is ready' });
}

/** I14, and no job stuck: connections within the pool, none forgotten in a transaction, no job running for ever. */
async function assertQuiet(service: TestService, services: number): Promise<void> {
  const { database, config } = service;
  const running = (): Promise<{ kind: string }[]> =>
    database.query<{ kind: string }>("SELECT kind FROM metadata.river_job WHERE state = 'running'");
  await until(async () => (await running()).length === 0, { timeoutMs: 20_000, what: 'no job is stuck in running' });
  const busy = (): Promise<{ state: string; query: string }[]> =>
    database.query<{ state: string; query: string }>(
      `SELECT state, query FROM pg_stat_activity WHERE datname = current_database()
       AND application_name LIKE 'rowlock%' AND (state LIKE 'idle in transaction%' OR state = 'active')`,
    );
  await until(async () => (await busy()).length === 0, { what: 'no connection is left inside a transaction' });
  const [pool] = await database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'rowlock api'`,
  );
  const connectionsMax = config.database.connections_max * services;
  assert.ok((pool?.n ?? 0) <= connectionsMax, `${pool?.n} connections, more than the pool's ${connectionsMax}`);
}

/** One cycle: what may expire has expired, the sweep runs, and what is due for purging is purged. */
async function runCycle(
  service: TestService,
  parts: JobParts & { readonly backends: Backends },
  keepsUploads: boolean,
): Promise<void> {
  const { database } = service;
  if (!keepsUploads) {
    await database.query("UPDATE storage.uploads SET expires_at = now() - interval '1 second'");
    await database.query(
      "UPDATE storage.versions SET expires_at = now() - interval '1 second' WHERE state IN ('writing', 'purging')",
    );
    await database.query("UPDATE storage.renders SET leased_until = '-infinity'");
  }
  const { sweep } = await theServer();
  await sweep(parts, { graceSeconds: 0, limit: 10_000 });
  // Twice: the purge of an original asks for those of its variants.
  for (let turn = 1; turn <= 2; turn += 1) {
    const due = await database.query<{ id: string }>(
      `SELECT v.id FROM storage.versions AS v
       WHERE v.state <> 'gone' AND NOT storage_internal.version_is_referenced(v.id)`,
    );
    await performJob(parts, 'version_purge', { version_ids: due.map(({ id }) => id) });
  }
}

async function assertFsckClean(parts: JobParts): Promise<void> {
  const { fsck } = await theServer();
  const { rows_without_bytes, bytes_without_row, overdue, unfinished, quota_drift } = await fsck(parts);
  assert.deepEqual(
    { rows_without_bytes, bytes_without_row, overdue, unfinished, quota_drift },
    { rows_without_bytes: [], bytes_without_row: [], overdue: [], unfinished: 0, quota_drift: [] },
    'fsck is clean, and quotas equal their sums (I11)',
  );
}

interface StoredVersion extends Record<string, unknown> {
  readonly id: string;
  readonly backend: string;
  readonly key: string;
  readonly size: string;
  readonly sha256: Buffer | null;
}

/** I1: every stored version has its bytes, of its size and hash; every object says what its version says. */
async function assertRowsHaveBytes({ database }: TestService, backends: Backends): Promise<void> {
  const stored = await database.query<StoredVersion>(
    "SELECT id, backend, key, size, sha256 FROM storage.versions WHERE state = 'stored'",
  );
  for (const { id, backend, key, size, sha256 } of stored) {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of (await backends.of(backend).get(key)).stream) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    assert.equal(String(bytes), size, `I1: version ${id} has as many bytes as its row says`);
    if (sha256 !== null) assert.equal(hash.digest('hex'), sha256.toString('hex'), `I1: version ${id} has its bytes`);
  }
  const differing = await database.query(
    `SELECT o.bucket_id, o.name FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id
     WHERE v.state <> 'stored' OR o.size <> v.size OR o.sha256 IS DISTINCT FROM v.sha256`,
  );
  assert.deepEqual(differing, [], 'I1: objects say what their versions say');
  const kept = await database.query(
    `SELECT h.bucket_id, h.name, h.sequence FROM storage.object_history AS h JOIN storage.versions AS v ON v.id = h.version_id
     WHERE v.state <> 'stored' OR h.size <> v.size OR h.sha256 IS DISTINCT FROM v.sha256`,
  );
  assert.deepEqual(kept, [], 'I1: history says what its versions say');
  const idle = await database.query(
    `SELECT m.bucket_id, m.name FROM storage.object_history AS m WHERE m.marker_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM storage.object_history AS h WHERE h.bucket_id = m.bucket_id AND h.name = m.name AND h.version_id IS NOT NULL)`,
  );
  assert.deepEqual(idle, [], 'I2: no delete marker is left over nothing');
}

/** I2: after the cycle every version is referenced; bytes without any version were fsck's to find. */
async function assertNothingUnreferenced({ database }: TestService, keepsUploads: boolean): Promise<void> {
  const unreferenced = (): Promise<{ id: string; state: string }[]> =>
    database.query<{ id: string; state: string }>(
      `SELECT v.id, v.state FROM storage.versions AS v
       WHERE v.state <> 'gone' AND NOT storage_internal.version_is_referenced(v.id) AND NOT ($1 AND v.state = 'writing')`,
      [keepsUploads],
    );
  // A worker makes thumbnails of what the cycle itself completed; while it does, their versions are written.
  const isDone = async (): Promise<boolean> =>
    (await unreferenced()).every(({ state }) => state !== 'writing') ||
    (await database.query("SELECT FROM metadata.river_job WHERE kind = 'thumbnail_generate' AND state = 'running'"))
      .length === 0;
  await until(isDone, { timeoutMs: 20_000, what: 'thumbnails that are being made are done' });
  assert.deepEqual(await unreferenced(), [], 'I2: no bytes are left that nothing names');
}

/** I8, and nothing stuck: a variant that is not made has a job that will make it. */
async function assertVariants({ database }: TestService): Promise<void> {
  const wrong = await database.query(
    `SELECT d.id, d.status FROM storage.variants AS d
       LEFT JOIN storage.versions AS source ON source.id = d.source_version_id
       LEFT JOIN storage.versions AS own ON own.id = d.version_id
     WHERE source.state IS DISTINCT FROM 'stored' OR (d.status = 'completed' AND own.state IS DISTINCT FROM 'stored')`,
  );
  assert.deepEqual(wrong, [], 'I8: every variant names the version that it came from, and has bytes of its own');
  const stuck = await database.query(
    `SELECT d.id, d.status FROM storage.variants AS d
     WHERE d.status IN ('pending', 'processing') AND NOT EXISTS (
       SELECT FROM metadata.river_job AS j WHERE j.kind = 'thumbnail_generate'
         AND j.args ->> 'version_id' = d.source_version_id::text
         AND j.state IN ('available', 'running', 'retryable', 'scheduled', 'pending'))
       -- What is in quarantine has none before it comes out.
       AND NOT EXISTS (SELECT FROM storage.versions AS q WHERE q.id = d.source_version_id AND q.quarantined_at IS NOT NULL)`,
  );
  assert.deepEqual(stuck, [], 'no variant waits for a job that is not there');
  const unchecked = await database.query(
    `SELECT c.version_id, c.kind FROM storage.version_checks AS c JOIN storage.versions AS v ON v.id = c.version_id
     WHERE c.status = 'pending' AND (c.kind = 'file_scan' OR v.quarantined_at IS NULL) AND NOT EXISTS (
       SELECT FROM metadata.river_job AS j WHERE j.kind = c.kind AND j.args ->> 'version_id' = c.version_id::text
         AND j.state IN ('available', 'running', 'retryable', 'scheduled', 'pending'))`,
  );
  assert.deepEqual(unchecked, [], 'no file waits for a check that nobody will make');
}

/** I9, I10: an object's changes go up one by one and end with what the object is. */
async function assertChanges({ database }: TestService): Promise<void> {
  const wrong = await database.query(
    `SELECT c.object_id, array_agg(c.type || ' ' || c.revision ORDER BY c.xid, c.seq) AS changes, o.revision
     FROM storage.changes AS c LEFT JOIN storage.objects AS o ON o.id = c.object_id
     WHERE c.object_id IS NOT NULL
     GROUP BY c.object_id, o.revision
     HAVING count(*) <> count(DISTINCT c.revision)
       OR count(*) FILTER (WHERE c.type = 'storage.object.created') <> 1
       OR count(*) FILTER (WHERE c.type = 'storage.object.deleted') <> CASE WHEN o.revision IS NULL THEN 1 ELSE 0 END
       OR max(c.revision) <> coalesce(o.revision, max(c.revision))
       OR array_agg(c.revision ORDER BY c.seq) <> array_agg(c.revision ORDER BY c.revision)`,
  );
  assert.deepEqual(wrong, [], 'I9: every change is told once and in order');
}

/** I14: this process holds none of the store's files open. */
async function assertNoFilesOpen(root: string): Promise<void> {
  await until(() => openBelow(root).length === 0, {
    what: `no file of the store is open: ${openBelow(root).join(', ')}`,
  });
}

function openBelow(root: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(`${root}/`) ? [path] : [];
    } catch {
      return []; // closed since it was listed
    }
  });
}

/** I3 to I7: what was read could be, and what is there now is one of what may be. */
async function assertHistory(service: TestService, history: History): Promise<void> {
  for (const name of history.names) {
    const content = await readContent(service, name);
    const possible = history.possible(name);
    const said = [...possible].map((each) => each.slice(0, 12)).join(' or ');
    assert.ok(possible.has(content), `I4, I5, I6: ${name} is ${content.slice(0, 12)}, and may be ${said}`);
  }
  assert.deepEqual(history.contradictions(), [], 'I3, I7: what was read was there, and creations have one winner');
}

async function readContent(service: TestService, name: string): Promise<Content> {
  const path = name.split('/').map(encodeURIComponent).join('/');
  const response = await service.fetch(`/storage/v1/object/${path}`, { as: 'service' });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status === 404) return absent;
  assert.equal(response.status, 200, `${name} can be read`);
  return contentOf(bytes);
}

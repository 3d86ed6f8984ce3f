/**
 * What tests of fsck share: a service with a bucket, its database and store as an operator's commands see them, and the file
 * behind an object. It asserts nothing but that what it arranges was arranged.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Database, type FsckOptions, type FsckReport, fsck, openBackend } from '@rowlock/server';
import { type ServiceOptions, startService, type TestService } from '@rowlock/test-harness';

export interface FsckSite {
  readonly service: TestService;
  readonly parts: { readonly db: Database; readonly backend: Awaited<ReturnType<typeof openBackend>> };
  /** Writes an object of the bucket `box`. */
  put(name: string, body: string | Buffer): Promise<void>;
  /** Key and version of an object. */
  versionOf(name: string): Promise<{ readonly id: string; readonly key: string; readonly sha256: string }>;
  /** The file behind an object. */
  fileOf(name: string): Promise<string>;
  /** Where a key would be. */
  pathOf(key: string): string;
  fsck(options?: FsckOptions): Promise<FsckReport>;
  stop(): Promise<void>;
}

/** Starts one; without workers unless asked for. */
export async function startFsckSite(options: ServiceOptions = {}): Promise<FsckSite> {
  const service = await startService({ workers: false, ...options });
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'ann')");
  const backend = await openBackend(service.config.backend);
  const url = service.database.workerUrl;
  const db = new Database({ url, connectionsMax: 4, statementTimeoutMs: 30_000, applicationName: 'fsck test' });
  const pathOf = (key: string): string => join(service.root, key);
  const versionOf: FsckSite['versionOf'] = async (name) => {
    const [row] = await service.database.query<{ id: string; key: string; sha256: string }>(
      `SELECT v.id, v.key, encode(v.sha256, 'hex') AS sha256
       FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id WHERE o.name = $1`,
      [name],
    );
    assert.ok(row, name);
    return row;
  };
  return {
    service,
    parts: { db, backend },
    put: async (name, body) => {
      const answer = await service.fetch(`/storage/v1/object/box/${name}`, { as: 'ann', method: 'POST', body });
      assert.equal(answer.status, 201, await answer.text());
    },
    versionOf,
    fileOf: async (name) => pathOf((await versionOf(name)).key),
    pathOf,
    fsck: (given = {}) => fsck({ db, backend }, given),
    stop: async () => {
      await db.close();
      await service.stop();
    },
  };
}

/** Every entry below a folder, but for temporary files. */
export function entriesBelow(root: string): readonly string[] {
  const entries = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return entries.filter((entry) => !entry.startsWith('.tmp')).sort();
}

/**
 * What tests of several backends share: a service whose bytes are on a disk and in the database, its stores as an operator's
 * commands see them, and objects on either. It asserts nothing but that what it arranges was arranged.
 */
import assert from 'node:assert/strict';
import {
  type Backends,
  type CopyBackendOptions,
  type CopyReport,
  copyBackend,
  Database,
  openBackends,
} from '@rowlock/server';
import { type ServiceOptions, startService, type TestService } from '@rowlock/test-harness';

export interface BackendsSite {
  readonly service: TestService;
  readonly db: Database;
  readonly backends: Backends;
  /** Makes a bucket of Ann's; with a backend, its new bytes go there. */
  bucket(name: string, backend?: string): Promise<void>;
  /** Uploads as Ann. */
  put(path: string, body: string | Buffer, type?: string): Promise<void>;
  /** What Ann reads: the bytes, or the status where there are none. */
  read(path: string): Promise<Buffer | number>;
  /** Where the bytes of what a name has now are. */
  placeOf(path: string): Promise<Place>;
  /** Copies from the disk to the database, unless told otherwise. */
  copy(options?: Partial<CopyBackendOptions>): Promise<CopyReport>;
  stop(): Promise<void>;
}

export interface Place {
  readonly version_id: string;
  readonly backend: string;
  readonly key: string;
}

/** Starts one; without workers unless asked for. */
export async function startBackendsSite(options: ServiceOptions = {}): Promise<BackendsSite> {
  const service = await startService({ workers: false, blobs: true, ...options });
  const backends = await openBackends(service.config);
  const url = service.database.workerUrl;
  const db = new Database({ url, connectionsMax: 6, statementTimeoutMs: 30_000, applicationName: 'backends test' });
  return {
    service,
    db,
    backends,
    bucket: async (name, backend) => {
      await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ($1, 'ann')", [name]);
      if (backend !== undefined) {
        await service.database.query('SELECT storage.set_bucket_backend($1, $2)', [name, backend]);
      }
    },
    put: async (path, body, type = 'application/octet-stream') => {
      const headers = { 'content-type': type, 'x-upsert': 'true' };
      const init = { as: 'ann', method: 'POST', body: new Uint8Array(Buffer.from(body)), headers };
      const answer = await service.fetch(`/storage/v1/object/${path}`, init);
      assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
    },
    read: async (path) => {
      const answer = await service.fetch(`/storage/v1/object/${path}`, { as: 'ann' });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return answer.ok ? bytes : answer.status;
    },
    placeOf: async (path) => {
      const [row] = await service.database.query<Place & Record<string, unknown>>(
        `SELECT v.id AS version_id, v.backend, v.key FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id
         WHERE o.bucket_id || '/' || o.name = $1`,
        [path],
      );
      assert.ok(row, path);
      return row;
    },
    copy: (given = {}) => copyBackend({ db, backends }, { from: 'disk', to: 'postgres', ...given }),
    stop: async () => {
      await db.close();
      await backends.close();
      await service.stop();
    },
  };
}

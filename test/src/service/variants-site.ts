/**
 * A service whose workers make variants, with what tests of them share: buckets, photos, rows, and the command. It asserts
 * nothing about variants. Invariant: what it stops was whole.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertInvariants, startService, type TestService, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import type { PutOptions } from '../../../packages/server/dist/backend/backend.js';
import { PassingBackend } from '../../../packages/server/dist/backend/wrapping/passing-backend.js';
import {
  Database,
  type RebuildOptions,
  type RebuildReport,
  rebuildVariants,
} from '../../../packages/server/dist/index.js';

/** A row of storage.variants, and where its bytes are. */
export interface Variant extends Record<string, unknown> {
  readonly preset: string;
  readonly status: string;
  readonly version_id: string | null;
  readonly key: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly content_type: string | null;
  readonly size: string | null;
  readonly digest: string | null;
  readonly error: string | null;
  readonly failure: string | null;
  /** Whether it is tried again without being asked. */
  readonly retries: boolean;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const json = { 'content-type': 'application/json' };
const live = "('available', 'running', 'retryable', 'scheduled', 'pending')";
const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

/** Green, twice as wide as high. */
export const photo: Buffer = await sharp({ create: { width: 120, height: 60, channels: 3, background: '#208040' } })
  .jpeg()
  .toBuffer();

/** Starts a service with workers; `olivia` owns what is made here. */
export async function startVariantsSite(): Promise<VariantsSite> {
  return new VariantsSite(await startService());
}

/** Notes what each put was told to say of its bytes. */
export class NotingBackend extends PassingBackend {
  readonly noted: PutOptions[] = [];

  override put(key: string, source: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<{ size: number }> {
    this.noted.push(options);
    return this.inner.put(key, source, options);
  }
}

/** What PostgreSQL says to a statement that it refuses. */
export async function refusalOf(attempt: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error && 'code' in error, 'it was refused');
  return { code: String(error.code), message: error.message };
}

export class VariantsSite {
  readonly service: TestService;
  /** As the worker. */
  readonly db: Database;

  constructor(service: TestService) {
    this.service = service;
    this.db = new Database({
      url: service.database.workerUrl,
      connectionsMax: 2,
      statementTimeoutMs: 10_000,
      applicationName: 'variants test',
    });
  }

  async stop(): Promise<void> {
    await this.db.close();
    await assertInvariants(this.service);
    await this.service.stop();
  }

  async createBucket(name: string, settings: Record<string, unknown> = {}): Promise<void> {
    const body = JSON.stringify({ name, ...settings });
    const made = await this.service.fetch('/storage/v1/bucket', { as: 'olivia', method: 'POST', body, headers: json });
    assert.equal(made.status, 201, await made.text());
  }

  async upload(path: string, bytes: Buffer = photo, type = 'image/jpeg'): Promise<void> {
    const sent = { as: 'olivia', method: 'PUT', body: new Uint8Array(bytes), headers: { 'content-type': type } };
    const answer = await this.service.fetch(`/storage/v1/object/${path}`, sent);
    assert.ok(answer.ok, await answer.text());
  }

  variantsOf(path: string): Promise<Variant[]> {
    return this.service.database.query<Variant>(
      `SELECT d.preset, d.status, d.version_id, v.key, d.width, d.height, d.content_type, d.size, d.digest, d.error, d.failure,
         d.retry_at IS NOT NULL AS retries
       FROM storage.objects AS o JOIN storage.variants AS d ON d.source_version_id = o.version_id
       LEFT JOIN storage.versions AS v ON v.id = d.version_id
       WHERE o.bucket_id || '/' || o.name = $1 ORDER BY d.preset`,
      [path],
    );
  }

  /** The variants of an object once no job of theirs is left. */
  async settled(path: string): Promise<Variant[]> {
    await until(async () => (await this.jobsOf(path)) === 0, { timeoutMs: 20_000, what: `${path} has its variants` });
    return await this.variantsOf(path);
  }

  async jobsOf(path: string, states: string = live): Promise<number> {
    const [row] = await this.service.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM metadata.river_job AS j JOIN storage.objects AS o
         ON j.args ->> 'version_id' = o.version_id::text
       WHERE j.kind = 'thumbnail_generate' AND j.state IN ${states} AND o.bucket_id || '/' || o.name = $1`,
      [path],
    );
    return row?.count ?? 0;
  }

  bytesOf(variant: Variant | undefined): Promise<Buffer> {
    return readFile(join(this.service.root, variant?.key ?? ''));
  }

  rebuild(options: RebuildOptions): Promise<RebuildReport> {
    return rebuildVariants({ db: this.db }, options);
  }

  async asRole(role: string, text: string): Promise<void> {
    await this.service.database.query(`BEGIN; SET LOCAL ROLE ${role}; ${text}; COMMIT`);
  }

  asService(text: string): Promise<void> {
    return this.asRole('service_role', text);
  }

  /** Runs `rowlock variants`. */
  run(...args: readonly string[]): Promise<Ran> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      WORKER_DATABASE_URL: this.service.database.workerUrl,
      STORAGE_ROOT: this.service.root,
      S3_ACCESS_KEY_ID: 'k',
      S3_SECRET_ACCESS_KEY: 'a-secret-of-forty-characters-for-nothing',
    };
    return new Promise((resolve) => {
      execFile(process.execPath, [program, 'variants', ...args], { env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
      );
    });
  }
}

/**
 * The real service beside the model: a process that can be killed, asked over HTTP and in SQL as anybody, and looked at
 * as its owner. It judges nothing. Invariant: every answer is one word or a JSON text, in the words of the model.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Backends, Database, openBackend, sweep } from '@rowlock/server';
import { type JobParts, signToken, until } from '@rowlock/test-harness';
import pg from 'pg';
import { type ChildService, childService } from '../faults/child-service.ts';
import { lost } from './lost.ts';
import type { Place } from './relocations.ts';
import { Tally } from './tally.ts';
import type { UploadStream } from './upload-stream.ts';
import type { Metadata, UploadRequest, Who } from './world.ts';

export interface Answer {
  /** `done`, or the reason of the refusal. */
  readonly word: string;
  readonly status: number;
  readonly text: string;
}

export interface HeldLink {
  readonly id: string;
  readonly url: string;
}

const v1 = '/storage/v1';
const roles = { anon: 'anon', ann: 'authenticated', ben: 'authenticated', service: 'service_role' } as const;

/** Stops PostgreSQL without a word and starts it again, where the test may. */
export type CrashPostgres = () => Promise<void>;

export class ModelSite {
  readonly service: ChildService;
  readonly parts: JobParts;
  readonly crashPostgres: CrashPostgres | undefined;
  /** Texts by the SHA-256 of their bytes. */
  readonly texts: Map<string, string> = new Map();
  readonly links: Map<number, HeldLink> = new Map();
  /** Paths of signed uploads. */
  readonly tickets: Map<number, string> = new Map();
  readonly streams: Map<number, UploadStream> = new Map();
  readonly tally: Tally = new Tally();
  /** What the buckets of this run are called behind the model's names. */
  prefix = '';
  #client: pg.Client | undefined;
  readonly #tokens = new Map<Who, string>();

  private constructor(service: ChildService, parts: JobParts, crashPostgres: CrashPostgres | undefined) {
    this.service = service;
    this.parts = parts;
    this.crashPostgres = crashPostgres;
  }

  static async start(crashPostgres?: CrashPostgres): Promise<ModelSite> {
    const service = await childService();
    const db = new Database({
      url: service.database.workerUrl,
      connectionsMax: 2,
      statementTimeoutMs: 10_000,
      applicationName: 'storage model',
    });
    const site = new ModelSite(service, { db, backend: await openBackend(service.config.backend) }, crashPostgres);
    await service.start();
    return site;
  }

  async stop(): Promise<void> {
    await this.#forget();
    await this.parts.db.close();
    await this.parts.backend.close();
    await this.service.stop();
  }

  /** A run of its own: other buckets, nothing held. */
  begin(run: number): void {
    for (const stream of this.streams.values()) stream.destroy();
    this.streams.clear();
    this.prefix = `m${run}-`;
    this.texts.clear();
    this.links.clear();
    this.tickets.clear();
  }

  /** The name of a bucket as the service knows it. */
  bucket(name: string): string {
    return `${this.prefix}${name}`;
  }

  pathOf(bucket: string, name: string): string {
    return `${this.bucket(bucket)}/${name.split('/').map(encodeURIComponent).join('/')}`;
  }

  /** Remembers a text, so that it is known again by its hash; answers its ETag without quotes. */
  etagOf(text: string): string {
    const hash = createHash('sha256').update(text).digest('hex');
    this.texts.set(hash, text);
    return hash;
  }

  async headersOf(who: Who): Promise<Record<string, string>> {
    if (who === 'anon') return {};
    const known = this.#tokens.get(who);
    const claims = who === 'service' ? { role: roles.service } : { sub: who, role: roles[who] };
    const token = known ?? (await signToken({ ...claims, exp: Math.floor(Date.now() / 1000) + 86_400 }));
    this.#tokens.set(who, token);
    return { authorization: `Bearer ${token}` };
  }

  /** A request; `lost` where nobody answered, or with a server's error, which says nothing of what was done. */
  async send(who: Who, path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = { ...(await this.headersOf(who)), ...(init.headers as Record<string, string> | undefined) };
    try {
      const response = await fetch(new URL(`${v1}${path}`, this.service.url), { ...init, headers });
      const text = await response.text();
      if (response.status >= 500) return { word: lost, status: response.status, text };
      const reason = response.headers.get('x-rowlock-reason') ?? `${response.status}`;
      return { word: response.ok ? 'done' : reason, status: response.status, text };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // what fetch raises when a connection ends
      return { word: lost, status: 0, text: '' };
    }
  }

  post(who: Who, path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
    const json = { 'content-type': 'application/json', ...headers };
    return this.send(who, path, { method: 'POST', headers: json, body: JSON.stringify(body) });
  }

  /** Statements in one transaction as PostgREST runs them; the rows of the last, or the reason of its refusal. */
  async sql(who: Who, ...statements: readonly (readonly [text: string, values: unknown[]])[]): Promise<SqlAnswer> {
    const client = await this.#connected();
    const claims = { role: roles[who], ...(who === 'ann' || who === 'ben' ? { sub: who } : {}) };
    let result: pg.QueryResult = { rows: [], rowCount: 0, command: '', oid: 0, fields: [] };
    try {
      await client.query('BEGIN');
      await client.query("SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", [
        roles[who],
        JSON.stringify(claims),
      ]);
      for (const [text, values] of statements) result = await client.query(text, values);
      await client.query('COMMIT');
      return { word: 'done', count: result.rowCount ?? 0, rows: result.rows as Record<string, unknown>[] };
    } catch (error) {
      const word = error instanceof pg.DatabaseError ? wordOf(error) : lost;
      if (word === lost) await this.#disconnect();
      else await client.query('ROLLBACK');
      return { word, count: 0, rows: [] };
    }
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new pg.Client({ connectionString: this.service.database.apiUrl });
    client.on('error', () => undefined);
    await client.connect();
    this.#client = client;
    return client;
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #forget(): Promise<void> {
    for (const stream of this.streams.values()) stream.destroy();
    this.streams.clear();
    await this.#disconnect();
  }

  /** Kills the process and starts it again; uploads that were under way are broken off. */
  async crash(): Promise<void> {
    for (const stream of this.streams.values()) stream.destroy();
    this.streams.clear();
    await this.service.kill();
    await this.service.database.query(
      "UPDATE metadata.rowlock_worker_lease SET expires_at = now() - interval '1 second'",
    );
    await this.service.start();
  }

  /** PostgreSQL is lost and comes back; the process stays, and serves again. */
  async crashDatabase(): Promise<void> {
    assert.ok(this.crashPostgres, 'this test has a PostgreSQL of its own');
    await this.#disconnect();
    await this.crashPostgres();
    const { service } = this;
    const works = async (): Promise<boolean> =>
      service.database.query('SELECT 1').then(
        () => true,
        () => false,
      );
    await until(works, { timeoutMs: 30_000, what: 'PostgreSQL is back' });
    const isReady = async (): Promise<boolean> =>
      (await fetch(new URL('/readyz', service.url)).catch(() => undefined))?.status === 200;
    await until(isReady, { timeoutMs: 30_000, what: 'the service is ready again' });
  }

  /** The id of the version that has a text in this run; one of nothing where none has. */
  async versionOf(text: string): Promise<string> {
    const [row] = await this.service.database.query<{ id: string }>(
      `SELECT v.id FROM storage.versions AS v WHERE v.sha256 = $1 AND (
         EXISTS (SELECT FROM storage.objects AS o WHERE o.version_id = v.id AND starts_with(o.bucket_id, $2))
         OR EXISTS (SELECT FROM storage.object_history AS h WHERE h.version_id = v.id AND starts_with(h.bucket_id, $2)))`,
      [Buffer.from(this.etagOf(text), 'hex'), this.prefix],
    );
    return row?.id ?? '00000000-0000-4000-8000-000000000000';
  }

  /** The id of a delete marker, counted from the newest that `who` sees. */
  async markerOf({ bucket, name }: Place, place: number): Promise<string> {
    const [row] = await this.service.database.query<{ marker_id: string }>(
      `SELECT marker_id FROM storage.object_history WHERE bucket_id = $1 AND name = $2 AND marker_id IS NOT NULL
       ORDER BY sequence DESC OFFSET $3 LIMIT 1`,
      [this.bucket(bucket), name, place],
    );
    return row?.marker_id ?? '00000000-0000-4000-8000-000000000000';
  }

  /** What intents of killed processes hold back is given back, and kept versions whose time is over go. */
  async sweep(): Promise<void> {
    const { database } = this.service;
    await database.query("UPDATE storage.uploads SET expires_at = now() - interval '1 second'");
    await database.query(
      "UPDATE storage.versions SET expires_at = now() - interval '1 second' WHERE state = 'writing'",
    );
    await sweep({ db: this.parts.db, backends: new Backends(this.parts.backend) }, { graceSeconds: 0, limit: 10_000 });
    const open = () => database.query('SELECT id FROM storage.uploads');
    await until(async () => (await open()).length === 0, { timeoutMs: 20_000, what: 'no intent is left' });
  }

  async expire(): Promise<void> {
    await this.service.database.query(
      "UPDATE storage.object_history SET purge_after = now() - interval '1 second' WHERE purge_after IS NOT NULL",
    );
    await sweep({ db: this.parts.db, backends: new Backends(this.parts.backend) }, { graceSeconds: 0, limit: 10_000 });
  }
}

export interface SqlAnswer {
  readonly word: string;
  readonly count: number;
  readonly rows: readonly Record<string, unknown>[];
}

const bySqlState: Readonly<Record<string, string>> = {
  '42501': 'not_allowed',
  '23505': 'object_exists',
  '23502': 'not_null',
  '23503': 'bucket_not_found',
};

/** A refusal in the model's words; what a database says that goes away says nothing. */
function wordOf(error: pg.DatabaseError): string {
  if (error.code === 'RWLCK') return error.message;
  const code = error.code ?? '';
  return /^(57P|08)/.test(code) ? lost : (bySqlState[code] ?? `${code} ${error.message}`);
}

/** The headers of an upload. */
export function uploadHeaders(request: UploadRequest, etag: (text: string) => string): Record<string, string> {
  const { type, overwrite, is_free, if_match } = request;
  return {
    'content-type': type,
    ...metadataHeaders(request),
    ...(overwrite === null ? {} : { 'x-upsert': String(overwrite) }),
    ...(is_free ? { 'if-none-match': '*' } : {}),
    ...(if_match === null ? {} : { 'if-match': `"${etag(if_match)}"` }),
  };
}

export const metadataHeaders = ({ cache_control, user_metadata }: Metadata): Record<string, string> => ({
  ...(cache_control === null ? {} : { 'cache-control': cache_control }),
  ...(user_metadata === null ? {} : { 'x-metadata': Buffer.from(JSON.stringify(user_metadata)).toString('base64') }),
});

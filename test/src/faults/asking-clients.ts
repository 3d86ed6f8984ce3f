/**
 * Clients that ask for upload URLs at the times of a plan, whatever becomes of those before: the four arguments, then
 * `get_upload_url` in transactions that only read, until the URL is there. Each call is what PostgREST makes of it, sent in
 * one go. Some also upload and register their file. They note what they were told and judge nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '@rowlock/test-harness';
import pg from 'pg';
import { type Application, putBytes, type UrlRow } from '../contract-metadata/application.ts';

/** One client that is going to ask. */
export interface Arrival {
  /** Milliseconds from the start. */
  readonly at_ms: number;
  readonly user: string;
  /** Whether it uploads a file. */
  readonly uploads: boolean;
}

/** What a client was told. */
export interface Asked {
  /** Undefined where the request was refused. */
  readonly id: string | undefined;
  /** Every one that it was ever told; there should be one. */
  readonly file_ids: ReadonlySet<string>;
  readonly url: string | undefined;
  /** From when it was due to ask until it had the URL. */
  readonly wait_ms: number;
  readonly uploads: boolean;
  /** What went wrong, in words. */
  readonly problem: string | undefined;
}

export interface ArrivalOptions {
  readonly rate: number;
  readonly durationMs: number;
  /** One in so many uploads. */
  readonly uploadsOneIn: number;
}

const users = 500;
const role = 'authenticated';
/** Gaps between two looks of one client grow to this. */
const gapMsMax = 500;

/** Independent clients: the gaps between them are exponential. */
export function planArrivals(random: SeededRandom, options: ArrivalOptions): readonly Arrival[] {
  const { rate, durationMs, uploadsOneIn } = options;
  const arrivals: Arrival[] = [];
  let at_ms = 0;
  for (;;) {
    at_ms += (-Math.log(1 - random.next()) / rate) * 1000;
    if (at_ms >= durationMs) return arrivals;
    arrivals.push({ at_ms, user: `user-${random.integer(users)}`, uploads: random.integer(uploadsOneIn) === 0 });
  }
}

/** Asks as planned; resolves when each has its URL, or has given up after `patienceMs`. */
export async function untilAllAsked(
  app: Application,
  arrivals: readonly Arrival[],
  patienceMs: number,
): Promise<readonly Asked[]> {
  const connectionString = app.service.database.apiUrl;
  const db = new pg.Pool({ connectionString, max: 10, pipeline: true, application_name: 'postgrest' });
  const begun = performance.now();
  const asking: Promise<Asked>[] = [];
  for (const arrival of arrivals) {
    const dueAt = begun + arrival.at_ms;
    const earlyMs = dueAt - performance.now();
    if (earlyMs > 0) await delay(earlyMs);
    asking.push(new Client({ app, db, arrival, dueAt, patienceMs }).ask());
  }
  const asked = await Promise.all(asking);
  await db.end();
  return asked;
}

interface ClientParts {
  readonly app: Application;
  readonly db: pg.Pool;
  readonly arrival: Arrival;
  readonly dueAt: number;
  readonly patienceMs: number;
}

const named = { p_entity_type: 'issue', p_file_name: 'note.txt', p_file_type: 'text/plain' };
const become = {
  name: 'become',
  text: `SELECT set_config('request.jwt.claims', $1, true), set_config('role', $2, true),
           set_config('request.method', $3, true), set_config('request.path', $4, true)`,
};
const requestUploadUrl = {
  name: 'request_upload_url',
  text: "SELECT public.request_upload_url('issue', $1, 'note.txt', 'text/plain') AS id",
};
const getUploadUrl = {
  name: 'get_upload_url',
  text: 'SELECT status, url, file_id, error FROM public.get_upload_url($1)',
};

/** One client, with one request. */
class Client {
  readonly #parts: ClientParts;
  readonly #fileIds = new Set<string>();

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** Never fails: what went wrong is told. */
  async ask(): Promise<Asked> {
    const { arrival, dueAt } = this.#parts;
    let id: string | undefined;
    let url: string | undefined;
    let problem: string | undefined;
    let wait_ms = Number.POSITIVE_INFINITY;
    try {
      const row = await this.#call<{ id: string }>(requestUploadUrl, arrival.user, 'POST');
      id = row?.id ?? '';
      url = await this.#untilSigned(id);
      wait_ms = performance.now() - dueAt;
      if (arrival.uploads) await this.#upload(url);
    } catch (error) {
      problem = `${id ?? 'no request'}: ${String(error)}`;
    }
    return { id, file_ids: this.#fileIds, url, wait_ms, uploads: arrival.uploads, problem };
  }

  /** One transaction as the user, all of it in one round trip. @throws DatabaseError for what the database refuses */
  async #call<Row extends pg.QueryResultRow>(
    statement: { readonly name: string; readonly text: string },
    value: string,
    method: 'GET' | 'POST',
  ): Promise<Row | undefined> {
    const client = await this.#parts.db.connect();
    const path = `/rpc/${statement.name}`;
    const answers = await Promise.allSettled([
      client.query(method === 'GET' ? 'BEGIN READ ONLY' : 'BEGIN'),
      client.query({ ...become, values: [JSON.stringify(this.#claims), role, method, path] }),
      client.query<Row>({ ...statement, values: [value] }),
      client.query('COMMIT'),
    ]);
    const failed = answers.find(({ status }) => status === 'rejected');
    client.release(failed !== undefined);
    if (failed?.status === 'rejected') throw failed.reason;
    const [, , answer] = answers;
    return answer.status === 'fulfilled' ? answer.value.rows[0] : undefined;
  }

  get #claims(): { readonly sub: string; readonly role: string } {
    return { sub: this.#parts.arrival.user, role };
  }

  /** @throws Error where the request failed, is gone or has no URL in time */
  async #untilSigned(id: string): Promise<string> {
    const { dueAt, patienceMs } = this.#parts;
    for (let gapMs = 5; performance.now() < dueAt + patienceMs; gapMs = Math.min(gapMs * 2, gapMsMax)) {
      const row = await this.#call<UrlRow & pg.QueryResultRow>(getUploadUrl, id, 'GET');
      if (row === undefined) throw new Error('the request is gone');
      this.#fileIds.add(row.file_id);
      if (row.status === 'failed') throw new Error(`failed: ${row.error}`);
      if (row.status === 'completed' && row.url !== null) return row.url;
      await delay(gapMs);
    }
    throw new Error(`no URL after ${patienceMs} ms`);
  }

  /** @throws Error where the URL does not work, or the file cannot be registered */
  async #upload(url: string): Promise<void> {
    const { app, arrival } = this.#parts;
    const [file_id = ''] = this.#fileIds;
    const bytes = `the file ${file_id} of ${arrival.user}`;
    const put = await putBytes(url, bytes);
    if (put.status !== 200) throw new Error(`put: ${put.status} ${await put.text()}`);
    await put.arrayBuffer();
    const changes = { ...named, p_entity_id: arrival.user, p_file_size: Buffer.byteLength(bytes) };
    const answer = await app.call('create_file_record', app.recordOf({ file_id, url }, changes), this.#claims);
    if (answer.status !== 200) throw new Error(`registered: ${answer.status} ${answer.bytes.toString()}`);
  }
}

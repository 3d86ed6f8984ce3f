/**
 * Calls the database as PostgREST does, for tests of what its callers meet: one transaction for a request, READ ONLY for GET
 * and for functions that do not write, role and claims and request as settings of that transaction, one prepared statement
 * that makes the body, `response.headers` and `response.status` read back. It verifies no token and speaks no HTTP.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Postgrest, PostgrestAnswer, PostgrestRequest } from './postgrest.ts';
import { postgrestError } from './postgrest-errors.ts';
import { type PlannedQuery, planCall, planRead } from './postgrest-plan.ts';
import { type Routine, routinesOf } from './postgrest-routines.ts';

interface ResultRow {
  readonly total_result_set: string | null;
  readonly page_total: string;
  readonly body: string | Buffer;
  readonly response_headers: string | null;
  readonly response_status: string | null;
}

/** An imitation of PostgREST as the login role of the API. */
export class PostgrestCaller implements Postgrest {
  readonly isReal = false;
  readonly #pool: pg.Pool;
  #routines: Promise<readonly Routine[]>;

  /** @param url as `rowlock_authenticator` */
  constructor(url: string) {
    this.#pool = new pg.Pool({ connectionString: url, max: 10, application_name: 'postgrest' });
    this.#pool.on('error', () => undefined); // its database may be dropped under it
    this.#routines = routinesOf(this.#pool, 'public');
  }

  async reload(): Promise<void> {
    this.#routines = routinesOf(this.#pool, 'public');
    await this.#routines;
  }

  async stop(): Promise<void> {
    await this.#pool.end();
  }

  async ask(request: PostgrestRequest): Promise<PostgrestAnswer> {
    const role = typeof request.as?.['role'] === 'string' ? request.as['role'] : 'anon';
    try {
      const plan = request.path.startsWith('/rpc/')
        ? planCall(await this.#routines, request)
        : planRead('public', request);
      return answered(plan, await this.#inTransaction(request, role, plan), request);
    } catch (error) {
      const { status, body } = postgrestError(error, request.as !== undefined);
      return answerOf(status, { 'content-type': 'application/json; charset=utf-8' }, JSON.stringify(body));
    }
  }

  async #inTransaction(request: PostgrestRequest, role: string, plan: PlannedQuery): Promise<ResultRow> {
    const client = await this.#pool.connect();
    let isWhole = false;
    try {
      await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED READ ${plan.readOnly ? 'ONLY' : 'WRITE'}`);
      await client.query(settingsOf(request, role));
      const { rows } = await client.query<ResultRow>({
        name: createHash('sha256').update(plan.text).digest('hex').slice(0, 40),
        text: plan.text,
        values: [...plan.values],
      });
      const { command } = await client.query('COMMIT');
      isWhole = command === 'COMMIT';
      const [row] = rows;
      if (row === undefined) throw new Error('the statement made no body');
      return row;
    } catch (error) {
      isWhole = await client.query('ROLLBACK').then(
        () => true,
        () => false,
      );
      throw error;
    } finally {
      client.release(!isWhole);
    }
  }
}

/** In PostgREST's own order: the path first, then who, then what was asked. */
function settingsOf({ method, path, headers = {}, as }: PostgrestRequest, role: string): pg.QueryConfig {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const { cookie, ...others } = lower;
  const cookies = Object.fromEntries((cookie?.split(/; */) ?? []).map((each) => each.split('=', 2)));
  const settings: readonly (readonly [string, string])[] = [
    ['search_path', '"public", "public"'],
    ['role', role],
    ['request.jwt.claims', JSON.stringify({ ...as, role })],
    ['request.method', method],
    ['request.path', path],
    ['request.headers', JSON.stringify({ accept: '*/*', 'user-agent': 'rowlock-tests', ...others })],
    ['request.cookies', JSON.stringify(cookies)],
  ];
  const text = `select ${settings.map(([name], at) => `set_config('${name}', $${at + 1}, true)`).join(', ')}`;
  return { name: 'settings', text, values: settings.map(([, value]) => value) };
}

function answered(plan: PlannedQuery, row: ResultRow, request: PostgrestRequest): PostgrestAnswer {
  const total = row.total_result_set === null ? undefined : Number(row.total_result_set);
  const shown = Number(row.page_total);
  const headers: Record<string, string> = plan.isVoid
    ? {}
    : {
        'content-type': plan.contentType,
        'content-range': `${shown === 0 ? '*' : `${plan.offset}-${plan.offset + shown - 1}`}/${total ?? '*'}`,
      };
  const given = row.response_headers === null ? [] : (JSON.parse(row.response_headers) as Record<string, string>[]);
  for (const each of given) {
    for (const [name, value] of Object.entries(each)) headers[name.toLowerCase()] = value;
  }
  const usual = plan.isVoid ? 204 : total !== undefined && shown < total ? 206 : 200;
  const status = row.response_status === null ? usual : Number(row.response_status);
  return answerOf(status, headers, request.method === 'HEAD' || plan.isVoid ? '' : row.body);
}

function answerOf(status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): PostgrestAnswer {
  const bytes = Buffer.from(body as string);
  return { status, headers, bytes, json: <T>() => JSON.parse(bytes.toString('utf8')) as T };
}

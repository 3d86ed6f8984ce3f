/**
 * The way to the database: transactions as a caller, in one round trip, and statements of the server's own roles. It
 * knows nothing of files. A connection whose state is not certain is destroyed and never goes back to the pool.
 */
import { createHash } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import pg from 'pg';
import type { Caller, RequestOrigin } from '../domain/caller.ts';
import { fromSql, isUnavailable } from './sql-errors.ts';

/** A statement that is prepared by its name, beside the function that runs it. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Most connections. */
  readonly connectionsMax: number;
  /** How long a statement may run, in milliseconds. */
  readonly statementTimeoutMs: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/** Where statements that only read are run: the primary, or a standby that is a little behind. */
export interface StatementRunner {
  /** Whether what was committed a moment ago may be missing. */
  readonly mayLag: boolean;
  /** Runs one statement by itself as the login role. @throws RowlockError for what `fromSql` knows */
  run<Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]>;
}

/** How a caller's transaction is opened: what policies see in `storage.operation()`, and whether it may write. */
export interface CallerScope {
  readonly operation: string;
  readonly readOnly?: boolean;
  /** Further settings for the length of the transaction, such as `request.method`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** How long an answer may take to arrive after the server itself would have ended the statement. */
const answerPatienceMs = 2000;

const becomeCaller: Statement = {
  name: 'caller_become',
  text: `SELECT set_config('request.jwt.claims', $1, true), set_config('storage.operation', $2, true),
           set_config('storage.request_id', $4, true), set_config('storage.request_address', $5, true),
           set_config('role', $3, true)`,
};

const settingSet: Statement = {
  name: 'setting_set',
  text: 'SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS setting (name, value)',
};

/**
 * The name under which a caller's statement is prepared: one for each role, so that what PostgreSQL planned under the
 * policies of one role never serves another (CVE-2024-10976 was that). PostgreSQL compares 63 bytes of a name.
 */
function nameFor(statement: Statement, role: string): string {
  const name = `${statement.name}@${role}`;
  return Buffer.byteLength(name) <= 63
    ? name
    : `${statement.name.slice(0, 30)}@${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

/** What the audit log is told of the request behind a caller: its id and its address, empty where there is none. */
export function originOf({
  origin,
}: {
  readonly origin?: RequestOrigin | undefined;
}): readonly [requestId: string, address: string] {
  return [origin?.request_id ?? '', origin?.address ?? ''];
}

/** What is sent goes to the network in one piece: each write wakes PostgreSQL's process, and costs more than what it carries. */
function inOneWrite<T>(client: pg.PoolClient, send: () => T): T {
  const { stream } = client.connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

/** A pool of one login role. */
export class Database implements StatementRunner {
  readonly mayLag: boolean = false;
  readonly #pool: pg.Pool;

  constructor(options: DatabaseOptions) {
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: options.connectionsMax,
      pipeline: true,
      application_name: options.applicationName,
      connectionTimeoutMillis: 5000,
      idleTimeoutMillis: 30_000,
      statement_timeout: options.statementTimeoutMs,
      // For a server that says nothing more, not even that time is up: the connection is given up with the statement.
      query_timeout: options.statementTimeoutMs + answerPatienceMs,
      idle_in_transaction_session_timeout: 30_000,
    });
    // An idle connection that breaks is dropped by the pool; the next statement reports what is wrong, if anything is.
    this.#pool.on('error', () => undefined);
    // One that breaks while it is in use rejects its statements; its event must not end the process.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /**
   * Runs one statement by itself as the login role, in one round trip.
   *
   * @throws RowlockError for what `fromSql` knows
   */
  async run<Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
    const client = await this.#connect();
    try {
      const { rows } = await client.query<Row>({ ...statement, values: [...values] });
      client.release();
      return rows;
    } catch (error) {
      client.release(isUnavailable(error));
      throw fromSql(error);
    }
  }

  /**
   * Runs one statement as a caller: role and claims set for one transaction, exactly as PostgREST does it, all four
   * statements sent at once. Atomic: a COMMIT that the server answered with ROLLBACK is a failure.
   *
   * @throws RowlockError for what `fromSql` knows
   */
  async asCaller<Row extends pg.QueryResultRow>(
    caller: Caller,
    scope: CallerScope,
    statement: Statement,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    const client = await this.#connect();
    const settings = Object.entries(scope.settings ?? {});
    const sent = inOneWrite(client, () => [
      client.query(scope.readOnly ? 'BEGIN READ ONLY' : 'BEGIN'),
      ...(settings.length === 0
        ? []
        : [
            client.query({
              ...settingSet,
              values: [settings.map(([name]) => name), settings.map(([, value]) => value)],
            }),
          ]),
      client.query({ ...becomeCaller, values: [caller.claims, scope.operation, caller.role, ...originOf(caller)] }),
      client.query<Row>({ ...statement, name: nameFor(statement, caller.role), values: [...values] }),
      client.query('COMMIT'),
    ]);
    const settled = await Promise.allSettled(sent);
    const failed = settled.find((result) => result.status === 'rejected');
    const commit = settled.at(-1);
    const ended = commit?.status === 'fulfilled';
    client.release(!ended);
    if (failed !== undefined) {
      throw fromSql(failed.reason);
    }
    if (!ended || (commit.value as pg.QueryResult).command !== 'COMMIT') {
      throw new RowlockError('unavailable', 'The transaction was rolled back; try again', { retryAfterSeconds: 1 });
    }
    return (settled.at(-2) as PromiseFulfilledResult<pg.QueryResult<Row>>).value.rows;
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (cause) {
      throw new RowlockError('unavailable', 'The database cannot be reached now; try again', {
        cause,
        retryAfterSeconds: 5,
      });
    }
  }

  /** Connections open, idle and waited for. */
  connections(): { readonly total: number; readonly idle: number; readonly waiting: number } {
    return { total: this.#pool.totalCount, idle: this.#pool.idleCount, waiting: this.#pool.waitingCount };
  }

  /** Closes the connections that wait for a statement, but one; the pool opens others when they are needed. */
  closeIdle(): void {
    for (let i = this.#pool.idleCount; i > 1; i--) {
      this.#pool.connect().then(
        (client) => client.release(true),
        () => undefined,
      );
    }
  }

  /** Waits for running statements and closes every connection. */
  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/**
 * Transactions of a caller without Rowlock: the four statements that become the caller, do one thing and commit, sent
 * at once on a connection of a pool. It is the least that anything behind row-level security can cost; errors are not
 * mapped and connections not looked after.
 */
import pg from 'pg';

/** A statement, prepared by its name. */
export interface BareStatement {
  readonly name: string;
  readonly text: string;
}

/** Runs caller transactions on so many connections. */
export class CallerTransactions {
  readonly #pool: pg.Pool;
  readonly #role: string;
  readonly #claims: string;

  constructor(url: string, { connections, role, claims }: { connections: number; role: string; claims: object }) {
    // Kept while another contestant has its turn: sixteen new ones at once stall everybody for a fifth of a second.
    const kept = { idleTimeoutMillis: 0 };
    this.#pool = new pg.Pool({ connectionString: url, max: connections, pipeline: true, ...kept });
    this.#pool.on('error', () => undefined); // an idle connection: whoever needs one is told by its query
    this.#role = role;
    this.#claims = JSON.stringify(claims);
  }

  /** One transaction: role and claims, the statement, commit. */
  async run<Row extends pg.QueryResultRow>(statement: BareStatement, values: readonly unknown[]): Promise<Row[]> {
    const client = await this.#pool.connect();
    const sent = [
      client.query('BEGIN'),
      client.query(`SET LOCAL ROLE ${this.#role}`),
      client.query({
        name: 'claims',
        text: "SELECT set_config('request.jwt.claims', $1, true)",
        values: [this.#claims],
      }),
      client.query<Row>({ ...statement, values: [...values] }),
      client.query('COMMIT'),
    ] as const;
    const settled = await Promise.allSettled(sent);
    const failed = settled.find((each) => each.status === 'rejected');
    client.release(failed !== undefined);
    if (failed !== undefined) throw failed.reason;
    return (settled[3] as PromiseFulfilledResult<pg.QueryResult<Row>>).value.rows;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

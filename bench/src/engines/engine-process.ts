/**
 * One job queue as an engine: a process of its own beside a database of its own, told what to do by lines of JSON (see
 * `interop/node-queues/protocol.mjs`). What it costs is read from outside, alike for all.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  buildGoRiver,
  createEmptyDatabase,
  type EmptyDatabase,
  goRiverNewest,
  temporaryFolder,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';
import { keep } from '../measure/kept-processes.ts';
import { cpuSecondsBelow } from '../measure/process-usage.ts';

/** The engines, by the names under which reports show them. */
export type EngineName = 'rowlock' | 'river' | 'graphile-worker' | 'pg-boss';

/** How an engine works jobs. */
export interface WorkSettings {
  readonly max_workers: number;
  /** Set up for speed, as its authors do it; else with its defaults. */
  readonly tuned: boolean;
  /** How long a handler takes, in milliseconds. */
  readonly sleep_ms: number;
}

/** What a turn has cost. Processor times are undefined where they cannot be read. */
export interface Cost {
  readonly client_cpu_seconds: number | undefined;
  readonly postgres_cpu_seconds: number | undefined;
  readonly wal_bytes: number;
}

const schema = 'river';
const nodeQueues = fileURLToPath(new URL('../../../interop/node-queues', import.meta.url));
const rowlockProgram = fileURLToPath(new URL('./rowlock-program.js', import.meta.url));

/** By engine, the table that it keeps jobs in. */
const tables: Readonly<Record<EngineName, string>> = {
  rowlock: `${schema}.river_job`,
  river: `${schema}.river_job`,
  'graphile-worker': 'graphile_worker._private_jobs',
  'pg-boss': 'pgboss.job',
};

let installed: string | undefined;

/** Installs the queues of others where this run can use them; throws where the registry cannot be reached. */
function installedNodeQueues(): string {
  if (installed !== undefined) return installed;
  const folder = temporaryFolder();
  cpSync(nodeQueues, folder, { recursive: true });
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], { cwd: folder, stdio: 'pipe' });
  installed = folder;
  return folder;
}

/** The version of an engine that is not ours. */
export function engineVersion(name: EngineName): string {
  if (name === 'river') return goRiverNewest;
  if (name === 'rowlock') return 'this tree';
  const manifest = join(nodeQueues, 'package-lock.json');
  const lock = JSON.parse(readFileSync(manifest, 'utf8')) as { packages: Record<string, { version?: string }> };
  return lock.packages[`node_modules/${name}`]?.version ?? 'unknown';
}

async function commandOf(name: EngineName, url: string): Promise<readonly string[]> {
  if (name === 'rowlock') return [process.execPath, rowlockProgram, url, schema];
  if (name !== 'river') return [process.execPath, join(installedNodeQueues(), `${name}.mjs`), url];
  const pooled = new URL(url);
  pooled.searchParams.set('pool_max_conns', '16');
  return [await buildGoRiver(), 'engine', pooled.href, schema];
}

/** A running engine. */
export class EngineProcess {
  readonly name: EngineName;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: Interface;
  readonly #exited: Promise<undefined>;
  readonly #database: EmptyDatabase;
  readonly #admin: pg.Client;
  readonly #postgresPid: number | undefined;

  private constructor(parts: {
    readonly name: EngineName;
    readonly child: ChildProcessByStdio<Writable, Readable, null>;
    readonly database: EmptyDatabase;
    readonly admin: pg.Client;
    readonly postgresPid: number | undefined;
  }) {
    this.name = parts.name;
    this.#child = parts.child;
    this.#answers = createInterface({ input: parts.child.stdout });
    this.#exited = once(parts.child, 'exit').then(() => undefined);
    this.#database = parts.database;
    this.#admin = parts.admin;
    this.#postgresPid = parts.postgresPid;
  }

  /** Starts an engine on an empty database of its own, or on the tables of another one that has the same. */
  static async start(
    name: EngineName,
    { postgresPid, beside }: { readonly postgresPid: number | undefined; readonly beside?: EngineProcess },
  ): Promise<EngineProcess> {
    const database = beside === undefined ? await createEmptyDatabase({ prefix: 'bench_engine' }) : beside.#database;
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    if (name === 'river' && beside === undefined) {
      const { migrate } = await import('@rowlock/queue');
      await admin.query(`CREATE SCHEMA ${schema}`);
      await migrate(admin, { schema });
    }
    const [file = '', ...args] = await commandOf(name, database.url);
    const child = keep(spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, TZ: 'UTC' } }));
    return new EngineProcess({ name, child, database, admin, postgresPid });
  }

  /** Gives a command and waits for its answer. */
  async do<Answer>(command: Readonly<Record<string, unknown>>): Promise<Answer> {
    const answered = once(this.#answers, 'line') as Promise<[string]>;
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    const line = await Promise.race([answered, this.#exited]);
    if (line === undefined) throw new Error(`${this.name} has ended`);
    const answer = JSON.parse(line[0]) as Answer & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${this.name}: ${answer.error}`);
    return answer;
  }

  /** Leaves so many jobs in its table, and the table as new. */
  async fill(jobs: number): Promise<void> {
    await this.clear();
    if (jobs > 0) await this.do({ do: 'fill', n: jobs });
    await this.#admin.query('VACUUM ANALYZE');
    await this.#admin.query('CHECKPOINT');
  }

  async clear(): Promise<void> {
    const { rows } = await this.#admin.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      tables[this.name],
    ]);
    if (rows[0]?.there) await this.#admin.query(`TRUNCATE ${tables[this.name]}`);
    else await this.do({ do: 'fill', n: 0 });
  }

  /** Resolves when so many jobs of a table like River's are finalised, whoever worked them. */
  async finalised(jobs: number): Promise<void> {
    await until(
      async () => {
        const { rows } = await this.#admin.query<{ n: string }>(
          `SELECT count(*) AS n FROM ${tables[this.name]} WHERE finalized_at IS NOT NULL`,
        );
        return Number(rows[0]?.n) === jobs;
      },
      { timeoutMs: 300_000, intervalMs: 100, what: 'all jobs are finalised' },
    );
  }

  /** Runs something and says what it has cost. */
  async costOf<Result>(action: () => Promise<Result>): Promise<{ readonly result: Result; readonly cost: Cost }> {
    const before = await this.#usage();
    const result = await action();
    const after = await this.#usage();
    const less = (a: number | undefined, b: number | undefined): number | undefined =>
      a === undefined || b === undefined ? undefined : a - b;
    return {
      result,
      cost: {
        client_cpu_seconds: less(after.client, before.client),
        postgres_cpu_seconds: less(after.postgres, before.postgres),
        wal_bytes: after.wal - before.wal,
      },
    };
  }

  async #usage(): Promise<{ client: number | undefined; postgres: number | undefined; wal: number }> {
    const { rows } = await this.#admin.query<{ wal: string }>("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS wal");
    return {
      client: cpuSecondsBelow(this.#child.pid ?? 0),
      postgres: this.#postgresPid === undefined ? undefined : cpuSecondsBelow(this.#postgresPid),
      wal: Number(rows[0]?.wal),
    };
  }

  /** Ends the process; the database goes too unless it is another engine's. */
  async end({ keepDatabase = false }: { readonly keepDatabase?: boolean } = {}): Promise<void> {
    this.#child.stdin.end();
    const killing = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(killing);
    await this.#admin.end();
    if (!keepDatabase) await this.#database.drop();
  }
}

/** Whether the queues of others can be installed here. */
export function canInstallNodeQueues(): boolean {
  try {
    return existsSync(installedNodeQueues());
  } catch {
    return false;
  }
}

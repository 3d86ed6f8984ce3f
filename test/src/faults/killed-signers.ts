/**
 * Two signers in processes of their own, `rowlock work --queues s3_signer` as operators run it, one of which is killed now
 * and then. It judges nothing. Invariant: a killed signer's place is taken before the next one is killed, so that all but
 * moments have two.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestService } from '@rowlock/test-harness';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

/** When, in milliseconds from the start, and which of the places. */
export interface PlannedKill {
  readonly at_ms: number;
  readonly place: number;
}

interface Signer {
  readonly process: ChildProcess;
  /** Under which it claims jobs. */
  readonly client_id: string;
}

/** Looks for a moment in which a signer has a job: at 50 jobs a second of 2 ms each it takes ten. */
const looksMax = 400;
/** By then a statement that was sent has had its effect. */
const arrivesMs = 50;

/** The signers of one service, and whom of them somebody killed. */
export class KilledSigners {
  readonly #service: TestService;
  readonly #places: Signer[] = [];
  /** Client ids of the dead. */
  readonly killed: string[] = [];

  constructor(service: TestService) {
    this.#service = service;
  }

  /** Fills the places one after the other. */
  async start(places: number): Promise<void> {
    for (let place = 0; place < places; place += 1) this.#places.push(await this.#startOne());
  }

  /**
   * Kills as planned, each in a moment in which it has a claimed job, and fills its place again.
   *
   * @param dead is told the client id of each
   */
  async untilKilled(plan: readonly PlannedKill[], dead: (clientId: string) => Promise<void>): Promise<void> {
    const begun = performance.now();
    for (const { at_ms, place } of plan) {
      await delay(Math.max(0, begun + at_ms - performance.now()));
      const signer = this.#places[place];
      assert.ok(signer);
      await this.#kill(signer);
      await dead(signer.client_id);
      this.#places[place] = await this.#startOne();
    }
  }

  /** Ends all as an operator does; returns how each ended. */
  async stop(): Promise<readonly (number | null)[]> {
    const ended = this.#places.splice(0).map(async ({ process }) => {
      if (process.exitCode !== null || process.signalCode !== null) return process.exitCode;
      const exited = once(process, 'exit');
      process.kill('SIGTERM');
      process.kill('SIGCONT'); // where a test failed while it stood still
      await exited;
      return process.exitCode;
    });
    return await Promise.all(ended);
  }

  /**
   * Stands still while it is looked at twice: what it said last has reached the database by the second time, and what it
   * has then it has when it dies.
   */
  async #kill({ process, client_id }: Signer): Promise<void> {
    const exited = once(process, 'exit');
    for (let look = 1; look <= looksMax; look += 1) {
      process.kill('SIGSTOP');
      const jobs = await this.#jobsOf(client_id);
      if (jobs.length > 0) await delay(arrivesMs);
      const still = jobs.length > 0 ? await this.#jobsOf(client_id) : [];
      if (still.some((id) => jobs.includes(id))) break;
      process.kill('SIGCONT');
      await delay(look % 7);
    }
    process.kill('SIGKILL');
    await exited;
    this.killed.push(client_id);
  }

  async #jobsOf(clientId: string): Promise<readonly string[]> {
    const rows = await this.#service.database.query<{ id: string }>(
      `SELECT id::text AS id FROM metadata.river_job
       WHERE state = 'running' AND kind = 's3_presign' AND attempted_by[array_upper(attempted_by, 1)] = $1`,
      [clientId],
    );
    return rows.map(({ id }) => id);
  }

  async #startOne(): Promise<Signer> {
    const before = await this.#clientIds();
    const { database, config, url, root } = this.#service;
    const { backend } = config;
    const child = spawn(process.execPath, [program, 'work', '--queues', 's3_signer'], {
      env: {
        WORKER_DATABASE_URL: database.workerUrl,
        STORAGE_ROOT: root,
        PUBLIC_URL: url,
        S3_BUCKET: backend.bucket,
        S3_REGION: backend.region,
        S3_ACCESS_KEY_ID: backend.access_key_id,
        S3_SECRET_ACCESS_KEY: backend.secret_access_key,
        LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.ok(child.stdout);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`a signer ended with ${String(code)} before it was ready`);
    });
    await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => undefined); // from now on it ends when it is killed or stopped
    const [clientId, ...others] = (await this.#clientIds()).filter((id) => !before.includes(id));
    assert.ok(clientId !== undefined && others.length === 0, 'one signer has started');
    return { process: child, client_id: clientId };
  }

  async #clientIds(): Promise<readonly string[]> {
    const rows = await this.#service.database.query<{ client_id: string }>(
      'SELECT client_id FROM metadata.rowlock_worker_lease',
    );
    return rows.map(({ client_id }) => client_id);
  }
}

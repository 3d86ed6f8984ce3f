/** One database shared with a real Go River process: both sides insert, work, fail and cancel each other's jobs. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEmptyDatabase, type EmptyDatabase, requires, temporaryFolder, until } from '@rowlock/test-harness';
import pg from 'pg';
import { insertJob } from '../insert-job.ts';
import { migrate } from '../migrate/migrate.ts';
import { schemaName } from '../schema-name.ts';
import { readCatalog } from '../statements/catalog.ts';
import { Worker } from './worker.ts';

const source = fileURLToPath(new URL('../../../../interop/river', import.meta.url));
const reference: unknown = JSON.parse(
  readFileSync(new URL('../../src/migrate/river-v7-catalog.json', import.meta.url), 'utf8'),
);
const run = promisify(execFile);

describe('beside Go River', { skip: requires('go') }, () => {
  let program: string;
  let database: EmptyDatabase;
  let pool: pg.Pool;
  let river: ChildProcess;
  let answers: Interface;

  before(async () => {
    program = join(temporaryFolder(), 'river');
    await run('go', ['build', '-o', program, '.'], { cwd: source });
    database = await createEmptyDatabase({ prefix: 'queue_go' });
    pool = new pg.Pool({ connectionString: database.url, max: 4 });
    await pool.query('CREATE SCHEMA river; CREATE SCHEMA made_by_go');
    const client = await pool.connect();
    await migrate(client, { schema: 'river' });
    client.release();
    river = spawn(program, ['work', database.url, 'river'], { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(river.stdout);
    answers = createInterface({ input: river.stdout });
    await once(answers, 'line');
  });
  after(async () => {
    const exited = once(river, 'exit');
    river.stdin?.end();
    await exited;
    await pool.end();
    await database.drop();
  });

  async function ask(command: object): Promise<Record<string, unknown>> {
    const answered = once(answers, 'line');
    river.stdin?.write(`${JSON.stringify(command)}\n`);
    const [line] = (await answered) as [string];
    return JSON.parse(line) as Record<string, unknown>;
  }

  const stateOf = async (id: unknown): Promise<string | undefined> =>
    (await pool.query('SELECT state::text FROM river.river_job WHERE id = $1', [id])).rows[0]?.state;

  test('the recorded catalog is what this Go River makes, and neither migrates what the other made', async () => {
    const made = await run(program, ['migrate', database.url, 'made_by_go']);
    const ours = await run(program, ['migrate', database.url, 'river']);
    const client = await pool.connect();
    const catalog = await readCatalog(client, schemaName('made_by_go'));
    const { rows } = await client.query("SELECT current_setting('server_version_num')::int AS version");
    client.release();

    assert.deepEqual(JSON.parse(made.stdout), { migrated: 7 });
    assert.deepEqual(JSON.parse(ours.stdout), { migrated: 0 });
    if (rows[0].version >= 180_000) {
      assert.deepEqual(catalog, reference);
    }
  });

  test('what Go inserts is worked here, and Go reads our errors', async () => {
    const seen: unknown[] = [];
    const worker = new Worker({
      database: database.url,
      schema: 'river',
      queues: { ts: { maxWorkers: 4 } },
      handlers: {
        ts_job: {
          perform: (job) => {
            seen.push(job.args);
            if ((job.args as { n: number }).n === 2) {
              throw new Error('two is refused');
            }
          },
        },
      },
    });
    await worker.start();

    const done = await ask({ do: 'insert', n: 1 });
    const failed = await ask({ do: 'insert', n: 2 });
    await until(async () => (await stateOf(done['id'])) === 'completed', { what: 'the job of Go is completed' });
    await until(async () => (await stateOf(failed['id'])) !== 'running' && seen.length >= 2, {
      what: 'the other failed',
    });
    const read = await ask({ do: 'get', id: failed['id'] });
    await worker.stop();

    assert.ok(seen.some((args) => (args as { n: number }).n === 1));
    assert.match(String((read['errors'] as string[])[0]), /two is refused/);
  });

  test('what is inserted here is worked by Go', async () => {
    const job = await insertJob(pool, { schema: 'river', kind: 'go_job', args: { n: 7 }, queue: 'go' });
    const [viaSql] = (await pool.query("SELECT river.enqueue_job('go_job', '{\"n\": 8}', 'go') AS id")).rows;

    await until(async () => (await stateOf(job.id)) === 'completed', { what: 'Go completed our job' });
    await until(async () => (await stateOf(viaSql.id)) === 'completed', { what: 'Go completed the job of SQL' });
  });

  test('a cancel from Go aborts a handler here', async () => {
    let aborted = false;
    const worker = new Worker({
      database: database.url,
      schema: 'river',
      queues: { ts: { maxWorkers: 1 } },
      handlers: {
        ts_job: {
          perform: async (_job, { signal }) => {
            await once(signal, 'abort');
            aborted = true;
            throw signal.reason;
          },
        },
      },
    });
    await worker.start();
    const { id } = await ask({ do: 'insert', n: 3 });
    await until(async () => (await stateOf(id)) === 'running', { what: 'the job runs' });

    await ask({ do: 'cancel', id });

    await until(async () => (await stateOf(id)) === 'cancelled', { what: 'the job is cancelled' });
    assert.ok(aborted);
    await worker.stop();
  });
});

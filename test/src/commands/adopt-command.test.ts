/** `rowlock adopt` as an operator runs it: what it prints and answers, and that a kill at any step costs only the run. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RunningWorker } from '@rowlock/server';
import { createEmptyDatabase, type EmptyDatabase, until } from '@rowlock/test-harness';
import { catalogOf, difference } from '../adopt/catalog.ts';
import { alice, type CivicOs, createCivicOs } from '../adopt/civic-os.ts';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
/** The steps of an installation after which it is killed; in a campaign all. */
const killedAfter = process.env['ROWLOCK_ROUNDS'] === undefined ? [3, 8] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('rowlock adopt', () => {
  let site: CivicOs;
  let empty: EmptyDatabase;
  let env: Record<string, string>;
  let worker: RunningWorker | undefined;

  before(async () => {
    site = await createCivicOs();
    empty = await createEmptyDatabase();
    env = {
      PATH: process.env['PATH'] ?? '',
      MIGRATE_DATABASE_URL: site.target.url,
      WORKER_DATABASE_URL: site.workerUrl,
      ADOPTED_SCHEMA: 'metadata',
      METADATA_SCHEMA: 'rowlock_metadata',
      ANON_ROLE: 'web_anon',
      STORAGE_ROOT: site.backend.kind === 'disk' ? site.backend.root : '',
      S3_ACCESS_KEY_ID: 'k',
      S3_SECRET_ACCESS_KEY: 'a-secret-of-forty-characters-for-nothing',
    };
  });
  after(async () => {
    await worker?.stop();
    await site.drop();
    await empty.drop();
  });

  function run(args: readonly string[], more: Record<string, string> = {}): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(process.execPath, [program, 'adopt', ...args], { env: { ...env, ...more } }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
      );
    });
  }
  /** Runs a step until its fault has killed it, then without one. */
  async function killedAndRunAgain(args: readonly string[], fault: string): Promise<Ran> {
    const killed = await run(args, { ROWLOCK_FAULT: fault });
    assert.deepEqual([killed.code, killed.out], [-1, ''], `killed at ${fault}: ${killed.err}`);
    return await run(args);
  }

  test('without a word it plans: 0 and words, and with --sql the statements', async () => {
    const [plan, withSql] = await Promise.all([run([]), run(['plan', '--sql'])]);

    assert.equal(plan.code, 0, plan.err);
    assert.match(plan.out, /^install:\n {2}migrate: our own schemas/);
    assert.match(plan.out, /\nnothing stands in the way\n$/);
    assert.doesNotMatch(plan.out, /ALTER TABLE/);
    assert.match(withSql.out, /ALTER TABLE "metadata"\.files ADD COLUMN object_id uuid/);
  });

  test('1 and what to do where something is in the way, in a database of another kind or with our schema on theirs', async () => {
    const other = await run(['plan'], { MIGRATE_DATABASE_URL: empty.url });
    const same = await run(['plan', '--json'], { METADATA_SCHEMA: 'metadata' });

    assert.deepEqual([other.code, same.code], [1, 1]);
    assert.match(other.out, /there is no metadata\.files\n {4}is ADOPTED_SCHEMA right/);
    assert.match(JSON.parse(same.out).obstacles[0].fix, /METADATA_SCHEMA=rowlock_metadata/);
  });

  test('2 for what means nothing', async () => {
    const calls = [
      ['switch', '--rate', '5'],
      ['backfill', '--rate', '0'],
    ];

    const ran = await Promise.all(calls.map((args) => run(args)));

    assert.deepEqual(
      ran.map(({ code }) => code),
      [2, 2],
    );
    assert.match(ran[0]?.err ?? '', /--rate means nothing to adopt switch/);
  });

  test('an installation that is killed after any of its steps, and run again, is the same as one that was not', async () => {
    for (const step of killedAfter.slice(0, -1)) {
      const killed = await run(['install'], { ROWLOCK_FAULT: `adopt.after_step@${step}=kill` });
      assert.equal(killed.code, -1, killed.err);
    }

    const { code, err } = await killedAndRunAgain(['install'], `adopt.after_step@${killedAfter.at(-1)}=kill`);
    const once = await catalogOf(site);
    const again = await run(['install', '--json']);

    assert.deepEqual([code, again.code], [0, 0], err);
    assert.equal(JSON.parse(again.out).step, 'install');
    assert.deepEqual(difference(once, await catalogOf(site)), []);
  });

  test('an index that an interruption left behind is built anew', async () => {
    if ((await site.query("SELECT FROM pg_class WHERE relname = 'files_rowlock_object_id_idx'")).length === 0) {
      await run(['install']);
    }
    const isValid = `SELECT i.indisvalid FROM pg_index AS i WHERE i.indexrelid = 'metadata.files_rowlock_object_id_idx'::regclass`;
    await site.query(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'metadata.files_rowlock_object_id_idx'::regclass",
    );

    const { code, out, err } = await run(['install']);

    assert.equal(code, 0, err);
    assert.match(out, /grants, index,/);
    assert.deepEqual(await site.query(isValid), [{ indisvalid: true }]);
  });

  test('a switch that is killed has switched nothing or both', async () => {
    worker = await site.startWorker();
    const bodies = async (): Promise<number> =>
      (await site.query("SELECT FROM pg_proc WHERE prosrc LIKE '%fs\\_%' AND proname LIKE 'insert\\_%'")).length;

    const killed = await run(['switch'], { ROWLOCK_FAULT: 'adopt.before_switch=kill' });
    const afterKill = await bodies();
    const { code } = await killedAndRunAgain(['switch'], 'adopt.after_switch=kill');

    assert.deepEqual([killed.code, afterKill, code, await bodies()], [-1, 0, 0, 2]);
  });

  test('a backfill that is killed goes on with what is left', async () => {
    const { code, err } = await killedAndRunAgain(['backfill', '--rate', '1000'], 'adopt.after_file@2=kill');
    const last = JSON.parse((await run(['backfill', '--json', '--rate', '1000'])).out);

    assert.equal(code, 0, err);
    const objects = await site.query('SELECT FROM metadata.files AS f JOIN storage.objects AS o ON o.id = f.object_id');
    assert.ok(objects.length >= 3, `${objects.length} objects`);
    assert.ok(last.files_taken <= 2, 'what was taken is not taken twice');
  });

  test('a rollback that is killed between bodies and jobs is done by the next one', async () => {
    const isIdle = async (): Promise<boolean> =>
      (await site.query("SELECT FROM metadata.river_job WHERE queue ~ '^fs_' AND finalized_at IS NULL")).length === 0;
    await until(isIdle, { what: 'the worker has done what was there' });
    await worker?.stop();
    worker = undefined;
    await site.call(alice, "SELECT public.request_upload_url('issues', '1', 'a.jpg', 'image/jpeg')");

    const { code, out, err } = await killedAndRunAgain(['rollback', '--json'], 'adopt.before_give_back=kill');

    assert.equal(code, 0, err);
    assert.deepEqual(JSON.parse(out), {
      step: 'rollback',
      dry_run: false,
      functions: [],
      jobs: 1,
      running: 0,
      is_complete: true,
    });
    assert.deepEqual(
      await site.query("SELECT FROM metadata.river_job WHERE queue LIKE 'fs\\_%' AND state = 'available'"),
      [],
    );
  });
});

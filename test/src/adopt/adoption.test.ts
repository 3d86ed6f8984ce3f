/** A running system is adopted, works on, is given back, and is adopted again: what it notices, and what it does not. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { installAdoption, planAdoption, type RunningWorker, rollBackAdoption, switchAdoption } from '@rowlock/server';
import { answered, fileSettled, queueOf, requestUpload } from './callers.ts';
import { catalogOf, difference } from './catalog.ts';
import { alice, bob, type CivicOs, createCivicOs, fileId } from './civic-os.ts';

describe('adoption of a running system', () => {
  let site: CivicOs;
  let original: readonly string[];
  /** As it was right after the first installation. */
  let installed: readonly string[] | undefined;
  let worker: RunningWorker | undefined;

  before(async () => {
    site = await createCivicOs();
    original = await catalogOf(site);
  });
  after(async () => {
    await worker?.stop();
    await site.drop();
  });

  /** Whatever ran before: installed, a worker of ours alive, switched. */
  const ensureSwitched = async (): Promise<void> => {
    const plan = await planAdoption(site.target);
    if (!plan.is_installed) await installAdoption(site.target);
    installed ??= await catalogOf(site);
    worker ??= await site.startWorker();
    if (!plan.is_switched) await switchAdoption(site.target);
  };

  test('a plan says what would be done, finds nothing in the way, and changes nothing', async () => {
    const plan = await planAdoption(site.target);

    assert.deepEqual(plan.obstacles, []);
    assert.deepEqual([plan.is_installed, plan.is_switched], [false, false]);
    assert.deepEqual(
      plan.steps.map(({ name }) => name),
      [
        'records',
        'queue',
        'column',
        'grants',
        'index',
        'policy_files',
        'policy_requests',
        'jobs',
        'objects',
        'trigger',
      ],
    );
    assert.deepEqual(plan.counts, {
      files: 9,
      files_without_object: 9,
      files_stuck: 3,
      requests_stuck: 3,
      jobs_in_our_queues: 0,
    });
    assert.deepEqual(difference(original, await catalogOf(site)), []);
  });

  test('a trial of the installation changes nothing either', async () => {
    const steps = await installAdoption(site.target, { dryRun: true });

    assert.equal(steps[0], 'migrate');
    assert.deepEqual(difference(original, await catalogOf(site)), []);
    assert.deepEqual(await site.query("SELECT FROM pg_namespace WHERE nspname = 'storage'"), []);
  });

  test('nothing is switched before it is installed', async () => {
    await assert.rejects(switchAdoption(site.target), /run rowlock adopt install first/);
  });

  test('installed beside it, everything that was there is as it was', async () => {
    await installAdoption(site.target);

    const changed = difference(original, await catalogOf(site));
    const gone = changed.filter((fact) => fact.startsWith('- ') && !/^- (relation|column) /.test(fact));
    const came = changed.filter((fact) => fact.startsWith('+ ') && !/^\+ (relation|column) /.test(fact));
    assert.deepEqual(gone, []);
    assert.ok(
      came.every((fact) => /rowlock|object_id|enqueue_job/.test(fact)),
      came.join('\n'),
    );
    assert.equal((await planAdoption(site.target)).is_installed, true);
    const id = await requestUpload(site, 'before.jpg');
    assert.equal(await queueOf(site, id), 's3_signer');
  });

  test('installed once more, nothing changes', async () => {
    installed = await catalogOf(site);

    await installAdoption(site.target);

    assert.deepEqual(difference(installed, await catalogOf(site)), []);
  });

  test('without a worker of ours nothing is switched', async () => {
    await installAdoption(site.target);

    await assert.rejects(switchAdoption(site.target), /no worker of ours/);
  });

  test('switched, new requests are signed by our worker, whatever their key', async () => {
    worker = await site.startWorker();

    const trial = await switchAdoption(site.target, { dryRun: true });
    const done = await switchAdoption(site.target);
    const again = await switchAdoption(site.target);

    assert.deepEqual(trial, ['metadata.insert_s3_presign_job()', 'metadata.insert_thumbnail_job()']);
    assert.deepEqual([done, again], [trial, []]);
    const id = await requestUpload(site, 'Photo of me.JPG');
    const row = await answered(site, id);
    assert.deepEqual([await queueOf(site, id), row.status, row.error], ['fs_presign', 'completed', null]);
    const url = new URL(row.url ?? '');
    assert.equal(url.pathname, `/civic-os-files/issues/1/${row.file_id}/original.jpg`);
    assert.equal(url.searchParams.get('X-Amz-Expires'), '900');
  });

  test('a request whose parts would leave its folder fails at once, and says why', async () => {
    await ensureSwitched();
    const id = await requestUpload(site, 'x.jpg', '../../other');

    const row = await answered(site, id);

    assert.equal(row.status, 'failed');
    assert.match(row.error ?? '', /may have only letters/);
    assert.equal(row.url, null);
  });

  test('a job that is repeated signs the same key', async () => {
    await ensureSwitched();
    const id = await requestUpload(site, 'twice.jpg');
    const first = await answered(site, id);

    await site.query(
      "UPDATE metadata.file_upload_requests SET status = 'pending', presigned_url = NULL WHERE id = $1",
      [id],
    );
    await site.query(
      `INSERT INTO metadata.river_job (kind, args, queue, max_attempts)
       VALUES ('s3_presign', jsonb_build_object('request_id', $1::text, 'bucket', 'x', 'key', '../../x', 'operation', 'upload'), 'fs_presign', 25)`,
      [id],
    );
    const second = await answered(site, id);

    assert.equal(second.file_id, first.file_id);
    assert.equal(new URL(second.url ?? '').pathname, new URL(first.url ?? '').pathname);
  });

  test('new pictures come to us, and PDFs stay with the old worker', async () => {
    await ensureSwitched();
    const create = async (id: string, name: string, type: string): Promise<void> => {
      await site.call(alice, 'SELECT public.create_file_record($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
        id,
        'issues',
        '1',
        name,
        type,
        5,
        'civic-os-files',
        `issues/1/${id}/original.${name.split('.')[1]}`,
        'pending',
      ]);
    };
    const [picture, pdf] = ['f1000000-0000-7000-8000-000000000001', 'f1000000-0000-7000-8000-000000000002'];

    await create(picture, 'new.jpg', 'image/jpeg');
    await create(pdf, 'new.pdf', 'application/pdf');

    assert.deepEqual([await queueOf(site, picture), await queueOf(site, pdf)], ['fs_thumbnails', 'thumbnails']);
    const row = await fileSettled(site, picture);
    assert.deepEqual([row.thumbnail_status, row.thumbnail_error], ['failed', 'the file has no bytes']);
  });

  test('no thumbnail is made of bytes that are somebody else’s', async () => {
    await ensureSwitched();
    const id = 'f1000000-0000-7000-8000-000000000003';
    await site.call(
      bob,
      "SELECT public.create_file_record($1, 'issues', '2', 'mine.jpg', 'image/jpeg', 5, $2, $3, 'pending')",
      [id, 'civic-os-files', `issues/1/${fileId(1)}/original.jpg`],
    );

    const row = await fileSettled(site, id);

    assert.deepEqual([row.thumbnail_status, row.thumbnail_error], ['failed', "the file's key is not its own"]);
  });

  test('rolled back, the bodies are the original ones and waiting jobs are the old worker’s', async () => {
    await ensureSwitched();
    await worker?.stop();
    worker = undefined;
    const waiting = await requestUpload(site, 'late.jpg');
    assert.equal(await queueOf(site, waiting), 'fs_presign');

    const trial = await rollBackAdoption(site.target, { dryRun: true });
    const report = await rollBackAdoption(site.target);
    const again = await rollBackAdoption(site.target);

    assert.deepEqual(trial.functions, ['metadata.insert_s3_presign_job()', 'metadata.insert_thumbnail_job()']);
    assert.deepEqual(report, { functions: trial.functions, jobs: 1, running: 0, is_complete: true });
    assert.deepEqual([again.functions, again.jobs], [[], 0]);
    assert.equal(await queueOf(site, waiting), 's3_signer');
    assert.equal(await queueOf(site, await requestUpload(site, 'after.jpg')), 's3_signer');
    assert.deepEqual(difference(installed ?? [], await catalogOf(site)), []);
    const changed = difference(original, await catalogOf(site));
    assert.deepEqual(
      changed.filter((fact) => fact.includes('insert_')),
      [],
    );
  });

  test('adopted again after that, it works again', async () => {
    await installAdoption(site.target);
    worker = await site.startWorker();

    await switchAdoption(site.target);

    assert.equal((await answered(site, await requestUpload(site, 'again.jpg'))).status, 'completed');
    assert.equal((await planAdoption(site.target)).is_switched, true);
  });

  test('a rollback needs its records and nothing else of what was installed', async () => {
    await ensureSwitched();
    await site.query('DROP INDEX metadata.files_rowlock_object_id_idx');
    await site.query('DROP TRIGGER rowlock_files_deleted ON metadata.files');

    const { functions } = await rollBackAdoption(site.target);

    assert.equal(functions.length, 2);
    await assert.rejects(switchAdoption(site.target), /not all of it: run rowlock adopt install first/);
    await installAdoption(site.target);
  });

  test('a job that a dead worker of ours was running is given back too', async () => {
    await ensureSwitched();
    const [job] = await site.query<{ id: string }>(
      `INSERT INTO metadata.river_job (kind, args, queue, max_attempts, state, attempt, attempted_at, attempted_by)
       VALUES ('s3_presign', '{}', 'fs_presign', 25, 'running', 1, now(), '{who-died}') RETURNING id`,
    );

    const report = await rollBackAdoption(site.target);

    const [found] = await site.query('SELECT queue, state FROM metadata.river_job WHERE id = $1', [job?.id]);
    assert.deepEqual([found, report.running], [{ queue: 's3_signer', state: 'available' }, 0]);
  });

  test('a body that somebody changed since is neither overwritten nor put back, unless that is forced', async () => {
    await ensureSwitched();
    await site.query(
      `CREATE OR REPLACE FUNCTION metadata.insert_s3_presign_job() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
    );

    await assert.rejects(rollBackAdoption(site.target), /is not what the switch put there/);
    await assert.rejects(switchAdoption(site.target), /neither the deployed body nor ours/);
    const forced = await rollBackAdoption(site.target, { isForced: true });

    assert.equal(forced.functions.length, 2);
    const changed = difference(original, await catalogOf(site));
    assert.deepEqual(
      changed.filter((fact) => fact.includes('insert_')),
      [],
    );
  });
});

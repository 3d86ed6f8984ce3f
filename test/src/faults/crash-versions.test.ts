/**
 * F1 for versions: the process is killed at each named step of a restore, of a purge and of the sweep of history. Started
 * again, each was done or was not, whatever is acknowledged is kept, and nothing purged comes back.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, until } from '@rowlock/test-harness';
import { makeBucket, put, read, restore, versions } from '../service/versioned-site.ts';
import { type ChildService, childService } from './child-service.ts';
import { ask } from './faulty-site.ts';

const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;
const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const as = 'ann';

/** One for all steps, started again after each kill: to start a process is what takes the time here. */
let service: ChildService;
let names = 0;

before(async () => {
  service = await childService();
  await makeBucket(service, 'kept', { owner: as, versioning: 'on' });
  await service.start();
});
after(() => service.stop());

/** A new name that has two versions; answers the older one's id. */
async function arrange(): Promise<{ readonly path: string; readonly old: string }> {
  names += 1;
  const path = `kept/${names}`;
  assert.equal(await put(service, path, 'old', as), 201);
  const [entry] = await versions(service, path, as);
  assert.equal(await put(service, path, 'new', as), 200);
  return { path, old: entry?.version ?? '' };
}

async function startAgain(): Promise<void> {
  await service.kill();
  await service.database.query("UPDATE metadata.rowlock_worker_lease SET expires_at = now() - interval '1 second'");
  await service.start();
}

describe('kill -9', () => {
  for (const step of ['restore.before_commit', 'restore.after_commit'] as const) {
    test(`during a restore, at ${step}`, async () => {
      for (let round = 1; round <= rounds; round += 1) {
        const { path, old } = await arrange();
        await service.arm(step);

        const { status } = await ask(service, `/storage/v1/object/restore/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ version: old }),
        });
        await startAgain();

        assert.equal(status, 'lost', 'the fault was reached');
        const isDone = step === 'restore.after_commit';
        assert.equal(await read(service, path, as), isDone ? 'old' : 'new');
        assert.equal((await versions(service, path, as)).length, 2);
        assert.equal(await restore(service, path, as, old), 200);
        assert.equal(await read(service, path, as), 'old');
        await assertInvariants(service);
      }
    });
  }

  // A job that its worker did not survive waits for its lease to end, so short runs have one.
  const jobSteps = isLong ? (['purge.after_begin', 'purge.after_bytes', 'purge.after_end'] as const) : [];
  const steps = ['purge_version.before_commit', 'purge_version.after_commit', ...jobSteps] as const;
  for (const step of steps) {
    test(`during a purge by hand, at ${step}`, async () => {
      for (let round = 1; round <= rounds; round += 1) {
        const { path, old } = await arrange();
        await service.arm(step);

        await ask(service, `/storage/v1/object/${path}?version=${old}`, { method: 'DELETE' });
        await until(() => service.isDead, { what: 'the fault was reached' });
        await startAgain();

        const isDone = step !== 'purge_version.before_commit';
        assert.equal(await read(service, path, as, old), isDone ? 404 : 'old');
        assert.equal(await read(service, path, as), 'new');
        await assertInvariants(service);
      }
    });
  }

  test('during a sweep of history loses nothing that it had not let go of', async () => {
    const { path, old } = await arrange();
    await service.arm('sweep.after_expiry');

    await service.database.query("UPDATE storage.object_history SET purge_after = now() - interval '1 second'");
    await service.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
    await until(() => service.isDead, { timeoutMs: 30_000, what: 'the fault was reached' });
    await startAgain();

    const isGone = async (): Promise<boolean> =>
      (await service.database.query("SELECT FROM storage.versions WHERE id = $1 AND state <> 'gone'", [old])).length ===
      0;
    await until(isGone, { timeoutMs: 30_000, what: 'the version is purged' });
    assert.equal(await read(service, path, as), 'new');
    await assertInvariants(service);
  });
});

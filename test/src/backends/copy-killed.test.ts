/**
 * kill -9 at each step of `rowlock backend copy`: nothing is lost and nothing is mixed, and the next run brings the rest over.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertInvariants, seededRandom } from '@rowlock/test-harness';
import { type BackendsSite, startBackendsSite } from './backends-site.ts';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
const random = seededRandom();
const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;

/** At the first version and at a later one, with others half done beside it. */
const steps = [
  'backend_copy.after_intent@1',
  'blob.after_chunk@1',
  'blob.before_finish@2',
  'blob.after_finish@2',
  'backend_copy.after_bytes@3',
  'backend_copy.after_switch@1',
  'backend_copy.after_switch@4',
  'backend_copy.after_page@1',
  ...(isLong ? ['backend_copy.after_intent@6', 'blob.after_chunk@4', 'backend_copy.after_bytes@6'] : []),
];

interface Ran {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

let site: BackendsSite;

before(async () => {
  site = await startBackendsSite();
  await site.bucket('box');
});
after(() => site.stop());

/** Runs the command as an operator does; the code is the signal where it was killed. */
function run(args: readonly string[], fault = ''): Promise<Ran> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    WORKER_DATABASE_URL: site.service.database.workerUrl,
    STORAGE_ROOT: site.service.root,
    OTHER_BACKENDS: 'postgres',
    S3_ACCESS_KEY_ID: 'k',
    S3_SECRET_ACCESS_KEY: 'a-secret-of-forty-characters-for-nothing',
    ROWLOCK_FAULT: fault,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, 'backend', ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : (error.signal ?? Number(error.code)), out, err }),
    );
  });
}

const copy = ['copy', '--from', 'disk', '--to', 'postgres', '--json'];

describe('a copy between backends that is killed', () => {
  const bodies = new Map<string, Buffer>();

  beforeEach(async () => {
    await site.service.database.query('DELETE FROM storage.objects');
    await assertInvariants(site.service);
    bodies.clear();
    for (const size of [0, 10, 300_000, 300_001, 600_000, 50]) bodies.set(`box/${size}`, random.bytes(size));
    for (const [path, body] of bodies) await site.put(path, body);
  });

  for (const step of steps) {
    test(`at ${step} loses nothing, and the next run does the rest`, async (t) => {
      t.diagnostic(`seed ${random.seed}`);

      const killed = await run(copy, `${step}=kill`);
      const between = await Promise.all([...bodies.keys()].map((path) => site.read(path)));
      const again = await run([...copy, '--resume']);
      await assertInvariants(site.service);
      const afterwards = await Promise.all([...bodies.keys()].map((path) => site.read(path)));
      const places = await Promise.all([...bodies.keys()].map((path) => site.placeOf(path)));

      assert.equal(killed.code, 'SIGKILL', `the fault was reached: ${killed.out} ${killed.err}`);
      assert.deepEqual(between, [...bodies.values()]);
      assert.equal(again.code, 0, again.err);
      assert.equal(JSON.parse(again.out).left, 0);
      assert.deepEqual(afterwards, [...bodies.values()]);
      assert.ok(places.every(({ backend }) => backend === 'postgres'));
    });
  }
});

describe('rowlock backend', () => {
  test('answers 1 where something stays, 2 where it cannot run, and says what and why', async () => {
    await site.put('box/large', Buffer.alloc(16 * 2 ** 20 + 1));

    const stays = await run(['copy', '--from', 'disk', '--to', 'postgres']);
    const unknown = await run(['copy', '--from', 'disk', '--to', 's3']);
    const unclear = await run(['copy', '--from', 'disk']);
    const nowhere = await run(['copy', '--from', 'disk', '--to', 'postgres', '--bucket', 'none']);

    assert.equal(stays.code, 1, stays.err);
    assert.match(stays.out, /1 stay on disk:\n {2}too_large {2}version .*16777217/);
    assert.deepEqual([unknown.code, unclear.code, nowhere.code], [2, 2, 2]);
    assert.match(unknown.err, /backend/);
    assert.match(nowhere.err, /Bucket not found/);
  });

  test('lists what is where, and says where a bucket puts new bytes', async () => {
    const placed = await run(['place', 'box', 'postgres']);
    const listed = await run(['list']);
    const cleared = await run(['place', 'box', 'default', '--json']);
    const refused = await run(['place', 'box', 'nowhere']);
    const [row] = await site.service.database.query<{ backend: string | null }>(
      "SELECT backend FROM storage.buckets WHERE id = 'box'",
    );

    assert.equal(placed.out, 'new bytes of box go to postgres\n');
    assert.match(listed.out, /^disk +\d+ versions .* new bytes go here\npostgres +\d+ versions .* buckets box\n$/);
    assert.deepEqual(JSON.parse(cleared.out), { bucket: 'box', backend: null });
    assert.equal(refused.code, 2);
    assert.match(refused.err, /There is no backend "nowhere"; there are disk, postgres/);
    assert.equal(row?.backend, null);
  });
});

/**
 * Copying versions from one backend to another: what is copied, what is left, and what is said of it. The service runs
 * meanwhile; what a kill leaves is in `copy-killed.test.ts`.
 */
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type CopyReport, enableFaults } from '@rowlock/server';
import {
  absent,
  assertInvariants,
  contentOf,
  History,
  outcomeOf,
  performJob,
  seededRandom,
  until,
} from '@rowlock/test-harness';
import { type BackendsSite, startBackendsSite } from './backends-site.ts';

const there = { from: 'disk', to: 'postgres' };
const back = { from: 'postgres', to: 'disk' };
const random = seededRandom();
const kib = 1024;

let site: BackendsSite;

const countsOf = ({ copied, gone, failed, left }: CopyReport): readonly number[] => [copied, gone, failed, left];

/** What the sweep and the purges leave of the old bytes when their time is over. */
const keysOn = async (backend: string): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { key } of site.backends.of(backend).list()) keys.push(key);
  return keys;
};

before(async () => {
  site = await startBackendsSite();
  await site.bucket('box');
  await site.bucket('other');
});
after(() => site.stop());

describe('a copy between backends', () => {
  beforeEach(async () => {
    await site.service.database.query('DELETE FROM storage.objects');
    await assertInvariants(site.service);
  });

  test('brings every byte over and back, and readers see the same all the while', async (t) => {
    t.diagnostic(`seed ${random.seed}`);
    const bodies = new Map([0, 1, 300 * kib, 2000 * kib].map((size) => [`box/a/${size}`, random.bytes(size)]));
    for (const [path, body] of bodies) await site.put(path, body);
    const keys = await Promise.all([...bodies.keys()].map(async (path) => (await site.placeOf(path)).key));

    const over = await site.copy(there);
    const between = await Promise.all([...bodies.keys()].map((path) => site.read(path)));
    const places = await Promise.all([...bodies.keys()].map((path) => site.placeOf(path)));
    await assertInvariants(site.service);
    const returned = await site.copy(back);
    const afterwards = await Promise.all([...bodies.keys()].map((path) => site.read(path)));

    assert.deepEqual(countsOf(over), [4, 0, 0, 0]);
    assert.equal(over.bytes, 1 + 2300 * kib);
    assert.deepEqual(between, [...bodies.values()]);
    assert.deepEqual(
      places.map(({ backend, key }) => [backend, key]),
      keys.map((key) => ['postgres', key]),
    );
    assert.deepEqual(countsOf(returned), [4, 0, 0, 0]);
    assert.deepEqual(afterwards, [...bodies.values()]);
    await assertInvariants(site.service);
    assert.deepEqual(await keysOn('postgres'), []);
  });

  test('gives bytes that come back another key, so that a late purge of the old ones harms nothing', async () => {
    await site.put('box/a', 'bytes');
    const first = await site.placeOf('box/a');
    await site.copy(there);
    await assertInvariants(site.service);

    await site.copy(back);
    const last = await site.placeOf('box/a');
    await site.backends.of('disk').delete(first.key);

    assert.equal(last.backend, 'disk');
    assert.notEqual(last.key, first.key);
    assert.deepEqual(await site.read('box/a'), Buffer.from('bytes'));
  });

  test('leaves the old bytes for who reads them, until the grace is over', async () => {
    await site.put('box/a', 'bytes');
    const { key } = await site.placeOf('box/a');

    await site.copy({ ...there, graceSeconds: 3600 });
    const [retired] = await site.service.database.query<{ id: string; wait: number }>(
      `SELECT id, extract(epoch FROM expires_at - now())::int AS wait FROM storage.versions WHERE state = 'purging'`,
    );
    const begun = await site.service.database.query('SELECT * FROM storage_internal.purge_begin($1)', [retired?.id]);
    const inTime = await keysOn('disk');
    await assertInvariants(site.service);

    assert.ok(retired !== undefined && retired.wait > 3500 && retired.wait <= 3600);
    assert.deepEqual(begun, []);
    assert.deepEqual(inTime, [key]);
    assert.deepEqual(await keysOn('disk'), []);
    assert.deepEqual(await site.read('box/a'), Buffer.from('bytes'));
  });

  test('of a damaged, a short and a missing source reports each and leaves it', async () => {
    for (const name of ['damaged', 'short', 'missing', 'good']) await site.put(`box/${name}`, `the bytes of ${name}`);
    const fileOf = async (name: string): Promise<string> =>
      join(site.service.root, (await site.placeOf(`box/${name}`)).key);
    writeFileSync(await fileOf('damaged'), 'THE bytes of damaged');
    truncateSync(await fileOf('short'), 5);
    await site.backends.of('disk').delete((await site.placeOf('box/missing')).key);

    const report = await site.copy(there);
    const places = await Promise.all(
      ['damaged', 'short', 'missing', 'good'].map(async (name) => (await site.placeOf(`box/${name}`)).backend),
    );
    const [kept] = await site.service.database.query<{ n: string }>(
      'SELECT count(*) AS n FROM storage.backend_copy_failures WHERE run_id = $1',
      [report.run_id],
    );

    assert.deepEqual(countsOf(report), [1, 0, 3, 3]);
    assert.deepEqual(report.failures.map(({ reason }) => reason).sort(), ['damaged', 'damaged', 'missing']);
    assert.deepEqual(places, ['disk', 'disk', 'disk', 'postgres']);
    assert.equal(Number(kept?.n), 3);
    await site.service.database.query("DELETE FROM storage.objects WHERE name <> 'good'");
    await assertInvariants(site.service);
  });

  test('leaves what is too large for the other backend, and counts it beforehand in a dry run', async () => {
    await site.put('box/large', Buffer.alloc(17 * kib * kib));
    await site.put('box/small', 'small');

    const dry = await site.copy({ ...there, dryRun: true });
    const report = await site.copy(there);

    assert.deepEqual(countsOf(dry), [1, 0, 1, 2]);
    assert.equal(dry.run_id, null);
    assert.deepEqual(countsOf(report), [1, 0, 1, 1]);
    assert.deepEqual(report.failures[0]?.reason, 'too_large');
    assert.equal((await site.placeOf('box/large')).backend, 'disk');
  });

  test('takes of a bucket and a prefix what objects there have or had, and nothing else', async () => {
    await site.service.database.query("UPDATE storage.buckets SET versioning = 'on' WHERE id = 'box'");
    for (const path of ['box/in/a', 'box/in/a', 'box/out/a', 'other/in/a']) await site.put(path, `${path} again`);

    const report = await site.copy({ ...there, bucket: 'box', prefix: 'in/' });
    const onDisk = await site.service.database.query<{ name: string }>(
      `SELECT o.bucket_id || '/' || o.name AS name FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id
       WHERE v.backend = 'disk' ORDER BY name`,
    );
    await site.service.database.query("UPDATE storage.buckets SET versioning = 'off' WHERE id = 'box'");
    await site.service.database.query('DELETE FROM storage.object_history');

    assert.deepEqual(countsOf(report), [2, 0, 0, 2]);
    assert.deepEqual(
      onDisk.map(({ name }) => name),
      ['box/out/a', 'other/in/a'],
    );
  });

  test('that is ended goes on where it was, past what it could not copy', async () => {
    for (let n = 0; n < 12; n += 1) await site.put(`box/${n}`, `body ${n}`);
    await site.backends.of('disk').delete((await site.placeOf('box/3')).key);
    const stop = new AbortController();

    const ended = site.copy({
      ...there,
      concurrency: 1,
      pageSize: 3,
      signal: stop.signal,
      onVersion: ({ copied }) => copied >= 6 && stop.abort(new Error('enough')),
    });
    await assert.rejects(ended, { message: 'enough' });
    const resumed = await site.copy({ ...there, resume: true, pageSize: 3 });

    assert.equal(resumed.resumed, true);
    assert.equal(resumed.left, 1);
    assert.deepEqual(
      resumed.failures.map(({ reason }) => reason),
      ['missing'],
    );
    await site.service.database.query("DELETE FROM storage.objects WHERE name = '3'");
    await assertInvariants(site.service);
  });

  for (const point of ['backend_copy.after_intent', 'backend_copy.after_bytes'] as const) {
    test(`of a version that is deleted and purged ${point.slice('backend_copy.'.length).replace('_', ' the ')} leaves nothing`, async (t) => {
      await site.put('box/a', 'bytes');
      const { version_id } = await site.placeOf('box/a');
      t.after(() => enableFaults(undefined));
      enableFaults(async (passed) => {
        if (passed !== point) return;
        await site.service.fetch('/storage/v1/object/box/a', { as: 'ann', method: 'DELETE' });
        await performJob({ db: site.db, backend: site.backends.default, backends: site.backends }, 'version_purge', {
          version_ids: [version_id],
        });
      });

      const report = await site.copy(there);
      enableFaults(undefined);
      await assertInvariants(site.service);

      assert.deepEqual(countsOf(report), [0, 1, 0, 0]);
      assert.deepEqual(report.failures, []);
      assert.deepEqual([await keysOn('disk'), await keysOn('postgres')], [[], []]);
    });
  }

  test('of a version that is overwritten meanwhile keeps what was written', async (t) => {
    await site.put('box/a', 'old');
    t.after(() => enableFaults(undefined));
    let isFirst = true;
    enableFaults(async (passed) => {
      if (passed !== 'backend_copy.after_bytes' || !isFirst) return;
      isFirst = false;
      await site.put('box/a', 'new');
    });

    await site.copy(there);
    enableFaults(undefined);

    assert.deepEqual(await site.read('box/a'), Buffer.from('new'));
    await assertInvariants(site.service);
    assert.deepEqual(await site.read('box/a'), Buffer.from('new'));
  });
});

test('a copy there and back under readers and writers loses and mixes nothing', async (t) => {
  t.diagnostic(`seed ${random.seed}`);
  const history = new History();
  const names = Array.from({ length: 12 }, (_, n) => `box/busy-${n}`);
  const stop = new AbortController();
  const write = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const path = random.pick(names);
      const body = random.bytes(random.integer(400 * kib));
      await history.write(path, contentOf(body), async () => {
        const headers = { 'x-upsert': 'true' };
        const init = { as: 'ann', method: 'POST', headers, body: new Uint8Array(body) };
        const answer = await site.service.fetch(`/storage/v1/object/${path}`, init);
        await answer.arrayBuffer();
        return outcomeOf(answer.status);
      });
    }
  };
  const read = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const path = random.pick(names);
      await history.read(path, async () => {
        const found = await site.read(path);
        assert.ok(typeof found !== 'number' || found === 404, `${path}: ${String(found)}`);
        return typeof found === 'number' ? absent : contentOf(found);
      });
    }
  };

  const running = [write(), write(), read(), read()];
  const reports: CopyReport[] = [];
  for (let round = 1; round <= Number(process.env['ROWLOCK_ROUNDS'] ?? 2); round += 1) {
    reports.push(await site.copy({ ...there, pageSize: 3 }), await site.copy({ ...back, pageSize: 3 }));
  }
  stop.abort();
  await Promise.all(running);

  assert.ok(reports.some(({ copied }) => copied > 0));
  assert.ok(reports.every(({ failed }) => failed === 0));
  await until(async () => (await site.copy(there)).left === 0, { what: 'all is copied once nobody writes' });
  await assertInvariants(site.service, { history });
});

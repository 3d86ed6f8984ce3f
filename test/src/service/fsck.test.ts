/** `fsck` finds exactly what is wrong, says what it is, repairs what is safe, and leaves the rest alone. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { enableFaults, type Finding, type FsckReport } from '@rowlock/server';
import { assertInvariants } from '@rowlock/test-harness';
import { entriesBelow, type FsckSite, startFsckSite } from './fsck-site.ts';

let site: FsckSite;

/** A file under a key that no row has, written so long ago. */
function stray(key: string, ageSeconds: number): string {
  const file = site.pathOf(key);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'stray');
  const written = Date.now() / 1000 - ageSeconds;
  utimesSync(file, written, written);
  return file;
}

const kinds = ({ findings }: FsckReport): string[] => findings.map(({ kind }) => kind);
const only = ({ findings }: FsckReport): Finding => {
  assert.equal(findings.length, 1, JSON.stringify(findings));
  return findings[0] as Finding;
};

beforeEach(async () => {
  site = await startFsckSite();
});
afterEach(() => site.stop());

describe('fsck', () => {
  test('finds nothing where nothing is wrong, however small its pages are', async () => {
    for (let i = 1; i <= 9; i += 1) await site.put(`o${i}`, `bytes ${i}`);

    const reports = [];
    for (const pageSize of [1, 2, 4, 9, 100]) reports.push(await site.fsck({ pageSize, scrub: true }));

    for (const { findings, versions, keys, scrubbed, left } of reports) {
      assert.deepEqual(
        { findings, versions, keys, scrubbed, left },
        { findings: [], versions: 9, keys: 9, scrubbed: 9, left: 0 },
      );
    }
    await assertInvariants(site.service);
  });

  test('finds every fault once, however small its pages are', async () => {
    for (let i = 1; i <= 6; i += 1) await site.put(`o${i}`, `bytes ${i}`);
    rmSync(await site.fileOf('o1'));
    appendFileSync(await site.fileOf('o2'), 'more');
    stray('objects/00/stray', 0);
    stray('zz/stray', 0);

    for (const pageSize of [1, 2, 3, 100]) {
      const report = await site.fsck({ pageSize });

      assert.deepEqual(kinds(report), ['bytes_without_row', 'bytes_without_row', 'missing', 'wrong_size']);
      assert.equal(report.left, 4);
    }
  });

  test('says of which bucket and name the bytes are, in history and as a copy too', async () => {
    await site.service.database.query("UPDATE storage.buckets SET versioning = 'on' WHERE id = 'box'");
    await site.put('old', 'bytes');
    const { id, key } = await site.versionOf('old');
    await site.service.database.query("DELETE FROM storage.objects WHERE name = 'old'");
    rmSync(site.pathOf(key));

    const finding = only(await site.fsck());

    assert.equal(finding.version_id, id);
    assert.equal(finding.key, key);
    assert.deepEqual(finding.detail, {
      expected_size: 5,
      bucket: 'box',
      name: 'old',
      named_by: [{ bucket: 'box', name: 'old', as: 'history' }],
    });
  });

  test('finds an object that names a version whose bytes may go', async () => {
    await site.put('a', 'bytes');
    await site.service.database.query("UPDATE storage.versions SET state = 'purging', expires_at = now()");

    const { counts, left, overdue } = await site.fsck();

    assert.deepEqual([counts.purged_but_named, left, overdue.length], [1, 1, 1]);
  });

  test('counts quotas that drifted, and repairs them', async () => {
    await site.service.database.query("UPDATE storage.buckets SET quota_bytes = 1000 WHERE id = 'box'");
    await site.service.database.query('SELECT storage_internal.quota_count(), storage_internal.quota_count()');
    await site.put('a', 'bytes');
    await site.service.database.query('UPDATE storage.quota_shards SET bytes_free = bytes_free - 3 WHERE shard = 0');

    const found = await site.fsck();
    const repaired = await site.fsck({ repair: true });
    const again = await site.fsck();

    assert.deepEqual([found.counts.quota_drift, found.left], [1, 1]);
    assert.deepEqual([repaired.repaired, repaired.left], [1, 0]);
    assert.equal(again.left, 0);
  });

  test('an intent and its bytes are no fault, and no more than overdue when its time is over', async () => {
    await site.put('a', 'bytes');
    await site.service.database.query('DELETE FROM storage.objects');
    await site.service.database.query(
      "UPDATE storage.versions SET state = 'writing', expires_at = now() + interval '1 hour'",
    );

    const waiting = await site.fsck();
    await site.service.database.query("UPDATE storage.versions SET expires_at = now() - interval '1 hour'");
    const overdue = await site.fsck();

    assert.deepEqual(waiting.findings, []);
    assert.deepEqual([overdue.left, overdue.overdue.length], [0, 1]);
  });
});

test('a version that is purged while its bytes are looked for is no fault', async () => {
  await site.put('a', 'bytes');
  const file = await site.fileOf('a');
  rmSync(file);
  let isPurged = false;
  enableFaults(async (point) => {
    if (point !== 'file.open' || isPurged) return;
    isPurged = true;
    await site.service.database.query('DELETE FROM storage.objects');
    await site.service.database.query("UPDATE storage.versions SET state = 'purging', expires_at = now()");
  });

  const report = await site.fsck().finally(() => enableFaults(undefined));

  assert.deepEqual([isPurged, report.findings], [true, []]);
});

describe('a repair', () => {
  test('removes old bytes without a row and nothing else, and a second one does nothing', async () => {
    await site.put('a', 'bytes');
    const old = stray('objects/00/old', 90_000);
    const young = stray('objects/00/young', 80_000);
    const before = entriesBelow(site.service.root);

    const first = await site.fsck({ repair: true });
    const left = entriesBelow(site.service.root);
    const second = await site.fsck({ repair: true });

    assert.deepEqual([first.repaired, first.left], [1, 1]);
    assert.deepEqual(
      before.filter((entry) => !left.includes(entry)),
      [old.slice(site.service.root.length + 1)],
    );
    assert.deepEqual([second.repaired, second.left, second.bytes_without_row], [0, 1, ['objects/00/young']]);
    assert.deepEqual(entriesBelow(site.service.root), left);
    rmSync(young);
    await assertInvariants(site.service);
  });

  test('without being asked for changes nothing', async () => {
    await site.put('a', 'bytes');
    rmSync(await site.fileOf('a'));
    stray('objects/00/old', 10 * 86_400);
    const before = entriesBelow(site.service.root);

    await site.fsck();

    assert.deepEqual(entriesBelow(site.service.root), before);
    assert.equal((await site.service.database.query('SELECT FROM storage.objects')).length, 1);
  });

  test('reports rows without bytes, and drops them only where that was asked for', async () => {
    await site.service.database.query("UPDATE storage.buckets SET versioning = 'on' WHERE id = 'box'");
    await site.put('lost', 'bytes');
    await site.put('kept', 'bytes');
    rmSync(await site.fileOf('lost'));

    const reported = await site.fsck({ repair: true });
    const objects = await site.service.database.query('SELECT FROM storage.objects');
    const dropped = await site.fsck({ repair: true, dropLost: true });

    assert.deepEqual([reported.left, objects.length], [1, 2]);
    assert.deepEqual([dropped.repaired, dropped.left], [1, 0]);
    const names = await site.service.database.query<{ name: string }>(
      'SELECT name FROM storage.objects UNION ALL SELECT name FROM storage.object_history WHERE version_id IS NOT NULL',
    );
    assert.deepEqual(names, [{ name: 'kept' }]);
    await site.service.database.query("DELETE FROM storage.object_history WHERE name = 'lost'");
    await assertInvariants(site.service);
  });

  test('holds back where so much is wrong that folder and database may not belong together', async () => {
    await site.put('a', 'bytes');
    for (let i = 0; i < 101; i += 1) stray(`objects/00/s${i}`, 90_000);

    const held = await site.fsck({ repair: true });
    const below = entriesBelow(site.service.root).length;
    const forced = await site.fsck({ repair: true, force: true });

    assert.match(held.held_back.join(), /101 of 102 keys have no row.*--force/);
    assert.deepEqual([held.repaired, held.left], [0, 101]);
    assert.deepEqual([forced.repaired, forced.left, forced.held_back], [101, 0, []]);
    assert.equal(entriesBelow(site.service.root).length, below - 101);
  });
});

test('a run that another process went on with ends without a further word of its own', async () => {
  for (let i = 1; i <= 5; i += 1) await site.put(`o${i}`, 'bytes');
  let other: FsckReport | undefined;
  let isTakenOver = false;
  enableFaults(async (point) => {
    if (point !== 'fsck.after_page' || isTakenOver) return;
    isTakenOver = true;
    other = await site.fsck({ resume: true });
  });

  const first = site.fsck({ pageSize: 1 }).finally(() => enableFaults(undefined));

  await assert.rejects(first, { reason: 'precondition_failed' });
  assert.deepEqual([other?.resumed, other?.versions, other?.left], [true, 5, 0]);
});

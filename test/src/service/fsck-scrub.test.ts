/** Bytes that changed under the rows, and what is in the folder and is no object: found, named, and never touched. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Finding, FsckReport } from '@rowlock/server';
import { temporaryFolder } from '@rowlock/test-harness';
import { entriesBelow, type FsckSite, startFsckSite } from './fsck-site.ts';

let site: FsckSite;

/** Changes one bit of a file; its time and size stay. */
function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  rmSync(file);
  writeFileSync(file, bytes);
}

const kinds = ({ findings }: FsckReport): string[] => findings.map(({ kind }) => kind);

beforeEach(async () => {
  site = await startFsckSite();
});
afterEach(() => site.stop());

describe('a scrub', () => {
  test('finds a flipped bit, a truncated blob and a missing one, with digests, and nothing else', async () => {
    const body = Buffer.alloc(600_000, 'x');
    for (const name of ['whole', 'flipped', 'short', 'missing', 'empty']) await site.put(name, body);
    const flipped = await site.versionOf('flipped');
    flip(site.pathOf(flipped.key), 500_000);
    truncateSync(await site.fileOf('short'), 500_000);
    rmSync(await site.fileOf('missing'));
    truncateSync(await site.fileOf('empty'), 0);

    const plain = await site.fsck();
    const { findings, scrubbed, left } = await site.fsck({ scrub: true });

    assert.deepEqual(kinds(plain), ['missing', 'wrong_size', 'wrong_size'], 'a flipped bit is not seen by its size');
    const of = (name: string): Finding | undefined => findings.find(({ detail }) => detail['name'] === name);
    assert.deepEqual([left, scrubbed, of('whole')], [4, 4, undefined]);
    assert.equal(of('missing')?.kind, 'missing');
    assert.equal(of('short')?.detail['found_size'], 500_000);
    assert.equal(
      of('empty')?.detail['found_sha256'],
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    const { kind, key, version_id, detail } = of('flipped') as Finding;
    assert.deepEqual([kind, key, version_id], ['damaged', flipped.key, flipped.id]);
    assert.equal(detail['expected_sha256'], flipped.sha256);
    assert.match(String(detail['found_sha256']), /^[0-9a-f]{64}$/);
    assert.notEqual(detail['found_sha256'], flipped.sha256);
    assert.deepEqual([detail['bucket'], detail['name'], detail['found_size']], ['box', 'flipped', 600_000]);
  });

  test('repairs no damaged byte, whatever else was asked for', async () => {
    await site.put('a', 'bytes');
    const file = await site.fileOf('a');
    flip(file, 0);
    const before = readFileSync(file);

    const report = await site.fsck({ scrub: true, repair: true, dropLost: true, force: true, graceSeconds: 0 });

    assert.deepEqual([report.repaired, report.left], [0, 1]);
    assert.deepEqual(readFileSync(file), before);
  });

  test('keeps to its rate', async () => {
    const size = 100_000;
    for (const name of ['a', 'b', 'c']) await site.put(name, Buffer.alloc(size));
    const begun = performance.now();

    await site.fsck({ scrub: true, bytesPerSecond: 10 * size });

    assert.ok(performance.now() - begun >= 290, 'three of them take 300 ms, and timers are never early');
  });
});

describe('what is in the folder and is no object', () => {
  let outside: string;

  before(() => {
    outside = temporaryFolder();
    writeFileSync(join(outside, 'secret'), 'secret');
  });
  after(() => rmSync(outside, { recursive: true }));

  test('is reported, not followed and not removed', async () => {
    await site.put('a', 'bytes');
    await site.put('linked', 'bytes');
    const linked = await site.fileOf('linked');
    rmSync(linked);
    symlinkSync(join(outside, 'secret'), linked);
    const root = site.service.root;
    symlinkSync(outside, join(root, 'objects/out'));
    mkdirSync(join(root, 'not a key'));
    writeFileSync(join(root, 'not a key/x'), '');
    writeFileSync(join(root, `objects/\u001b[2J\n${'n'.repeat(200)}`), '');
    mkdirSync(join(root, 'objects/ab/folder'), { recursive: true });
    const below = entriesBelow(root);

    const found = await site.fsck({ scrub: true });
    const repaired = await site.fsck({ scrub: true, repair: true, graceSeconds: 0 });

    assert.equal(found.counts.foreign, 4);
    assert.equal(found.counts.missing, 1, 'a link is not the bytes of the object');
    assert.deepEqual([found.left, repaired.left, repaired.repaired], [5, 5, 0]);
    assert.deepEqual(entriesBelow(root), below);
    assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret');
  });

  test('a folder where bytes should be is missing bytes', async () => {
    await site.put('a', 'bytes');
    const file = await site.fileOf('a');
    rmSync(file);
    mkdirSync(file);

    assert.deepEqual(kinds(await site.fsck({ scrub: true })), ['missing']);
  });
});

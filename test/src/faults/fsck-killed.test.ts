/**
 * kill -9 in each phase of fsck, again and again: every process does a little more than the one before it, and the last
 * one's report is that of a run that nobody disturbed.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FsckReport } from '@rowlock/server';
import { assertInvariants } from '@rowlock/test-harness';
import { type FsckSite, startFsckSite } from '../service/fsck-site.ts';

const program = fileURLToPath(new URL('./fsck-process.js', import.meta.url));
const kills = [
  'fsck.after_page@1=kill',
  'fsck.before_page@2=kill',
  'fsck.after_removal@1=kill',
  'fsck.before_repair@2=kill',
];
const strays = [1, 2, 3].map((n) => `objects/${n}0/stray${n}`);

/** Runs a process; its report, or undefined where it was killed. */
function run(site: FsckSite, fault: string): Promise<FsckReport | undefined> {
  const env = {
    ...process.env,
    FSCK_URL: site.service.database.workerUrl,
    FSCK_ROOT: site.service.root,
    FSCK_FAULT: fault,
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program], { env }, (error, out, err) => {
      if (error === null) resolve(JSON.parse(out) as FsckReport);
      else if (error.signal === 'SIGKILL') resolve(undefined);
      else reject(new Error(err));
    });
  });
}

describe('fsck that is killed', () => {
  let site: FsckSite;

  before(async () => {
    site = await startFsckSite();
    for (let i = 1; i <= 3; i += 1) await site.put(`o${i}`, `bytes ${i}`);
  });
  beforeEach(() => {
    for (const key of strays) {
      mkdirSync(dirname(site.pathOf(key)), { recursive: true });
      writeFileSync(site.pathOf(key), 'stray');
    }
  });
  after(() => site.stop());

  for (const fault of kills) {
    test(`at ${fault} goes on until it is done, and has found all of it once`, async () => {
      let report: FsckReport | undefined;
      let killed = 0;
      while (report === undefined && killed < 40) {
        report = await run(site, fault);
        killed += report === undefined ? 1 : 0;
      }

      assert.ok(report, 'it ends');
      assert.ok(killed >= 2, `killed ${killed} times`);
      assert.equal(report.resumed, true);
      const { versions, keys, scrubbed, counts, left } = report;
      assert.deepEqual(
        { versions, keys, scrubbed, orphans: counts.bytes_without_row, left },
        { versions: 3, keys: 6, scrubbed: 3, orphans: 3, left: 0 },
      );
      const again = await run(site, '');
      assert.deepEqual([again?.resumed, again?.keys, again?.left, again?.repaired], [false, 3, 0, 0]);
    });
  }

  test('has harmed nothing', async () => {
    for (const key of strays) rmSync(site.pathOf(key));

    await assertInvariants(site.service);
  });
});

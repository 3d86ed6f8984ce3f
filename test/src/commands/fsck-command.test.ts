/** `rowlock fsck` as an operator runs it: a process, what it prints and answers, and what it does when it is told to stop. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '@rowlock/test-harness';
import { type FsckSite, startFsckSite } from '../service/fsck-site.ts';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('rowlock fsck', () => {
  let site: FsckSite;
  let env: Record<string, string>;

  before(async () => {
    site = await startFsckSite();
    for (const name of ['a', 'b', 'c']) await site.put(name, Buffer.alloc(300_000));
    env = {
      PATH: process.env['PATH'] ?? '',
      WORKER_DATABASE_URL: site.service.database.workerUrl,
      STORAGE_ROOT: site.service.root,
      S3_ACCESS_KEY_ID: 'k',
      S3_SECRET_ACCESS_KEY: 'a-secret-of-forty-characters-for-nothing',
    };
  });
  after(() => site.stop());

  function run(args: readonly string[], more: Record<string, string> = {}): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(process.execPath, [program, 'fsck', ...args], { env: { ...env, ...more } }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  test('answers 0 where all agrees, and says how much that is', async () => {
    const { code, out, err } = await run(['--scrub']);

    assert.equal(code, 0, err);
    assert.match(out, /^3 versions, 3 keys\nread 3 versions again, 879 KiB; 0 have no sha256\n/);
    assert.match(out, /\nall agrees\n$/);
  });

  test('answers 2 where it cannot run: no store, no database, flags that mean nothing', async () => {
    const away = await run([], { WORKER_DATABASE_URL: 'postgres://nobody:x@127.0.0.1:1/none' });
    const unset = await run([], { STORAGE_ROOT: '' });
    const flags = [['--rate', '5'], ['--scrub', '--rate', '0'], ['--drop-lost']];
    const refused = await Promise.all(flags.map((args) => run(args)));

    assert.deepEqual([away.code, unset.code, ...refused.map(({ code }) => code)], Array(5).fill(2));
    assert.match(away.err, /database cannot be reached/);
  });

  test('a signal ends it at the next page with 2, and it goes on from there', async () => {
    const child = execFile(process.execPath, [program, 'fsck', '--scrub', '--rate', '0.1'], { env });
    const ended = new Promise<{ code: number | null; err: string }>((resolve) => {
      let err = '';
      child.stderr?.on('data', (text: string) => {
        err += text;
      });
      child.on('close', (code) => resolve({ code, err }));
    });
    const scrubs = "SELECT FROM storage.fsck_runs WHERE phase = 'scrub'";
    const isScrubbing = async (): Promise<boolean> => (await site.service.database.query(scrubs)).length > 0;
    await until(isScrubbing, { timeoutMs: 30_000, what: 'it scrubs' });
    child.kill('SIGTERM');

    const { code, err } = await ended;
    const resumed = await run(['--scrub', '--resume', '--json']);

    assert.equal(code, 2, err);
    assert.match(err, /SIGTERM; go on with --resume/);
    assert.deepEqual(
      [resumed.code, JSON.parse(resumed.out).resumed, JSON.parse(resumed.out).scrubbed],
      [0, true, 3],
      resumed.err,
    );
  });

  test('answers 1 and one line for each fault, without what a terminal would obey', async () => {
    writeFileSync(join(site.service.root, 'objects/\u001b[2Jname\n'), '');
    const { key, id } = await site.versionOf('b');
    rmSync(site.pathOf(key));

    const { code, out } = await run([]);

    assert.equal(code, 1);
    assert.ok(out.includes(`  missing  box/b  version ${id}  key ${key}\n`), out);
    assert.ok(out.includes('  foreign  key objects/\\u{1b}[2Jname\\u{a}  name\n'), out);
    assert.match(out, /\n0 repaired, 2 left\n$/);
    assert.match(out.replaceAll('\n', ''), /^[\x20-\x7e]+$/);
  });
});

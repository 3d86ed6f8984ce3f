/** `rowlock fsck` as an operator runs it: a process, what it prints and answers, and what it does when it is told to stop. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { temporaryFolder, until } from '@rowlock/test-harness';
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

  function command(args: readonly string[], more: Record<string, string> = {}): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(process.execPath, [program, ...args], { env: { ...env, ...more } }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  const run = (args: readonly string[], more: Record<string, string> = {}): Promise<Ran> =>
    command(['fsck', ...args], more);

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

  describe('sweep --inventory', () => {
    const lines = (keys: readonly string[]): string =>
      keys.map((key) => `"${site.service.config.backend.bucket}","${key}","300000"\n`).join('');
    const orphan = (name: string, daysOld: number): string => {
      const key = `objects/aa/${name}`;
      mkdirSync(join(site.service.root, 'objects/aa'), { recursive: true });
      writeFileSync(site.pathOf(key), 'x');
      const seconds = Date.now() / 1000 - daysOld * 86_400;
      utimesSync(site.pathOf(key), seconds, seconds);
      return key;
    };
    const file = (name: string, bytes: string | Buffer): string => {
      const path = join(temporaryFolder(), name);
      writeFileSync(path, bytes);
      return path;
    };

    test('removes what is listed, old and without a row, and nothing else', async () => {
      const [old, young, unlisted] = [orphan('old', 3), orphan('young', 0), orphan('unlisted', 3)];
      const { key } = await site.versionOf('a');
      const plain = file(
        '1.csv',
        `${lines([key, old, 'objects/aa/gone', '%E0%A4%A', 'not%20a%20key'])}"other","x","1"\n`,
      );
      const packed = file('2.csv.gz', gzipSync(lines([old, young])));

      const looked = await command(['sweep', '--inventory', '--dry-run', '--json', plain, packed]);
      const thereAfterLooking = existsSync(site.pathOf(old));
      const swept = await command(['sweep', '--inventory', '--json', plain, packed]);

      assert.deepEqual([looked.code, swept.code], [0, 0], looked.err + swept.err);
      const { removed, keys, ...counts } = JSON.parse(looked.out);
      assert.deepEqual(counts, { listed: 4, foreign: 3, orphans: 2, orphan_bytes: 2, young: 1 });
      assert.deepEqual([removed, keys, thereAfterLooking], [0, [old, young], true]);
      assert.equal(JSON.parse(swept.out).removed, 1);
      assert.deepEqual(
        [old, young, unlisted, key].map((each) => existsSync(site.pathOf(each))),
        [false, true, true, true],
      );
      for (const left of [young, unlisted]) rmSync(site.pathOf(left));
    });

    test('does nothing where the list is most likely of another database, until it is told to', async () => {
      const key = orphan('doubtful', 3);
      const many = Array.from({ length: 150 }, (_, n) => `objects/bb/${n}`);
      const list = file('3.csv', lines([key, ...many]));

      const doubted = await command(['sweep', '--inventory', list]);
      const thereThen = existsSync(site.pathOf(key));
      const forced = await command(['sweep', '--inventory', '--force', list]);

      assert.deepEqual([doubted.code, forced.code, thereThen], [1, 0, true], doubted.err + forced.err);
      assert.match(doubted.out, /\nnot removed: 151 of 151 listed keys have no row: .* add --force\n0 removed\n$/);
      assert.equal(existsSync(site.pathOf(key)), false);
    });

    test('what is no inventory, or cannot be read, ends it with the name of the file or the line', async () => {
      const files = [file('4.csv', 'key,size\n'), file('5.csv.gz', 'no gzip'), '/no/such/file.csv'];

      const ran = await Promise.all(
        [...files.map((path) => ['--inventory', path]), ['--inventory'], ['--dry-run']].map((args) =>
          command(['sweep', ...args]),
        ),
      );

      assert.deepEqual(
        ran.map(({ code }) => code > 0),
        Array(5).fill(true),
        JSON.stringify(ran),
      );
      const said = [
        /line 1 is none of an S3 Inventory/,
        /5\.csv\.gz: incorrect header/,
        /file\.csv: ENOENT/,
        /needs files/,
        /goes with/,
      ];
      for (const [n, { err }] of ran.entries()) assert.match(err, said[n] ?? /never/);
    });
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

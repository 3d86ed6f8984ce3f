import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { signToken, startService, type TestService, temporaryFolder } from '@rowlock/test-harness';
import { parseDuration } from './commands/sign.ts';
import { commands } from './commands.ts';
import { formatBytes, formatSeconds } from './format.ts';
import { helpForCommand } from './help.ts';
import { mediaTypeOf } from './media-type-of.ts';
import { nearest } from './nearest.ts';
import { splitPath } from './remote.ts';

const program = fileURLToPath(new URL('./main.js', import.meta.url));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function rowlock(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...args],
      { env: { PATH: process.env['PATH'] ?? '', ...env }, ...(cwd === undefined ? {} : { cwd }) },
      (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
      },
    );
  });
}

describe('help', () => {
  test('names every command, and every command has help with examples', async () => {
    const overview = await rowlock(['--help']);
    const lines = overview.out.split('\n');

    assert.equal(overview.code, 0);
    for (const command of commands) {
      const { name, summary } = command;
      assert.ok(
        lines.some((line) => line.startsWith(`  ${name} `) && line.endsWith(` ${summary}`)),
        name,
      );
      assert.match(helpForCommand(command), new RegExp(`Usage: rowlock ${name}`));
      assert.match(helpForCommand(command), /Examples:\n {2}\S/);
    }
    const [first] = commands;
    assert.ok(first);
    const help = await rowlock([first.name, '--help']);
    assert.deepEqual(help, { code: 0, out: helpForCommand(first), err: '' });
  });

  test('a mistyped command is guessed, and costs exit code 2', async () => {
    const ran = await rowlock(['migrte']);

    assert.equal(ran.code, 2);
    assert.match(ran.err, /did you mean "migrate"\?/);
    assert.equal(nearest('xyzzy', ['dev', 'ls']), undefined);
  });

  test('the version is printed', async () => {
    assert.match((await rowlock(['--version'])).out, /^rowlock \d+\.\d+\.\d+\n$/);
  });
});

describe('refusals', () => {
  test('serve without configuration says what to set, in one sentence', async () => {
    const ran = await rowlock(['serve']);

    assert.equal(ran.code, 2);
    assert.match(ran.err, /SIGNED_URL_SECRET is not set/);
    assert.doesNotMatch(ran.err, /\n\s+at /);
  });

  test('a short secret is refused with the way to make a long one', async () => {
    const ran = await rowlock(['serve'], { SIGNED_URL_SECRET: 'secret' });

    assert.equal(ran.code, 2);
    assert.match(ran.err, /at least 32 are needed.*openssl rand/s);
  });

  test('file commands without a service say how to name one', async () => {
    const ran = await rowlock(['ls'], {}, temporaryFolder());

    assert.equal(ran.code, 2);
    assert.match(ran.err, /ROWLOCK_URL/);
  });

  test('a service that is not there is a sentence', async () => {
    const ran = await rowlock(['ls', '--url', 'http://127.0.0.1:1', '--json']);

    assert.equal(ran.code, 1);
    assert.match(JSON.parse(ran.err).error, /nothing answers at/);
  });
});

describe('against a service', () => {
  let service: TestService;
  let env: Record<string, string>;
  let folder: string;
  let unready: Record<string, string>;

  before(async () => {
    service = await startService({ workers: false });
    env = { ROWLOCK_URL: service.url, ROWLOCK_TOKEN: await signToken({ sub: 'ann', role: 'authenticated' }) };
    folder = temporaryFolder();
    const { backend } = service.config;
    unready = {
      DATABASE_URL: service.database.url,
      STORAGE_ROOT: backend.root,
      S3_ACCESS_KEY_ID: backend.access_key_id,
      S3_SECRET_ACCESS_KEY: backend.secret_access_key,
      JWT_SECRET: 'a-secret-of-tokens-with-forty-characters',
      SIGNED_URL_SECRET: 'a-secret-of-urls-with-forty-characters..',
    };
  });
  after(() => service.stop());

  test('buckets are made, files go up, are listed, come down, are signed and deleted', async () => {
    const photo = join(folder, 'photo.jpg');
    writeFileSync(photo, 'not really a photo');

    const made = await rowlock(['bucket', 'create', 'holiday', '--size-limit', '1MB'], env);
    const again = await rowlock(['bucket', 'create', 'holiday'], env);
    const up = await rowlock(['cp', photo, 'rl://holiday/beach/'], env);
    const listed = await rowlock(['ls', 'holiday', '-r', '-l'], env);
    const down = await rowlock(['cp', 'rl://holiday/beach/photo.jpg', join(folder, 'copy.jpg')], env);
    const signed = await rowlock(['sign', 'holiday/beach/photo.jpg', '--expires', '15m'], env);
    const opened = await fetch(signed.out.trim());
    const once = await rowlock(['sign', 'holiday/beach/photo.jpg', '--uses', '1'], env);
    const uses = [await fetch(once.out.trim()), await fetch(once.out.trim())].map(({ status }) => status);
    const removed = await rowlock(['rm', 'holiday/beach/photo.jpg', '--json'], env);

    assert.deepEqual(uses, [200, 410]);
    assert.equal(made.code, 0, made.err);
    assert.equal(again.code, 1);
    assert.match(again.err, /already exists \(409/);
    assert.match(up.out, /-> rl:\/\/holiday\/beach\/photo\.jpg \(18 B\)/);
    assert.match(listed.out, /18 B .* image\/jpeg .* beach\/photo\.jpg/);
    assert.equal(down.code, 0, down.err);
    assert.equal(readFileSync(join(folder, 'copy.jpg'), 'utf8'), 'not really a photo');
    assert.equal(await opened.text(), 'not really a photo');
    assert.deepEqual(JSON.parse(removed.out), { deleted: ['holiday/beach/photo.jpg'] });
  });

  test('whole folders go both ways', async () => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'deep/er'), { recursive: true });
    writeFileSync(join(tree, 'a.txt'), 'a');
    writeFileSync(join(tree, 'deep/er/b é.txt'), 'b');
    await rowlock(['bucket', 'create', 'trees'], env);

    const up = await rowlock(['cp', '-r', tree, 'rl://trees/oak'], env);
    const down = await rowlock(['cp', '-r', 'rl://trees/oak', join(folder, 'back')], env);

    assert.equal(up.code, 0, up.err);
    assert.equal(down.code, 0, down.err);
    assert.equal(readFileSync(join(folder, 'back/a.txt'), 'utf8'), 'a');
    assert.equal(readFileSync(join(folder, 'back/deep/er/b é.txt'), 'utf8'), 'b');
  });

  test('fsck and sweep report, and fsck finds what does not agree', async () => {
    const whole = await rowlock(['fsck', '--json'], unready);
    const swept = await rowlock(['sweep', '--grace', '0', '--json'], unready);
    mkdirSync(join(service.root, 'objects/zz'), { recursive: true });
    writeFileSync(join(service.root, 'objects/zz/stray'), 'stray');
    const found = await rowlock(['fsck'], unready);
    const repaired = await rowlock(['fsck', '--repair', '--grace', '0', '--json'], unready);

    assert.equal(whole.code, 0, whole.err);
    assert.deepEqual(JSON.parse(whole.out).rows_without_bytes, []);
    assert.equal(swept.code, 0, swept.err);
    assert.equal(found.code, 1);
    assert.match(found.out, /bytes_without_row: 1/);
    assert.equal(JSON.parse(repaired.out).repaired, 1);
    assert.equal(repaired.code, 0);
  });

  test('doctor finds a superuser behind the API, and serve refuses it', async () => {
    const doctor = await rowlock(['doctor', '--json'], unready);
    const serve = await rowlock(['serve', '--port', '0'], unready);

    assert.equal(doctor.code, 3);
    const failures = (JSON.parse(doctor.out) as { check: string; state: string }[]).filter(
      ({ state }) => state === 'fail',
    );
    assert.deepEqual(
      failures.map(({ check }) => check),
      ['api-database role'],
    );
    assert.equal(serve.code, 1);
    assert.match(serve.err, /not bound by row-level security.*rowlock_authenticator.*--allow-superuser/s);
  });

  test('migrate says what it did, and config hides secrets', async () => {
    const migrated = await rowlock(['migrate', '--json'], unready);
    const config = await rowlock(['config'], unready);

    assert.deepEqual(JSON.parse(migrated.out).applied, []);
    assert.doesNotMatch(config.out, /a-secret-of/);
    assert.match(config.out, /jwt-secret +\(40 characters\) +JWT_SECRET/);
  });
});

test('small words: bytes, times, durations, media types, paths', () => {
  assert.deepEqual([0, 999, 1536, 5 * 2 ** 30].map(formatBytes), ['0 B', '999 B', '1.5 KiB', '5.0 GiB']);
  assert.deepEqual([5, 65, 7389].map(formatSeconds), ['0:05', '1:05', '2:03:09']);
  assert.deepEqual(['90', '90s', '15m', '2h', '7d'].map(parseDuration), [90, 90, 900, 7200, 604_800]);
  assert.throws(() => parseDuration('soon'));
  assert.deepEqual(['a.JPG', 'a', 'a.constructor'].map(mediaTypeOf), [
    'image/jpeg',
    'application/octet-stream',
    'application/octet-stream',
  ]);
  assert.deepEqual(splitPath('rl://b/c/d'), { bucket: 'b', name: 'c/d' });
});

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, seededRandom, temporaryFolder, until } from '@rowlock/test-harness';

const harness = import.meta.resolve('@rowlock/test-harness');

test('until returns what the condition returned once it is true', async () => {
  const values = [undefined, 0, 'ready'];

  const value = await until(async () => values.shift(), { intervalMs: 1 });

  assert.equal(value, 'ready');
});

test('until gives up at its deadline and says what it waited for', async () => {
  const vain = until(() => false, { timeoutMs: 5, intervalMs: 1, what: 'the sea is dry' });

  await assert.rejects(vain, { message: 'Waited 5 ms in vain until the sea is dry' });
});

test('until passes an error of the condition on at once', async () => {
  const failing = until(() => {
    throw new RangeError('broken');
  });

  await assert.rejects(failing, RangeError);
});

test('a free port can be listened on, and so can the neighbours that were asked for', async () => {
  const port = await freePort({ alsoFree: [100] });

  for (const free of [port, port + 100]) {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(free, '127.0.0.1', resolve));
    server.close();
  }
});

test('equal seeds give equal values, and others give others', () => {
  const [a, b, c] = [seededRandom(7), seededRandom(7), seededRandom(8)];

  const draw = (random: typeof a): unknown[] => [random.next(), random.integer(10), random.bytes(4).toString('hex')];

  assert.deepEqual(draw(a), draw(b));
  assert.notDeepEqual(draw(a), draw(c));
});

test('random numbers lie in their bounds and spread evenly', () => {
  const random = seededRandom(1);
  const counts = new Array<number>(10).fill(0);

  for (let draw = 0; draw < 10_000; draw += 1) {
    const digit = random.integer(10);
    counts[digit] = (counts[digit] ?? 0) + 1;
  }

  assert.equal(counts.length, 10);
  assert.ok(
    counts.every((count) => count > 800 && count < 1200),
    counts.join(),
  );
});

test('a process that fails tells its random seed, and one that passes does not', () => {
  const program = `
    const { seededRandom } = await import(process.argv[1]);
    seededRandom();
    process.exitCode = Number(process.argv[2]);`;
  const env = { ...process.env, ROWLOCK_TEST_SEED: '4711' };
  const run = (code: string): string =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program, harness, code], { env, encoding: 'utf8' })
      .stderr;

  const [failed, passed] = [run('1'), run('0')];

  assert.match(failed, /seeds of this failed run: 4711\./);
  assert.doesNotMatch(passed, /4711/);
});

test('a temporary folder is private and goes with its process, also when that leaves in a hurry', () => {
  const program = `
    const { temporaryFolder } = await import(process.argv[1]);
    const { writeFileSync } = await import('node:fs');
    const folder = temporaryFolder();
    writeFileSync(folder + '/file', 'x');
    console.log(folder);
    process.exit(0);`;
  const own = temporaryFolder();

  const folder = execFileSync(process.execPath, ['--input-type=module', '-e', program, harness], { encoding: 'utf8' });

  assert.equal(existsSync(folder.trim()), false);
  assert.equal(statSync(own).mode & 0o777, 0o700);
});

test('what a killed process left is removed by the next one', () => {
  const abandoned = join(tmpdir(), `rowlock-test-${2 ** 22 + 1}-abandoned`);
  mkdirSync(abandoned);
  writeFileSync(join(abandoned, 'file'), '');
  const program = 'const { temporaryFolder } = await import(process.argv[1]); temporaryFolder();';

  execFileSync(process.execPath, ['--input-type=module', '-e', program, harness]);

  assert.equal(existsSync(abandoned), false);
});

import assert from 'node:assert/strict';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { until } from '@rowlock/test-harness';
import { ImageError } from '../image-error.ts';
import { variantPresets } from '../presets.ts';
import { renderVariants } from '../render.ts';
import { drawn, noise, scene } from '../sample-images.ts';
import { decoderModule, faultyDecoder, poolFor } from './faulty-decoder.ts';

const photo = await drawn(scene(300, 200)).jpeg().toBuffer();
const fileOf = (bytes: Buffer) => ({ size: bytes.length, stream: Readable.from([bytes]), bytes });
/** As a backend gives a large file: in pieces. */
const streamed = (bytes: Buffer, size: number = bytes.length) => ({
  size,
  stream: Readable.from(bytes.length === 0 ? [] : [bytes.subarray(0, 7), bytes.subarray(7)], { objectMode: false }),
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a file is rendered in another process to the same bytes as here', async (t) => {
  const { pool, reported } = poolFor(t);

  const there = await pool.render(streamed(photo), variantPresets);

  assert.deepEqual(there, await renderVariants(photo, variantPresets));
  assert.deepEqual(await pool.render(fileOf(photo), variantPresets), there);
  assert.deepEqual(reported, []);
});

test('a process is kept warm between jobs, and a damaged file does not end it', async (t) => {
  const { pool } = poolFor(t);

  await pool.render(fileOf(photo), variantPresets);
  const before = pool.pids;
  await assert.rejects(pool.render(fileOf(Buffer.from('no image')), variantPresets), { reason: 'unsupported' });
  await assert.rejects(pool.render(streamed(Buffer.alloc(0)), variantPresets), { reason: 'unsupported' });
  await pool.render(fileOf(photo), variantPresets);

  assert.equal(before.length, 1);
  assert.deepEqual(pool.pids, before);
});

test('there are never more processes than the pool has places', async (t) => {
  const { pool } = poolFor(t, { size: 2 });
  let most = 0;

  await Promise.all(
    Array.from({ length: 6 }, async () => {
      await pool.render(streamed(photo), variantPresets);
      most = Math.max(most, pool.pids.length);
    }),
  );

  assert.equal(most, 2);
});

test('an unused process ends after a while, and the next job starts another', async (t) => {
  const { pool, reported } = poolFor(t, { idleMs: 10 });
  await pool.render(fileOf(photo), variantPresets);

  await until(() => pool.pids.length === 0, { what: 'the process has ended' });

  assert.equal((await pool.render(fileOf(photo), variantPresets)).source.width, 300);
  assert.deepEqual(reported, [], 'an end on purpose is no news');
});

test('what a large photograph took goes back to the system, and not to the next one only', {
  skip: notOnLinux(),
}, async (t) => {
  const { pool } = poolFor(t);
  // All coefficients of a progressive JPEG are kept until its last scan.
  const large = await drawn(scene(4000, 3000)).jpeg({ progressive: true }).toBuffer();
  const ordinary = await drawn(scene(1600, 1200)).jpeg().toBuffer();

  for (const bytes of [ordinary, large, ordinary, large, ordinary, large, ordinary]) {
    await pool.render(fileOf(bytes), variantPresets);
  }
  const status = await readFile(`/proc/${pool.pids[0]}/status`, 'utf8');

  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  assert.ok(mib('VmRSS') < mib('VmHWM') - 15, `${mib('VmRSS')} MiB of ${mib('VmHWM')} are kept`);
});

test('a process that a file has made fat is replaced before the next', { skip: notOnLinux() }, async (t) => {
  const { pool } = poolFor(t, { memoryBytesMax: 100 * 2 ** 20 });

  await pool.render(fileOf(photo), variantPresets);
  await until(() => pool.pids.length === 0, { what: 'the process has ended' });

  assert.equal((await pool.render(fileOf(photo), variantPresets)).variants.length, 3);
});

for (const [what, script] of [
  ['aborts', 'process.abort()'],
  ['ends by SIGSEGV', "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {});"],
  ['exits as if all were well', 'process.exit(0)'],
  ['fails outside of any promise', "setImmediate(() => { throw new Error('stray') }); await new Promise(() => {});"],
  ['runs out of heap', 'for (const all = [];;) all.push(new Array(1e6).fill(all))'],
  ['closes its channel', "require('node:fs').closeSync(3); await new Promise(() => {});"],
] as const) {
  test(`46 a decoder that ${what} costs its job, and the next file has another`, async (t) => {
    const { pool, reported } = poolFor(t, { module: faultyDecoder(t, 'decoder.before_decode', script) });

    await assert.rejects(pool.render(streamed(photo), variantPresets), { reason: 'crashed', permanent: false });
    await assert.rejects(pool.render(streamed(photo), variantPresets), { reason: 'crashed' });

    assert.deepEqual(pool.pids, []);
    assert.equal(reported.length, 2);
    assert.ok(reported.every((line) => line.startsWith('a decoder process ended by ') && line.length < 2500));
  });
}

for (const [what, script] of [
  ['waits for ever', 'await new Promise(() => {})'],
  ['never lets its event loop turn', 'for (;;);'],
] as const) {
  test(`46 a decoder that ${what} is killed when its time is up`, async (t) => {
    const module = faultyDecoder(t, 'decoder.before_decode', script);
    const { pool } = poolFor(t, { module, timeoutMs: 100 });

    await assert.rejects(pool.render(streamed(photo), variantPresets), { reason: 'timeout', permanent: false });

    assert.deepEqual(pool.pids, []);
  });
}

test('46 a decoder that stops reading a large file is killed when its time is up', async (t) => {
  const { pool } = poolFor(t, { timeoutMs: 200 });
  await pool.render(fileOf(photo), variantPresets);
  process.kill(pool.pids[0] as number, 'SIGSTOP');

  const failing = pool.render(streamed(Buffer.alloc(20 * 2 ** 20)), variantPresets);

  await assert.rejects(failing, { reason: 'timeout' });
  assert.deepEqual(pool.pids, []);
});

test('46 a decoder that takes more memory than it may is killed', { skip: notOnLinux() }, async (t) => {
  const script = 'for (const all = [];;) { all.push(Buffer.alloc(2 ** 20, 1)); await new Promise(setImmediate); }';
  const module = faultyDecoder(t, 'decoder.before_decode', script);
  const { pool, reported } = poolFor(t, { module, memoryBytesMax: 200 * 2 ** 20 });

  await assert.rejects(pool.render(streamed(photo), variantPresets), { reason: 'memory', permanent: false });

  assert.deepEqual(pool.pids, []);
  assert.equal(reported.length, 1);
});

test('46 memory that the watch does not see coming fails in the kernel', { skip: notOnLinux() }, async (t) => {
  const module = faultyDecoder(t, 'decoder.before_decode', 'Buffer.alloc(2 ** 31)');
  const { pool, reported } = poolFor(t, { module, memoryBytesMax: 200 * 2 ** 20 });

  await assert.rejects(pool.render(streamed(photo), variantPresets), { reason: 'memory' });

  assert.deepEqual(reported, [], 'it said so itself');
});

test('46 what a decoder writes to its outputs goes to the log, cut, and is no reply', async (t) => {
  const script = `process.stdout.write('{"ready":true}'.repeat(1000)); process.stderr.write('oh no');`;
  const { pool, reported } = poolFor(t, { module: faultyDecoder(t, 'decoder.before_decode', script) });

  const image = await pool.render(streamed(photo), variantPresets);
  await pool.stop();

  assert.equal(image.variants.length, 3);
  assert.match(reported.join(), /it wrote: .*ready/);
  assert.ok(reported.join().length < 2500);
});

test('46 a decoder that writes without end is killed', async (t) => {
  const script = `
    const words = Buffer.alloc(2 ** 16, 'x');
    for (;;) await new Promise((resolve) => require('node:fs').write(2, words, () => setImmediate(resolve)));`;
  const { pool } = poolFor(t, { module: faultyDecoder(t, 'decoder.before_decode', script), timeoutMs: 5000 });

  await assert.rejects(pool.render(streamed(photo), variantPresets), { reason: 'crashed' });

  assert.deepEqual(pool.pids, []);
});

test('46 a decoder that dies in the middle of its reply has replied nothing', async (t) => {
  const { pool } = poolFor(t, { module: faultyDecoder(t, 'decoder.half_replied', 'process.abort()') });

  await assert.rejects(pool.render(streamed(photo), variantPresets), { reason: 'crashed' });
});

test('46 a decoder that does not start is no fault of the image, so the job has all of its attempts', async (t) => {
  for (const text of ['process.exit(3)', "import fs from 'node:fs'; fs.writeSync(3, Buffer.alloc(100));", 'no code']) {
    const { pool } = poolFor(t, { module: decoderModule(t, text) });

    const failing = pool.render(streamed(photo), variantPresets);

    await assert.rejects(failing, (error) => !(error instanceof ImageError) && /could not be started/.test(`${error}`));
    assert.deepEqual(pool.pids, []);
  }
});

test('a decoder has no environment, no files to write and an empty folder that is gone', async (t) => {
  const script = `
    const fs = require('node:fs');
    const tried = (run) => { try { run(); return 'done'; } catch (error) { return error.code; } };
    throw new Error(JSON.stringify({
      env: Object.keys(process.env).filter((name) => !/^(PWD|OLDPWD|SHLVL|_|VIPSHOME|MALLOC_[A-Z_]+)$/.test(name)),
      here: tried(() => fs.writeFileSync('a', 'a')),
      open: process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length < 64 : true,
    }));`;
  const { pool } = poolFor(t, { module: faultyDecoder(t, 'decoder.before_decode', script) });

  const failure = await pool.render(streamed(photo), variantPresets).catch((error: Error) => error.message);

  assert.deepEqual(JSON.parse(String(failure)), { env: [], here: 'ENOENT', open: true });
});

test('a decoder runs under limits of the kernel', { skip: notOnLinux() }, async (t) => {
  const script = "throw new Error(require('node:fs').readFileSync('/proc/self/limits', 'utf8').slice(0, 1500))";
  const module = faultyDecoder(t, 'decoder.before_decode', script);
  const { pool } = poolFor(t, { module, memoryBytesMax: 2 ** 30 });

  const failure = await pool.render(streamed(photo), variantPresets).catch((error: Error) => error.message);

  assert.match(String(failure), /^Max cpu time +600 /m);
  assert.match(String(failure), /^Max file size +0 /m);
});

test('an aborted job ends its process and fails with the reason', async (t) => {
  const { pool, reported } = poolFor(t, {
    module: faultyDecoder(t, 'decoder.before_decode', 'await new Promise(() => {})'),
  });
  const [before, during] = [new AbortController(), new AbortController()];
  before.abort(new Error('too late'));

  await assert.rejects(pool.render(streamed(photo), variantPresets, before.signal), { message: 'too late' });
  const failing = assert.rejects(pool.render(streamed(photo), variantPresets, during.signal), { message: 'enough' });
  await until(() => pool.pids.length === 1);
  during.abort(new Error('enough'));

  await failing;
  assert.deepEqual(pool.pids, []);
  assert.deepEqual(reported, []);
});

test('a file that breaks off, is too long or cannot be read fails as what it is, and costs the process', async (t) => {
  const { pool } = poolFor(t);
  const unreadable = new Readable({ read: () => undefined });

  const failing = assert.rejects(pool.render({ size: 9, stream: unreadable }, variantPresets), { code: 'EIO' });
  unreadable.destroy(Object.assign(new Error('bad disk'), { code: 'EIO' }));
  await failing;
  for (const size of [photo.length + 1, photo.length - 1]) {
    await assert.rejects(pool.render(streamed(photo, size), variantPresets), /not of the size/);
  }

  assert.deepEqual(pool.pids, []);
  assert.equal((await pool.render(streamed(photo), variantPresets)).source.width, 300);
});

test('a stop kills what is being decoded, lets nothing begin and leaves no folder', async (t) => {
  const module = faultyDecoder(t, 'decoder.before_decode', 'await new Promise(() => {})');
  const { pool } = poolFor(t, { module, size: 2 });
  const running = [1, 2, 3].map(() => assert.rejects(pool.render(streamed(photo), variantPresets), /stopping/));
  await until(() => pool.pids.length === 2);
  const { pids } = pool;

  await pool.stop();
  await Promise.all(running);

  assert.deepEqual(pids.filter(isAlive), []);
  assert.deepEqual(pool.pids, []);
  await assert.rejects(pool.render(streamed(photo), variantPresets), /stopping/);
});

test('while it decodes, its folder is gone already', { skip: notOnLinux() }, async (t) => {
  const { pool } = poolFor(t);
  await pool.render(streamed(photo), variantPresets);

  const folder = await readlink(`/proc/${pool.pids[0]}/cwd`);

  assert.match(folder, /rowlock-decoder-\w+ \(deleted\)$/);
  assert.ok(!(await readdir(tmpdir())).some((name) => folder.includes(name) && name.startsWith('rowlock-decoder-')));
});

test('what a terminal or a service manager sends to all processes does not end a decoder', async (t) => {
  const { pool } = poolFor(t);
  const large = await noise(3000, 2000).jpeg().toBuffer();
  await pool.render(fileOf(photo), variantPresets);
  const [pid] = pool.pids as [number];

  const rendering = pool.render(streamed(large), variantPresets);
  await turn();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pid, signal);

  assert.equal((await rendering).source.width, 3000);
  assert.deepEqual(pool.pids, [pid]);
});

function notOnLinux(): false | string {
  return process.platform === 'linux' ? false : 'the memory of other processes is looked at on Linux only';
}

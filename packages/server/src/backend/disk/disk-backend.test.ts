import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, realpath, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isOutOfSpace } from '../backend.ts';
import { partsConformance } from '../conformance/parts.ts';
import { backendConformance } from '../conformance.ts';
import { verifyPresigned } from '../s3/verify-presigned.ts';
import { openDiskBackend } from './disk-backend.ts';
import { diskError } from './disk-errors.ts';
import { bytesOf, configOf, credentials, newRoot, newStore, tree } from './sample-store.ts';
import type { DiskFaultPoint } from './write-file.ts';

const run = promisify(execFile);
backendConformance('disk', async (t) => (await newStore(t)).backend);
partsConformance(
  'disk',
  async (t) => (await newStore(t)).backend,
  async ({ parts }, place, part_number, bytes) => {
    await parts?.receive?.(place, { part_number, body: bytesOf(bytes) });
  },
);

test('files and folders are for the server alone', async (t) => {
  const { backend, root } = await newStore(t);

  await backend.put('objects/ab/x', bytesOf('hello'));

  assert.equal((await stat(path.join(root, 'objects/ab/x'))).mode & 0o777, 0o600);
  assert.equal((await stat(path.join(root, 'objects/ab'))).mode & 0o077, 0);
  assert.equal((await stat(path.join(root, '.tmp'))).mode & 0o077, 0);
});

test('the steps of a put come in the order that makes it durable', async (t) => {
  const steps: unknown[] = [];
  const { backend, root } = await newStore(t, {
    fault: async (point) => {
      const isVisible = (await tree(root)).includes('objects/ab/x');
      steps.push([point, isVisible]);
    },
  });

  await backend.put('objects/ab/x', bytesOf(randomBytes(600_000), randomBytes(600_000)));

  assert.deepEqual(steps, [
    ['disk.bytes', false],
    ['disk.before_fsync', false],
    ['disk.after_fsync', false],
    ['disk.after_rename', true],
  ]);
});

for (const failing of ['disk.bytes', 'disk.before_fsync', 'disk.after_fsync', 'disk.after_rename'] as const) {
  test(`a failure at ${failing} leaves nothing, and the key can be put again`, async (t) => {
    let isFailing = true;
    const fault = (point: DiskFaultPoint): void => {
      if (isFailing && point === failing) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    const { backend, root } = await newStore(t, { fault });

    await assert.rejects(backend.put('objects/ab/x', bytesOf('hello')), isOutOfSpace);
    const left = await tree(root);
    isFailing = false;
    await backend.put('objects/ab/x', bytesOf('hello'));

    assert.deepEqual(
      left.filter((name) => !['.tmp', 'objects', 'objects/ab'].includes(name)),
      [],
    );
    assert.equal((await backend.head('objects/ab/x'))?.size, 5);
  });
}

test('a source without end is told to return when the disk fails', async (t) => {
  let isReturned = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield randomBytes(100_000);
    } finally {
      isReturned = true;
    }
  }
  const fault = (): void => {
    throw Object.assign(new Error('I/O error'), { code: 'EIO' });
  };
  const { backend } = await newStore(t, { fault });

  await assert.rejects(backend.put('objects/ab/x', endless()), { code: 'EIO' });

  assert.equal(isReturned, true);
});

test('a put and a delete sync the file, its folder and every new folder above it', async (t) => {
  const hasStrace = spawnSync('strace', ['-V']).status === 0;
  if (!hasStrace) return t.skip('strace is not here to see system calls');
  const root = await newRoot(t);
  const trace = path.join(root, 'trace');
  const script = `
    const { openDiskBackend } = await import(${JSON.stringify(new URL('./disk-backend.js', import.meta.url).href)});
    const backend = await openDiskBackend(${JSON.stringify(configOf(path.join(root, 'store')))});
    await backend.put('Issue/1/f/original.bin', (async function* () { yield Buffer.from('hello'); })());
    await backend.delete('Issue/1/f/original.bin');
    await backend.put('objects/ab/x', (async function* () { yield Buffer.from('hello'); })());
    await backend.put('objects/ab/y', (async function* () { yield Buffer.from('hello'); })());
  `;

  await run('strace', [
    '-f',
    '-y',
    '-e',
    'trace=fsync,link,linkat,unlink,rmdir',
    '-o',
    trace,
    process.execPath,
    '-e',
    script,
  ]);
  const calls = stepsOf(await readFile(trace, 'utf8'), await realpath(path.join(root, 'store')));

  const issue = [
    'fsync .tmp/*',
    'link Issue/1/f/original.bin',
    'fsync Issue',
    'fsync Issue/1',
    'fsync Issue/1/f',
    'fsync .',
  ];
  assert.deepEqual(calls.slice(0, 2), issue.slice(0, 2));
  assert.deepEqual(calls.slice(2, 6).sort(), issue.slice(2).sort());
  // The delete: the lowest folder that is left after the empty ones went is the first one, which is kept.
  assert.deepEqual(calls.slice(6, 10), [
    'unlink Issue/1/f/original.bin',
    'rmdir Issue/1/f',
    'rmdir Issue/1',
    'fsync Issue',
  ]);
  assert.deepEqual(calls.slice(10, 12), ['fsync .tmp/*', 'link objects/ab/x']);
  assert.deepEqual(calls.slice(12, 15).sort(), ['fsync .', 'fsync objects', 'fsync objects/ab']);
  // The second put into a folder that is kept and known to be durable costs two syncs.
  assert.deepEqual(calls.slice(15), ['fsync .tmp/*', 'link objects/ab/y', 'fsync objects/ab']);
});

/** The calls in the order in which they began, with paths below the store; removals of temporary names left out. */
function stepsOf(trace: string, store: string): string[] {
  const found: string[] = [];
  for (const line of trace.split('\n')) {
    const call = /^\d+ +(fsync|link|linkat|unlink|rmdir)\((.*)/.exec(line);
    if (call === null) continue;
    const last = [...(call[2] ?? '').matchAll(/[<"](\/[^>"]*)[>"]/g)].at(-1)?.[1] ?? '';
    const relative = path.relative(store, last).replace(/^\.tmp\/.*/, '.tmp/*') || '.';
    const name = (call[1] ?? '').replace('linkat', 'link');
    if (!(name === 'unlink' && relative === '.tmp/*') && !relative.startsWith('..')) found.push(`${name} ${relative}`);
  }
  return found;
}

test('a file open for reading can be deleted and is read to its end', async (t) => {
  const { backend } = await newStore(t);
  const bytes = randomBytes(2_000_000);
  await backend.put('objects/ab/x', bytesOf(bytes));

  const { stream } = await backend.get('objects/ab/x');
  await backend.delete('objects/ab/x');
  const chunks = await stream.toArray();

  assert.ok(Buffer.concat(chunks).equals(bytes));
});

test('the etag differs once the bytes were replaced behind our back', async (t) => {
  const { backend, root } = await newStore(t);
  await backend.put('objects/ab/x', bytesOf('hello'));
  const before = await backend.head('objects/ab/x');

  await writeFile(path.join(root, 'objects/ab/x'), 'HELLO');
  await utimes(path.join(root, 'objects/ab/x'), new Date(), new Date(Date.now() + 1));

  assert.notEqual((await backend.head('objects/ab/x'))?.etag, before?.etag);
});

test('a truncated file says its true size and never gives fewer bytes than it says', async (t) => {
  const { backend, root } = await newStore(t);
  await backend.put('objects/ab/x', bytesOf(randomBytes(1000)));
  await truncate(path.join(root, 'objects/ab/x'), 10);

  const { size, stream } = await backend.get('objects/ab/x');

  assert.equal(size, 10);
  assert.equal(Buffer.concat(await stream.toArray()).length, 10);
});

test('old leftovers of a killed server are listed and removed, new ones stay', async (t) => {
  const { backend, root } = await newStore(t);
  const hourAgo = new Date(Date.now() - 3_600_000);
  await writeFile(path.join(root, '.tmp/old'), 'abc');
  await utimes(path.join(root, '.tmp/old'), hourAgo, hourAgo);
  await writeFile(path.join(root, '.tmp/new'), 'abcd');

  const listed = [];
  for await (const { id, size, age_ms } of backend.listUnfinished()) listed.push([id, size, age_ms > 3_500_000]);
  const removed = await backend.removeUnfinished(1_800_000);

  assert.deepEqual(listed.sort(), [
    ['new', 4, false],
    ['old', 3, true],
  ]);
  assert.equal(removed, 1);
  assert.deepEqual(await readdir(path.join(root, '.tmp')), ['new']);
});

test('a store that cannot be written to says so', async (t) => {
  const { backend, root } = await newStore(t);
  await rm(path.join(root, '.tmp'), { recursive: true });
  await writeFile(path.join(root, '.tmp'), '');

  await assert.rejects(backend.check());
});

test('a full disk answers out_of_space, leaves nothing and takes writes again when space returns', async (t) => {
  const root = await mkdtemp(path.join(tmpdir(), 'rowlock-full-'));
  t.after(() => spawnSync('umount', [root]).status === 0 && rm(root, { recursive: true }));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
  if (mounted.status !== 0) return t.skip('a small file system cannot be mounted here');
  const backend = await openDiskBackend(configOf(root));
  await backend.put('objects/ab/small', bytesOf(randomBytes(300_000)));

  await assert.rejects(
    backend.put('objects/ab/large', bytesOf(randomBytes(600_000), randomBytes(600_000))),
    isOutOfSpace,
  );
  const temporary = await readdir(path.join(root, '.tmp'));
  await backend.delete('objects/ab/small');
  await backend.put('objects/ab/medium', bytesOf(randomBytes(800_000)));

  assert.deepEqual(temporary, []);
  assert.equal((await backend.head('objects/ab/medium'))?.size, 800_000);
});

test('errors of the system have their reasons, and a failing disk keeps its own', () => {
  const reasonOf = (code: string): unknown =>
    (diskError(Object.assign(new Error(code), { code })) as { reason?: string }).reason;

  assert.deepEqual(['ENOSPC', 'EDQUOT', 'EFBIG'].map(reasonOf), ['out_of_space', 'out_of_space', 'out_of_space']);
  assert.deepEqual(['EMFILE', 'EROFS', 'EACCES'].map(reasonOf), ['unavailable', 'unavailable', 'unavailable']);
  assert.deepEqual([reasonOf('EIO'), diskError('text')], [undefined, 'text']);
});

test('presigned URLs of the disk store verify with its own credentials', async (t) => {
  const { backend } = await newStore(t);
  const now = new Date('2026-03-04T05:06:07Z');

  const url = new URL(
    await backend.presignPut('objects/ab/x', { expirySeconds: 60, contentType: 'image/png', contentLength: 5, now }),
  );
  const result = verifyPresigned({
    method: 'PUT',
    host: url.host,
    rawPath: url.pathname,
    rawQuery: url.search.slice(1),
    headers: { 'content-type': 'image/png', 'content-length': '5' },
    credentials,
    region: 'us-east-1',
    now,
  });

  assert.equal(url.origin + url.pathname, 'http://127.0.0.1:8000/files/objects/ab/x');
  assert.equal(result.ok, true);
});

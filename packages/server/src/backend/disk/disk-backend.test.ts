import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  rmdir,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';

import { promisify } from 'node:util';
import { isNotFound, isOutOfSpace } from '../backend.ts';
import { backendConformance } from '../conformance.ts';
import { verifyPresigned } from '../s3/verify-presigned.ts';
import { type DiskBackend, type DiskBackendConfig, openDiskBackend } from './disk-backend.ts';
import { diskError } from './disk-errors.ts';
import type { DiskFaultPoint } from './write-file.ts';

const run = promisify(execFile);
const credentials = { access_key_id: 'rowlock', secret_access_key: 'a-secret-of-thirty-two-characters' };

async function newRoot(t: TestContext): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'rowlock-disk-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

function configOf(root: string): DiskBackendConfig {
  return { root, bucket: 'files', endpoint: 'http://127.0.0.1:8000', region: 'us-east-1', credentials };
}

async function newBackend(
  t: TestContext,
  options: Partial<DiskBackendConfig> = {},
): Promise<{ backend: DiskBackend; root: string }> {
  const root = await newRoot(t);
  return { backend: await openDiskBackend({ ...configOf(root), ...options }), root };
}

async function* bytesOf(...chunks: (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

/** Every file and folder below a folder, links as such. */
async function tree(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).sort();
}

backendConformance('disk', async (t) => (await newBackend(t)).backend);

test('files and folders are for the server alone', async (t) => {
  const { backend, root } = await newBackend(t);

  await backend.put('objects/ab/x', bytesOf('hello'));

  assert.equal((await stat(path.join(root, 'objects/ab/x'))).mode & 0o777, 0o600);
  assert.equal((await stat(path.join(root, 'objects/ab'))).mode & 0o077, 0);
  assert.equal((await stat(path.join(root, '.tmp'))).mode & 0o077, 0);
});

test('the steps of a put come in the order that makes it durable', async (t) => {
  const steps: unknown[] = [];
  const { backend, root } = await newBackend(t, {
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
    const { backend, root } = await newBackend(t, { fault });

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

test('deleting removes the folders of an entity when they are empty, and no others', async (t) => {
  const { backend, root } = await newBackend(t);
  await backend.put('Issue/1/a/original.jpg', bytesOf('a'));
  await backend.put('Issue/1/b/original.jpg', bytesOf('b'));
  await backend.put('objects/ab/x', bytesOf('x'));

  await backend.delete('Issue/1/a/original.jpg');
  await backend.delete('objects/ab/x');
  const left = await tree(root);
  await backend.delete('Issue/1/b/original.jpg');

  assert.deepEqual(left, ['.tmp', 'Issue', 'Issue/1', 'Issue/1/b', 'Issue/1/b/original.jpg', 'objects', 'objects/ab']);
  assert.deepEqual(await tree(root), ['.tmp', 'Issue', 'objects', 'objects/ab']);
});

test('a put succeeds although another process removes its empty folder', async (t) => {
  const { backend, root } = await newBackend(t);

  for (let i = 0; i < 200; i++) {
    let isPut = false;
    const put = backend.put('Issue/1/a/x', bytesOf('x')).finally(() => {
      isPut = true;
    });
    // Until it succeeds once: mostly between two of the put's steps, sometimes never.
    while (!isPut && !(await isRemoved(path.join(root, 'Issue/1/a'))));
    await put;
    assert.equal(await backend.delete('Issue/1/a/x'), true);
  }
});

async function isRemoved(folder: string): Promise<boolean> {
  return await rmdir(folder).then(
    () => true,
    () => false,
  );
}

test('a path that would leave the store is refused and creates nothing', async (t) => {
  const { backend, root } = await newBackend(t);

  for (const key of [
    '../outside',
    'a/../../outside',
    '/tmp/outside',
    '..%2foutside',
    'a\\..\\..\\outside',
    '.tmp/inside',
  ]) {
    await assert.rejects(backend.put(key, bytesOf('x')), { reason: 'invalid_name' }, key);
  }

  assert.deepEqual(await tree(root), ['.tmp']);
});

test('a symbolic link in place of a file is not followed by get, head, list or put', async (t) => {
  const { backend, root } = await newBackend(t);
  const secret = path.join(await newRoot(t), 'secret');
  await writeFile(secret, 'secret');
  await mkdir(path.join(root, 'objects/ab'), { recursive: true });
  await symlink(secret, path.join(root, 'objects/ab/link'));
  await symlink(`${secret}-new`, path.join(root, 'objects/ab/dangling'));

  await assert.rejects(backend.get('objects/ab/link'), isNotFound);
  assert.equal(await backend.head('objects/ab/link'), undefined);
  await assert.rejects(backend.put('objects/ab/link', bytesOf('x')), { reason: 'object_exists' });
  await assert.rejects(backend.put('objects/ab/dangling', bytesOf('x')), { reason: 'object_exists' });
  for await (const { key } of backend.list()) assert.fail(key);

  assert.equal(await readFile(secret, 'utf8'), 'secret');
  assert.deepEqual(await readdir(path.dirname(secret)), ['secret']);
});

for (const folder of ['objects', 'objects/ab']) {
  test(`a symbolic link in place of the folder ${folder} is not followed by any method`, async (t) => {
    const { backend, root } = await newBackend(t);
    const outside = await newRoot(t);
    await mkdir(path.join(outside, 'ab'));
    await writeFile(path.join(outside, 'x'), 'secret');
    await writeFile(path.join(outside, 'ab/x'), 'secret');
    await mkdir(path.dirname(path.join(root, folder)), { recursive: true });
    await symlink(outside, path.join(root, folder));
    const before = await tree(outside);

    await assert.rejects(backend.get('objects/ab/x'), isNotFound);
    assert.equal(await backend.head('objects/ab/x'), undefined);
    await assert.rejects(backend.put('objects/ab/new', bytesOf('x')), { reason: 'unavailable' });
    await assert.rejects(backend.delete('objects/ab/x'), { reason: 'unavailable' });
    for await (const { key } of backend.list()) assert.fail(key);
    for await (const { key } of backend.list({ prefix: 'objects/ab/' })) assert.fail(key);

    assert.deepEqual(await tree(outside), before);
    assert.deepEqual(await readdir(path.join(root, '.tmp')), []);
  });
}

test('the root itself may be a symbolic link', async (t) => {
  const root = await newRoot(t);
  await symlink(root, `${root}-link`);
  t.after(() => rm(`${root}-link`));
  const backend = await openDiskBackend(configOf(`${root}-link`));

  await backend.put('objects/ab/x', bytesOf('hello'));

  assert.equal((await backend.get('objects/ab/x')).size, 5);
  assert.equal((await lstat(path.join(root, 'objects/ab/x'))).size, 5);
});

test('a pipe in place of a file is not waited for', async (t) => {
  const { backend, root } = await newBackend(t);
  await mkdir(path.join(root, 'objects/ab'), { recursive: true });
  await run('mkfifo', [path.join(root, 'objects/ab/pipe')]);

  await assert.rejects(backend.get('objects/ab/pipe'), isNotFound);

  assert.equal(await backend.head('objects/ab/pipe'), undefined);
});

test('a file open for reading can be deleted and is read to its end', async (t) => {
  const { backend } = await newBackend(t);
  const bytes = randomBytes(2_000_000);
  await backend.put('objects/ab/x', bytesOf(bytes));

  const { stream } = await backend.get('objects/ab/x');
  await backend.delete('objects/ab/x');
  const chunks = await stream.toArray();

  assert.ok(Buffer.concat(chunks).equals(bytes));
});

test('the etag differs once the bytes were replaced behind our back', async (t) => {
  const { backend, root } = await newBackend(t);
  await backend.put('objects/ab/x', bytesOf('hello'));
  const before = await backend.head('objects/ab/x');

  await writeFile(path.join(root, 'objects/ab/x'), 'HELLO');
  await utimes(path.join(root, 'objects/ab/x'), new Date(), new Date(Date.now() + 1));

  assert.notEqual((await backend.head('objects/ab/x'))?.etag, before?.etag);
});

test('a truncated file says its true size and never gives fewer bytes than it says', async (t) => {
  const { backend, root } = await newBackend(t);
  await backend.put('objects/ab/x', bytesOf(randomBytes(1000)));
  await truncate(path.join(root, 'objects/ab/x'), 10);

  const { size, stream } = await backend.get('objects/ab/x');

  assert.equal(size, 10);
  assert.equal(Buffer.concat(await stream.toArray()).length, 10);
});

test('old leftovers of a killed server are listed and removed, new ones stay', async (t) => {
  const { backend, root } = await newBackend(t);
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

test('what is in the root and has no key for a name is not listed', async (t) => {
  const { backend, root } = await newBackend(t);
  await backend.put('objects/ab/x', bytesOf('hello'));
  await mkdir(path.join(root, 'lost+found'));
  await writeFile(path.join(root, 'lost+found/a'), '');
  await writeFile(path.join(root, 'objects/.hidden'), '');
  await writeFile(path.join(root, 'objects/a b'), '');

  const keys = [];
  for await (const { key } of backend.list()) keys.push(key);

  assert.deepEqual(keys, ['objects/ab/x']);
});

test('a store that cannot be written to says so', async (t) => {
  const { backend, root } = await newBackend(t);
  await rm(path.join(root, '.tmp'), { recursive: true });
  await writeFile(path.join(root, '.tmp'), '');

  await assert.rejects(backend.check());
});

test('a key below a file is refused', async (t) => {
  const { backend } = await newBackend(t);
  await backend.put('objects/ab/x', bytesOf('hello'));

  await assert.rejects(backend.put('objects/ab/x/y', bytesOf('hello')));
  await assert.rejects(backend.get('objects/ab/x/y'), isNotFound);

  assert.equal((await backend.head('objects/ab/x'))?.size, 5);
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
  const { backend } = await newBackend(t);
  const now = new Date('2026-03-04T05:06:07Z');

  const url = new URL(
    backend.presignPut('objects/ab/x', { expirySeconds: 60, contentType: 'image/png', contentLength: 5, now }),
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

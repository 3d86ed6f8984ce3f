import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isNotFound } from '../backend.ts';
import { openDiskBackend } from './disk-backend.ts';
import { bytesOf, configOf, newRoot, newStore, tree } from './sample-store.ts';

const run = promisify(execFile);

test('deleting removes the folders of an entity when they are empty, and no others', async (t) => {
  const { backend, root } = await newStore(t);
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
  const { backend, root } = await newStore(t);

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
  const { backend, root } = await newStore(t);

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
  const { backend, root } = await newStore(t);
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
    const { backend, root } = await newStore(t);
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
  const { backend, root } = await newStore(t);
  await mkdir(path.join(root, 'objects/ab'), { recursive: true });
  await run('mkfifo', [path.join(root, 'objects/ab/pipe')]);

  await assert.rejects(backend.get('objects/ab/pipe'), isNotFound);

  assert.equal(await backend.head('objects/ab/pipe'), undefined);
});

test('what is in the root and has no key for a name is not listed', async (t) => {
  const { backend, root } = await newStore(t);
  await backend.put('objects/ab/x', bytesOf('hello'));
  await mkdir(path.join(root, 'lost+found'));
  await writeFile(path.join(root, 'lost+found/a'), '');
  await writeFile(path.join(root, 'objects/.hidden'), '');
  await writeFile(path.join(root, 'objects/a b'), '');

  const keys = [];
  for await (const { key } of backend.list()) keys.push(key);

  assert.deepEqual(keys, ['objects/ab/x']);
});

test('a key below a file is refused', async (t) => {
  const { backend } = await newStore(t);
  await backend.put('objects/ab/x', bytesOf('hello'));

  await assert.rejects(backend.put('objects/ab/x/y', bytesOf('hello')));
  await assert.rejects(backend.get('objects/ab/x/y'), isNotFound);

  assert.equal((await backend.head('objects/ab/x'))?.size, 5);
});

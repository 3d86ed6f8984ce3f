import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { all } from '../conformance/sample-bytes.ts';
import { newRoot } from './sample-store.ts';
import { walkFiles } from './walk-files.ts';

const run = promisify(execFile);

async function filesAt(root: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), name);
  }
}

const placesOf = async (walk: ReturnType<typeof walkFiles>): Promise<string[]> =>
  (await all(walk)).map((entry) => ('key' in entry ? entry.key : `${entry.foreign} ${entry.place}`));

test('folders with more names than are held at once are walked completely and in order', async (t) => {
  const root = await newRoot(t);
  const names = Array.from({ length: 23 }, (_, i) => (i % 3 === 0 ? `f/k${i}/x` : `f/k${i}`)).concat('a', 'z/z');
  await filesAt(root, names);

  for (const namesMax of [1, 2, 5, 22, 23, 24, 100]) {
    assert.deepEqual(await placesOf(walkFiles(root, { namesMax })), [...names].sort(), `${namesMax} at once`);
    assert.deepEqual(
      await placesOf(walkFiles(root, { namesMax, after: 'f/k12/x' })),
      [...names].sort().filter((name) => name > 'f/k12/x'),
    );
  }
});

test('what is no object is told and not followed, and what file systems and we keep there is not', async (t) => {
  const root = await newRoot(t);
  const outside = await newRoot(t);
  await filesAt(outside, ['secret']);
  const long = 'n'.repeat(255);
  await filesAt(root, ['objects/ab/x', 'objects/a b', 'objects/.hidden', '.tmp/part', 'lost+found/f', 'no key/x']);
  await filesAt(root, [`objects/${long}/${long}/${long}/${long}/${long}`, 'deep/lost+found/f']);
  await symlink(outside, path.join(root, 'objects/out'));
  await symlink(path.join(outside, 'secret'), path.join(root, 'objects/ab/secret'));
  await run('mkfifo', [path.join(root, 'objects/ab/pipe')]);

  const places = await placesOf(walkFiles(root));

  assert.deepEqual(places, [
    'name deep/lost+found/',
    'name no key/',
    'name objects/.hidden',
    'name objects/a b',
    'special objects/ab/pipe',
    'link objects/ab/secret',
    'objects/ab/x',
    `name objects/${long}/${long}/${long}/${long}/`,
    'link objects/out',
  ]);
});

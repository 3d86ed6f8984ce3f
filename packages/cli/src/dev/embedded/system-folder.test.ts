import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@rowlock/test-harness';
import { openSystemFolder } from './system-folder.ts';

test('a new folder is made readable for all and writable for nobody else, whatever the umask', async () => {
  const folder = join(temporaryFolder(), 'a', 'b');
  const umask = process.umask(0o077);

  const opened = await openSystemFolder(folder);

  process.umask(umask);
  assert.equal(opened, realpathSync(folder));
  assert.equal(statSync(folder).mode & 0o777, 0o755);
  assert.equal(statSync(join(folder, '..')).mode & 0o777, 0o755);
});

test('a folder that others can write is not used', async () => {
  const folder = join(temporaryFolder(), 'open');
  mkdirSync(folder);
  chmodSync(folder, 0o777);

  assert.equal(await openSystemFolder(folder), undefined);
});

test('a folder that others could replace is not used', async () => {
  const parent = temporaryFolder();
  chmodSync(parent, 0o777);
  const folder = join(parent, 'inner');
  mkdirSync(folder, { mode: 0o755 });

  assert.equal(await openSystemFolder(folder), undefined);

  chmodSync(parent, 0o1777);
  assert.equal(await openSystemFolder(folder), realpathSync(folder), 'a sticky parent protects it');
});

test('a link in place of the folder is not followed', async () => {
  const parent = temporaryFolder();
  mkdirSync(join(parent, 'real'));
  symlinkSync(join(parent, 'real'), join(parent, 'link'));

  assert.equal(await openSystemFolder(join(parent, 'link')), undefined);
});

test('a folder that cannot be made is not used', async () => {
  assert.equal(await openSystemFolder('/dev/null/rowlock'), undefined);
});

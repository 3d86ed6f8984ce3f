import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { temporaryFolder } from '@rowlock/test-harness';
import { processStart } from './embedded/process-start.ts';
import { FolderLockedError, lockFolder } from './folder-lock.ts';

const lockModule = new URL('./folder-lock.js', import.meta.url).href;

/** Takes the lock in another process; prints `held` or why not, and keeps it until its input ends. */
const otherProgram = `
const { lockFolder } = await import(process.argv[1]);
try {
  await lockFolder(process.argv[2], { url: 'http://127.0.0.1:4000' });
  console.log('held');
  process.stdin.resume();
} catch (error) {
  console.log(error.name);
}`;

function lockElsewhere(folder: string): ChildProcess {
  const args = ['--input-type=module', '-e', otherProgram, lockModule, folder];
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout);
  for await (const line of createInterface({ input: child.stdout })) return line;
  return '';
}

test('a folder that another process holds is refused, naming its process and address', async () => {
  const folder = temporaryFolder();
  const other = lockElsewhere(folder);
  assert.equal(await firstLine(other), 'held');

  const attempt = lockFolder(folder);

  await assert.rejects(attempt, (error: unknown) => {
    assert.ok(error instanceof FolderLockedError);
    assert.equal(error.pid, other.pid);
    assert.equal(error.url, 'http://127.0.0.1:4000');
    assert.match(error.message, new RegExp(`^Process ${other.pid} already uses .*http://127\\.0\\.0\\.1:4000`));
    return true;
  });
  other.stdin?.end();
  await once(other, 'exit');
});

test('the same process cannot take a folder twice', async () => {
  const folder = temporaryFolder();
  const lock = await lockFolder(folder);

  await assert.rejects(lockFolder(folder), { name: 'FolderLockedError', pid: process.pid });

  await lock.release();
});

test('a released folder can be taken again, and nothing is left in between', async () => {
  const folder = temporaryFolder();
  const first = await lockFolder(folder);
  await first.release();
  assert.deepEqual(readdirSync(folder), []);

  const second = await lockFolder(folder);

  await first.release();
  assert.ok(existsSync(second.path), 'releasing twice does not give up what another holds');
  await second.release();
});

test('the lock of a killed process is taken over', async () => {
  const folder = temporaryFolder();
  const other = lockElsewhere(folder);
  assert.equal(await firstLine(other), 'held');
  other.kill('SIGKILL');
  await once(other, 'exit');

  const lock = await lockFolder(folder);

  await lock.release();
});

test('a lock whose process id belongs to another process by now is taken over', async () => {
  const folder = temporaryFolder();
  const holder = { pid: process.pid, start: 'another start', nonce: 'x' };
  writeFileSync(join(folder, 'rowlock.lock'), JSON.stringify(holder));

  const lock = await lockFolder(folder);

  await lock.release();
});

test('a lock with the start of a running process is kept', async () => {
  const folder = temporaryFolder();
  const holder = { pid: process.pid, start: processStart(process.pid), nonce: 'x' };
  writeFileSync(join(folder, 'rowlock.lock'), JSON.stringify(holder));

  await assert.rejects(lockFolder(folder), FolderLockedError);
});

for (const damage of ['', '{"pid":', '[]', '{"pid":"1","start":"","nonce":""}']) {
  test(`a damaged lock file (${damage || 'empty'}) does not block`, async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'rowlock.lock'), damage);

    const lock = await lockFolder(folder);

    await lock.release();
  });
}

test('of many processes that find a stale lock, exactly one takes it', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'rowlock.lock'), JSON.stringify({ pid: 2 ** 22 + 1, start: 'gone', nonce: 'stale' }));
  const others = Array.from({ length: 8 }, () => lockElsewhere(folder));

  const outcomes = await Promise.all(others.map(firstLine));

  assert.deepEqual(outcomes.sort(), [...Array(7).fill('FolderLockedError'), 'held']);
  for (const other of others) other.stdin?.end();
});

test('what the holder says about itself can change', async () => {
  const folder = temporaryFolder();
  const lock = await lockFolder(folder);

  await lock.describe({ url: 'http://127.0.0.1:5000' });

  await assert.rejects(lockFolder(folder), { url: 'http://127.0.0.1:5000' });
  assert.equal(JSON.parse(readFileSync(lock.path, 'utf8')).pid, process.pid);
  await lock.release();
});

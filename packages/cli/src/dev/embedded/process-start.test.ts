import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { isSameProcess, processStart } from './process-start.ts';

test('a running process has one start, which another process does not share', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] });
  await once(child, 'spawn');

  const [first, second, other] = [process.pid, process.pid, child.pid ?? 0].map(processStart);

  assert.ok(first);
  assert.equal(first, second);
  assert.ok(isSameProcess(process.pid, first));
  if (process.platform === 'linux') assert.notEqual(first, other);
  child.stdin.end();
  await once(child, 'exit');
});

test('a process that has ended has no start', async () => {
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  const { pid } = child;
  assert.ok(pid);
  await once(child, 'exit');

  const start = processStart(pid);

  assert.equal(start, undefined);
  assert.equal(isSameProcess(pid, 'unknown'), false);
});

test('what is no process id has no start', () => {
  const starts = [0, -1, 1.5, Number.NaN].map(processStart);

  assert.deepEqual(starts, [undefined, undefined, undefined, undefined]);
});

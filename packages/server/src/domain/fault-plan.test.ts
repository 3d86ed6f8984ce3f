import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planFault } from './fault-plan.ts';

test('a plan strikes the n-th time that its point is passed, and no other point', async () => {
  const handler = planFault('file.sync@2=fail:EIO');

  assert.equal(handler('file.sync'), undefined);
  assert.equal(handler('file.open'), undefined);
  assert.throws(() => void handler('file.sync'), { code: 'EIO' });
  assert.equal(handler('file.sync'), undefined);
});

test('a plan without a count strikes every time, and one with a star at every point of its kind', () => {
  const handler = planFault('file.*=short');

  assert.equal(handler('file.write'), 'short');
  assert.equal(handler('file.open'), 'short');
  assert.equal(handler('upload.after_commit'), undefined);
});

test('a delay is waited for', async () => {
  const passed = planFault('disk.bytes=delay:1')('disk.bytes');

  assert.ok(passed instanceof Promise);
  await passed;
});

test('a plan for no point, without an action, or with one that does not exist is refused', () => {
  for (const text of [
    '',
    'file.sync',
    'nowhere=kill',
    'file.sync=explode',
    'file.sync=fail:what',
    'file.sync@x=kill',
  ]) {
    assert.throws(() => planFault(text), RangeError, text);
  }
});

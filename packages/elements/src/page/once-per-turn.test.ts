import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oncePerTurn } from './once-per-turn.ts';

test('what is asked for many times in a turn is done once, after it, and again in the next', async () => {
  const done: string[] = [];
  const ask = oncePerTurn(() => done.push('act'));

  ask();
  ask();
  done.push('turn');
  await Promise.resolve();
  ask();
  await Promise.resolve();

  assert.deepEqual(done, ['turn', 'act', 'act']);
});

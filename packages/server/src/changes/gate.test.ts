import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from './gate.ts';

test('as many tasks run at once as the gate is wide, in order, and a failure makes room like any end', async () => {
  const gate = new Gate(2);
  const started: number[] = [];
  let most = 0;
  let running = 0;
  const task = (number: number) => async (): Promise<number> => {
    started.push(number);
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (number === 1) throw new Error('one');
    return number;
  };

  const ended = await Promise.allSettled([0, 1, 2, 3, 4].map((number) => gate.run(task(number))));

  assert.deepEqual(started, [0, 1, 2, 3, 4]);
  assert.equal(most, 2);
  assert.deepEqual(
    ended.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RenderLine } from './render-line.ts';

const never = new AbortController().signal;

test('so many have a turn at once, the next waits, and who comes beyond the line is refused', async () => {
  const line = new RenderLine({ atOnce: 1, waitingMax: 1 });
  const end = await line.turn(never);
  const order: string[] = [];
  const waits = line.turn(never).then((endNext) => {
    order.push('next');
    return endNext;
  });

  await assert.rejects(line.turn(never), { reason: 'unavailable', retryAfterSeconds: 2 });
  await turn();
  assert.deepEqual(order, []);
  end();
  end(); // a turn ends once

  const endNext = await waits;
  const third = line.turn(never);
  await assert.rejects(line.turn(never), { reason: 'unavailable' });
  endNext();
  (await third)();
  (await line.turn(never))();
});

test('who has a share of the line waits in that share only', async () => {
  const line = new RenderLine({ atOnce: 1, waitingMax: 2 });
  const end = await line.turn(never, 0.5);
  const first = line.turn(never, 0.5);

  await assert.rejects(line.turn(never, 0.5), { reason: 'unavailable' });
  const second = line.turn(never);
  await assert.rejects(line.turn(never), { reason: 'unavailable' });

  end();
  (await first)();
  (await second)();
});

test('who leaves the line makes room in it', async () => {
  const line = new RenderLine({ atOnce: 1, waitingMax: 1 });
  const end = await line.turn(never);
  const leaving = new AbortController();
  const left = assert.rejects(line.turn(leaving.signal), { message: 'gone' });

  leaving.abort(new Error('gone'));
  await left;
  const next = line.turn(never);
  end();

  (await next)();
  await assert.rejects(line.turn(leaving.signal), { message: 'gone' }, 'who is gone is given no turn');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gather } from './gather.ts';

test('what is asked for in one turn is asked for together, and everybody gets their own answer', async () => {
  const asked: (readonly number[])[] = [];
  const double = gather(async (items: readonly number[]) => {
    asked.push(items);
    return items.map((item) => item * 2);
  });

  const answers = await Promise.all([1, 2, 3].map(double));

  assert.deepEqual(answers, [2, 4, 6]);
  assert.deepEqual(asked, [[1, 2, 3]]);
});

test('what is asked for while a call is under way waits for the next, and no two are under way', async () => {
  const asked: (readonly number[])[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let underWay = 0;
  const echo = gather(async (items: readonly number[]) => {
    underWay += 1;
    assert.equal(underWay, 1);
    asked.push(items);
    if (asked.length === 1) await released;
    underWay -= 1;
    return items;
  });

  const first = echo(1);
  await new Promise((resolve) => setImmediate(resolve));
  const others = [echo(2), echo(3)];
  release();

  assert.deepEqual(await Promise.all([first, ...others]), [1, 2, 3]);
  assert.deepEqual(asked, [[1], [2, 3]]);
});

test('a call that fails fails for whom it was made, and the next is made all the same', async () => {
  let calls = 0;
  const flaky = gather(async (items: readonly number[]) => {
    calls += 1;
    if (calls === 1) throw new RangeError('broken');
    return items;
  });

  const [one, two] = await Promise.allSettled([flaky(1), flaky(2)]);
  const later = await flaky(3);

  assert.equal(one.status === 'rejected' && one.reason instanceof RangeError, true);
  assert.equal(two.status, 'rejected');
  assert.equal(later, 3);
});

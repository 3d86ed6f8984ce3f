/** How much of what waits may happen at once, and in which order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lane } from './lane';

/** Work that ends when it is told to. */
function heldWork(): {
  readonly started: string[];
  start(name: string): () => Promise<string>;
  end(name: string): void;
} {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    start: (name) => () => {
      started.push(name);
      return new Promise((resolve) => ends.set(name, () => resolve(name)));
    },
    end: (name) => ends.get(name)?.(),
  };
}

test('work beyond what may run at once waits for a place, in its order', async () => {
  const lane = new Lane(2);
  const work = heldWork();

  const [first, , third] = ['a', 'b', 'c', 'd'].map((name) => lane.run(work.start(name)));
  const atFirst = [...work.started];
  work.end('a');
  await first;
  const afterOne = [...work.started];
  work.end('c');
  await third;

  assert.deepEqual(atFirst, ['a', 'b']);
  assert.deepEqual(afterOne, ['a', 'b', 'c']);
  assert.deepEqual(work.started, ['a', 'b', 'c', 'd']);
});

test('work that fails frees its place', async () => {
  const lane = new Lane(1);

  const failing = lane.run(() => Promise.reject(new Error('broken')));
  const next = lane.run(() => Promise.resolve('done'));

  await assert.rejects(failing, /broken/);
  assert.equal(await next, 'done');
  assert.equal(await lane.run(() => Promise.resolve('free')), 'free');
});

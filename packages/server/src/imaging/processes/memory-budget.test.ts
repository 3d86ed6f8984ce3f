import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Grant, MemoryBudget } from './memory-budget.ts';

/** What has been granted so far, in order. */
function asking(budget: MemoryBudget): {
  readonly granted: string[];
  readonly grants: Map<string, Grant>;
  ask(name: string, bytes: number, signal?: AbortSignal): Promise<void>;
} {
  const granted: string[] = [];
  const grants = new Map<string, Grant>();
  const ask = async (name: string, bytes: number, signal?: AbortSignal): Promise<void> => {
    grants.set(name, await budget.acquire(bytes, signal));
    granted.push(name);
  };
  return { granted, grants, ask };
}

test('jobs that fit run together, the others wait in line, and one that never fits runs alone', async () => {
  const { granted, grants, ask } = asking(new MemoryBudget(100));

  const asked = [ask('a', 60), ask('b', 40), ask('c', 500), ask('d', 1)];
  await turn();
  assert.deepEqual(granted, ['a', 'b']);
  grants.get('a')?.release();
  await turn();
  assert.deepEqual(granted, ['a', 'b'], 'nobody overtakes what does not fit yet');
  grants.get('b')?.release();
  grants.get('b')?.release();
  await turn();
  assert.deepEqual(granted, ['a', 'b', 'c']);
  grants.get('c')?.release();
  await Promise.all(asked);

  assert.deepEqual(granted, ['a', 'b', 'c', 'd']);
});

test('jobs that need more than they had never wait for each other without end', async () => {
  const { granted, grants, ask } = asking(new MemoryBudget(100));
  const { signal } = new AbortController();
  const grown: string[] = [];
  const grow = async (name: string, bytes: number): Promise<void> => {
    await grants.get(name)?.grow(bytes, signal);
    grown.push(name);
  };
  await Promise.all([ask('a', 50), ask('b', 50)]);

  const entering = ask('c', 10);
  const growing = [grow('a', 90), grow('b', 90)];
  await turn();
  assert.deepEqual(grown, ['a'], 'when all wait, the first goes on');
  grants.get('a')?.release();
  await Promise.all(growing);
  assert.deepEqual(granted, ['a', 'b', 'c'], 'what is left goes to who enters');
  await entering;

  assert.deepEqual(grown, ['a', 'b']);
});

test('whoever gives up while waiting leaves the line', async () => {
  const { granted, grants, ask } = asking(new MemoryBudget(100));
  const patience = new AbortController();
  await ask('a', 100);

  const left = assert.rejects(ask('b', 100, patience.signal), { message: 'enough' });
  const next = ask('c', 100);
  patience.abort(new Error('enough'));
  await left;
  grants.get('a')?.release();
  await next;

  assert.deepEqual(granted, ['a', 'c']);
});

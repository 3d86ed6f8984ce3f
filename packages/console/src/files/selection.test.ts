import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@rowlock/client';
import { Selection } from './selection.ts';

const file = (name: string): Entry => ({ name, id: `id-${name}`, created_at: null, updated_at: null, metadata: null });
const folder = (name: string): Entry => ({ ...file(name), id: null });

async function* listed(...entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}

test('a file and a folder of the same name are chosen apart', () => {
  const selection = new Selection();

  selection.toggle(folder('a'), 0);

  assert.deepEqual([selection.has(folder('a')), selection.has(file('a'))], [true, false]);
});

test('all but some are chosen without reading anything, and read when they are wanted', async () => {
  const selection = new Selection();

  selection.all();
  selection.toggle(file('b'), 1);
  const count = selection.count(100_000);
  const names = await selection.entries(() => listed(file('a'), file('b'), file('c')));

  assert.equal(count, 99_999);
  assert.deepEqual(
    names.map(({ name }) => name),
    ['a', 'c'],
  );
});

test('a range takes the place of what was chosen, and begins where the last single row was', () => {
  const selection = new Selection();

  selection.toggle(file('z'), 25);
  selection.extend([file('b'), file('c')]);

  assert.equal(selection.anchor, 25);
  assert.deepEqual([selection.count(26), selection.has(file('z')), selection.has(file('c'))], [2, false, true]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResumableSteps } from './resumable-steps.ts';

/** Runs steps by name; one that is called as `fails` ends the attempt, after it has set a cursor where one is given. */
function attempt(
  metadata: Readonly<Record<string, unknown>>,
  names: readonly string[],
  over: { readonly fails?: string; readonly cursor?: unknown } = {},
): { ran: string[]; cursors: unknown[]; metadata: Record<string, unknown>; error: unknown } {
  const steps = new ResumableSteps(metadata);
  const [ran, cursors]: [string[], unknown[]] = [[], []];
  let error: unknown;
  try {
    for (const name of names) {
      const run = steps.begin(name);
      if (run === undefined) continue;
      ran.push(name);
      cursors.push(run.cursor);
      if ('cursor' in over && name === over.fails) steps.setCursor(name, over.cursor);
      if (name === over.fails) steps.fail(new Error(`${name} failed`));
      else steps.end(name);
    }
    steps.assertDone();
  } catch (thrown) {
    error = thrown;
  }
  const updates = [...steps.updates(error === undefined)].map(([key, text]) => [key, JSON.parse(text)]);
  return { ran, cursors, metadata: { ...metadata, ...Object.fromEntries(updates) }, error };
}

const all = ['a', 'b', 'c'];

test('an attempt that fails in a step is resumed at that step, and all is forgotten when it succeeds', () => {
  const first = attempt({ mine: 1 }, all, { fails: 'b' });
  const second = attempt(first.metadata, all);

  assert.deepEqual(first.ran, ['a', 'b']);
  assert.match(String(first.error), /b failed/);
  assert.deepEqual(first.metadata, { mine: 1, 'river:resumable_step': 'a' });
  assert.deepEqual(second.ran, ['b', 'c']);
  assert.equal(second.error, undefined);
  assert.deepEqual(second.metadata, { mine: 1, 'river:resumable_step': null, 'river:resumable_cursor': null });
  assert.deepEqual(attempt(second.metadata, all).ran, all);
});

test('an attempt that succeeds at once leaves nothing in the metadata', () => {
  const { ran, metadata } = attempt({}, all);

  assert.deepEqual(ran, all);
  assert.deepEqual(metadata, {});
});

test('a step that fails is given back the cursor that it set, and the cursor goes when the step is completed', () => {
  const first = attempt({}, all, { fails: 'b', cursor: { row: 7 } });
  const second = attempt(first.metadata, all, { fails: 'c' });
  const third = attempt(second.metadata, all);

  assert.deepEqual(first.metadata, { 'river:resumable_step': 'a', 'river:resumable_cursor': { b: { row: 7 } } });
  assert.deepEqual(second.ran, ['b', 'c']);
  assert.deepEqual(second.cursors, [{ row: 7 }, undefined]);
  assert.deepEqual(second.metadata, { 'river:resumable_step': 'b', 'river:resumable_cursor': null });
  assert.deepEqual(third.ran, ['c']);
});

test('the first step of all resumes at its cursor', () => {
  const first = attempt({}, all, { fails: 'a', cursor: 3 });
  const second = attempt(first.metadata, all);

  assert.deepEqual(first.metadata, { 'river:resumable_cursor': { a: 3 } });
  assert.deepEqual(second.cursors, [3, undefined, undefined]);
});

test('a stored step that has a cursor of its own is run again from there, as Go does with a checkpoint', () => {
  const metadata = { 'river:resumable_step': 'b', 'river:resumable_cursor': { b: 'half' } };

  const { ran, cursors } = attempt(metadata, all);

  assert.deepEqual(ran, ['b', 'c']);
  assert.deepEqual(cursors, ['half', undefined]);
});

test('a stored step or cursor that is never reached fails the attempt, and what is stored stays', () => {
  const step = attempt({ 'river:resumable_step': 'gone' }, all);
  const cursor = attempt({ 'river:resumable_cursor': { gone: 1 } }, all);

  assert.deepEqual(step.ran, []);
  assert.match(String(step.error), /The step gone, at which to resume, does not exist/);
  assert.deepEqual(step.metadata, { 'river:resumable_step': 'gone' });
  assert.deepEqual(cursor.ran, all);
  assert.match(String(cursor.error), /The step gone/);
  assert.deepEqual(cursor.metadata, { 'river:resumable_cursor': { gone: 1 } });
});

test('steps with one name, within each other, or after one that failed are refused', () => {
  const nested = new ResumableSteps({});
  nested.begin('outer');
  const failed = new ResumableSteps({});
  failed.begin('a');
  failed.fail(new Error('the reason'));

  assert.match(String(attempt({}, ['a', 'a']).error), /two steps called a/);
  assert.throws(() => nested.begin('inner'), /inner begins before outer has ended/);
  assert.throws(() => nested.assertDone(), /inner begins before outer/);
  assert.throws(() => failed.begin('b'), /the reason/);
  assert.throws(() => failed.assertDone(), /the reason/);
  assert.throws(() => failed.setCursor('a', 1), /not under way/);
});

test('a checkpoint says that its step is done, or how far it has come, and is not written twice', () => {
  const steps = new ResumableSteps({});
  steps.begin('a');
  const half = JSON.parse(steps.checkpoint('a', { value: 5 }));
  steps.checkpointed('a', { value: 5 });
  const whole = JSON.parse(steps.checkpoint('a'));
  steps.checkpointed('a');

  const afterwards = [...steps.updates(false)];

  assert.deepEqual(half, { 'river:resumable_step': 'a', 'river:resumable_cursor': { a: 5 } });
  assert.deepEqual(whole, { 'river:resumable_step': 'a', 'river:resumable_cursor': null });
  assert.deepEqual(afterwards, []);
  assert.deepEqual([...steps.updates(true).keys()], ['river:resumable_step', 'river:resumable_cursor']);
});

test('metadata that no River has written are taken as none', () => {
  for (const [step, cursor] of [
    [7, 'text'],
    [null, null],
    [{}, []],
  ]) {
    const { ran, error } = attempt({ 'river:resumable_step': step, 'river:resumable_cursor': cursor }, all);

    assert.deepEqual(ran, all);
    assert.equal(error, undefined);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobContext } from './job-kind.ts';
import { jobKindNames } from './job-kinds.ts';
import { type OwnKind, withOwnKinds } from './own-kinds.ts';

const kind = (name: string): OwnKind => ({ kind: name, perform: () => undefined });

test('a registered kind stands beside ours, and takes the place of those two that look at files only', () => {
  const names = withOwnKinds([kind('damage_estimate'), kind('file_scan'), kind('file_classify')]).map(
    (each) => each.kind,
  );

  assert.deepEqual([...names].sort(), [...jobKindNames, 'damage_estimate'].sort());
  for (const taken of jobKindNames.filter((name) => name !== 'file_scan' && name !== 'file_classify')) {
    assert.throws(() => withOwnKinds([kind(taken)]), /already/, taken);
  }
});

test('what is no kind is refused before anything starts', () => {
  for (const name of ['', 'word', 'Word_Count', 'word count', 'word_count; DROP', '_a_b', `${'a'.repeat(60)}_bcd`]) {
    assert.throws(() => withOwnKinds([kind(name)]), TypeError, name);
  }
  assert.throws(() => withOwnKinds([kind('a_b'), kind('a_b')]), /already/);
  assert.throws(() => withOwnKinds([{ kind: 'a_b' } as unknown as OwnKind]), /no perform/);
});

test('a job without a version gets its arguments, and keeps nothing', async () => {
  const seen: unknown[] = [];
  const own: OwnKind = { kind: 'tidy_up', perform: ({ args, file, attempt }) => void seen.push([args, file, attempt]) };
  const [found] = withOwnKinds([own]).filter((each) => each.kind === 'tidy_up');

  // It asks the database for nothing.
  await found?.perform({} as JobContext, {
    args: { what: 'all' },
    attempt: 2,
    max_attempts: 25,
    signal: new AbortController().signal,
  });

  assert.deepEqual(seen, [[{ what: 'all' }, undefined, 2]]);
});

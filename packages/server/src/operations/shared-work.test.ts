import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SharedWork, SharedWorks } from './shared-work.ts';

const never = new AbortController().signal;

/** Work that ends when it is told to. */
function held(): { work: (shared: SharedWork) => Promise<string>; end: (text: string) => void; seen: SharedWork[] } {
  let end = (_text: string): void => undefined;
  const promise = new Promise<string>((resolve) => {
    end = resolve;
  });
  const seen: SharedWork[] = [];
  return {
    work: (shared) => {
      seen.push(shared);
      return promise;
    },
    end: (text) => end(text),
    seen,
  };
}

test('work of one name is done once for all who ask while it is done, and anew after it', async () => {
  const works = new SharedWorks<string>();
  const { work, end, seen } = held();

  const all = Promise.all(['a', 'a', 'a'].map((name) => works.join(name, work, never)));
  end('done');

  assert.deepEqual(await all, ['done', 'done', 'done']);
  assert.equal(seen.length, 1);
  await works.join('a', work, never);
  assert.equal(seen.length, 2);
  assert.equal(works.size, 0);
});

test('who leaves ends nothing for those who stay, and what nobody waits for any more is abandoned', async () => {
  const works = new SharedWorks<string>();
  const { work, end, seen } = held();
  const [first, second] = [new AbortController(), new AbortController()];
  const left = assert.rejects(works.join('a', work, first.signal), { message: 'gone' });
  const stays = works.join('a', work, second.signal);

  first.abort(new Error('gone'));
  await left;
  assert.equal(seen[0]?.abandoned.aborted, false);
  second.abort(new Error('too'));

  await assert.rejects(stays, { message: 'too' });
  assert.equal(seen[0]?.abandoned.aborted, true);
  const anew = works.join('a', work, never);
  end('done');
  assert.equal(await anew, 'done');
  assert.equal(seen.length, 2, 'who comes later joins nothing that was abandoned');
});

test('what has begun goes to its end, whoever leaves, and who comes later joins it', async () => {
  const works = new SharedWorks<string>();
  const { work, end, seen } = held();
  const leaving = new AbortController();
  const left = assert.rejects(
    works.join(
      'a',
      (shared) => {
        shared.begun();
        return work(shared);
      },
      leaving.signal,
    ),
  );
  while (seen.length === 0) await Promise.resolve();

  leaving.abort(new Error('gone'));
  await left;
  const later = works.join('a', work, never);
  end('done');

  assert.equal(await later, 'done');
  assert.equal(seen.length, 1);
  assert.equal(seen[0]?.abandoned.aborted, false);
});

test('a failure is told to all who wait, and to nobody who comes later', async () => {
  const works = new SharedWorks<string>();
  const failing = (): Promise<string> => Promise.reject(new Error('broken'));

  await Promise.all([1, 2].map(() => assert.rejects(works.join('a', failing, never), { message: 'broken' })));

  assert.equal(await works.join('a', async () => 'well', never), 'well');
  await works.settled();
});

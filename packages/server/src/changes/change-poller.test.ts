import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { RowlockError } from '@rowlock/client/contract';
import type { ChangePoll } from '../metadata/changes.ts';
import { ChangePoller } from './change-poller.ts';

const open: ChangePoller[] = [];
afterEach(() => {
  for (const poller of open.splice(0)) poller.close();
});

/** A poller of a database that is a list of answers: what each poll finds, an error, or nothing new. */
function pollerOf(answers: (Partial<ChangePoll> | Error)[], notified: string[] = []) {
  const asked: (string | undefined)[] = [];
  const poller = new ChangePoller({
    poll: async (since) => {
      asked.push(since);
      const answer = answers.shift() ?? {};
      if (answer instanceof Error) throw answer;
      const nothing = { head: `head ${asked.length}`, newest: null, buckets: null, more: false };
      return { ...nothing, lag_seconds: 0, has_listeners: false, ...answer };
    },
    notify: async (newest) => {
      notified.push(newest);
    },
    poll_ms: 5,
    idle_poll_ms: 0,
    polled: () => undefined,
  });
  open.push(poller);
  return { poller, asked };
}

const never = new AbortController().signal;
const longMs = 10_000;

describe('a poller', () => {
  test('asks nothing while nobody waits', () => {
    const { poller, asked } = pollerOf([]);

    poller.hint();

    assert.deepEqual(asked, []);
  });

  test('says at its first answer that there may be news: something may have come before it', async () => {
    const { poller } = pollerOf([]);

    assert.equal(await poller.changed(poller.version, 'a', longMs, never), true);
  });

  test('wakes who waits for a bucket that changed, or for any, and leaves the others asleep', async () => {
    const { poller } = pollerOf([{}, { buckets: ['a'], newest: 'x' }]);
    await poller.changed(poller.version, undefined, longMs, never);
    const { version } = poller;
    const give = new AbortController();

    const a = poller.changed(version, 'a', longMs, never);
    const any = poller.changed(version, undefined, longMs, never);
    const b = poller.changed(version, 'b', longMs, give.signal);

    assert.deepEqual(await Promise.all([a, any]), [true, true]);
    give.abort();
    assert.equal(await b, false);
  });

  test('answers at once who had not seen the last news when they came', async () => {
    const { poller } = pollerOf([{}, { buckets: ['a'], newest: 'x' }]);
    await poller.changed(poller.version, undefined, longMs, never);
    const before = poller.version;
    await poller.changed(before, 'a', longMs, never);

    assert.equal(await poller.changed(before, 'a', longMs, never), true);
    assert.equal(await poller.changed(before, undefined, longMs, never), true);
    assert.equal(await poller.changed(before, 'b', 1, never), false);
  });

  test('goes on after a failure, and begins anew where its own cursor has expired', async () => {
    const expired = new RowlockError('cursor_expired', 'expired');
    const { poller, asked } = pollerOf([{}, expired]);
    await poller.changed(poller.version, undefined, longMs, never);

    const woken = await poller.changed(poller.version, 'a', longMs, never);

    assert.equal(woken, true);
    assert.deepEqual(asked.slice(0, 3), [undefined, 'head 1', undefined]);
  });

  test('tells SQL listeners what it found, where there are any', async () => {
    const notified: string[] = [];
    const { poller } = pollerOf(
      [{}, { buckets: ['a'], newest: 'x', has_listeners: true }, { buckets: ['a'], newest: 'y', has_listeners: false }],
      notified,
    );
    for (let turn = 0; turn < 3; turn += 1) await poller.changed(poller.version, undefined, longMs, never);

    assert.deepEqual(notified, ['x']);
  });

  test('lets everybody go when it is closed, and takes nobody any more', async () => {
    const { poller } = pollerOf([{}]);
    await poller.changed(poller.version, undefined, longMs, never);

    const waiting = poller.changed(poller.version, 'a', longMs, never);
    poller.close();

    assert.equal(await waiting, false);
    assert.equal(await poller.changed(-1, undefined, longMs, never), false);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowlockError } from '../contract/errors.ts';
import { retried, waitBefore } from './retried.ts';
import { UploadControl } from './upload-control.ts';

const unavailable = (retryAfterSeconds?: number): RowlockError =>
  new RowlockError('unavailable', 'x', retryAfterSeconds === undefined ? {} : { retryAfterSeconds });

test('what another try may mend is tried again, so often and no more', async () => {
  const control = new UploadControl(undefined);
  let tries = 0;
  const attempt = async (): Promise<number> => {
    tries += 1;
    if (tries < 3) throw unavailable();
    return tries;
  };

  assert.equal(await retried(attempt, { control }), 3);
  tries = 0;
  await assert.rejects(retried(attempt, { control, attemptsMax: 2 }), { reason: 'unavailable' });
});

test('what is final is thrown at once, and so is a wish for more patience than there is', async () => {
  const control = new UploadControl(undefined);
  for (const error of [new RowlockError('not_allowed', 'x'), new RowlockError('too_large', 'x'), unavailable(3600)]) {
    let tries = 0;

    await assert.rejects(
      retried(
        async () => {
          tries += 1;
          throw error;
        },
        { control },
      ),
      error,
    );

    assert.equal(tries, 1);
  }
});

test('waits grow, are not all the same, and are as long as was asked', () => {
  const waits = Array.from({ length: 50 }, () => waitBefore(3, unavailable()));

  assert.ok(waits.every((waitMs) => waitMs >= 600 && waitMs <= 1200));
  assert.ok(new Set(waits).size > 1);
  assert.ok(waitBefore(20, unavailable()) <= 10_000);
  assert.equal(waitBefore(1, unavailable(7)), 7000);
});

test('a pause ends an attempt and makes it again, a cancel ends it for good, and both end waits', async () => {
  const control = new UploadControl(undefined);
  let tries = 0;
  const attempt = (signal: AbortSignal): Promise<never> => {
    tries += 1;
    if (tries === 1) control.pause();
    else control.cancel();
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };

  const outcome = assert.rejects(retried(attempt, { control }), { reason: 'client_closed' });
  await Promise.resolve();
  control.resume();
  await outcome;

  assert.equal(tries, 2);
  await assert.rejects(control.rest(60_000), { reason: 'client_closed' });
});

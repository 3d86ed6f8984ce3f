import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ByteClock, BytePace } from './byte-pace.ts';

/** A clock that stands still until somebody waits. */
function standingClock(): ByteClock & { ms: number } {
  return {
    ms: 0,
    now() {
      return this.ms;
    },
    async wait(ms) {
      this.ms = Math.max(this.ms, this.ms + ms);
    },
  };
}

const { signal } = new AbortController();

test('a rate lets a second of bytes take a second', async () => {
  const clock = standingClock();
  const pace = new BytePace(1000, clock);

  for (let i = 1; i <= 10; i += 1) await pace.take(100, signal);

  assert.equal(Math.round(clock.ms), 1000);
});

test('what was not used while nobody read is not given later', async () => {
  const clock = standingClock();
  const pace = new BytePace(1000, clock);
  await pace.take(100, signal);
  clock.ms += 60_000;
  const begun = clock.ms;

  await pace.take(500, signal);
  await pace.take(500, signal);

  assert.equal(Math.round(clock.ms - begun), 1000);
});

test('without a rate nobody waits', async () => {
  const clock = standingClock();

  await new BytePace(Number.POSITIVE_INFINITY, clock).take(2 ** 40, signal);

  assert.equal(clock.ms, 0);
});

test('whoever waits is let go by the signal', async () => {
  const controller = new AbortController();
  const waiting = new BytePace(1).take(1_000_000, controller.signal);

  controller.abort(new Error('enough'));

  await assert.rejects(waiting, (error: Error) => /enough|aborted/.test(`${error.message} ${String(error.cause)}`));
});

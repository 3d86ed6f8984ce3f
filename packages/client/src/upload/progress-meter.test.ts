import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressMeter } from './progress-meter.ts';
import type { UploadProgress } from './upload-options.ts';

function meterOf(total: number) {
  const told: UploadProgress[] = [];
  const clock = { ms: 0, isPaused: false };
  const meter = new ProgressMeter(total, {
    tell: (progress) => told.push(progress),
    now: () => clock.ms,
    isPaused: () => clock.isPaused,
  });
  return { meter, told, clock };
}

test('bytes never go back, though what broke off is sent again, and never pass the whole', () => {
  const { meter, told } = meterOf(100);
  meter.enter('sending');

  meter.sent('a', 60);
  meter.sent('a', 0);
  meter.sent('a', 40);
  meter.sent('a', 90);
  meter.sent('b', 90);

  assert.deepEqual(
    told.map(({ bytesSent }) => bytesSent),
    [0, 60, 90, 100],
  );
});

test('rate and time left are of the last seconds, and nothing is said before there is something to say', () => {
  const { meter, clock } = meterOf(10_000);
  meter.sent('a', 100);
  const early = meter.progress;

  clock.ms = 1000;
  meter.sent('a', 1100);

  assert.deepEqual([early.bytesPerSecond, early.secondsLeft], [undefined, undefined]);
  assert.deepEqual([meter.progress.bytesPerSecond, meter.progress.secondsLeft], [1000, 8.9]);
});

test('neither a pause nor what had arrived before counts for the rate', () => {
  const { meter, clock } = meterOf(10_000);
  meter.resumed(5000);
  clock.ms = 1000;
  meter.sent('a', 1000);
  const afterResuming = meter.progress;

  clock.isPaused = true;
  meter.interrupted();
  clock.ms = 60_000;
  clock.isPaused = false;
  meter.sent('a', 2000);

  assert.deepEqual([afterResuming.bytesResumed, afterResuming.bytesSent], [5000, 6000]);
  assert.deepEqual([afterResuming.bytesPerSecond, meter.progress.bytesPerSecond], [undefined, undefined]);
});

test('what is paused says so, whatever it was doing', () => {
  const { meter, clock } = meterOf(1);
  meter.enter('sending');

  clock.isPaused = true;

  assert.equal(meter.progress.phase, 'paused');
});

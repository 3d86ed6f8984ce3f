import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attention } from './attention.ts';

test('jobs now and then leave a worker asleep between them', () => {
  const attention = new Attention();

  for (let now = 0; now < 5000; now += 20) attention.found(now, false);

  assert.equal(attention.isHot, false);
});

test('jobs all the time make a worker look for itself, and none for a while let it sleep again', () => {
  const attention = new Attention();

  for (let now = 0; now <= 250; now += 5) attention.found(now, false);
  const isHot = attention.isHot;
  attention.missed(400);
  const isStillHot = attention.isHot;
  attention.missed(500);

  assert.deepEqual([isHot, isStillHot, attention.isHot], [true, true, false]);
});

test('a backlog is one streak, however long its jobs take', () => {
  const attention = new Attention();

  for (let now = 0; now <= 300; now += 100) attention.found(now, true);

  assert.equal(attention.isHot, true);
});

test('having no free slot makes a worker look for itself once it has one', () => {
  const attention = new Attention();

  attention.saturated(1000);

  assert.equal(attention.isHot, true);
});

test('looks in vain get rarer, up to a limit', () => {
  const attention = new Attention();
  attention.saturated(0);
  const delays: number[] = [];

  for (let now = 0; now < 240; now += 30) {
    attention.missed(now);
    delays.push(attention.lookDelayMs);
  }

  assert.deepEqual(delays, [5, 10, 20, 40, 50, 50, 50, 50]);
});

test('notifications that lead to nothing, one after the other, are held back more and more', () => {
  const attention = new Attention();
  const waits: number[] = [];

  for (let now = 0; now < 10; now += 1) {
    attention.missed(now);
    waits.push(attention.cooldownMs(now));
  }

  assert.deepEqual(waits, [0, 0, 1, 2, 4, 8, 16, 32, 50, 50]);
  attention.found(10, false);
  assert.equal(attention.cooldownMs(10), 0);
});

test('polls in vain, far apart, hold back no notification', () => {
  const attention = new Attention();

  for (let now = 0; now < 100_000; now += 1000) attention.missed(now);

  assert.equal(attention.cooldownMs(99_001), 0);
});

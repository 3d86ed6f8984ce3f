import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientIdLengthMax, makeClientId } from './client-id.ts';

test('a client id is the host without points, and the time in UTC with microseconds', () => {
  const id = makeClientId('host.example.com', Date.UTC(2026, 0, 2, 3, 4, 5, 67), () => 0.0089);

  assert.equal(id, 'host_example_com_2026_01_02T03_04_05_067008');
});

test('a long name of a host is cut', () => {
  assert.ok(makeClientId('h'.repeat(300), 0, () => 0.999).length <= clientIdLengthMax);
});

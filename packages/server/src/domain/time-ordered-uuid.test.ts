import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOrderedUuid } from './time-ordered-uuid.ts';

test('a UUIDv7 begins with its time and has the version and variant of RFC 9562', () => {
  const uuid = timeOrderedUuid(0x017f22e279b0, (size) => Buffer.alloc(size, 0xff));

  assert.equal(uuid, '017f22e2-79b0-7fff-bfff-ffffffffffff');
});

test('later UUIDs sort after earlier ones', () => {
  assert.ok(timeOrderedUuid(1000) < timeOrderedUuid(2000));
});

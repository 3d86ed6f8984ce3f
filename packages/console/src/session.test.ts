import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionOf } from './session.ts';

function keyWith(claims: object): string {
  return ['{}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.');
}

test('a key says who it is for, in any script, and until when', () => {
  const key = keyWith({ sub: 'ann-é-写', role: 'authenticated', exp: 1_800_000_000 });

  const session = sessionOf(` ${key}\n`);

  assert.deepEqual(session, {
    key,
    who: 'ann-é-写',
    role: 'authenticated',
    expires_at: new Date(1_800_000_000_000),
  });
});

test('a key without a subject is called by its role', () => {
  const session = sessionOf(keyWith({ role: 'service_role' }));

  assert.equal(session?.who, 'service_role');
  assert.equal(session?.expires_at, undefined);
});

test('what is no key is none', () => {
  for (const text of ['', 'a.b', 'a.b.c.d', '<b>.e30.x', 'e30.bm8.e30', 'e30.!!!.e30', keyWith({}).slice(0, 4)]) {
    assert.equal(sessionOf(text), undefined, text);
  }
});

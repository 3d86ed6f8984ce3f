import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noSessionCookie, readSessionCookie, sessionCookie } from './session-cookie.ts';

const id = 'x'.repeat(43);
const read = (cookie: string): string | undefined => readSessionCookie({ headers: { cookie } });

test('a cookie is for this host alone, for no script, and for no request that another site began', () => {
  const parts = sessionCookie('x', 60).split('; ');

  assert.deepEqual(parts, ['__Host-rowlock=x', 'Max-Age=60', 'Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict']);
  assert.match(noSessionCookie, /^__Host-rowlock=; Max-Age=0; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
});

test('it is found among others by its exact name', () => {
  assert.equal(read(`a=b; __Host-rowlock=${id}; c=d`), id);
  assert.equal(readSessionCookie({ headers: {} }), undefined);
  for (const name of [
    'rowlock',
    '__host-rowlock',
    '__Host-rowlock2',
    'x__Host-rowlock',
    '__Host-rowlock ',
    '__Secure-rowlock',
  ]) {
    assert.equal(read(`${name}=${id}`), undefined, name);
  }
});

test('of two nobody can tell which is ours, so there is none', () => {
  assert.equal(read(`__Host-rowlock=${id}; __Host-rowlock=${'y'.repeat(43)}`), undefined);
  assert.equal(read(`__Host-rowlock=${id}; __Host-rowlock=${id}`), undefined);
  assert.equal(read(`__Host-rowlock=${id}; __Host-rowlock=`), undefined);
});

test('what could be no id is none, however long', () => {
  for (const value of [
    '',
    'x'.repeat(42),
    'x'.repeat(44),
    'x'.repeat(30_000),
    `"${id}"`,
    `${'x'.repeat(42)}%`,
    `${id}=`,
  ]) {
    assert.equal(read(`__Host-rowlock=${value}`), undefined, value.slice(0, 60));
  }
});

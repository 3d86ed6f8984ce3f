import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePasswd } from './server-user.ts';

test('users are read from passwd lines, and lines of another form are passed over', () => {
  const text = [
    'root:x:0:0:root:/root:/bin/bash',
    '# a comment: with: colons',
    'postgres:*:101:104::/var/lib/postgresql:/bin/sh',
    '+::::::',
    '',
  ].join('\n');

  const users = parsePasswd(text);

  assert.deepEqual(users, [
    { name: 'root', uid: 0, gid: 0 },
    { name: 'postgres', uid: 101, gid: 104 },
  ]);
});

test('a user id beyond 31 bits becomes the negative number that spawn takes', () => {
  const users = parsePasswd('nobody:*:4294967294:-2:Unprivileged User:/var/empty:/usr/bin/false');

  assert.deepEqual(users, [{ name: 'nobody', uid: -2, gid: -2 }]);
});

/** Rows 1 to 5 and 8 to 11 of the list of attacks: names that want to be paths, headers, or something else than bytes. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type Attacked, assertRefused, attacked, sqlStateOf } from './standing.ts';
import { sendVerbatim } from './verbatim.ts';

let attack: Attacked;
const ann = { role: 'authenticated', sub: 'olivia' } as const;

before(async () => {
  attack = await attacked();
  await attack.database.query("INSERT INTO storage.buckets (id, owner_id, policy) VALUES ('box', 'olivia', 'public')");
  await attack.service.fetch('/storage/v1/object/box/source', { as: 'olivia', method: 'POST', body: 'source' });
  await attack.remember();
});
afterEach(() => attack.assertUnharmed());
after(() => attack.stop());

const raw = (method: string, path: string, more: { body?: string; headers?: Record<string, string> } = {}) =>
  sendVerbatim(attack.service.url, {
    method,
    path: `/storage/v1${path}`,
    token: attack.tokens.olivia,
    ...(method === 'POST' || method === 'PUT' ? { body: 'bytes' } : {}),
    ...more,
  });

/** Copies an object to a name over SQL: the one way in which a caller may write a name there. */
const copiedTo = (name: string): Promise<unknown> =>
  attack.sql(
    ann,
    "INSERT INTO storage.objects (bucket_id, name, version_id) SELECT 'box', $1, version_id FROM storage.objects WHERE name = 'source'",
    [name],
  );

/** Uploads under a spelling of a name and removes the object again; returns the name that it got, or the refusal. */
async function nameGivenTo(spelling: string): Promise<string | Response> {
  const put = await raw('POST', `/object/box/${spelling}`);
  if (put.status !== 201) return put;
  const { path } = (await put.json()) as { path: string };
  const read = await raw('GET', `/object/box/${spelling}`);
  assert.equal(await read.text(), 'bytes');
  assert.equal((await raw('DELETE', `/object/box/${encodeURIComponent(path)}`)).status, 200);
  return path;
}

test('1 a path that climbs is refused, or is a name like any other', async () => {
  const refused = ['../../etc/passwd', '..%2f..%2fetc%2fpasswd', '%2e%2e%2fx', '%2E%2E/x', 'a/%2e%2e/%2e%2e/x', '..'];
  const names = {
    '%252e%252e%252fx': '%2e%2e%2fx',
    '..%5c..%5cx': '..\\..\\x',
    '..../x': '..../x',
    '....%2f%2e%2e.x': '..../...x',
    'a..': 'a..',
  };

  for (const spelling of refused) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE']) {
      const response = await raw(method, `/object/box/${spelling}`);
      if (method === 'HEAD') assert.equal(response.status, 400, spelling);
      else await assertRefused(response, 400, 'invalid_name');
    }
  }
  for (const [spelling, name] of Object.entries(names)) assert.equal(await nameGivenTo(spelling), name, spelling);
});

test('1 a path that climbs is refused over SQL and in lists of names', async () => {
  for (const name of ['../../etc/passwd', 'a/../b', '..', '.']) {
    assert.equal(await sqlStateOf(copiedTo(name)), '23514', name);
    await assertRefused(await attack.send('DELETE', '/storage/v1/object/box', { prefixes: [name] }, 'olivia'), 400);
  }
  const listed = await attack.send('POST', '/storage/v1/object/list/box', { prefix: '../../etc' }, 'olivia');
  assert.deepEqual(await listed.json(), []);
});

test('2 an absolute path is refused, or is a name like any other', async () => {
  for (const spelling of ['/etc/passwd', '%2Fetc%2Fpasswd', '//host/share', 'file:///etc/passwd']) {
    await assertRefused(await raw('POST', `/object/box/${spelling}`), 400, 'invalid_name');
  }
  for (const name of ['C:\\x', '\\\\host\\s', 'C:/x', 'file:x', '~root', '$HOME', '|id']) {
    assert.equal(await nameGivenTo(encodeURIComponent(name)), name);
  }
});

test('3 a NUL is refused wherever a text can be', async () => {
  const nul = 'a\u0000.png';
  const bodies: readonly (readonly [string, string, unknown])[] = [
    ['DELETE', '/storage/v1/object/box', { prefixes: [nul] }],
    ['POST', '/storage/v1/object/list/box', { prefix: nul }],
    ['POST', '/storage/v1/object/list/box', { search: nul }],
    ['POST', '/storage/v1/object/list/b%00x', {}],
    ['POST', '/storage/v1/bucket', { name: nul }],
    ['POST', '/storage/v1/bucket', { name: 'nul-type', allowed_mime_types: [nul] }],
    ['POST', '/storage/v1/object/sign/box/a%00', {}],
    ['POST', '/storage/v1/object/sign/b%00x/a', {}],
    ['POST', '/rpc/request_upload_url', requestFor({ p_file_name: nul })],
    ['POST', '/rpc/request_upload_url', requestFor({ p_entity_id: nul })],
    ['POST', '/rpc/request_upload_url', requestFor({ p_file_type: nul })],
    ['GET', '/rpc/get_upload_url?p_request_id=%00', undefined],
  ];

  for (const [method, path, body] of bodies) {
    await assertRefused(await attack.send(method, path, body, 'olivia'), 400);
  }
  for (const path of ['/object/box/a%00.png', '/object/b%00x/a', '/bucket/b%00x', '/object/info/box/a%00']) {
    await assertRefused(await raw('GET', path), 400);
  }
  const metadata = Buffer.from('{"a":"\\u0000"}').toString('base64');
  await assertRefused(await raw('POST', '/object/box/a', { body: 'x', headers: { 'x-metadata': metadata } }), 400);
  assert.equal(await sqlStateOf(copiedTo(nul)), '22021');
});

const requestFor = (changes: object): object => ({
  p_entity_type: 'issue',
  p_entity_id: '1',
  p_file_name: 'a.png',
  p_file_type: 'image/png',
  ...changes,
});

test('4 control characters are refused in names of objects, of files and in types', async () => {
  for (const escaped of ['a%0d%0aSet-Cookie:x=1', 'a%09b', 'a%1b%5b31m', 'a%7f', 'a%c2%85', 'a%0a']) {
    for (const method of ['POST', 'GET', 'DELETE']) {
      await assertRefused(await raw(method, `/object/box/${escaped}`), 400, 'invalid_name');
    }
  }
  for (const changes of [
    { p_file_name: 'a\r\nb.png' },
    { p_file_type: 'image/png\r\nx: y' },
    { p_file_type: 'a/b;\n' },
  ]) {
    await assertRefused(await attack.send('POST', '/rpc/request_upload_url', requestFor(changes), 'olivia'), 400);
  }
});

test('4 no header of an answer can be split', async () => {
  const put = await raw('POST', '/object/box/split', { body: 'x', headers: { 'x-metadata': 'eyJhIjoiXHJcbiJ9' } });
  assert.equal(put.status, 201);

  const read = await raw('GET', '/object/box/split?download=a%0d%0aSet-Cookie:%20x=1%22%3b');
  const info = await raw('GET', '/object/info/box/split');

  assert.equal(read.headers.get('set-cookie'), null);
  assert.equal(
    read.headers.get('content-disposition'),
    'attachment; filename="a__Set-Cookie: x=1_;"; filename*=UTF-8\'\'a%0D%0ASet-Cookie%3A%20x%3D1%22%3B',
  );
  assert.equal(info.status, 200);
  assert.equal((await raw('DELETE', '/object/box/split')).status, 200);
});

test('4 a Cache-Control that no header can carry is refused over HTTP and over SQL', async () => {
  assert.equal((await raw('POST', '/object/box/cached')).status, 201);
  const tooLong = `max-age=1, x=${'y'.repeat(300)}`;

  for (const value of ['a\r\nSet-Cookie: x=1', 'é', '', 'a\u0085', tooLong]) {
    const updated = attack.sql(ann, "UPDATE storage.objects SET cache_control = $1 WHERE name = 'cached'", [value]);
    assert.equal(await sqlStateOf(updated), '23514', JSON.stringify(value));
  }
  for (const value of ['max-age=1; \xe9', tooLong]) {
    const put = await raw('POST', '/object/box/other', { body: 'x', headers: { 'cache-control': value } });
    await assertRefused(put, 400, 'invalid_request');
  }
  const read = await raw('GET', '/object/public/box/cached');

  assert.equal(read.status, 200);
  assert.equal((await raw('DELETE', '/object/box/cached')).status, 200);
});

test('5 a name has 1,024 bytes and not one more, by every door', async () => {
  const longest = `${'d'.repeat(300)}/${'é'.repeat(361)}x`;
  assert.equal(Buffer.byteLength(longest), 1024);

  assert.equal(await nameGivenTo(encodeURIComponent(longest)), longest);
  await assertRefused(await raw('POST', `/object/box/${encodeURIComponent(`${longest}x`)}`), 400, 'name_too_long');
  await assertRefused(await raw('GET', `/object/box/${'a'.repeat(1025)}`), 400, 'name_too_long');
  await assertRefused(await raw('POST', `/object/box/${'a'.repeat(8000)}`), 400, 'name_too_long');
  await assertRefused(await raw('POST', `/object/box/${'a'.repeat(12_000)}`), [400, 414]);
  for (const name of ['a'.repeat(1025), 'a'.repeat(10 ** 6), 'e\u0301\u0323'.repeat(170_000)]) {
    const remove = await attack.send('DELETE', '/storage/v1/object/box', { prefixes: [name] }, 'olivia');
    await assertRefused(remove, 400, 'name_too_long');
  }
  assert.equal(await sqlStateOf(copiedTo(`${longest}x`)), '23514');
});

test('8 what is not Unicode is refused', async () => {
  for (const escaped of ['%ff%fe', '%c3', '%c0%af', '%ed%a0%80', '%f5%80%80%80', '%zz', '%', 'a%2']) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      await assertRefused(await raw(method, `/object/box/${escaped}`), 400, 'invalid_name');
    }
  }
  const lone = 'a\ud800b';
  for (const [method, path, body] of [
    ['DELETE', '/storage/v1/object/box', { prefixes: [lone] }],
    ['POST', '/storage/v1/object/list/box', { prefix: lone }],
    ['POST', '/storage/v1/object/list/box', { search: lone }],
    ['POST', '/storage/v1/bucket', { name: lone }],
  ] as const) {
    await assertRefused(await attack.send(method, path, body, 'olivia'), 400);
  }
  for (const bytes of [Buffer.from('{"a":"\xff\xfe"}', 'latin1'), Buffer.from('{"a":"\\ud800"}')]) {
    const headers = { 'x-metadata': bytes.toString('base64') };
    await assertRefused(await raw('POST', '/object/box/a', { body: 'x', headers }), 400, 'invalid_request');
  }
});

test('9 empty and dot segments and slashes at the ends are refused by every door alike', async () => {
  for (const name of ['a//b', '/a', 'a/', '.', '..', 'a/./b', 'a/../b', './a', 'a/.', '//']) {
    for (const escaped of [name, encodeURIComponent(name)]) {
      await assertRefused(await raw('POST', `/object/box/${escaped}`), 400, 'invalid_name');
    }
    await assertRefused(await attack.send('DELETE', '/storage/v1/object/box', { prefixes: [name] }, 'olivia'), 400);
    assert.equal(await sqlStateOf(copiedTo(name)), '23514', name);
  }
  await assertRefused(await raw('POST', '/object/box/'), 400);
  await assertRefused(await attack.send('DELETE', '/storage/v1/object/box', { prefixes: [''] }, 'olivia'), 400);
  for (const name of ['...', 'a...', '.a', 'a.', 'a/.b', 'a/..b']) {
    assert.equal(await nameGivenTo(encodeURIComponent(name)), name);
  }
});

test('10 an escaped slash is the same object under the same policies, and passes no route', async () => {
  await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('locked', 'victor')");
  const put = await attack.service.fetch('/storage/v1/object/locked/a/b', {
    as: 'victor',
    method: 'PUT',
    body: 'secret',
  });
  assert.equal(put.status, 201);
  const spellings = [
    'locked/a%2Fb',
    'locked/a%2fb',
    'locked/a/b',
    'public%2Flocked/a/b',
    'locked%2Fa/b',
    'locked%2Fa%2Fb',
  ];

  for (const spelling of spellings) {
    for (const route of ['/object/', '/object/public/', '/object/authenticated/', '/object/info/', '/object%2F']) {
      await assertRefused(await raw('GET', `${route}${spelling}`), [400, 404, 405]);
    }
    await assertRefused(await raw('GET', `/object/sign/${spelling}?token=x`), [400, 403, 404, 405]);
  }
  const own = await attack.service.fetch('/storage/v1/object/locked/a%2Fb', { as: 'victor' });

  assert.equal(await own.text(), 'secret');
  await attack.service.fetch('/storage/v1/object/locked/a/b', { as: 'victor', method: 'DELETE' });
  await attack.database.query("DELETE FROM storage.buckets WHERE id = 'locked'");
});

test('11 names that some file systems fold, reserve or trim are different objects', async () => {
  const names = [
    'A.jpg',
    'a.jpg',
    'a.jpg.',
    'a.jpg ',
    ' a.jpg',
    'CON',
    'aux.txt',
    'nul',
    'COM1.png',
    'a:b',
    'a<b>|?*"',
  ];
  for (const name of names) {
    const path = `/object/box/fold/${encodeURIComponent(name)}`;
    assert.equal((await raw('POST', path, { body: name })).status, 201, name);
  }

  for (const name of names) {
    assert.equal(await (await raw('GET', `/object/box/fold/${encodeURIComponent(name)}`)).text(), name);
  }
  const listed = (await (
    await attack.send('POST', '/storage/v1/object/list/box', { prefix: 'fold' }, 'olivia')
  ).json()) as { name: string }[];
  const removed = await attack.send(
    'DELETE',
    '/storage/v1/object/box',
    { prefixes: names.map((name) => `fold/${name}`) },
    'olivia',
  );

  assert.deepEqual(listed.map(({ name }) => name).sort(), [...names].sort());
  assert.equal(((await removed.json()) as unknown[]).length, names.length);
});

/** Conditions of writes: exact under concurrency, judged where the write is, alike for what is hidden and missing. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, test } from 'node:test';
import { assertInvariants, signToken, startService, type TestService, until } from '@rowlock/test-harness';

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
  for (const bucket of [{ name: 'box' }, { name: 'open', public: true }]) {
    const body = JSON.stringify(bucket);
    const headers = { 'content-type': 'application/json' };
    assert.equal((await service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body })).status, 201);
  }
});
after(() => service.stop());

const etagOf = (body: string): string => `"${createHash('sha256').update(body).digest('hex')}"`;

const send = (
  method: string,
  path: string,
  headers: Record<string, string>,
  { as = 'ann', body }: { readonly as?: string; readonly body?: string } = {},
) => service.fetch(`/storage/v1/object/${path}`, { as, method, headers, ...(body === undefined ? {} : { body }) });

const put = (path: string, body: string, headers: Record<string, string> = {}, as = 'ann') =>
  send('PUT', path, headers, { body, as });

const read = async (path: string): Promise<string | number> => {
  const response = await service.fetch(`/storage/v1/object/${path}`, { as: 'ann' });
  const text = await response.text();
  return response.status === 200 ? text : response.status;
};

test('If-Match overwrites only what was seen, and never creates', async () => {
  assert.equal((await put('box/m', 'one')).status, 201);

  assert.equal((await put('box/m', 'two', { 'if-match': etagOf('zero') })).status, 412);
  assert.equal((await put('box/m', 'two', { 'if-match': `W/${etagOf('one')}` })).status, 412);
  assert.equal((await put('box/none', 'two', { 'if-match': '*' })).status, 412);
  assert.equal((await put('box/none', 'two', { 'if-match': etagOf('one') })).status, 412);
  assert.equal((await put('box/m', 'two', { 'if-match': `"x", ${etagOf('one')}` })).status, 200);
  assert.equal((await put('box/m', 'three', { 'if-match': '*' })).status, 200);
  assert.equal(await read('box/m'), 'three');
  assert.equal(await read('box/none'), 404);
});

test('If-None-Match keeps what one already has from being written again', async () => {
  assert.equal((await put('box/n', 'one', { 'if-none-match': '*' })).status, 201);

  assert.equal((await put('box/n', 'two', { 'if-none-match': '*' })).status, 412);
  assert.equal((await put('box/n', 'one', { 'if-none-match': etagOf('one') })).status, 412);
  assert.equal((await put('box/n', 'two', { 'if-none-match': etagOf('zero') })).status, 200);
  assert.equal((await put('box/free', 'one', { 'if-none-match': etagOf('zero') })).status, 201);
});

test('a delete is conditional too, and idempotent without conditions', async () => {
  assert.equal((await put('box/d', 'one')).status, 201);

  assert.equal((await send('DELETE', 'box/d', { 'if-match': etagOf('two') })).status, 412);
  assert.equal((await send('DELETE', 'box/d', { 'if-none-match': etagOf('one') })).status, 412);
  assert.equal(await read('box/d'), 'one');
  assert.equal((await send('DELETE', 'box/d', { 'if-match': etagOf('one') })).status, 200);
  assert.equal((await send('DELETE', 'box/d', { 'if-match': '*' })).status, 412);
  assert.equal((await send('DELETE', 'box/d', {})).status, 200);
});

test('what cannot be read as a condition is refused, and costs little', async () => {
  const tags = (count: number): string => Array.from({ length: count }, (_, n) => `"${n}"`).join(',');
  for (const header of ['x', '"x', '""x', '"a","b",', '*, "a"', `"${'x'.repeat(9000)}"`, tags(101)]) {
    assert.equal((await put('box/bad', 'x', { 'if-match': header })).status, 400, header.slice(0, 20));
    assert.equal((await send('DELETE', 'box/bad', { 'if-none-match': header })).status, 400, header.slice(0, 20));
  }
  assert.equal((await put('box/bad', 'x', { 'if-match': tags(100) })).status, 412, 'as many as there may be');
  assert.equal(await read('box/bad'), 404);
});

test('hidden and missing objects answer a condition alike', async () => {
  assert.equal((await put('box/secret', 'one')).status, 201);

  for (const headers of [{ 'if-match': '*' }, { 'if-match': etagOf('one') }]) {
    const hidden = await put('box/secret', 'x', headers, 'bob');
    const missing = await put('box/nothing', 'x', headers, 'bob');
    assert.deepEqual([hidden.status, await hidden.json()], [missing.status, await missing.json()]);
  }
  assert.equal(await read('box/secret'), 'one');
});

test('of many who overwrite what they saw exactly one does', async () => {
  for (let round = 0; round < 3; round += 1) {
    const seen = `seen ${round}`;
    assert.ok((await put('box/counter', seen)).ok);

    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, i) => put('box/counter', `${seen} and ${i}`, { 'if-match': etagOf(seen) })),
    );

    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 412).length, 15);
  }
  await assertInvariants(service);
});

test('of an overwrite and a delete of what both saw exactly one happens', async () => {
  for (let round = 0; round < 5; round += 1) {
    const seen = `both ${round}`;
    assert.ok((await put('box/both', seen)).ok);

    const [written, deleted] = await Promise.all([
      put('box/both', 'new', { 'if-match': etagOf(seen) }),
      send('DELETE', 'box/both', { 'if-match': etagOf(seen) }),
    ]);

    assert.deepEqual([written.status, deleted.status].sort(), [200, 412]);
    assert.equal(await read('box/both'), written.status === 200 ? 'new' : 404);
  }
});

test('a condition that held when the upload began and no longer does when it commits refuses it', async () => {
  assert.equal((await put('box/late', 'one')).status, 201);
  const upload = request(`${service.url}/storage/v1/object/box/late`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${await signToken({ sub: 'ann', role: 'authenticated' })}`,
      'if-match': etagOf('one'),
    },
  });
  upload.write('half ');
  await until(async () => (await service.database.query("SELECT FROM storage.uploads WHERE name = 'late'"))[0], {
    what: 'the upload has begun',
  });
  assert.equal((await put('box/late', 'two')).status, 200);

  const answered = once(upload, 'response');
  upload.end('and half');

  const [response] = (await answered) as [IncomingMessage];
  response.resume();
  assert.equal(response.statusCode, 412);
  assert.equal(await read('box/late'), 'two');
  await assertInvariants(service);
});

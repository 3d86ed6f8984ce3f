/** Section 3: buckets as their routes take and answer them, and as old and new clients send them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, ContractSite, jsonOf, rowsOf } from './contract-site.ts';

let site: ContractSite;

before(async () => {
  site = await ContractSite.start();
});
after(() => site.stop());

const typed = { 'content-type': 'application/json' };

test('3.1 a bucket is made by name, by id or by both, and answered by its name', async () => {
  const byName = await site.make('bucket', { name: 'by-name' });
  const byId = await site.make('bucket', { id: 'by-id' });
  const byBoth = await site.make('bucket', { id: 'by-both', name: 'by-both', type: 'STANDARD', public: false });
  const apart = await site.ask('POST', 'bucket', { json: { id: 'one', name: 'other' } });
  const neither = await site.ask('POST', 'bucket', { json: { public: true } });

  assert.deepEqual([byName['name'], byId['name'], byBoth['name']], ['by-name', 'by-id', 'by-both']);
  assert.deepEqual([apart.status, neither.status], [400, 400]);
});

test('3.2 a size limit is a number, a text with a unit, or null', async () => {
  const limitOf = async (limit: unknown, name: string): Promise<unknown> =>
    (await site.make('bucket', { name, file_size_limit: limit }))['file_size_limit'];

  const limits = [
    await limitOf(5, 'sized-1'),
    await limitOf('20MB', 'sized-2'),
    await limitOf('1.5 KiB', 'sized-3'),
    await limitOf('700', 'sized-4'),
    await limitOf(null, 'sized-5'),
  ];
  const wrong = await site.ask('POST', 'bucket', { json: { name: 'sized-6', file_size_limit: '20 stones' } });

  assert.deepEqual(limits, [5, 20e6, 1536, 700, null]);
  assert.equal(wrong.status, 400);
});

test('3.3 a list of buckets is an array of whole buckets, sorted and cut as it was asked', async () => {
  for (const name of ['list-b', 'list-a', 'list-c']) await site.make('bucket', { name });
  const list = async (query: string): Promise<unknown[]> =>
    rowsOf(await site.ask('GET', `bucket?search=list-&${query}`)).map(({ name }) => name);

  const [bucket] = rowsOf(await site.ask('GET', 'bucket?search=list-a'));

  assert.deepEqual(await list(''), ['list-a', 'list-b', 'list-c']);
  assert.deepEqual(await list('sortColumn=created_at&sortOrder=desc'), ['list-c', 'list-a', 'list-b']);
  assert.deepEqual(await list('sortColumn=updated_at'), ['list-b', 'list-a', 'list-c']);
  assert.deepEqual(await list('sortColumn=id&limit=1&offset=2'), ['list-c']);
  assert.deepEqual(bucket, jsonOf(await site.ask('GET', 'bucket/list-a')));
});

test('3.4 a bucket is shown with every member that clients read', async () => {
  const made = Date.now();
  await site.make('bucket', { name: 'shown', public: true, file_size_limit: 9, allowed_mime_types: ['a/b', 'c/*'] });

  const { created_at, updated_at, ...bucket } = jsonOf(await site.ask('GET', 'bucket/shown'));

  const expected = {
    id: 'shown',
    name: 'shown',
    owner: 'ann',
    public: true,
    type: 'STANDARD',
    file_size_limit: 9,
    allowed_mime_types: ['a/b', 'c/*'],
  };
  assert.deepEqual({ ...bucket, ...expected }, bucket);
  for (const time of [created_at, updated_at]) {
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    assert.ok(Math.abs(Date.parse(String(time)) - made) < 60_000);
  }
});

test('3.5 a change takes the id and the name that the client sends along, and leaves what it does not name', async () => {
  await site.make('bucket', { name: 'changed', file_size_limit: 9, allowed_mime_types: ['a/b'] });
  const change = (json: unknown): Promise<Answer> => site.ask('PUT', 'bucket/changed', { json });

  const first = await change({ id: 'changed', name: 'changed', public: true });
  const second = await change({ file_size_limit: null });
  const bucket = jsonOf(await site.ask('GET', 'bucket/changed'));

  assert.deepEqual([first.status, jsonOf(first)['message']], [200, 'Successfully updated']);
  assert.equal(second.status, 200);
  assert.deepEqual([bucket['public'], bucket['file_size_limit'], bucket['allowed_mime_types']], [true, null, ['a/b']]);
  assert.equal((await change({ id: 'renamed' })).status, 400);
});

test('3.6 a bucket is deleted with an empty object, with a JSON body of nothing, and without a body', async () => {
  for (const name of ['gone-1', 'gone-2', 'gone-3']) await site.make('bucket', { name });

  const answers = [
    await site.ask('DELETE', 'bucket/gone-1', { json: {} }),
    await site.ask('DELETE', 'bucket/gone-2', { headers: typed, body: '' }),
    await site.ask('DELETE', 'bucket/gone-3'),
  ];

  assert.deepEqual(
    answers.map(({ status, text }) => [status, text]),
    answers.map(() => [200, '{"message":"Successfully deleted"}']),
  );
});

test('3.6 a bucket that is not empty stays, with what is in it', async () => {
  await site.make('bucket', { name: 'full' });
  await site.put('full/a', 'bytes');

  const refused = await site.ask('DELETE', 'bucket/full', { json: {} });

  assert.equal(refused.status, 409);
  assert.equal((await site.ask('GET', 'object/full/a')).text, 'bytes');
});

test('3.7 a bucket is emptied at once, however the body says nothing', async () => {
  await site.make('bucket', { name: 'emptied' });
  const bodies = [{ json: {} }, { headers: typed, body: '' }, {}];

  for (const body of bodies) {
    await site.put('emptied/a/b', 'bytes');
    const emptied = await site.ask('POST', 'bucket/emptied/empty', body);
    const left = await site.ask('POST', 'object/list/emptied', { json: { prefix: '' } });

    assert.equal(emptied.status, 200);
    assert.match(String(jsonOf(emptied)['message']), /emptied/);
    assert.deepEqual(rowsOf(left), []);
  }
});

test('3.8 the name of a bucket is one that every S3 client can use', async () => {
  const status = async (name: string): Promise<number> => (await site.ask('POST', 'bucket', { json: { name } })).status;

  const good = ['a1b', 'with-dash', 'with.dot', 'with_line', 'x'.repeat(63)];
  const bad = ['ab', 'x'.repeat(64), 'x'.repeat(101), 'Capitals', 'a b', 'a/b', 'été', '.ab', 'a..b', '10.0.0.1'];

  for (const name of good) assert.equal(await status(name), 201, name);
  for (const name of bad) assert.equal(await status(name), 400, name);
});

test('3.9 a bucket of another type is refused, and the buckets of other clients are no routes', async () => {
  const analytics = await site.ask('POST', 'bucket', { json: { name: 'analytics', type: 'ANALYTICS' } });

  assert.equal(analytics.status, 501);
  assert.equal(jsonOf(analytics)['code'], 'NotImplemented');
  for (const path of ['iceberg/bucket', 'vector/CreateVectorBucket']) {
    assert.equal((await site.ask('POST', path, { json: {} })).status, 404, path);
  }
});

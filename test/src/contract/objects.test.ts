/** Section 4, one object at a time: uploads, downloads, what is known of it, deletes, copies and moves. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, ContractSite, type Json, jsonOf, rowsOf } from './contract-site.ts';

let site: ContractSite;

before(async () => {
  site = await ContractSite.start();
});
after(() => site.stop());

const base64 = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64');
const infoOf = async (path: string): Promise<Json> => jsonOf(await site.ask('GET', `object/info/${path}`));

test('4.1 a raw upload keeps what its headers say, and is answered by id and key', async () => {
  const headers = {
    'content-type': 'text/csv;charset=UTF-8',
    'cache-control': 'max-age=60',
    'x-metadata': base64({ a: { b: ['é'] } }),
    'x-upsert': 'false',
    'x-robots-tag': 'noindex',
  };

  const created = await site.ask('POST', 'object/box/raw/a b.csv', { headers, body: 'a,b' });
  const again = await site.ask('POST', 'object/box/raw/a b.csv', {
    headers: { ...headers, 'x-upsert': 'true' },
    body: 'a,b,c',
  });
  const info = await infoOf('box/raw/a b.csv');

  const { Id, Key } = jsonOf(created);
  assert.equal(Key, 'box/raw/a b.csv');
  assert.equal(Id, info['id']);
  assert.equal(jsonOf(again)['Id'], Id, 'an overwritten object keeps its id');
  assert.deepEqual(
    [info['size'], info['content_type'], info['cache_control'], info['metadata']],
    [5, 'text/csv', 'max-age=60', { a: { b: ['é'] } }],
  );
});

test('4.2 a form says the same in fields, and its file may have a part without a name', async () => {
  const upload = async (name: string, fields: Readonly<Record<string, string>>): Promise<Json> => {
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append('', new Blob(['a,b'], { type: 'text/csv' }));
    const answer = await site.ask('POST', `object/box/${name}`, { body: form });
    assert.equal(answer.status, 201, answer.text);
    assert.equal(jsonOf(answer)['Key'], `box/${name}`);
    return infoOf(`box/${name}`);
  };

  const seconds = await upload('form-1', { cacheControl: '60', metadata: '{"a":1}' });
  const header = await upload('form-2', { cacheControl: 'no-store', userMetadata: '{"a":2}', contentType: 'a/b' });

  const said = (info: Json): unknown[] => [info['cache_control'], info['metadata'], info['content_type']];
  assert.deepEqual(said(seconds), ['max-age=60', { a: 1 }, 'text/csv']);
  assert.deepEqual(said(header), ['no-store', { a: 2 }, 'a/b']);
});

test('4.3 PUT creates what is not there and overwrites what is', async () => {
  const put = (body: string, headers = {}): Promise<Answer> => site.ask('PUT', 'object/box/put', { body, headers });

  const [first, second, refused] = [await put('1'), await put('2'), await put('3', { 'x-upsert': 'false' })];

  assert.deepEqual([first.status, second.status], [201, 200]);
  assert.deepEqual([jsonOf(first)['Key'], jsonOf(second)['Key']], ['box/put', 'box/put']);
  assert.equal(refused.status, 409, 'who says not to overwrite means it');
  assert.equal((await site.ask('GET', 'object/box/put')).text, '2');
});

test('4.4 downloads ignore what they do not know, and are saved under the name that they are asked for', async () => {
  await site.put('open/d/a.txt', 'bytes');
  const { signedURL } = await site.make('object/sign/open/d/a.txt', { expiresIn: 60 });
  const doors = ['object/open/d/a.txt?', 'object/public/open/d/a.txt?', `${String(signedURL).slice(1)}&`];

  for (const door of doors) {
    const nonce = await site.ask('GET', `${door}cacheNonce=7&x=y`, { as: 'nobody' });
    const own = await site.ask('GET', `${door}download=`, { as: 'nobody' });
    const named = await site.ask('GET', `${door}download=b%20c.txt`, { as: 'nobody' });

    assert.deepEqual([nonce.status, nonce.text], [200, 'bytes'], door);
    assert.equal(nonce.headers.get('content-disposition'), null);
    assert.match(own.headers.get('content-disposition') ?? '', /^attachment; filename="a\.txt"/);
    assert.match(named.headers.get('content-disposition') ?? '', /^attachment; filename="b c\.txt"/);
  }
});

test('4.5 HEAD answers what GET does, without the bytes, by every door', async () => {
  await site.put('open/h', 'bytes', { 'cache-control': 'max-age=60' });
  const { signedURL } = await site.make('object/sign/open/h', { expiresIn: 6000 });
  const doors = ['object/open/h', 'object/authenticated/open/h', 'object/public/open/h', String(signedURL).slice(1)];
  const varying = new Set(['date', 'x-request-id', 'keep-alive', 'connection']);
  const steady = ({ headers }: Answer): unknown =>
    Object.fromEntries([...headers].filter(([name]) => !varying.has(name)));

  for (const door of doors) {
    const [get, head] = [await site.ask('GET', door), await site.ask('HEAD', door)];

    assert.deepEqual([get.status, get.text], [200, 'bytes'], door);
    assert.deepEqual([head.status, head.text], [200, ''], door);
    assert.deepEqual(steady(head), steady(get), door);
  }
});

test('4.6 public objects are read without a token, and private ones by nobody else, by the doors that say so', async () => {
  await site.put('open/p', 'public');
  await site.put('box/p', 'private');
  const statuses = async (path: string, as: string): Promise<number[]> =>
    Promise.all(['GET', 'HEAD'].map(async (method) => (await site.ask(method, path, { as })).status));

  for (const door of ['object', 'object/authenticated', 'object/public', 'object/info', 'object/info/public']) {
    assert.deepEqual(await statuses(`${door}/open/p`, 'nobody'), [200, 200], door);
  }
  for (const door of ['object', 'object/authenticated', 'object/info', 'object/info/authenticated']) {
    assert.deepEqual(await statuses(`${door}/box/p`, 'ann'), [200, 200], door);
    assert.deepEqual(await statuses(`${door}/box/p`, 'nobody'), [401, 401], door);
  }
  for (const door of ['object/public', 'object/info/public']) {
    assert.deepEqual(await statuses(`${door}/box/p`, 'ann'), [404, 404], door);
  }
});

test('4.7 what is known of an object has every member that clients read, by every spelling', async () => {
  await site.put('open/info.txt', 'bytes', { 'cache-control': 'max-age=60', 'x-metadata': base64({ a: 1 }) });

  const [info, ...others] = await Promise.all(
    ['', 'authenticated/', 'public/'].map((spelling) => infoOf(`${spelling}open/info.txt`)),
  );
  const download = await site.ask('GET', 'object/open/info.txt');

  for (const other of others) assert.deepEqual(other, info);
  const { id, version, etag, last_modified, created_at, ...rest } = info ?? {};
  const expected = {
    name: 'info.txt',
    bucket_id: 'open',
    size: 5,
    content_type: 'text/plain',
    cache_control: 'max-age=60',
    metadata: { a: 1 },
  };
  assert.deepEqual({ ...rest, ...expected }, rest);
  for (const uuid of [id, version]) assert.match(String(uuid), /^[0-9a-f-]{36}$/);
  assert.equal(etag, download.headers.get('etag'));
  const lastModified = Math.floor(Date.parse(String(last_modified)) / 1000) * 1000;
  assert.equal(lastModified, Date.parse(download.headers.get('last-modified') ?? ''));
  assert.ok(Date.parse(String(created_at)) <= Date.parse(String(last_modified)));
});

test('4.8 one object is deleted by its address', async () => {
  await site.put('box/gone', 'bytes');

  const deleted = await site.ask('DELETE', 'object/box/gone');
  const again = await site.ask('DELETE', 'object/box/gone');

  assert.deepEqual([deleted.status, deleted.text], [200, '{"message":"Successfully deleted"}']);
  assert.equal(again.status, 200, 'idempotent');
  assert.equal((await site.ask('GET', 'object/box/gone')).status, 404);
});

test('4.9 of many names those that went are answered as rows, and nothing is said of the others', async () => {
  for (const name of ['m/1', 'm/2', 'm/3']) await site.put(`open/${name}`, 'bytes');

  const removed = await site.ask('DELETE', 'object/open', { json: { prefixes: ['m/1', 'm/2', 'm', 'm/4'] } });
  const others = await site.ask('DELETE', 'object/open', { as: 'bob', json: { prefixes: ['m/3'] } });

  assert.equal(removed.status, 200, removed.text);
  assert.deepEqual(
    rowsOf(removed)
      .map(({ name }) => name)
      .sort(),
    ['m/1', 'm/2'],
  );
  const [row] = rowsOf(removed);
  assert.deepEqual(
    ['bucket_id', 'created_at', 'id', 'last_accessed_at', 'metadata', 'name', 'updated_at', 'version'].filter(
      (member) => row?.[member] === undefined,
    ),
    [],
  );
  assert.equal(row?.['bucket_id'], 'open');
  assert.deepEqual([others.status, others.text], [200, '[]']);
  assert.equal((await site.ask('GET', 'object/open/m/3')).text, 'bytes', 'a folder is no name, and bob may not');
});

test('4.10 a name that can be no name refuses the whole, and nothing is deleted', async () => {
  await site.put('open/n', 'bytes');

  const refused = await site.ask('DELETE', 'object/open', { json: { prefixes: ['n', 'n/'] } });

  assert.deepEqual([refused.status, jsonOf(refused)['code']], [400, 'InvalidKey']);
  assert.equal((await site.ask('GET', 'object/open/n')).text, 'bytes');
});

test('4.11 a copy is answered by id, key and row, and takes metadata along unless it is told what to have', async () => {
  const metadata = base64({ own: true });
  await site.put('box/source', 'bytes', { 'cache-control': 'max-age=60', 'x-metadata': base64({ a: 1 }) });
  const copy = (json: object, headers = {}): Promise<Answer> =>
    site.ask('POST', 'object/copy', { json: { bucketId: 'box', sourceKey: 'source', ...json }, headers });

  const same = await copy({ destinationKey: 'copied' });
  const across = await copy({ destinationBucket: 'open', destinationKey: 'copied' });
  const own = await copy(
    { destinationKey: 'own', copyMetadata: false, metadata: { cacheControl: 'max-age=5' } },
    { 'x-metadata': metadata },
  );
  const taken = await copy({ destinationKey: 'own' });
  const over = await copy({ destinationKey: 'own' }, { 'x-upsert': 'true' });

  assert.deepEqual([jsonOf(same)['Key'], jsonOf(across)['Key']], ['box/copied', 'open/copied']);
  const row = jsonOf(same);
  assert.equal(row['Id'], row['id']);
  assert.deepEqual([row['name'], row['bucket_id'], row['owner_id']], ['copied', 'box', 'ann']);
  const kept = await infoOf('box/copied');
  assert.deepEqual([kept['cache_control'], kept['metadata']], ['max-age=60', { a: 1 }]);
  assert.equal(own.status, 200, own.text);
  assert.deepEqual([taken.status, over.status], [409, 200]);
  assert.deepEqual((await infoOf('box/own'))['metadata'], { a: 1 }, 'the copy that overwrote took them along');
});

test('4.12 a move is answered with a message, id and key, and leaves nothing behind', async () => {
  await site.put('box/before', 'bytes');
  const { id } = await infoOf('box/before');
  const move = (json: object): Promise<Answer> => site.ask('POST', 'object/move', { json });

  const renamed = await move({ bucketId: 'box', sourceKey: 'before', destinationKey: 'after' });
  const away = await move({ bucketId: 'box', sourceKey: 'after', destinationBucket: 'open', destinationKey: 'x/y' });

  assert.deepEqual([renamed.status, away.status], [200, 200]);
  const { message, Id, Key } = jsonOf(away);
  assert.deepEqual([message, Id, Key], ['Successfully moved', id, 'open/x/y']);
  assert.equal((await site.ask('GET', 'object/box/before')).status, 404);
  assert.equal((await site.ask('GET', 'object/open/x/y')).text, 'bytes');
});

test('4.13 a name has any letters, and what no header may say is kept as well', async () => {
  const names = ['été/日本 語.txt', "a!-_.*'()&$=@;:+,b", '~[]{}|^`"<>', '😀', 'a\\b'];

  for (const name of names) {
    const path = name.split('/').map(encodeURIComponent).join('/');
    const made = await site.ask('POST', `object/box/${path}`, { body: name });

    assert.equal(jsonOf(made)['Key'], `box/${name}`);
    assert.equal((await site.ask('GET', `object/box/${path}`)).text, name);
  }
});

test('4.14 user metadata has up to a mebibyte, by a form', async () => {
  const upload = async (letters: number): Promise<Answer> => {
    const form = new FormData();
    form.append('metadata', JSON.stringify({ notes: 'n'.repeat(letters) }));
    form.append('', new Blob(['x']));
    return site.ask('POST', `object/box/noted-${letters}`, { body: form });
  };
  const large = 2 ** 20 - 100;

  assert.equal((await upload(large)).status, 201);
  assert.equal((await upload(2 ** 20)).status, 400);
  const { metadata } = await infoOf(`box/noted-${large}`);
  assert.equal((metadata as Json)['notes'], 'n'.repeat(large));
  assert.equal((await site.ask('GET', `object/box/noted-${2 ** 20}`)).status, 404);
});

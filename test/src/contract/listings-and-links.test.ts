/** Section 4, many objects at a time, and links: listings of both versions, signed downloads and signed uploads. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { putRows } from '../service/listing-pages.ts';
import { type Answer, ContractSite, type Json, jsonOf, rowsOf } from './contract-site.ts';

let site: ContractSite;

const many = Array.from({ length: 1002 }, (_, n) => `n${String(n).padStart(4, '0')}`);

before(async () => {
  site = await ContractSite.start();
  for (const name of ['l/a.txt', 'l/b.txt', 'l/sub/c.txt', 'l/sub/d.txt']) {
    await site.put(`box/${name}`, 'bytes', { 'cache-control': 'max-age=60' });
  }
  await putRows(
    site.service,
    'many',
    many.map((name) => ({ name, at: 1 })),
  );
});
// Rows without bytes are no invariant's fault here: they go before it is asked.
after(async () => {
  await site.service.database.query(`BEGIN; SET LOCAL session_replication_role = replica;
    DELETE FROM storage.objects WHERE bucket_id = 'many';
    DELETE FROM storage.versions WHERE key = 'no/bytes'; COMMIT`);
  await site.stop();
});

const list = async (bucket: string, json: object): Promise<readonly Json[]> =>
  rowsOf(await site.ask('POST', `object/list/${bucket}`, { json }));
const page = async (bucket: string, json: object): Promise<Json> =>
  jsonOf(await site.ask('POST', `object/list-v2/${bucket}`, { json }));
const namesOf = (entries: unknown): unknown[] => (entries as readonly Json[]).map(({ name }) => name);

test('4.15 list shows names below a prefix, and folders whose every other member is null', async () => {
  const entries = await list('box', { prefix: 'l' });

  assert.deepEqual(namesOf(entries), ['a.txt', 'b.txt', 'sub']);
  const [object, , folder] = entries;
  assert.deepEqual(folder, {
    name: 'sub',
    id: null,
    updated_at: null,
    created_at: null,
    last_accessed_at: null,
    metadata: null,
    ...(folder !== undefined && 'user_metadata' in folder ? { user_metadata: null } : {}),
  });
  for (const time of ['updated_at', 'created_at', 'last_accessed_at']) {
    assert.ok(!Number.isNaN(Date.parse(String(object?.[time]))), time);
  }
});

test('4.15 list has 100 entries where no limit is said, sorts by what clients name, and searches', async () => {
  const sorted = async (column: string, order: string): Promise<unknown[]> =>
    namesOf(await list('box', { prefix: 'l', sortBy: { column, order } }));

  assert.deepEqual(namesOf(await list('many', {})), many.slice(0, 100));
  assert.deepEqual(namesOf(await list('many', { limit: 2, offset: 1001 })), many.slice(1001));
  assert.equal((await list('many', { limit: 5000 })).length, 1000);
  assert.deepEqual(await sorted('name', 'desc'), ['sub', 'b.txt', 'a.txt']);
  for (const column of ['created_at', 'updated_at', 'last_accessed_at']) {
    assert.deepEqual(await sorted(column, 'desc'), ['sub', 'b.txt', 'a.txt'], column);
  }
  assert.deepEqual(namesOf(await list('box', { prefix: 'l', search: 'B.' })), ['b.txt']);
  assert.equal((await site.ask('POST', 'object/list/box', { json: { sortBy: { column: 'size' } } })).status, 400);
});

test('4.16 list-v2 shows whole names, folders apart with their slash, and a cursor while there is more', async () => {
  const first = await page('box', { prefix: 'l/', with_delimiter: true, limit: 2 });
  const second = await page('box', { prefix: 'l/', with_delimiter: true, limit: 2, cursor: first['nextCursor'] });
  const flat = await page('box', { prefix: 'l/' });

  assert.deepEqual([first['hasNext'], namesOf(first['objects']), first['folders']], [true, ['l/a.txt', 'l/b.txt'], []]);
  assert.equal(first['nextCursorKey'], 'l/b.txt');
  assert.deepEqual([second['hasNext'], second['objects'], namesOf(second['folders'])], [false, [], ['l/sub/']]);
  assert.equal('nextCursor' in second, false);
  assert.deepEqual(namesOf(flat['objects']), ['l/a.txt', 'l/b.txt', 'l/sub/c.txt', 'l/sub/d.txt']);
  const [object] = flat['objects'] as readonly Json[];
  for (const member of ['id', 'created_at', 'updated_at', 'last_accessed_at', 'metadata']) {
    assert.ok(object?.[member] != null, member);
  }
});

test('4.16 list-v2 has at most 1,000 entries a page, sorts by what clients name, and refuses strange cursors', async () => {
  const whole = await page('many', { limit: 5000 });
  const rest = await page('many', { limit: 5000, cursor: whole['nextCursor'] });
  const down = await page('box', { prefix: 'l/', sortBy: { column: 'created_at', order: 'desc' } });
  const strange = await site.ask('POST', 'object/list-v2/box', { json: { cursor: 'bDphLnR4dA==' } });

  assert.deepEqual([...namesOf(whole['objects']), ...namesOf(rest['objects'])], many);
  assert.equal((whole['objects'] as unknown[]).length, 1000);
  assert.deepEqual(namesOf(down['objects']), ['l/sub/d.txt', 'l/sub/c.txt', 'l/b.txt', 'l/a.txt']);
  assert.equal(strange.status, 400);
});

test('4.17 the metadata of an entry is spelled as clients read it, the same wherever it is shown', async () => {
  const [entry] = await list('box', { prefix: 'l' });
  const { objects } = await page('box', { prefix: 'l/' });
  const info = jsonOf(await site.ask('GET', 'object/info/box/l/a.txt'));

  const metadata = entry?.['metadata'] as Json;
  const { lastModified, ...rest } = metadata;
  assert.deepEqual(rest, {
    eTag: info['etag'],
    size: 5,
    contentLength: 5,
    mimetype: 'text/plain',
    cacheControl: 'max-age=60',
    httpStatusCode: 200,
  });
  assert.ok(Math.abs(Date.parse(String(lastModified)) - Date.parse(String(info['last_modified']))) < 1000);
  assert.deepEqual((objects as readonly Json[])[0]?.['metadata'], metadata);
});

test('4.18 a signed URL is relative and not encoded, and of a thumbnail where one is asked for', async () => {
  await site.put('box/ä & ö.txt', 'bytes');

  const { signedURL } = await site.make('object/sign/box/ä & ö.txt', { expiresIn: 60 });
  const preset = await site.ask('POST', 'object/sign/box/l/a.txt', {
    json: { expiresIn: 60, transform: { preset: 'small' } },
  });

  assert.match(String(signedURL), /^\/object\/sign\/box\/ä & ö\.txt\?token=/);
  assert.equal(preset.status, 404, 'a text has no thumbnail');
});

test('4.19 a transform has a size and a format, and what is none is not signed as the original', async () => {
  const sign = (transform: object) =>
    site.ask('POST', 'object/sign/box/l/a.txt', { json: { expiresIn: 60, transform } });

  const { signedURL } = jsonOf(await sign({ width: 100, height: 5, resize: 'fill', quality: 20, format: 'origin' }));

  assert.match(String(signedURL), /^\/render\/image\/sign\/box\/l\/a\.txt\?token=/);
  for (const transform of [{ width: 0 }, { height: 2001 }, { gravity: 'no' }, { preset: 'small', width: 100 }]) {
    const refused = await sign(transform);

    assert.equal(refused.status, 400, JSON.stringify(transform));
    assert.match(String(jsonOf(refused)['message']), /width|height|gravity|preset/);
  }
  assert.equal((await site.ask('POST', 'object/sign/box/l/a.txt', { json: { transform: {} } })).status, 200);
});

test('4.20 many signed URLs come in the order of their names, with an error where there is none', async () => {
  const paths = ['l/b.txt', 'nothing', 'l/a.txt', 'l/'];

  const signed = rowsOf(await site.ask('POST', 'object/sign/box', { json: { expiresIn: 60, paths } }));

  assert.deepEqual(
    signed.map(({ path }) => path),
    paths,
  );
  for (const [place, { error, path, signedURL }] of signed.entries()) {
    assert.deepEqual([error === null, typeof signedURL === 'string'], place % 2 === 0 ? [true, true] : [false, false]);
    if (place % 2 === 0) assert.match(String(signedURL), new RegExp(`^/object/sign/box/${String(path)}\\?token=`));
  }
});

test('4.21 a signed URL says until when it is good, opens for GET and HEAD, and for nobody without its token', async () => {
  const { signedURL, expires_at } = await site.make('object/sign/box/l/a.txt', { expiresIn: 600 });
  const path = String(signedURL).slice(1);
  const open = (method: string, at: string): Promise<Answer> => site.ask(method, at, { as: 'nobody' });

  const [get, head] = [await open('GET', path), await open('HEAD', path)];

  assert.deepEqual([get.status, get.text, head.status], [200, 'bytes', 200]);
  for (const { headers } of [get, head]) {
    const expires = Date.parse(headers.get('expires') ?? '');
    assert.equal(expires, Math.floor(Date.parse(String(expires_at)) / 1000) * 1000);
  }
  assert.equal((await open('GET', 'object/sign/box/l/a.txt')).status, 400);
});

test('4.22 a signed upload is a path with a token, taken once, and answered by its key', async () => {
  const headers = { 'x-metadata': Buffer.from('{"a":1}').toString('base64'), 'x-upsert': 'true' };
  const signed = await site.make('object/upload/sign/box/up/ö.txt', {}, { headers });
  const { url, token } = signed;
  const at = String(url).slice(1);
  const body = { as: 'nobody', body: 'bytes', headers: { 'content-type': 'a/b' } };

  const used = await site.ask('PUT', at, body);
  const again = await site.ask('PUT', at, body);

  assert.equal(new URL(`http://x${String(url)}`).searchParams.get('token'), token);
  assert.match(String(url), /^\/object\/upload\/sign\/box\/up\/%C3%B6\.txt\?token=/);
  assert.deepEqual([used.status, jsonOf(used)['Key']], [201, 'box/up/ö.txt']);
  assert.equal(again.status, 410);
  const info = jsonOf(await site.ask('GET', 'object/info/box/up/ö.txt'));
  assert.deepEqual([info['owner_id'], info['metadata'], info['content_type']], ['ann', { a: 1 }, 'a/b']);
});

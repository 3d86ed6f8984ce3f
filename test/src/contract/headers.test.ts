/** Section 7: the headers of what is served, conditions of reads, and what is kept of the headers of uploads. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type Answer, ContractSite } from './contract-site.ts';

let site: ContractSite;
let signed: string;

const etag = `"${createHash('sha256').update('0123456789').digest('hex')}"`;

before(async () => {
  site = await ContractSite.start();
  await site.put('open/h.txt', '0123456789', { 'cache-control': 'public, max-age=60, s-maxage=90' });
  const { signedURL } = await site.make('object/sign/open/h.txt', { expiresIn: 600 });
  signed = String(signedURL).slice(1);
});
after(() => site.stop());

const doors = (): readonly string[] => [
  'object/open/h.txt',
  'object/authenticated/open/h.txt',
  'object/public/open/h.txt',
  signed,
];
const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  site.ask('GET', path, { headers });

test('7.1 every door serves an object with the same headers', async () => {
  for (const door of doors()) {
    const { headers } = await get(door);

    assert.equal(headers.get('accept-ranges'), 'bytes', door);
    assert.equal(headers.get('etag'), etag);
    assert.equal(headers.get('content-length'), '10');
    assert.equal(headers.get('content-type'), 'text/plain');
    assert.equal(headers.get('x-robots-tag'), 'none');
    assert.equal(headers.get('content-disposition'), null);
    assert.match(headers.get('last-modified') ?? '', /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    assert.equal(headers.has('expires'), door === signed);
  }
});

test('7.2 what was stored of caching is served as it is where everybody may read, and kept private elsewhere', async () => {
  await site.put('open/plain', 'x');
  await site.put('open/stale', 'x', { 'cache-control': 'max-age=1, stale-while-revalidate=30' });
  await site.put('box/plain', 'x');
  await site.put('box/timed', 'x', { 'cache-control': 'public, max-age=60, s-maxage=90' });
  const caching = async (path: string): Promise<string | null> =>
    (await get(`object/${path}`)).headers.get('cache-control');

  assert.equal(await caching('open/h.txt'), 'public, max-age=60, s-maxage=90');
  assert.equal(await caching('open/stale'), 'max-age=1, stale-while-revalidate=30');
  assert.equal(await caching('open/plain'), 'no-cache');
  assert.equal(await caching('box/plain'), 'private, no-cache');
  assert.equal(await caching('box/timed'), 'private, max-age=60');
});

test('7.3 a type that browsers run keeps its name, and is locked up and saved', async () => {
  for (const type of ['text/html', 'image/svg+xml', 'application/xml']) {
    await site.put('open/active', '<a/>', { 'content-type': type });

    const { headers } = await get('object/public/open/active');

    assert.equal(headers.get('content-type'), type);
    assert.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'", type);
    assert.match(headers.get('content-disposition') ?? '', /^attachment/, type);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  }
});

test('7.4 one range is served as a part, and one behind the end is 416 with the size', async () => {
  for (const door of doors()) {
    const part = await get(door, { range: 'bytes=2-4' });
    const beyond = await get(door, { range: 'bytes=10-' });

    assert.deepEqual([part.status, part.text], [206, '234'], door);
    assert.equal(part.headers.get('content-range'), 'bytes 2-4/10');
    assert.equal(part.headers.get('content-length'), '3');
    assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */10']);
  }
});

test('7.5 a read of what the client has is 304, by its tag and by its date, and the tag comes first', async () => {
  for (const door of doors()) {
    const date = (await get(door)).headers.get('last-modified') ?? '';
    const before = new Date(Date.parse(date) - 1000).toUTCString();
    const status = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await get(door, headers)).status;

    const unchanged = await get(door, { 'if-none-match': etag });

    assert.deepEqual([unchanged.status, unchanged.text], [304, ''], door);
    assert.equal(unchanged.headers.get('etag'), etag);
    assert.ok(unchanged.headers.has('cache-control'));
    assert.equal(await status({ 'if-none-match': `W/${etag}, "x"` }), 304);
    assert.equal((await site.ask('HEAD', door, { headers: { 'if-none-match': etag } })).status, 304);
    assert.equal(await status({ 'if-none-match': '"x"' }), 200);
    assert.equal(await status({ 'if-modified-since': date }), 304);
    assert.equal(await status({ 'if-modified-since': before }), 200);
    assert.equal(await status({ 'if-none-match': '"x"', 'if-modified-since': date }), 200);
  }
});

test('7.6 writes keep no encoding, disposition or robots tag of their own, and bytes come back as they were sent', async () => {
  const body = new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3]);
  const sent = {
    'content-type': 'application/gzip',
    'content-encoding': 'gzip',
    'content-disposition': 'inline; filename="other"',
    'x-robots-tag': 'all',
  };
  const made = await site.ask('POST', 'object/open/packed', { body, headers: sent });

  const answer = await site.service.fetch('/storage/v1/object/public/open/packed');

  assert.equal(made.status, 201, made.text);
  assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), body);
  assert.equal(answer.headers.get('content-encoding'), null);
  assert.equal(answer.headers.get('x-robots-tag'), 'none');
  assert.doesNotMatch(answer.headers.get('content-disposition') ?? '', /other/);
});

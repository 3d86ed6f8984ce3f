/** Ranges and conditions that ask for more than there is: rows 91 and 92. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { handSigned } from './hand-signed-url.ts';
import { type RawAnswer, RawSocket, rawRequest } from './raw-socket.ts';
import { type Attacked, attacked } from './standing.ts';

let service: Attacked;
let authorization: string;
let etag = '';
let modified = '';
/** The same bytes at each of the doors that answer ranges. */
const doors: Record<string, { readonly path: string; readonly headers: Readonly<Record<string, string>> }> = {};
const content = 'abcdefghij';

before(async () => {
  service = await attacked();
  authorization = `Bearer ${service.tokens.olivia}`;
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  const path = '/storage/v1/object/box/ten';
  const put = await service.service.fetch(path, { as: 'olivia', method: 'POST', body: content });
  etag = put.headers.get('etag') ?? '';
  modified = (await service.service.fetch(path, { as: 'olivia' })).headers.get('last-modified') ?? '';
  const signed = await service.send('POST', '/storage/v1/object/sign/box/ten', { expiresIn: 600 }, 'olivia');
  const { url } = (await signed.json()) as { readonly url: string };
  const [version] = await service.database.query<{ key: string }>(
    "SELECT key FROM storage.versions WHERE state = 'stored'",
  );
  const { bucket, access_key_id, secret_access_key, endpoint } = service.service.config.backend;
  const { host } = new URL(endpoint);
  const direct = handSigned({
    method: 'GET',
    path: `/${bucket}/${version?.key}`,
    host,
    access_key_id,
    secret_access_key,
  });
  doors['with a token'] = { path, headers: { authorization } };
  doors['by a signed URL'] = { path: `${new URL(url).pathname}${new URL(url).search}`, headers: {} };
  doors['by a presigned URL'] = { path: direct, headers: { host } };
  await service.remember();
});
afterEach(() => service.assertUnharmed());
after(() => service.stop());

async function ask(
  door: string,
  headers: Readonly<Record<string, string>>,
  method: 'GET' | 'HEAD' = 'GET',
): Promise<RawAnswer> {
  const { path = '', headers: own = {} } = doors[door] ?? {};
  const raw = await RawSocket.to(service.service.url);
  const answer = await raw.write(rawRequest(`${method} ${path}`, { ...own, ...headers })).answer(method);
  raw.destroy();
  return answer;
}

/** What each range gets: a part, several, the whole, or 416. A presigned URL gives one part or the whole, as S3 does. */
const ranges: Readonly<Record<string, string>> = {
  'bytes=0-0': 'a',
  'bytes=-1': 'j',
  'bytes=9-': 'j',
  'bytes=3-5': 'def',
  'bytes=0-99999999999999999999': content,
  'bytes=-99999999999999999999': content,
  'bytes=-0': '416',
  'bytes=10-': '416',
  'bytes=99999999999999999999-': '416',
  'bytes=5-3': 'whole',
  'bytes=0-0,-1': 'parts',
  'bytes=0-,0-,0-': 'merged',
  'bytes=0-5,3-9': 'merged',
  [`bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join(',')}`]: 'whole',
  [`bytes=${'0-9,'.repeat(999)}0-9`]: 'whole',
  [`bytes=${'9'.repeat(8000)}-`]: 'whole',
  'bytes=': 'whole',
  'bytes=-': 'whole',
  'bytes=a-b': 'whole',
  'bytes=0x0-0x5': 'whole',
  'bytes=1e0-3': 'whole',
  'bytes=+1-3': 'whole',
  'bytes=--3': 'whole',
  'items=0-3': 'whole',
  'bytes 0-3': 'whole',
};

for (const door of ['with a token', 'by a signed URL', 'by a presigned URL']) {
  test(`91 a range gets its parts, 416 or the whole: ${door}`, async () => {
    for (const [range, expected] of Object.entries(ranges)) {
      const what = `${range.slice(0, 40)}: `;

      const { status, headers, body } = await ask(door, { range });

      if (door !== 'by a presigned URL' && expected === 'parts') {
        assert.equal(status, 206, what);
        assert.match(headers['content-type'] ?? '', /^multipart\/byteranges; boundary=\w+$/, what);
        assert.equal(headers['content-length'], String(Buffer.byteLength(body)), what);
        assert.match(
          body,
          /Content-Range: bytes 0-0\/10\r\n\r\na\r\n--[\s\S]+bytes 9-9\/10\r\n\r\nj\r\n--\w+--\r\n$/,
          what,
        );
      } else if (door !== 'by a presigned URL' && expected === 'merged') {
        assert.deepEqual({ status, body }, { status: 206, body: content }, what);
        assert.equal(headers['content-range'], 'bytes 0-9/10', what);
      } else if (expected === '416') {
        assert.equal(status, 416, what);
        assert.equal(headers['content-range'], 'bytes */10', what);
        assert.doesNotMatch(body, /abc/, what);
      } else if (['whole', 'parts', 'merged'].includes(expected)) {
        assert.ok(status === 200 || (status === 416 && !body.includes('abc')), `${what}${status}`);
        if (status === 200) assert.equal(body, content, what);
        assert.equal(status === 200 ? headers['content-range'] : undefined, undefined, what);
      } else {
        assert.equal(status, 206, what);
        assert.equal(body, expected, what);
        assert.match(headers['content-range'] ?? '', /^bytes \d+-\d+\/10$/, what);
      }
    }
  });
}

test('91 a range of an object that has changed gets the whole', async () => {
  for (const stale of ['"stale"', `W/${etag}`, 'Thu, 01 Jan 1970 00:00:00 GMT', 'x', '', '*']) {
    const { status, body } = await ask('with a token', { range: 'bytes=0-2', 'if-range': stale });

    assert.deepEqual({ status, body }, { status: 200, body: content }, stale);
  }
  for (const fresh of [etag, modified]) {
    const { status, body } = await ask('with a token', { range: 'bytes=0-2', 'if-range': fresh });

    assert.deepEqual({ status, body }, { status: 206, body: 'abc' }, fresh);
  }
});

test('92 a condition with many tags is read up to a limit, and refuses nobody what is theirs', async () => {
  const many = `${'"x",'.repeat(7000)}${etag}`;
  const conditions: Readonly<Record<string, readonly [Readonly<Record<string, string>>, number]>> = {
    'the tag': [{ 'if-none-match': etag }, 304],
    'the tag, weak': [{ 'if-none-match': `W/${etag}` }, 304],
    'a mix of weak and strong': [{ 'if-none-match': `W/"a", "b",W/${etag} , "c"` }, 304],
    anything: [{ 'if-none-match': '*' }, 304],
    'another tag': [{ 'if-none-match': '"x"' }, 200],
    'a tag without quotes': [{ 'if-none-match': etag.replaceAll('"', '') }, 200],
    'nothing but commas': [{ 'if-none-match': ','.repeat(20_000) }, 200],
    'seven thousand tags, the true one last': [{ 'if-none-match': many }, 200],
    'another tag to match': [{ 'if-match': '"x"' }, 412],
    'seven thousand tags to match': [{ 'if-match': many }, 412],
    'a date that is none': [{ 'if-modified-since': 'x'.repeat(20_000) }, 200],
    'a date that never was': [{ 'if-modified-since': 'Sun, 31 Feb 0000 25:61:61 GMT' }, 200],
    'the year 275760': [{ 'if-modified-since': 'Sat, 13 Sep 275760 00:00:00 GMT' }, 304],
  };
  for (const [what, [headers, expected]] of Object.entries(conditions)) {
    const { status, body } = await ask('with a token', headers);

    assert.equal(status, expected, what);
    assert.equal(body.includes('abc'), expected === 200, what);
  }
});

test('92 a hundred thousand tags do not fit into a request', async () => {
  const { status } = await ask('with a token', { 'if-none-match': '"x",'.repeat(100_000) });

  assert.equal(status, 431);
});

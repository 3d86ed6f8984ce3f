/** Rows 71 to 79, 83 and 84 of the list of attacks, at the door that answers presigned URLs over HTTP. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { type HandSigned, handSigned, type PlainAnswer, sendPlainly } from './hand-signed-url.ts';
import { type Attacked, assertSaysNothing, attacked } from './standing.ts';

let open: Attacked;
/** The path of stored bytes, and that of an upload which was asked for and has not arrived. */
let stored: string;
let awaited: string;
/** The URL that the upload was promised; nobody may have used it up. */
let promised: string;
let host: string;

before(async () => {
  open = await attacked();
  const { bucket } = open.service.config.backend;
  host = new URL(open.service.url).host;
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await open.service.fetch('/storage/v1/object/vault/a.txt', { as: 'olivia', method: 'POST', body: 'stored bytes' });
  const [version] = await open.database.query<{ key: string }>(
    "SELECT key FROM storage.versions WHERE state = 'stored'",
  );
  stored = `/${bucket}/${version?.key}`;
  const ask = { p_entity_type: 'note', p_entity_id: '1', p_file_name: 'a.txt', p_file_type: 'text/plain' };
  const id = (await (await open.send('POST', '/rpc/request_upload_url', ask, 'olivia')).json()) as string;
  promised = await until(async () => {
    const rows = await open.database.query<{ presigned_url: string | null }>(
      'SELECT presigned_url FROM metadata.file_upload_requests WHERE id = $1',
      [id],
    );
    return rows[0]?.presigned_url;
  });
  awaited = new URL(promised).pathname;
  await open.remember();
});
afterEach(async () => {
  assert.equal((await open.fsck()).keys, 1, 'no bytes arrived');
  await open.assertUnharmed();
});
after(async () => {
  const put = await fetch(promised, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: 'x' });
  assert.equal(put.status, 200, 'a control: after all of this the URL that was promised works');
  await open.stop();
});

const sign = (ask: Partial<HandSigned> = {}): string => {
  const { access_key_id, secret_access_key } = open.service.config.backend;
  return handSigned({ method: 'GET', path: stored, host, access_key_id, secret_access_key, ...ask });
};

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<PlainAnswer> =>
  sendPlainly(open.service.url, { method: 'GET', path, headers });
const put = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<PlainAnswer> =>
  sendPlainly(open.service.url, { method: 'PUT', path, headers, body: 'of mallory' });

/** Asserts an answer of S3's form that opened nothing. */
function refused({ status, headers, text }: PlainAnswer, what: string, code?: string | RegExp): void {
  assert.equal(status, 403, `${what}: ${status} ${text}`);
  assert.match(String(headers['content-type']), /^application\/xml/);
  assert.equal(headers['cache-control'], 'no-store');
  const found = /^<\?xml[^>]*>\s*<Error><Code>(\w+)<\/Code><Message>[^<]*<\/Message><\/Error>$/.exec(text)?.[1] ?? '';
  assert.notEqual(found, '', text);
  assertSaysNothing(text);
  assert.doesNotMatch(text, /stored bytes/);
  if (code !== undefined)
    assert.match(found, typeof code === 'string' ? new RegExp(`^${code}$`) : code, `${what}: ${text}`);
}

/** Changes one bit of one character, so that what comes out is still printable where possible. */
const flipped = (text: string, place: number): string =>
  text.slice(0, place) + String.fromCharCode(text.charCodeAt(place) ^ 1) + text.slice(place + 1);

test('a control: what the tests sign by hand opens the door', async () => {
  const answer = await get(sign());

  assert.deepEqual([answer.status, answer.text], [200, 'stored bytes']);
});

test('71 a URL with one bit changed anywhere is refused', async () => {
  for (const [method, url] of [
    ['GET', sign({ query: [['response-content-disposition', 'attachment; filename=a']] })],
    ['PUT', promised.slice(new URL(promised).origin.length)],
  ] as const) {
    const keyFrom = url.indexOf('/', 1) + 1;
    for (let place = keyFrom; place < url.length; place += 1) {
      const changed = flipped(url, place);
      if (!/^[!-~]+$/.test(changed) || /[#]/.test(changed)) continue;
      const answer = await sendPlainly(open.service.url, {
        method,
        path: changed,
        headers: method === 'PUT' ? { 'content-type': 'text/plain' } : {},
        ...(method === 'PUT' ? { body: 'of mallory' } : {}),
      });
      refused(answer, `${method} with another ${place}: ${changed}`);
    }
  }
});

test('71 another bucket, host, type, length or method than was signed is refused', async () => {
  const typed = sign({ method: 'PUT', path: awaited, headers: { 'content-type': 'text/plain' } });
  const sized = sign({ method: 'PUT', path: awaited, headers: { 'content-length': '3' } });
  const acl = sign({ method: 'PUT', path: awaited, headers: { 'x-amz-acl': 'private' } });

  refused(await put(typed, { 'content-type': 'text/html' }), 'another type', 'SignatureDoesNotMatch');
  refused(await put(typed, { 'content-type': 'text/plain; charset=utf-8' }), 'a parameter of the type');
  refused(await put(typed), 'no type', 'SignatureDoesNotMatch');
  refused(await put(sized), 'another length', 'SignatureDoesNotMatch');
  refused(await put(acl, { 'x-amz-acl': 'public-read' }), 'another ACL', 'SignatureDoesNotMatch');
  refused(await get(sign(), { host: 'files.example.com' }), 'another host', 'SignatureDoesNotMatch');
  const other = await get(sign().replace(stored, stored.replace(/^\/[^/]+/, '/another-bucket')));
  assert.equal(other.status, 404, 'there is no other bucket');
});

test('72 a URL is good for its own method and key', async () => {
  for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
    const answer = await sendPlainly(open.service.url, { method, path: sign(), body: 'x' });
    assert.ok([403, 404, 405].includes(answer.status), `${method}: ${answer.status}`);
    assert.doesNotMatch(answer.text, /stored bytes/);
  }
  const forPut = sign({ method: 'PUT', path: stored });
  for (const method of ['GET', 'HEAD']) {
    const answer = await sendPlainly(open.service.url, { method, path: forPut });
    assert.equal(answer.status, 403, method);
  }
  refused(await put(sign({ method: 'PUT', path: awaited }).replace(awaited, stored)), 'another key');
  refused(await put(sign({ method: 'GET', path: awaited })), 'a GET that puts');
  const head = await sendPlainly(open.service.url, { method: 'HEAD', path: sign() });
  assert.deepEqual([head.status, head.text], [200, ''], 'a GET URL answers HEAD');
  const overwrite = await put(sign({ method: 'PUT', path: stored }));
  assert.equal(overwrite.status, 412, 'and what is stored is never written again');
});

test('73 a URL is refused after its time, before it, and for a time that is none', async () => {
  const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);
  const cases: readonly (readonly [string, Partial<HandSigned>])[] = [
    ['expired a second ago', { date: ago(62), expires: '60' }],
    ['expired long ago', { date: ago(604_900), expires: '604800' }],
    ['signed for a time to come', { date: ago(-16 * 60) }],
    ['no time at all', { expires: '0' }],
    ['less than none', { expires: '-1' }],
    ['half a second', { expires: '3600.5' }],
    ['more than a week', { expires: '604801' }],
    ['thirty years', { expires: '1000000000' }],
    ['a text', { expires: 'forever' }],
    ['another notation', { expires: '1e3' }],
    ['hexadecimal', { expires: '0x10' }],
    ['a space', { expires: ' 60' }],
    ['a plus', { expires: '+60' }],
    ['nothing', { expires: '' }],
  ];

  for (const [what, ask] of cases)
    refused(await get(sign(ask)), what, /^(AccessDenied|AuthorizationQueryParametersError)$/);
  const ahead = await get(sign({ date: ago(-14 * 60) }));
  assert.equal(ahead.status, 200, 'clocks may differ by fifteen minutes');
});

test('75 parameters twice, in another case or unsigned are refused', async () => {
  const good = sign();
  const [, signature = ''] = good.split('X-Amz-Signature=');
  const urls: Readonly<Record<string, string>> = {
    'two signatures': `${good}&X-Amz-Signature=${signature}`,
    'two signatures, the second one wrong': `${good}&X-Amz-Signature=${'0'.repeat(64)}`,
    'two signatures, the first one wrong': good.replace(
      'X-Amz-Signature=',
      `X-Amz-Signature=${'0'.repeat(64)}&X-Amz-Signature=`,
    ),
    'two expiries': `${good}&X-Amz-Expires=604800`,
    'two expiries, both signed': sign({ query: [['X-Amz-Expires', '604800']] }),
    'two credentials, both signed': sign({ query: [['X-Amz-Credential', 'x']] }),
    'another case': good.replace('X-Amz-Signature', 'x-amz-signature'),
    'another case of the expiry': sign({ query: [['x-amz-expires', '604800']] }),
    'an array': good.replace('X-Amz-Signature', 'X-Amz-Signature[]'),
    'an array by number': good.replace('X-Amz-Signature', 'X-Amz-Signature[0]'),
    'a semicolon between': good.replace('&X-Amz-Signature', ';X-Amz-Signature'),
    'one more parameter': `${good}&x=1`,
    'one more without a value': `${good}&acl`,
    'an unsigned type': `${good}&response-content-type=text/html`,
    'an unsigned disposition': `${good}&response-content-disposition=inline`,
    'an unsigned version': `${good}&versionId=1`,
    'a token that nobody has': sign({ query: [['X-Amz-Security-Token', 'x']] }),
    'no signature': good.replace(/&X-Amz-Signature=.*/, ''),
    'no query': stored,
    'a thousand parameters': `${good}${'&x=1'.repeat(1000)}`,
  };

  for (const [what, url] of Object.entries(urls)) refused(await get(url), what);
  const [path = '', query = ''] = good.split('?');
  const reordered = await get(`${path}?${query.split('&').reverse().join('&')}`);
  assert.equal(reordered.status, 200, 'their order means nothing');
});

test('76 headers that change what a PUT means must be signed', async () => {
  const url = sign({ method: 'PUT', path: awaited });

  for (const name of [
    'x-amz-acl',
    'x-amz-copy-source',
    'x-amz-meta-owner',
    'x-amz-tagging',
    'x-amz-website-redirect-location',
    'x-amz-storage-class',
    'x-amz-server-side-encryption',
    'x-amz-date',
    'X-Amz-Security-Token',
    'x-amz-grant-read',
    'x-amz-anything',
  ]) {
    refused(await put(url, { [name]: 'x' }), name, 'AccessDenied');
  }
});

test('77 a credential without a signature opens nothing, whatever the body is said to be', async () => {
  const { access_key_id } = open.service.config.backend;
  const query = new URLSearchParams({ 'X-Amz-Credential': `${access_key_id}/20260101/us-east-1/s3/aws4_request` });
  const streaming = {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-trailer': 'x-amz-checksum-crc32',
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '3',
  };

  for (const path of [
    `${awaited}?${query}`,
    awaited,
    sign({ method: 'PUT', path: awaited }).replace(/&X-Amz-Signature=.*/, ''),
  ]) {
    refused(await put(path, streaming), path);
    refused(await put(path), path);
  }
});

test('78 a made-up signature opens nothing, by any method or header', async () => {
  const made = sign({ method: 'PUT', path: awaited, secret_access_key: 'mallory has a secret of the same length..' });
  const { access_key_id } = open.service.config.backend;
  const authorization = `AWS4-HMAC-SHA256 Credential=${access_key_id}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
  const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };

  refused(await put(made), 'PUT', 'SignatureDoesNotMatch');
  refused(await put(made, unsigned), 'PUT without a hash', 'SignatureDoesNotMatch');
  refused(await put(made, { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }), 'PUT with a trailer');
  refused(await put(awaited, { authorization, ...unsigned }), 'a header');
  refused(await put(sign({ method: 'PUT', path: awaited }), { authorization }), 'a good query beside a header');
  refused(await put(awaited, { authorization: `Bearer ${open.tokens.service}` }), 'a token of the service role');
  refused(await get(stored, { authorization: `Bearer ${open.tokens.service}` }), 'a token of the service role reads');
  for (const method of ['POST', 'DELETE', 'COPY', 'PATCH']) {
    const answer = await sendPlainly(open.service.url, { method, path: made, body: 'x' }).catch(() => undefined);
    assert.ok(answer === undefined || [400, 403, 404, 405].includes(answer.status), `${method}: ${answer?.status}`);
  }
});

test('79 another region, service, date or algorithm is refused, and so is a URL that binds no host', async () => {
  const cases: readonly (readonly [string, Partial<HandSigned> | string, string | RegExp])[] = [
    ['region', { region: 'eu-west-1' }, 'AuthorizationQueryParametersError'],
    ['service', { service: 'iam' }, 'AuthorizationQueryParametersError'],
    ['key id', { access_key_id: 'AKIAIOSFODNN7EXAMPLE' }, 'InvalidAccessKeyId'],
    ['key id of an inherited property', { access_key_id: '__proto__' }, 'InvalidAccessKeyId'],
    ['algorithm', { algorithm: 'AWS4-HMAC-SHA1' }, 'AuthorizationQueryParametersError'],
    ['asymmetric algorithm', { algorithm: 'AWS4-ECDSA-P256-SHA256' }, 'AuthorizationQueryParametersError'],
    ['no host', { signedHeaders: '' }, 'AuthorizationQueryParametersError'],
    [
      'no host but another',
      { signedHeaders: 'accept', headers: { accept: '*/*' } },
      'AuthorizationQueryParametersError',
    ],
    [
      'names out of order',
      { signedHeaders: 'host;accept', headers: { accept: 'x' } },
      'AuthorizationQueryParametersError',
    ],
    ['names in upper case', { signedHeaders: 'Host' }, 'AuthorizationQueryParametersError'],
    ['a date of another day', sign().replace(/(Credential=\w+%2F)\d{8}/, '$120200101'), /./],
    ['a date that is none', sign().replace(/X-Amz-Date=\w+/, 'X-Amz-Date=20260231T000000Z'), /./],
    ['version 2', `${stored}?AWSAccessKeyId=TESTKEY&Expires=9999999999&Signature=AAAA`, /./],
    ['version 2 beside version 4', `${sign()}&AWSAccessKeyId=TESTKEY&Signature=AAAA&Expires=1`, /./],
  ];

  for (const [what, ask, code] of cases) refused(await get(typeof ask === 'string' ? ask : sign(ask)), what, code);
});

test('83 the type and disposition of an answer are as signed, and nothing that a browser runs is shown', async () => {
  const ask = (type: string, disposition = 'inline'): Promise<PlainAnswer> =>
    get(
      sign({
        query: [
          ['response-content-disposition', disposition],
          ['response-content-type', type],
        ],
      }),
    );

  const image = await ask('image/png', 'inline; filename="a.png"');
  assert.deepEqual(
    [image.status, image.headers['content-type'], image.headers['content-disposition']],
    [200, 'image/png', 'inline; filename="a.png"'],
  );
  for (const type of [
    'text/html',
    'TEXT/HTML',
    'text/html;charset=utf-8',
    ' text/html',
    'image/svg+xml',
    'text/xml; x=1',
  ]) {
    const { status, headers } = await ask(type, 'inline; filename="a.html"');
    assert.equal(status, 200, type);
    assert.equal(headers['content-disposition'], 'attachment; filename="a.html"', type);
    assert.equal(headers['content-security-policy'], "sandbox; default-src 'none'", type);
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
  for (const [type, disposition] of [
    ['image/png, text/html', 'inline'],
    ['text', 'inline'],
    ['image/png\r\nset-cookie: a=b', 'inline'],
    ['image/png', 'inline\r\nset-cookie: a=b'],
    ['image/png', 'inline; filename="\u00e9\u202e.png"'],
    ['image/png', ''],
    ['image/png', 'x'.repeat(3000)],
  ] as const) {
    const { status, headers } = await ask(type, disposition);
    assert.ok(status === 400 || status === 415, `${type} ${disposition}: ${status}`);
    assert.equal(headers['set-cookie'], undefined);
  }
});

test('84 what is no signature is refused like a wrong one', async () => {
  const good = sign();
  const [before = '', signature = ''] = good.split('X-Amz-Signature=');
  const texts = [
    '',
    '0',
    signature.slice(1),
    signature.slice(0, -1),
    `${signature}0`,
    signature.toUpperCase(),
    'z'.repeat(64),
    '%00'.repeat(64),
    '%C3%A9'.repeat(32),
    '%C3%A9'.repeat(64),
    '%F0%9F%98%80'.repeat(16),
    'a'.repeat(8000),
    '%zz',
    '%ff',
  ];

  for (const text of texts) refused(await get(`${before}X-Amz-Signature=${text}`), text.slice(0, 40));
});

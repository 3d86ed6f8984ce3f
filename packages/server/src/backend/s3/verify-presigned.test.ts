import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import fc from 'fast-check';
import { Presigner } from './presigner.ts';
import { type PresignedRequest, verifyPresigned } from './verify-presigned.ts';

const credentials = { access_key_id: 'rowlock', secret_access_key: 'a-secret-of-thirty-two-characters' };
const signer = new Presigner({ endpoint: 'http://127.0.0.1:8000', region: 'us-east-1', bucket: 'files', credentials });
const signedAt = new Date('2026-03-04T05:06:07Z');
const later = (seconds: number): Date => new Date(signedAt.getTime() + seconds * 1000);
const seed = 7_176;

const headers = { 'content-type': 'image/jpeg', 'content-length': '1234', 'x-amz-acl': 'public-read' };
const putUrl = signer.presign({ method: 'PUT', key: 'objects/ab/key.jpg', expirySeconds: 900, now: signedAt, headers });
const getUrl = signer.presign({
  method: 'GET',
  key: 'objects/ab/key.jpg',
  expirySeconds: 900,
  now: signedAt,
  query: { 'response-content-disposition': 'attachment; filename="a b.jpg"' },
});

function received(url: string, changes: Partial<PresignedRequest> = {}): PresignedRequest {
  const question = url.indexOf('?');
  return {
    method: 'GET',
    host: '127.0.0.1:8000',
    rawPath: url.slice(url.indexOf('/', 8), question),
    rawQuery: url.slice(question + 1),
    headers: { host: '127.0.0.1:8000', 'user-agent': 'test', 'accept-encoding': 'gzip' },
    credentials,
    region: 'us-east-1',
    now: later(1),
    ...changes,
  };
}

function put(url: string, changes: Partial<PresignedRequest> = {}): PresignedRequest {
  return received(url, { method: 'PUT', headers, ...changes });
}

function reasonOf(request: PresignedRequest): string {
  const result = verifyPresigned(request);
  return result.ok ? 'ok' : result.reason;
}

/** Replaces one parameter's encoded value, which leaves the rest of the query as it is. */
function withParameter(url: string, name: string, value: string): string {
  assert.ok(url.includes(`${name}=`), name);
  return url.replace(new RegExp(`${name}=[^&]*`), `${name}=${value}`);
}

test('a PUT as it was signed is accepted, with what was signed and until when', () => {
  const result = verifyPresigned(put(putUrl));

  assert.deepEqual(result, {
    ok: true,
    method: 'PUT',
    path: '/files/objects/ab/key.jpg',
    query: [],
    expires_at: later(900),
    signed_headers: ['content-length', 'content-type', 'host', 'x-amz-acl'],
  });
});

test('a GET tells the signed parameters of its answer', () => {
  const result = verifyPresigned(received(getUrl));

  assert.ok(result.ok);
  assert.deepEqual(result.query, [['response-content-disposition', 'attachment; filename="a b.jpg"']]);
});

test('a GET URL answers a HEAD only where the caller says so, and never a PUT or DELETE', () => {
  assert.equal(reasonOf(received(getUrl, { method: 'HEAD' })), 'signature');
  assert.equal(reasonOf(received(getUrl, { method: 'PUT' })), 'signature');
  assert.equal(reasonOf(received(getUrl, { method: 'DELETE', alsoMethods: ['POST'] })), 'signature');

  const result = verifyPresigned(received(getUrl, { method: 'HEAD', alsoMethods: ['GET'] }));

  assert.ok(result.ok);
  assert.equal(result.method, 'GET');
});

test('any changed bit of address, query or host is refused, or changes nothing that is read', () => {
  const original = put(putUrl);
  const accepted = verifyPresigned(original);
  const wire = `${original.rawPath}?${original.rawQuery}`;
  let refused = 0;

  for (let at = 0; at < wire.length; at++) {
    for (let bit = 0; bit < 7; bit++) {
      const flipped = wire.slice(0, at) + String.fromCharCode(wire.charCodeAt(at) ^ (1 << bit)) + wire.slice(at + 1);
      const question = flipped.indexOf('?');
      const rawPath = question < 0 ? flipped : flipped.slice(0, question);
      const result = verifyPresigned({ ...original, rawPath, rawQuery: flipped.slice(rawPath.length + 1) });
      // %2F and %2f are the same text: such a flip may pass, and then reads as the original.
      if (result.ok) assert.deepEqual(result, accepted, flipped);
      else refused += 1;
    }
  }

  assert.ok(refused > wire.length * 6.8, `${refused} of ${wire.length * 7} flips were refused`);
  assert.equal(reasonOf({ ...original, host: '127.0.0.1:8001' }), 'signature');
});

test('random requests verify, and none of their fields may differ', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
  const header = fc
    .string({ unit: fc.constantFrom(...'abz/+;= "'), minLength: 1, maxLength: 20 })
    .filter((v) => v.trim() !== '');
  const property = fc.property(
    fc.record({
      method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'),
      key: text,
      expirySeconds: fc.integer({ min: 1, max: 604_800 }),
    }),
    fc.dictionary(fc.constantFrom('content-type', 'x-amz-acl', 'if-none-match', 'x-amz-meta-a'), header),
    fc.dictionary(fc.constantFrom('response-content-type', 'versionId', 'Zebra', 'é', 'a b'), text),
    fc.tuple(text, header),
    (request, signedHeaders, query, [otherText, otherHeader]) => {
      const url = signer.presign({ ...request, now: signedAt, headers: signedHeaders, query });
      const good = received(url, { method: request.method, headers: signedHeaders });

      assert.equal(reasonOf(good), 'ok');
      assert.equal(reasonOf({ ...good, method: 'PATCH' }), 'signature');
      if (otherText !== request.key) {
        const other = signer.presign({ ...request, key: otherText, now: signedAt });
        assert.notEqual(reasonOf({ ...good, rawPath: received(other).rawPath }), 'ok');
      }
      for (const [name, value] of Object.entries(query)) {
        if (value === otherText) continue;
        const pattern = `${encodeURIComponent(name)}=`;
        const start = good.rawQuery.indexOf(pattern) + pattern.length;
        const end = good.rawQuery.indexOf('&', start);
        const rawQuery = good.rawQuery.slice(0, start) + encodeURIComponent(otherText) + good.rawQuery.slice(end);
        assert.equal(reasonOf({ ...good, rawQuery }), 'signature');
      }
      for (const [name, value] of Object.entries(signedHeaders)) {
        if (value.trim().replace(/\s+/g, ' ') === otherHeader.trim().replace(/\s+/g, ' ')) continue;
        assert.equal(reasonOf({ ...good, headers: { ...signedHeaders, [name]: otherHeader } }), 'signature');
      }
    },
  );

  fc.assert(property, { numRuns: 1000, seed });
});

test('signed headers must be sent exactly as signed', () => {
  assert.equal(reasonOf(put(putUrl, { headers: { ...headers, 'content-type': 'text/html' } })), 'signature');
  assert.equal(reasonOf(put(putUrl, { headers: { ...headers, 'content-length': '1235' } })), 'signature');
  assert.equal(reasonOf(put(putUrl, { headers: { ...headers, 'x-amz-acl': 'private' } })), 'signature');
  assert.equal(
    reasonOf(put(putUrl, { headers: { 'content-type': 'image/jpeg', 'x-amz-acl': 'public-read' } })),
    'missing_header',
  );
});

for (const name of [
  'x-amz-acl',
  'x-amz-copy-source',
  'x-amz-meta-owner',
  'x-amz-tagging',
  'x-amz-website-redirect-location',
  'x-amz-storage-class',
  'x-amz-date',
  'X-Amz-Security-Token',
]) {
  test(`an unsigned ${name} header is refused`, () => {
    const url = signer.presign({ method: 'PUT', key: 'a', expirySeconds: 900, now: signedAt });

    const reason = reasonOf(put(url, { headers: { [name]: 'public-read' } }));

    assert.equal(reason, 'unsigned_header');
  });
}

test('an unsigned x-amz-content-sha256 is accepted only where it says that the payload is unsigned', () => {
  const url = signer.presign({ method: 'PUT', key: 'a', expirySeconds: 900, now: signedAt });
  const sent = (value: string): string => reasonOf(put(url, { headers: { 'x-amz-content-sha256': value } }));

  assert.equal(sent('UNSIGNED-PAYLOAD'), 'ok');
  assert.equal(sent('STREAMING-UNSIGNED-PAYLOAD-TRAILER'), 'unsigned_header');
  assert.equal(sent('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'), 'unsigned_header');
});

test('a URL is good until its last second and expired after it', () => {
  assert.equal(reasonOf(put(putUrl, { now: later(900) })), 'ok');
  assert.equal(reasonOf(put(putUrl, { now: later(901) })), 'expired');
});

test('a URL from the future is accepted up to fifteen minutes ahead', () => {
  assert.equal(reasonOf(put(putUrl, { now: later(-900) })), 'ok');
  assert.equal(reasonOf(put(putUrl, { now: later(-901) })), 'not_yet_valid');
  assert.equal(reasonOf(put(putUrl, { now: later(-60), skewSeconds: 59 })), 'not_yet_valid');
});

for (const expires of ['0', '-1', '1e9', '3600.5', '604801', '', '0900', '%2B900', '900%00', '９００']) {
  test(`an expiry of "${expires}" is refused`, () => {
    const reason = reasonOf(put(withParameter(putUrl, 'X-Amz-Expires', expires)));

    assert.equal(reason, 'invalid_expiry');
  });
}

for (const [what, url, reason] of [
  ['a second signature', `${putUrl}&X-Amz-Signature=${'0'.repeat(64)}`, 'malformed'],
  ['a second expiry', `${putUrl}&X-Amz-Expires=604800`, 'malformed'],
  ['a parameter in another case', putUrl.replace('X-Amz-Expires', 'x-amz-expires'), 'malformed'],
  ['an array parameter beside the real one', `${putUrl}&X-Amz-Expires[]=604800`, 'signature'],
  ['an array parameter in place of the real one', putUrl.replace('X-Amz-Date', 'X-Amz-Date[]'), 'malformed'],
  ['an extra unsigned parameter', `${putUrl}&response-content-type=text%2Fhtml`, 'signature'],
  ['no signature', putUrl.replace(/&X-Amz-Signature=.*/, ''), 'malformed'],
  ['a short signature', putUrl.slice(0, -1), 'signature'],
  ['an empty signature', withParameter(putUrl, 'X-Amz-Signature', ''), 'signature'],
  ['a signature that is not hexadecimal', withParameter(putUrl, 'X-Amz-Signature', 'z'.repeat(64)), 'signature'],
  ['a signature outside of ASCII', withParameter(putUrl, 'X-Amz-Signature', '%C4%B0'.repeat(64)), 'signature'],
  ['a host that is not signed', putUrl.replace('%3Bhost', ''), 'malformed'],
  [
    'unsorted header names',
    putUrl.replace('content-length%3Bcontent-type', 'content-type%3Bcontent-length'),
    'malformed',
  ],
  ['a repeated header name', putUrl.replace('%3Bhost', '%3Bhost%3Bhost'), 'malformed'],
  [
    'a header named after a property of objects',
    putUrl.replace('%3Bcontent-type', '%3Bconstructor%3Bcontent-type'),
    'malformed',
  ],
  [
    'a header that was never sent',
    withParameter(putUrl, 'X-Amz-SignedHeaders', 'constructor%3Bhost'),
    'missing_header',
  ],
  ['the prototype as a header', withParameter(putUrl, 'X-Amz-SignedHeaders', '__proto__%3Bhost'), 'missing_header'],
  ['another region', putUrl.replace('us-east-1', 'us-west-2'), 'wrong_scope'],
  ['another service', putUrl.replace('%2Fs3%2F', '%2Fsts%2F'), 'wrong_scope'],
  ['another day', putUrl.replace('%2F20260304%2F', '%2F20260305%2F'), 'wrong_scope'],
  ['another access key', putUrl.replace('rowlock%2F', 'rowlocks%2F'), 'unknown_key'],
  ['a session token', `${putUrl}&X-Amz-Security-Token=abc`, 'unknown_key'],
  ['half a credential', withParameter(putUrl, 'X-Amz-Credential', 'rowlock%2F20260304'), 'malformed'],
  ['a date that does not exist', withParameter(putUrl, 'X-Amz-Date', '20260231T000000Z'), 'malformed'],
  ['a date in another form', withParameter(putUrl, 'X-Amz-Date', '2026-03-04T05%3A06%3A07Z'), 'malformed'],
  ['another algorithm', withParameter(putUrl, 'X-Amz-Algorithm', 'AWS4-ECDSA-P256-SHA256'), 'unsupported'],
  ['Signature Version 2', 'http://h/files/a?AWSAccessKeyId=rowlock&Expires=1772600000&Signature=abc%3D', 'unsupported'],
  ['a signed payload', `${putUrl}&X-Amz-Content-Sha256=${'0'.repeat(64)}`, 'unsupported'],
  ['a query that is not UTF-8', `${putUrl}&a=%ff`, 'malformed'],
  ['a broken escape in the query', `${putUrl}&a=%zz`, 'malformed'],
  ['a path that is not UTF-8', putUrl.replace('/key', '/%ff'), 'malformed'],
  ['ten thousand parameters', `${putUrl}${'&a=b'.repeat(10_000)}`, 'malformed'],
  ['no query', 'http://127.0.0.1:8000/files/a?', 'malformed'],
] as const) {
  test(`${what} is refused`, () => {
    assert.notEqual(url, putUrl);

    const found = reasonOf(put(url));

    assert.equal(found, reason);
  });
}

test('an Authorization header beside a signed query is refused', () => {
  const reason = reasonOf(received(getUrl, { headers: { authorization: 'Bearer abc' } }));

  assert.equal(reason, 'malformed');
});

test('other spellings of the same request verify', () => {
  const url = signer.presign({
    method: 'GET',
    key: 'a~b+c*d e//é',
    expirySeconds: 60,
    now: signedAt,
    query: { 'response-content-disposition': 'a b~', empty: '' },
  });
  const { rawPath, rawQuery } = received(url);

  const respelled = received(url, {
    rawPath: rawPath.replace('~', '%7E').replace('%2B', '+').replace('%2A', '*').replace('%C3%A9', '%c3%a9'),
    rawQuery: rawQuery.replace('a%20b~', 'a+b%7e').replace('empty=', 'empty'),
  });

  assert.notEqual(respelled.rawPath, rawPath);
  assert.notEqual(respelled.rawQuery, rawQuery);
  assert.equal(reasonOf(respelled), 'ok');
});

test("the AWS SDK's own presigned PUT verifies as it arrives over HTTP", async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: credentials.access_key_id, secretAccessKey: credentials.secret_access_key },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const url = await getSignedUrl(
    client,
    new PutObjectCommand({
      Bucket: 'files',
      Key: 'ä b+c~*.jpg',
      ContentType: 'image/jpeg',
      ContentLength: 3,
      ACL: 'public-read',
    }),
    { expiresIn: 60, signableHeaders: new Set(['content-type']), unhoistableHeaders: new Set(['x-amz-acl']) },
  );

  const send = httpRequest(url, {
    method: 'PUT',
    headers: { 'content-type': 'image/jpeg', 'content-length': 3, 'x-amz-acl': 'public-read' },
  });
  send.end('abc');
  const [request, response] = (await once(server, 'request')) as [IncomingMessage, { end(): void }];
  response.end();
  await once(send, 'response');
  const [rawPath = '', rawQuery = ''] = (request.url ?? '').split('?');
  const result = verifyPresigned({
    method: request.method ?? '',
    host: request.headers.host ?? '',
    rawPath,
    rawQuery,
    headers: request.headers,
    credentials,
    region: 'us-east-1',
    now: new Date(),
  });

  assert.ok(result.ok);
  assert.equal(result.path, '/files/ä b+c~*.jpg');
  assert.deepEqual(result.signed_headers, ['content-length', 'content-type', 'host', 'x-amz-acl']);
});

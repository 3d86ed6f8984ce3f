import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetObjectCommand, PutObjectCommand, type PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { AwsClient } from 'aws4fetch';
import fc from 'fast-check';
import { Presigner, type PresignRequest } from './presigner.ts';
import { verifyPresigned } from './verify-presigned.ts';

const credentials = {
  access_key_id: 'AKIAIOSFODNN7EXAMPLE',
  secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const now = new Date('2026-03-04T05:06:07.890Z');
/** Fixed, so that a failure is found again; fast-check prints the seed and path of a counterexample. */
const seed = 20_260_304;

const signers = {
  path: new Presigner({
    endpoint: 'http://127.0.0.1:8000',
    region: 'eu-central-1',
    bucket: 'some-bucket',
    credentials,
  }),
  virtual: new Presigner({
    endpoint: 'https://s3.eu-central-1.amazonaws.com',
    region: 'eu-central-1',
    bucket: 'some-bucket',
    credentials,
    addressing: 'virtual',
  }),
};
const clients = {
  path: s3Client({ endpoint: 'http://127.0.0.1:8000', forcePathStyle: true }),
  virtual: s3Client({ endpoint: 'https://s3.eu-central-1.amazonaws.com' }),
};

function s3Client(options: { endpoint: string; forcePathStyle?: boolean }): S3Client {
  return new S3Client({
    ...options,
    region: 'eu-central-1',
    credentials: { accessKeyId: credentials.access_key_id, secretAccessKey: credentials.secret_access_key },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

function verified(
  method: string,
  url: string,
  headers: Record<string, string> = {},
): ReturnType<typeof verifyPresigned> {
  const { host } = new URL(url);
  const question = url.indexOf('?');
  return verifyPresigned({
    method,
    host,
    rawPath: url.slice(url.indexOf('/', 8), question),
    rawQuery: url.slice(question + 1),
    headers,
    credentials,
    region: 'eu-central-1',
    now,
  });
}

/** What is in the URL beside the signature's own parameters and must be given to our signer too. */
function extraParameters(url: string): Record<string, string> {
  const own = /^X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature)$/;
  return Object.fromEntries([...new URL(url).searchParams].filter(([name]) => !own.test(name)));
}

function signatureOf(url: string): string {
  return new URL(url).searchParams.get('X-Amz-Signature') ?? '';
}

/** The parameters in the order in which the SDK writes them; ours ends with the signature. */
function sortedQuery(url: string): string {
  const [address = '', query = ''] = url.split('?');
  return `${address}?${query.split('&').sort().join('&')}`;
}

/** Any text that has a UTF-8 form, without a first slash (S3 clients differ on that one). */
const anyKey = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...'abZ09-_.~!*\'()+ %&=?#:;,@$"<>[]{}|\\^`/é😀'), minLength: 1, maxLength: 40 }),
  )
  .filter((key) => !key.startsWith('/'));
const anyMethod = fc.record({
  key: anyKey,
  addressing: fc.constantFrom('path' as const, 'virtual' as const),
  expirySeconds: fc.integer({ min: 1, max: 604_800 }),
});
const mediaType = fc.constantFrom(
  'image/jpeg',
  'text/plain; charset=utf-8',
  'application/x-a+b',
  'video/mp4;codecs="a, b"',
);

test("S3's published example of a presigned URL is reproduced and verifies", () => {
  const example = new Presigner({
    endpoint: 'https://s3.amazonaws.com',
    region: 'us-east-1',
    bucket: 'examplebucket',
    credentials,
    addressing: 'virtual',
  });

  const url = example.presign({
    method: 'GET',
    key: 'test.txt',
    expirySeconds: 86_400,
    now: new Date('2013-05-24T00:00:00Z'),
  });

  assert.equal(
    url,
    'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
      '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

test('PUT URLs are those of the AWS SDK for random keys, types, lengths and ACLs, and verify', async () => {
  const property = fc.asyncProperty(
    anyMethod,
    fc.option(mediaType),
    fc.option(fc.nat()),
    fc.option(fc.constantFrom('public-read' as const, 'private' as const)),
    async ({ key, addressing, expirySeconds }, type, length, acl) => {
      const input: PutObjectCommandInput = { Bucket: 'some-bucket', Key: key };
      const headers: Record<string, string> = {};
      if (type !== null) {
        input.ContentType = type;
        headers['content-type'] = type;
      }
      if (length !== null) {
        input.ContentLength = length;
        headers['content-length'] = String(length);
      }
      if (acl !== null) {
        input.ACL = acl;
        headers['x-amz-acl'] = acl;
      }

      const theirs = await getSignedUrl(clients[addressing], new PutObjectCommand(input), {
        expiresIn: expirySeconds,
        signingDate: now,
        // Without a type the SDK invents one, which must then stay unsigned (requirements C18).
        signableHeaders: new Set(type === null ? [] : ['content-type']),
        unhoistableHeaders: new Set(['x-amz-acl']),
      });
      const query = extraParameters(theirs);
      const ours = signers[addressing].presign({ method: 'PUT', key, expirySeconds, now, headers, query });

      assert.equal(sortedQuery(ours), sortedQuery(theirs));
      assert.deepEqual(pickOk(verified('PUT', theirs, headers)), pickOk(verified('PUT', ours, headers)));
      assert.equal(verified('PUT', theirs, headers).ok, true);
      assert.equal(verified('GET', theirs, headers).ok, false);
    },
  );

  await fc.assert(property, { numRuns: 700, seed });
});

test('GET URLs are those of the AWS SDK for random keys and answers, and verify', async () => {
  const property = fc.asyncProperty(
    anyMethod,
    fc.option(anyKey),
    fc.option(mediaType),
    async ({ key, addressing, expirySeconds }, disposition, type) => {
      const command = new GetObjectCommand({
        Bucket: 'some-bucket',
        Key: key,
        ...(disposition === null ? {} : { ResponseContentDisposition: disposition }),
        ...(type === null ? {} : { ResponseContentType: type }),
      });

      const theirs = await getSignedUrl(clients[addressing], command, { expiresIn: expirySeconds, signingDate: now });
      const query = extraParameters(theirs);
      const ours = signers[addressing].presign({ method: 'GET', key, expirySeconds, now, query });

      assert.equal(sortedQuery(ours), sortedQuery(theirs));
      assert.equal(verified('GET', theirs).ok, true);
    },
  );

  await fc.assert(property, { numRuns: 400, seed });
});

test('URLs without extra parameters have the signature of aws4fetch, and its URLs verify', async () => {
  const client = new AwsClient({
    accessKeyId: credentials.access_key_id,
    secretAccessKey: credentials.secret_access_key,
    region: 'eu-central-1',
    service: 's3',
  });
  // The URL class removes dot segments, which S3 keeps; and aws4fetch reads a raw plus in a path as a space.
  const key = anyKey.filter((text) => !/(^|\/)\.{1,2}(\/|$)/.test(text) && !text.includes('\\'));
  const property = fc.asyncProperty(
    key,
    fc.integer({ min: 1, max: 604_800 }),
    fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE'),
    fc.option(anyKey),
    async (name, expirySeconds, method, disposition) => {
      const query = disposition === null ? undefined : { 'response-content-disposition': disposition };
      const ours = signers.path.presign({ method, key: name, expirySeconds, now, ...(query && { query }) });
      const address = new URL(ours.slice(0, ours.indexOf('?')));
      address.searchParams.set('X-Amz-Expires', String(expirySeconds));
      if (disposition !== null) address.searchParams.set('response-content-disposition', disposition);

      const theirs = await client.sign(address.href, {
        method,
        aws: { signQuery: true, datetime: '20260304T050607Z' },
      });

      assert.equal(signatureOf(ours), signatureOf(theirs.url));
      assert.equal(verified(method, theirs.url).ok, true);
    },
  );

  await fc.assert(property, { numRuns: 400, seed });
});

test("a URL with a session token is the AWS SDK's", async () => {
  const session = { ...credentials, session_token: 'FwoGZXIvYXdzE+/=token' };
  const client = new S3Client({
    endpoint: 'http://127.0.0.1:8000',
    forcePathStyle: true,
    region: 'eu-central-1',
    credentials: {
      accessKeyId: session.access_key_id,
      secretAccessKey: session.secret_access_key,
      sessionToken: session.session_token,
    },
  });
  const signer = new Presigner({
    endpoint: 'http://127.0.0.1:8000',
    region: 'eu-central-1',
    bucket: 'some-bucket',
    credentials: session,
  });

  const theirs = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'some-bucket', Key: 'a' }), {
    expiresIn: 60,
    signingDate: now,
  });
  const { 'X-Amz-Security-Token': token, ...query } = extraParameters(theirs);
  const ours = signer.presign({ method: 'GET', key: 'a', expirySeconds: 60, now, query });
  const short = signer.presign({ method: 'GET', key: 'a', expirySeconds: 60, now });

  assert.equal(token, session.session_token);
  assert.equal(sortedQuery(ours), sortedQuery(theirs));
  assert.match(short, /&X-Amz-Security-Token=FwoGZXIvYXdzE%2B%2F%3Dtoken&X-Amz-SignedHeaders=host&/);
});

test('the short way and the general way of building a query sign alike', () => {
  const request: PresignRequest = { method: 'GET', key: 'a/b', expirySeconds: 60, now };

  const short = signers.path.presign(request);
  const general = signers.path.presign({ ...request, query: {} });

  assert.equal(short, general);
});

test('a base path of the endpoint stands in front of the bucket', () => {
  const signer = new Presigner({
    endpoint: 'https://files.example.com/s3/',
    region: 'eu-central-1',
    bucket: 'some-bucket',
    credentials,
  });

  const url = signer.presign({ method: 'GET', key: 'a', expirySeconds: 60, now });

  assert.ok(url.startsWith('https://files.example.com/s3/some-bucket/a?'));
  assert.equal(verified('GET', url).ok, true);
});

test('the day changes with the clock, in UTC', () => {
  const before = signers.path.presign({
    method: 'GET',
    key: 'a',
    expirySeconds: 60,
    now: new Date('2026-12-31T23:59:59.999Z'),
  });
  const after = signers.path.presign({
    method: 'GET',
    key: 'a',
    expirySeconds: 60,
    now: new Date('2027-01-01T00:00:00Z'),
  });

  assert.match(before, /%2F20261231%2F.*X-Amz-Date=20261231T235959Z/);
  assert.match(after, /%2F20270101%2F.*X-Amz-Date=20270101T000000Z/);
});

for (const expirySeconds of [0, -1, 1e9, 3600.5, 604_801, Number.NaN]) {
  test(`an expiry of ${expirySeconds} seconds is not signed`, () => {
    const request = { method: 'GET', key: 'a', expirySeconds, now };

    assert.throws(() => signers.path.presign(request), { reason: 'invalid_expiry' });
  });
}

test('a header that could be read in two ways is not signed', () => {
  const request = { method: 'PUT', key: 'a', expirySeconds: 60, now };

  assert.throws(() => signers.path.presign({ ...request, headers: { 'content-type': 'a\r\nb: c' } }), {
    reason: 'invalid_request',
  });
  assert.throws(() => signers.path.presign({ ...request, headers: { 'content-type': '' } }), {
    reason: 'invalid_request',
  });
  assert.throws(() => signers.path.presign({ ...request, headers: { 'Content-Type': 'a/b' } }), {
    name: 'AssertionError',
  });
  assert.throws(() => signers.path.presign({ ...request, headers: { host: 'other' } }), { name: 'AssertionError' });
  assert.throws(() => signers.path.presign({ ...request, query: { 'x-amz-expires': '1' } }), {
    name: 'AssertionError',
  });
});

function pickOk(result: ReturnType<typeof verifyPresigned>): unknown {
  return result.ok ? { method: result.method, path: result.path, expires_at: result.expires_at } : result;
}

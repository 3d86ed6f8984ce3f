/**
 * Row 80 of the list of attacks: one request, many spellings. What the AWS SDK, aws4fetch and a signer written from the
 * description alone sign for hostile keys and parameters, the door over HTTP reads as they meant it.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Presigner } from '@rowlock/server';
import { AwsClient } from 'aws4fetch';
import { handSigned, type PlainAnswer, sendPlainly } from './hand-signed-url.ts';
import { type Attacked, attacked } from './standing.ts';

/** Keys and texts that signers have disagreed on. */
const hostile: readonly string[] = [
  'a+b',
  'a b',
  'a%2Bb',
  'a%b',
  'a~b',
  'a*b',
  "a'b(c)!",
  'a//b',
  'a/./b',
  'a/../b',
  '..',
  'a?b',
  'a#b',
  'a&b=c',
  'a=b',
  'a;b',
  'a:b@c',
  'a\\b',
  'a|b^c`d{e}[f]"<g>',
  '\u00e9',
  'e\u0301',
  '\u{1f600}',
  '\u202egnp.exe',
  '%7E',
  '%2F',
  ' ',
  'a ',
  '+',
];

let open: Attacked;
let stored: string;
let sdk: S3Client;

before(async () => {
  open = await attacked();
  const { endpoint, region, access_key_id, secret_access_key } = open.service.config.backend;
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await open.service.fetch('/storage/v1/object/vault/a.txt', { as: 'olivia', method: 'POST', body: 'stored bytes' });
  const [version] = await open.database.query<{ key: string }>(
    "SELECT key FROM storage.versions WHERE state = 'stored'",
  );
  stored = version?.key ?? '';
  sdk = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: access_key_id, secretAccessKey: secret_access_key },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  await open.remember();
});
afterEach(() => open.assertUnharmed());
after(async () => {
  sdk.destroy();
  await open.stop();
});

const send = (method: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<PlainAnswer> =>
  sendPlainly(open.service.url, { method, path: url.replace(/^https?:\/\/[^/]+/, ''), headers });

const codeOf = ({ text }: PlainAnswer): string => /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '';

/** The signature was right: what follows is that no bytes have such a key, or that none can. */
function assertVerified(answer: PlainAnswer, what: string): void {
  assert.ok(
    ['NoSuchKey', 'InvalidURI', 'KeyTooLong'].includes(codeOf(answer)),
    `${what}: ${answer.status} ${answer.text}`,
  );
}

test('80 keys that the AWS SDK signs verify, for reading and writing', async () => {
  const { bucket } = open.service.config.backend;
  for (const key of hostile) {
    const read = await getSignedUrl(sdk, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: 60 });
    const write = await getSignedUrl(sdk, new PutObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: 60 });

    assertVerified(await send('GET', read), `GET ${key}`);
    const put = await send('PUT', write);
    assert.ok(['NoSuchUpload', 'InvalidURI'].includes(codeOf(put)), `PUT ${key}: ${put.status} ${put.text}`);
    assert.equal(codeOf(await send('PUT', read)), 'SignatureDoesNotMatch', `PUT by a GET URL ${key}`);
  }
});

test('80 texts of the AWS SDK in parameters come back as they were meant', async () => {
  const { bucket } = open.service.config.backend;
  for (const text of hostile.filter((each) => /^[\x20-\x7e]+$/.test(each.trim()) && each.trim() !== '')) {
    const disposition = `attachment; filename="${text.trim()}"`;
    const command = new GetObjectCommand({ Bucket: bucket, Key: stored, ResponseContentDisposition: disposition });

    const answer = await send('GET', await getSignedUrl(sdk, command, { expiresIn: 60 }));

    assert.deepEqual([answer.status, answer.headers['content-disposition']], [200, disposition]);
  }
});

test('80 what aws4fetch signs verifies', async () => {
  const { access_key_id, secret_access_key, region, bucket } = open.service.config.backend;
  const client = new AwsClient({
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
    region,
    service: 's3',
  });
  // The URL class takes dot segments and backslashes away, and aws4fetch reads a plus in a path as a space.
  for (const key of hostile.filter((each) => !/(^|\/)\.{1,2}(\/|$)|\\|\+/.test(each))) {
    const path = key.split('/').map(encodeURIComponent).join('/');
    const url = new URL(`${open.service.url}/${bucket}/${path}`);
    url.searchParams.set('X-Amz-Expires', '60');
    url.searchParams.set('response-content-disposition', 'inline');

    const { url: signed } = await client.sign(url.href, { aws: { signQuery: true } });

    assertVerified(await send('GET', signed), key);
  }
});

test('80 our own signer and one written from the description agree, whatever the key', async () => {
  const { endpoint, region, bucket, access_key_id, secret_access_key } = open.service.config.backend;
  const credentials = { access_key_id, secret_access_key };
  const ours = new Presigner({ endpoint, region, bucket, credentials });
  const now = new Date();

  for (const key of hostile) {
    const url = ours.presign({
      method: 'GET',
      key,
      expirySeconds: 300,
      now,
      query: { 'response-content-disposition': key },
    });
    const { pathname: _, host } = new URL(url);
    const path = url.slice(url.indexOf('/', 8), url.indexOf('?'));
    const theirs = handSigned({
      method: 'GET',
      path,
      host,
      ...credentials,
      date: now,
      query: [['response-content-disposition', key]],
    });

    assert.equal(url.split('X-Amz-Signature=')[1], theirs.split('X-Amz-Signature=')[1], key);
  }
});

test('80 other spellings of a signed URL mean the same, and no spelling means another key', async () => {
  const { access_key_id, secret_access_key, bucket } = open.service.config.backend;
  const host = new URL(open.service.url).host;
  const path = `/${bucket}/${stored}`;
  const signed = handSigned({ method: 'GET', path, host, access_key_id, secret_access_key });
  const same = [
    signed.replace('objects', '%6fbjects'),
    signed.replace('objects', '%6Fbjects'),
    signed.replaceAll('%2F', '%2f'),
    signed.replaceAll('%2F', '/'),
    signed.replace('X-Amz-Date', 'X%2DAmz%2DDate'),
    signed.replace(/\?/, '?&&'),
  ];
  const other = [
    signed.replace(`/${stored}`, `//${stored}`),
    signed.replace(`/${stored}`, `/./${stored}`),
    signed.replace(`/${stored}`, `/x/../${stored}`),
    signed.replace(`/${stored}`, `/${stored}/`),
    signed.replace(`/${stored}`, `/${stored}%00`),
    signed.replace(`/${stored}`, `/${stored}%20`),
    signed.replace('objects', '%256fbjects'),
    signed.replace('objects', 'OBJECTS'),
    signed.replace('objects/', 'objects%5C'),
  ];

  for (const url of same) assert.equal((await send('GET', url)).text, 'stored bytes', url);
  for (const url of other) {
    const answer = await send('GET', url);
    assert.ok(answer.status >= 400 && answer.status < 500, `${url}: ${answer.status}`);
    assert.doesNotMatch(answer.text, /stored bytes/);
  }
});

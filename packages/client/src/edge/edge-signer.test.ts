import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { signToken } from '@rowlock/test-harness';
import { EdgeSigner, type EdgeSignerConfig } from './edge-signer.ts';
import { createFetchHandler } from './fetch-handler.ts';
import { createLambdaHandlers, createS3EventHandler, type LambdaAnswer } from './lambda.ts';
import { ownFolderRules } from './rules.ts';

const config: EdgeSignerConfig = {
  store: {
    endpoint: 'https://account.r2.cloudflarestorage.com',
    region: 'auto',
    bucket: 'photos',
    access_key_id: 'KEY',
    secret_access_key: 'SECRET',
  },
  tokens: { secret: 'a-secret-for-tests-only-of-more-than-32-bytes' },
  rules: ownFolderRules({ prefix: 'uploads/' }),
};
const token = await signToken({ sub: 'ann' });
const authorization = `Bearer ${token}`;
const photo = { fileName: 'Photo.JPG', fileType: 'image/jpeg', fileSize: 3 };

const jsonOf = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
const paramsOf = (url: unknown): URLSearchParams => new URL(String(url)).searchParams;

test('R112 a Lambda handler answers events of both versions with an upload URL below the caller’s own folder', async () => {
  const { presign } = createLambdaHandlers(config);
  const body = JSON.stringify(photo);
  const events = [
    { requestContext: { http: { method: 'POST' } }, headers: { authorization }, body },
    { httpMethod: 'POST', headers: { Authorization: authorization }, body },
    {
      httpMethod: 'POST',
      headers: { authorization },
      body: Buffer.from(body).toString('base64'),
      isBase64Encoded: true,
    },
  ];

  const answers: LambdaAnswer[] = [];
  for (const event of events) answers.push(await presign(event));

  for (const { statusCode, headers, body: text } of answers) {
    const answer = jsonOf(text);
    assert.equal(statusCode, 200, text);
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['cache-control'], 'no-store');
    assert.match(String(answer['key']), /^uploads\/ann\/[0-9a-f-]{36}\/original\.jpg$/);
    assert.deepEqual(answer['headers'], { 'content-type': 'image/jpeg', 'if-none-match': '*' });
    assert.equal(paramsOf(answer['url']).get('X-Amz-SignedHeaders'), 'content-length;content-type;host;if-none-match');
    assert.equal(paramsOf(answer['url']).get('X-Amz-Expires'), '900');
  }
  assert.equal(new Set(answers.map(({ body: text }) => jsonOf(text)['key'])).size, events.length, 'keys are new');
});

test('R121 a batch of a thousand keys is signed in its order, and nothing outside of the caller’s folder', async () => {
  const { presignBatch } = createLambdaHandlers(config);
  const own = Array.from({ length: 995 }, (_, n) => `uploads/ann/${n}/original.jpg`);
  const others = ['uploads/bob/1/a.jpg', 'uploads/ann/../bob/a.jpg', 'uploads/ann//x', 'uploads/anna/x', 'other'];

  const { statusCode, body } = await presignBatch({
    headers: { authorization },
    body: JSON.stringify({ keys: [...others, ...own] }),
  });
  const urls = jsonOf(body)['urls'] as (string | null)[];

  assert.equal(statusCode, 200);
  assert.deepEqual(urls.slice(0, 5), [null, null, null, null, null]);
  for (const [n, url] of urls.slice(5).entries()) {
    assert.equal(new URL(String(url)).pathname, `/photos/${own[n]}`);
    assert.equal(paramsOf(url).get('response-content-disposition'), 'attachment');
  }
});

test('nobody without a good token gets a URL, and what is asked wrongly is refused', async () => {
  const signer = new EdgeSigner(config);
  const ask = async (body: unknown, more: object = {}): Promise<readonly [number, unknown]> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await signer.presignUpload({ method: 'POST', authorization, body: text, ...more });
    return [answer.status, jsonOf(answer.body)['reason']];
  };
  const batch = async (keys: unknown): Promise<number> =>
    (await signer.presignDownloads({ method: 'POST', authorization, body: JSON.stringify({ keys }) })).status;
  const nameless = `Bearer ${await signToken({})}`;
  const pathLike = `Bearer ${await signToken({ sub: '../bob' })}`;

  assert.deepEqual(await ask(photo, { authorization: undefined }), [401, 'auth_required']);
  assert.deepEqual(await ask(photo, { authorization: 'Basic x' }), [401, 'auth_required']);
  assert.deepEqual(await ask(photo, { authorization: `${authorization}x` }), [401, 'invalid_token']);
  assert.deepEqual(await ask(photo, { authorization: nameless }), [403, 'not_allowed']);
  assert.deepEqual(await ask(photo, { authorization: pathLike }), [403, 'not_allowed']);
  assert.deepEqual(await ask(photo, { method: 'GET' }), [405, 'method_not_allowed']);
  for (const wrong of [
    '',
    '[]',
    'null',
    {},
    { ...photo, fileName: '' },
    { ...photo, fileName: 'x'.repeat(1025) },
    { ...photo, fileName: 'a\nb' },
    { ...photo, fileType: 'image/jpeg\r\nx: y' },
    { ...photo, fileType: 7 },
    { ...photo, fileSize: -1 },
    { ...photo, fileSize: '3' },
  ]) {
    assert.deepEqual(await ask(wrong), [400, 'invalid_request'], JSON.stringify(wrong));
  }
  assert.deepEqual(await ask({ ...photo, fileSize: 5 * 2 ** 30 + 1 }), [413, 'too_large']);
  assert.deepEqual(await ask(`"${'x'.repeat(1_200_000)}"`), [413, 'too_large']);
  for (const keys of [undefined, [], 'x', [7], [''], ['/x'], ['a\u0000'], ['é'.repeat(513)], Array(1001).fill('x')]) {
    assert.equal(await batch(keys), 400);
  }
});

test('what goes wrong inside is reported and shown to nobody', async () => {
  const reported: unknown[] = [];
  const broken = new Error('the password is hunter2');
  const rules = { ...config.rules, grantUpload: () => Promise.reject(broken) };
  const signer = new EdgeSigner({ ...config, rules, report: (error) => reported.push(error) });

  const { status, body } = await signer.presignUpload({ method: 'POST', authorization, body: JSON.stringify(photo) });

  assert.equal(status, 500);
  assert.doesNotMatch(body, /hunter2/);
  assert.deepEqual(reported, [broken]);
});

test('R113 a fetch handler routes, answers preflights, and bounds what it reads', async () => {
  const { fetch: handle } = createFetchHandler({ ...config, allowed_origin: 'https://app.example.com' });
  const post = (path: string, body: string): Promise<Response> =>
    handle(new Request(`https://worker.example.com${path}`, { method: 'POST', headers: { authorization }, body }));

  const upload = await post('/presign', JSON.stringify(photo));
  const batch = await post('/presign/batch', JSON.stringify({ keys: ['uploads/ann/1'] }));
  const preflight = await handle(new Request('https://worker.example.com/presign', { method: 'OPTIONS' }));
  const health = await handle(new Request('https://worker.example.com/health'));
  const huge = await post('/presign', 'x'.repeat(3_000_000));
  const elsewhere = await post('/presign/x', '{}');

  assert.equal(upload.headers.get('access-control-allow-origin'), 'https://app.example.com');
  assert.match(
    String(jsonOf(await upload.text())['url']),
    /^https:\/\/account\.r2\.cloudflarestorage\.com\/photos\/uploads\/ann\//,
  );
  assert.match(String((jsonOf(await batch.text())['urls'] as string[])[0]), /X-Amz-Signature=[0-9a-f]{64}$/);
  assert.equal(preflight.status, 204);
  assert.match(String(preflight.headers.get('access-control-allow-headers')), /authorization/);
  assert.deepEqual(await health.json(), { status: 'healthy' });
  assert.deepEqual([huge.status, elsewhere.status], [413, 404]);
});

test('R119 an event of S3 is handed on with the secret, and one that was not taken is an error that Lambda tries again', async () => {
  const taken: { readonly authorization: string | undefined; readonly body: string }[] = [];
  const service = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      taken.push({ authorization: request.headers.authorization, body: Buffer.concat(pieces).toString() });
      response.writeHead(taken.length === 1 ? 503 : 200).end();
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const { port } = service.address() as AddressInfo;
  const handler = createS3EventHandler({ url: `http://127.0.0.1:${port}/events/s3`, secret: 'hush' });
  const event = { Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key: 'a+b' } } }] };

  await assert.rejects(handler(event), /503/);
  await handler(event);
  await assert.rejects(handler({}), TypeError);
  service.close();

  assert.deepEqual(taken[1], { authorization: 'Bearer hush', body: JSON.stringify(event) });
  assert.equal(taken.length, 2);
});

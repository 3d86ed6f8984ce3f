/** The signer of the edge beside the server's own: the same URLs, and nothing of Node needed to make them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { EdgePresigner } from '@rowlock/client/edge';
import { jwtSecret, signToken } from '@rowlock/test-harness';
import fc from 'fast-check';
import { Presigner } from '../../../packages/server/dist/backend/s3/presigner.js';

/** Fixed, so that a failure is found again; fast-check prints the seed and path of a counterexample. */
const seed = 20_261_122;
const secrets = {
  access_key_id: 'AKIAIOSFODNN7EXAMPLE',
  secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const places = [
  {
    endpoint: 'https://account.r2.cloudflarestorage.com',
    region: 'auto',
    addressing: 'path',
    session_token: undefined,
  },
  {
    endpoint: 'https://s3.eu-west-3.amazonaws.com',
    region: 'eu-west-3',
    addressing: 'virtual',
    session_token: 'FwoG+/=~',
  },
  { endpoint: 'http://127.0.0.1:9000/some/folder/', region: 'us-east-1', addressing: 'path', session_token: undefined },
] as const;
const signers = places.map(({ session_token, ...place }) => ({
  edge: new EdgePresigner({ ...place, ...secrets, session_token, bucket: 'some-bucket' }),
  server: new Presigner({
    ...place,
    bucket: 'some-bucket',
    credentials: { ...secrets, ...(session_token === undefined ? {} : { session_token }) },
  }),
}));
const anyText = fc.string({ unit: fc.constantFrom(...'aZ9 +/=&?%~*!;,:é'), minLength: 1, maxLength: 20 });
const anyHeader = fc.string({ unit: fc.constantFrom(...'aZ9 +/=&?%~*;,:'), minLength: 1, maxLength: 20 });
const anyRequest = fc.record({
  method: fc.constantFrom('GET' as const, 'PUT' as const, 'HEAD' as const),
  key: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), anyText),
  expirySeconds: fc.integer({ min: 1, max: 604_800 }),
  now: fc.date({ min: new Date('2001-01-01'), max: new Date('2090-01-01'), noInvalidDate: true }),
  headers: fc.option(fc.record({ 'content-type': anyHeader, 'x-amz-acl': anyHeader }, { requiredKeys: [] }), {
    nil: undefined,
  }),
  query: fc.option(fc.record({ 'response-content-type': anyText, versionId: anyText }, { requiredKeys: [] }), {
    nil: undefined,
  }),
});

/** The parameters in one order, and the signature: both sort before they sign. */
function sorted(url: string): string {
  const [address = '', query = ''] = url.split('?');
  return `${address}?${query.split('&').sort().join('&')}`;
}

test('R113 three hundred random requests are signed as the server signs them', async () => {
  const property = fc.asyncProperty(fc.constantFrom(...signers), anyRequest, async ({ edge, server }, request) => {
    const { headers, query, ...rest } = request;
    const given = { ...rest, ...(headers && { headers }), ...(query && { query }) };

    assert.equal(sorted(await edge.presign(given)), sorted(server.presign(given)));
  });

  await fc.assert(property, { numRuns: 300 * Number(process.env['ROWLOCK_ROUNDS'] ?? 1), seed });
});

test('what the server would not sign the edge does not', async () => {
  const [{ edge } = assert.fail()] = signers;
  const now = new Date();

  for (const expirySeconds of [0, 1.5, 604_801, Number.NaN]) {
    await assert.rejects(edge.presign({ method: 'GET', key: 'x', expirySeconds, now }), { reason: 'invalid_expiry' });
  }
  for (const headers of [{ 'x-a': '' }, { 'x-a': 'é' }, { 'x-a': 'a\nb' }, { 'X-A': 'b' }, { 'a b': 'c' }]) {
    const request = { method: 'PUT', key: 'x', expirySeconds: 60, now, headers } as const;
    await assert.rejects(edge.presign(request as never), { reason: 'invalid_request' }, JSON.stringify(headers));
  }
});

/**
 * What runtimes at the edge do not have; modules are loaded when it is gone. workerd itself needs an install script, and
 * Node's own Request needs Buffer, so it is the handlers for plain events that are called.
 */
const withoutNode = `
  const { parentPort } = require('node:worker_threads');
  const load = (specifier) => import(specifier);
  for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'require', 'module']) delete globalThis[name];
  parentPort.once('message', async ({ module, store, token, secret }) => {
    const { createLambdaHandlers, ownFolderRules } = await load(module);
    const { presign, presignBatch } = createLambdaHandlers({ store, tokens: { secret }, rules: ownFolderRules({ prefix: 'u/' }) });
    const headers = { authorization: 'Bearer ' + token };
    const answers = [
      await presign({ headers, body: JSON.stringify({ fileName: 'a.txt', fileType: '' }) }),
      await presignBatch({ headers, body: JSON.stringify({ keys: ['u/ann/1'] }) }),
    ];
    parentPort.postMessage({ answers, left: [typeof process, typeof Buffer] });
  });`;

interface Bare {
  readonly answers: readonly { readonly statusCode: number; readonly body: string }[];
  readonly left: readonly string[];
}

test('R113 where there is nothing of Node the handlers sign all the same', async () => {
  const worker = new Worker(withoutNode, { eval: true });
  const store = { ...secrets, endpoint: 'https://account.r2.cloudflarestorage.com', region: 'auto', bucket: 'b' };
  const module = import.meta.resolve('@rowlock/client/edge');

  worker.postMessage({ module, store, token: await signToken({ sub: 'ann' }), secret: jwtSecret });
  const [{ answers, left }] = (await once(worker, 'message')) as [Bare];
  await worker.terminate();

  assert.deepEqual(left, ['undefined', 'undefined']);
  for (const { statusCode, body } of answers) {
    assert.equal(statusCode, 200, body);
    assert.match(body, /\/b\/u\/ann\/[^"]+X-Amz-Signature=[0-9a-f]{64}"/);
  }
});

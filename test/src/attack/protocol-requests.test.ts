/** Requests that are none, or that two servers would read differently: rows 89, 90 and 96. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { noUploadIsOpen } from './no-upload-is-open.ts';
import { type RawAnswer, RawSocket, rawRequest, sendAndClose } from './raw-socket.ts';
import { type Attacked, assertSaysNothing, attacked } from './standing.ts';

let service: Attacked;
let authorization: string;
const path = '/storage/v1/object/box/kept';
const observed: { readonly type: string; readonly status?: number; readonly reason?: string }[] = [];

before(async () => {
  service = await attacked({ observe: (observation) => observed.push(observation) });
  authorization = `Bearer ${service.tokens.olivia}`;
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  await service.service.fetch(path, { as: 'olivia', method: 'POST', body: 'kept as it is' });
  await service.remember();
});
afterEach(async () => {
  await noUploadIsOpen(service);
  await service.assertUnharmed();
});
after(() => service.stop());

/** Asserts that an answer is an error of ours with one of the statuses. */
function assertOurError(answer: RawAnswer, statuses: readonly number[], what: string): void {
  assert.ok(statuses.includes(answer.status), `${what}: ${answer.status} ${answer.body}`);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/, what);
  assert.ok(answer.headers['x-request-id'], `${what}: an id to ask for`);
  assertSaysNothing(answer.body);
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  assert.deepEqual(Object.keys(body).sort(), ['code', 'error', 'message', 'reason', 'statusCode'], what);
  assert.equal(body['statusCode'], String(answer.status), what);
}

/** Sends each on a connection of its own; the answer is an error of ours, and the server closes behind it. */
async function assertRefusedAndClosed(cases: Readonly<Record<string, readonly [string, number]>>): Promise<void> {
  for (const [what, [bytes, status]] of Object.entries(cases)) {
    const answer = await sendAndClose(service.service.url, Buffer.from(bytes, 'latin1'));

    assertOurError(answer, [status], what);
    assert.equal(answer.headers['connection'], 'close', what);
  }
}

/** Sends each; the answer is an error of ours. Whether the connection goes on is not asked. */
async function assertRefusedAs(cases: Readonly<Record<string, readonly [string, number]>>): Promise<RawAnswer[]> {
  const answers: RawAnswer[] = [];
  for (const [what, [bytes, status]] of Object.entries(cases)) {
    const raw = await RawSocket.to(service.service.url);
    raw.write(Buffer.from(bytes, 'latin1'));
    const answer = await raw.answer();
    raw.destroy();
    assertOurError(answer, [status], what);
    answers.push(answer);
  }
  return answers;
}

const upload = (fields: Readonly<Record<string, string | number>>, body = ''): string =>
  rawRequest(`POST ${path}`, { authorization, 'x-upsert': 'true', ...fields }, body);

test('89 heads that are too large or not well formed are refused with our error', async () => {
  await assertRefusedAndClosed({
    'a header of 64 kB': [rawRequest('GET /healthz', { x: 'y'.repeat(65_536) }), 431],
    'many headers of 64 kB in all': [
      `GET /healthz HTTP/1.1\r\nhost: x\r\n${`a: ${'b'.repeat(60)}\r\n`.repeat(1000)}\r\n`,
      431,
    ],
    'a URL of 64 kB': [rawRequest(`GET ${path}${'y'.repeat(65_536)}`), 414],
    'a URL of 200 kB': [rawRequest(`GET ${path}${'y'.repeat(200_000)}`), 414],
    'a folded header': ['GET /healthz HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n', 400],
    'NUL in a name': ['GET /healthz HTTP/1.1\r\nhost: x\r\na\0b: c\r\n\r\n', 400],
    'NUL in a value': ['GET /healthz HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n', 400],
    'CR in a value': ['GET /healthz HTTP/1.1\r\nhost: x\r\na: b\rc: d\r\n\r\n', 400],
    'a header without a colon': ['GET /healthz HTTP/1.1\r\nhost: x\r\na\r\n\r\n', 400],
    'a space before the colon': ['GET /healthz HTTP/1.1\r\nhost : x\r\n\r\n', 400],
    'lines that end with LF alone': ['GET /healthz HTTP/1.1\nhost: x\n\n', 400],
    'a space in the path': ['GET /health z HTTP/1.1\r\nhost: x\r\n\r\n', 400],
  });
  await assertRefusedAs({
    '2,000 headers': [`GET /healthz HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(2000)}\r\n`, 431],
    'a URL of 20 kB': [rawRequest(`GET ${path}${'y'.repeat(20_000)}`), 414],
    'a URL of 20 kB to nowhere': [rawRequest(`GET /${'y'.repeat(20_000)}`), 414],
    'a query of 20 kB': [rawRequest(`GET /healthz?${'y'.repeat(20_000)}`), 414],
    'an escape that is none': [rawRequest('GET /storage/v1/object/box/%zz'), 400],
    'no host': ['GET /healthz HTTP/1.1\r\n\r\n', 400],
    'two hosts': ['GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 400],
    'a host that is none': ['GET /healthz HTTP/1.1\r\nhost: a/b?c\r\n\r\n', 400],
    'an expectation that nobody has': [rawRequest('GET /healthz', { expect: '200-ok' }), 400],
  });
});

test('89 a head that comes in small pieces is judged as one that comes at once', async () => {
  const raw = await RawSocket.to(service.service.url);

  raw.write('GET /healthz HTTP/1.1\r\nhost: x\r\n');
  for (let i = 0; i < 40 && !raw.ended; i += 1) {
    await raw.writeThrough(`piece-${i}: ${'x'.repeat(1000)}\r\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const answer = await raw.answer();

  assertOurError(answer, [431], 'forty headers of 1 kB, each in a packet of its own');
  await raw.closed();
});

test('89 what the limits allow is served: a hundred headers, a head of 24 kB', async () => {
  const fields = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`x-${i}`, 'y'.repeat(230)]));
  const raw = await RawSocket.to(service.service.url);

  const answer = await raw.write(rawRequest('GET /healthz', fields)).answer();

  assert.equal(answer.status, 200, answer.body);
  raw.destroy();
});

test('90 a body whose length two servers could read differently is refused, and the connection closed', async () => {
  const post = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n`;

  await assertRefusedAndClosed({
    'a length and chunks': [upload({ 'content-length': 3, 'transfer-encoding': 'chunked' }, '0\r\n\r\n'), 400],
    'chunks and a length': [upload({ 'transfer-encoding': 'chunked', 'content-length': 3 }, '0\r\n\r\n'), 400],
    'two lengths': [`${post}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd`, 400],
    'the same length twice': [`${post}content-length: 3\r\ncontent-length: 3\r\n\r\nabc`, 400],
    'a list of lengths': [`${post}content-length: 3, 3\r\n\r\nabc`, 400],
    'a length below nothing': [upload({ 'content-length': -1 }), 400],
    'a length with an exponent': [upload({ 'content-length': '1e3' }), 400],
    'a length with a sign': [upload({ 'content-length': '+5' }, 'abcde'), 400],
    'a hexadecimal length': [upload({ 'content-length': '0x5' }, 'abcde'), 400],
    'a length that no number holds': [upload({ 'content-length': '9'.repeat(23) }), 400],
    'a length that no file has': [upload({ 'content-length': '9'.repeat(18) }), 400],
    'no length after its name': [`${post}content-length:\r\n\r\n`, 400],
    xchunked: [upload({ 'transfer-encoding': 'xchunked' }, '0\r\n\r\n'), 400],
    'chunked, then identity': [upload({ 'transfer-encoding': 'chunked, identity' }, '0\r\n\r\n'), 400],
    'chunked in one header, identity in the next': [
      `${post}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n`,
      400,
    ],
    'a space before the colon': [`${post}transfer-encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
    'a chunk size that is none': [upload({ 'transfer-encoding': 'chunked' }, 'zz\r\nabc\r\n0\r\n\r\n'), 400],
    'a chunk size that no number holds': [upload({ 'transfer-encoding': 'chunked' }, `${'f'.repeat(17)}\r\nabc`), 400],
    'chunks that end with LF alone': [upload({ 'transfer-encoding': 'chunked' }, '3\nabc\n0\n\n'), 400],
    'an extension of 1 MB': [upload({ 'transfer-encoding': 'chunked' }, `3;${'x'.repeat(1_000_000)}\r\nabc\r\n`), 413],
  });
  await assertRefusedAs({
    'a coding that we do not undo': [upload({ 'transfer-encoding': 'gzip, chunked' }, '0\r\n\r\n'), 501],
    'chunks before there were chunks': [
      rawRequest(`POST ${path}`, { authorization, 'transfer-encoding': 'chunked' }, '0\r\n\r\n', 'HTTP/1.0'),
      400,
    ],
  });
});

test('90 what stands behind a refused request on its connection is not read as a request', async () => {
  const smuggled = rawRequest(`DELETE ${path}`, { authorization });

  const raw = await RawSocket.to(service.service.url);
  raw.write(`${upload({ 'content-length': 6, 'transfer-encoding': 'chunked' }, '0\r\n\r\n')}${smuggled}`);
  const answer = await raw.answer();
  await raw.closed();

  assertOurError(answer, [400], 'the first');
  assert.equal(raw.received, '', 'and nothing after it');
});

test('90 rubbish behind a good request is answered after it, and never instead of it', async () => {
  const raw = await RawSocket.to(service.service.url);

  raw.write(`${rawRequest(`GET ${path}`, { authorization })}RUBBISH\r\n\r\n`);
  const first = await raw.answer();
  const second = await raw.answer();

  assert.equal(first.status, 200);
  assert.equal(first.body, 'kept as it is');
  assertOurError(second, [400], 'the rubbish');
  await raw.closed();
});

test('90 a broken chunk in the middle of an upload stores nothing', async () => {
  const raw = await RawSocket.to(service.service.url);
  raw.write(upload({ 'transfer-encoding': 'chunked' }, '5\r\nhello\r\n'));
  await raw.writeThrough('not a size\r\n');

  const answer = await raw.answer();

  assertOurError(answer, [400], 'the upload');
  await raw.closed();
});

test('96 methods that nothing takes are refused, with those that the path takes', async () => {
  const own = await assertRefusedAs({
    'TRACE of an object': [rawRequest(`TRACE ${path}`, { authorization }), 405],
    'PATCH of an object': [rawRequest(`PATCH ${path}`, { authorization, 'content-length': 0 }), 405],
    'PROPFIND of an object': [rawRequest(`PROPFIND ${path}`, { authorization }), 405],
  });
  const health = await assertRefusedAs({
    'TRACE of our health': [rawRequest('TRACE /healthz'), 405],
    'POST to our health': [rawRequest('POST /healthz', { 'content-length': 0 }), 405],
  });
  await assertRefusedAs({
    'TRACE to nowhere': [rawRequest('TRACE /nonesuch'), 501],
    'GET to nowhere': [rawRequest('GET /nonesuch'), 404],
  });

  for (const { headers } of own) assert.equal(headers['allow'], 'DELETE, GET, HEAD, POST, PUT');
  for (const { headers } of health) assert.equal(headers['allow'], 'GET, HEAD');
});

test('96 a header does not replace the method', async () => {
  for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
    await assertRefusedAs({ [name]: [rawRequest(`GET ${path}`, { authorization, [name]: 'DELETE' }), 501] });
  }
});

test('96 what is no request of HTTP/1.1 is refused, and the connection closed', async () => {
  await assertRefusedAndClosed({
    'CONNECT to another host': [rawRequest('CONNECT example.org:443'), 501],
    'CONNECT to ourselves': [rawRequest(`CONNECT ${path}`, { authorization }), 501],
    'a method that nobody knows': [rawRequest(`BREW ${path}`), 501],
    'a method in lower case': [rawRequest(`get ${path}`), 400],
    'HTTP/0.9': ['GET /healthz\r\n\r\n', 400],
    'HTTP/1.2': [rawRequest('GET /healthz', {}, '', 'HTTP/1.2'), 400],
    'HTTP/2 from the start': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    'HTTP/3.0': [rawRequest('GET /healthz', {}, '', 'HTTP/3.0'), 400],
    'a TLS handshake': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    bytes: [String.fromCharCode(...Array.from({ length: 256 }, (_, i) => 255 - i)), 400],
  });
});

test('96 an upgrade is not offered: the request is answered as it is', async () => {
  const h2c = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };
  for (const fields of [h2c, { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': 13 }]) {
    const raw = await RawSocket.to(service.service.url);

    const { status, headers } = await raw.write(rawRequest('GET /healthz', fields)).answer();

    assert.equal(status, 200);
    assert.equal(headers['upgrade'], undefined);
    raw.destroy();
  }
});

test('90 what was refused before it was a request is observed like the others', async () => {
  observed.length = 0;

  await assertRefusedAndClosed({ rubbish: ['RUBBISH\r\n\r\n', 400] });

  const [request] = observed.filter(({ type }) => type === 'request');
  assert.equal(request?.status, 400);
  assert.equal(request?.reason, 'invalid_request');
});

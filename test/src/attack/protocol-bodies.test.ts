/** Bodies that nobody wants, and JSON of strangers: row 94, and the bodies of fault test F12. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { after, afterEach, before, test } from 'node:test';
import { noUploadIsOpen } from './no-upload-is-open.ts';
import { RawSocket, rawRequest } from './raw-socket.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

let service: Attacked;
let authorization: string;
const list = '/storage/v1/object/list/box';

before(async () => {
  service = await attacked();
  authorization = `Bearer ${service.tokens.olivia}`;
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  await service.service.fetch('/storage/v1/object/box/taken', { as: 'olivia', method: 'POST', body: 'x' });
  await service.remember();
});
afterEach(async () => {
  await noUploadIsOpen(service);
  await service.assertUnharmed();
});
after(() => service.stop());

type Body = NonNullable<RequestInit['body']>;

const json = (path: string, body: Body, type = 'application/json'): Promise<Response> =>
  service.service.fetch(path, { as: 'olivia', method: 'POST', headers: { 'content-type': type }, body });

const nested = (depth: number, inner = '1'): string => `${'{"a":'.repeat(depth)}${inner}${'}'.repeat(depth)}`;
const manyKeys = (count: number): string =>
  `{${Array.from({ length: count }, (_, i) => `"k${i.toString(36)}":0`).join(',')}}`;

/** A body and the status it gets from every route that takes JSON. */
const hostileJson: Readonly<Record<string, readonly [Body, number]>> = {
  'objects 100,000 deep': [nested(100_000), 400],
  'arrays 100,000 deep': [`{"prefixes":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400],
  'half a million brackets without an end': ['['.repeat(500_000), 400],
  'a million keys': [manyKeys(1_000_000), 413],
  'fifty thousand keys, one of them twice': [`{"k1":0,${manyKeys(50_000).slice(1)}`, 400],
  'a key twice': ['{"prefix":"a","prefix":"b"}', 400],
  'a key twice, once escaped': ['{"prefix":"a","\\u0070refix":"b"}', 400],
  'a key twice, below': ['{"sortBy":{"column":"name","order":"asc","column":"id"}}', 400],
  'a number beyond all numbers': ['{"limit":1e400}', 400],
  'a number beyond all numbers, where nobody looks': ['{"nobody":-1e400}', 400],
  'a byte order mark': ['\ufeff{"prefix":""}', 400],
  'bytes that are not UTF-8': [new Uint8Array([...Buffer.from('{"prefix":"'), 0xff, 0xfe, ...Buffer.from('"}')]), 400],
  'an overlong slash': [new Uint8Array([...Buffer.from('{"prefix":"'), 0xc0, 0xaf, ...Buffer.from('"}')]), 400],
  'UTF-16': [new Uint8Array(Buffer.from('{"prefix":""}', 'utf16le')), 400],
  __proto__: ['{"__proto__":{"prefix":"x"}}', 400],
  '__proto__ escaped': ['{"\\u005f_proto__":{"prefix":"x"}}', 400],
  'null where an object is expected': ['null', 400],
  'an array where an object is expected': ['[]', 400],
  'a text where an object is expected': ['"x"', 400],
  'a number where an object is expected': ['1', 400],
  'nothing but a space': [' ', 400],
  'two documents': ['{} {}', 400],
  'a comma at the end': ['{"prefix":"",}', 400],
  'a comment': ['{/**/}', 400],
  NaN: ['{"limit":NaN}', 400],
  'single quotes': ["{'prefix':''}", 400],
  'a text without an end': ['{"prefix":"\\"', 400],
  'a body of 2 MB': [`{"prefix":"${'x'.repeat(2_000_000)}"}`, 413],
};

test('94 JSON that is deep, wide, double or no JSON is refused', async () => {
  for (const [what, [body, status]] of Object.entries(hostileJson)) {
    const answer = await json(list, body);

    await assertRefused(answer, status).catch((error: unknown) => {
      throw new Error(what, { cause: error });
    });
  }
});

test('94 the functions take no other JSON than the routes', async () => {
  for (const [what, [body, status]] of Object.entries(hostileJson)) {
    if (what.startsWith('null')) continue; // PostgREST takes it for no arguments at all
    const answer = await json('/rpc/get_file_storage_stats', body);

    assert.equal(answer.status, status, `${what}: ${await answer.text()}`);
  }
});

test('94 JSON in another charset or of another type is refused', async () => {
  for (const type of ['application/json; charset=utf-16', 'application/json;charset="iso-8859-1"']) {
    await assertRefused(await json(list, '{"prefix":""}', type), 400, 'invalid_request');
  }
  for (const type of ['application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    await assertRefused(await json(list, '{"prefix":""}', type), 415);
  }
  await assertRefused(await json(list, '{"prefix":""}', 'text/plain'), [400, 415]);
  await assertRefused(await json(list, '{"prefix":""}', 'application/json/..'), [400, 415]);
});

test('94 JSON that is only unusual is taken', async () => {
  const body = JSON.stringify({ prefix: '', search: '"}{][\\', nobody: { a: [1e3, -0.5e-7, { a: 1 }], b: { a: 2 } } });

  const answer = await json(list, ` \r\n\t${body} `, 'application/json; charset=UTF-8');

  assert.equal(answer.status, 200, await answer.text());
});

test('94 a parameter that stands twice in a query is refused', async () => {
  const path = '/storage/v1/object/box/taken?download=a&download=b';

  await assertRefused(await service.service.fetch(path, { as: 'olivia' }), 400);
});

/** Bytes of a refused body that the server may take: what it reads, and what the system keeps for both ends. */
const takenMax = 48 * 2 ** 20;

/** Sends a body until the server stops taking it or closes; returns the answer and how much of it went out. */
async function sendUnwanted(head: string, chunk: Buffer, bytesMax: number) {
  const raw = await RawSocket.to(service.service.url);
  raw.write(head);
  let sent = 0;
  for (; sent < bytesMax && !raw.ended; sent += chunk.byteLength) {
    await raw.writeThrough(chunk);
  }
  const answer = await raw.answer();
  await raw.closed();
  raw.destroy();
  return { answer, sent };
}

const unwanted: Readonly<Record<string, readonly [() => string, number]>> = {
  'without a token': [() => rawRequest('POST /storage/v1/object/box/no-token', { 'content-length': 2 ** 30 }), 401],
  'to a bucket that is not there': [
    () => rawRequest('POST /storage/v1/object/nowhere/a', { authorization, 'content-length': 2 ** 30 }),
    404,
  ],
  'larger than anything': [
    () => rawRequest('PUT /storage/v1/object/box/large', { authorization, 'content-length': 2 ** 40 }),
    413,
  ],
  'under a name that is taken': [
    () =>
      rawRequest('POST /storage/v1/object/box/taken', {
        authorization,
        'x-upsert': 'false',
        'content-length': 2 ** 30,
      }),
    409,
  ],
  'under no name': [
    () => rawRequest('POST /storage/v1/object/box/', { authorization, 'content-length': 2 ** 30 }),
    400,
  ],
  'with an escape that is none': [
    () => rawRequest('POST /storage/v1/object/box/%zz', { authorization, 'content-length': 2 ** 30 }),
    400,
  ],
  'to a path that is none': [() => rawRequest('POST /nonesuch', { 'content-length': 2 ** 30 }), 404],
  'as a form that never begins': [
    () =>
      rawRequest('POST /storage/v1/object/box/form', {
        authorization,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': 2 ** 30,
      }),
    400,
  ],
  'as JSON': [
    () =>
      rawRequest(`POST ${list}`, {
        authorization,
        'content-type': 'application/json',
        'content-length': 2 ** 30,
      }),
    413,
  ],
  'to be read': [() => rawRequest('GET /healthz', { 'content-length': 2 ** 30 }), 200],
};

test('F12 a refused body of a gigabyte is answered at once, read a little, and cut off', async () => {
  const chunk = Buffer.alloc(2 ** 20, 'x');

  const ends = await Promise.all(
    Object.entries(unwanted).map(async ([what, [head, status]]) => ({
      what,
      status,
      ...(await sendUnwanted(head(), chunk, 2 ** 30)),
    })),
  );

  for (const { what, status, answer, sent } of ends) {
    assert.equal(answer.status, status, `${what}: ${answer.body}`);
    assert.equal(answer.headers['connection'], 'close', what);
    assert.ok(sent < takenMax, `${what}: ${sent} bytes went out`);
  }
});

test('F12 a refused body without a length is answered at once, read a little, and cut off', async () => {
  const chunk = Buffer.from(`100000\r\n${'x'.repeat(2 ** 20)}\r\n`);
  const head = rawRequest('POST /storage/v1/object/nowhere/a', { authorization, 'transfer-encoding': 'chunked' });

  const { answer, sent } = await sendUnwanted(head, chunk, 2 ** 30);

  assert.equal(answer.status, 404, answer.body);
  assert.ok(sent < takenMax, `${sent} bytes went out`);
});

test('F12 a body that grows beyond its limit is refused in the middle, and cut off', async () => {
  await service.database.query(
    "INSERT INTO storage.buckets (id, owner_id, file_size_limit) VALUES ('small', 'olivia', 1000000)",
  );
  await service.remember();
  const chunk = Buffer.from(`100000\r\n${'x'.repeat(2 ** 20)}\r\n`);
  const head = rawRequest('POST /storage/v1/object/small/a', { authorization, 'transfer-encoding': 'chunked' });

  const { answer, sent } = await sendUnwanted(head, chunk, 2 ** 30);

  assert.equal(answer.status, 413, answer.body);
  assert.ok(sent < takenMax, `${sent} bytes went out`);
});

test('F12 a client that sends everything before it reads still gets the refusal of a small body', async () => {
  const raw = await RawSocket.to(service.service.url);
  await raw.writeThrough(
    rawRequest('POST /storage/v1/object/nowhere/a', { authorization, 'content-length': 200_000 }, 'x'.repeat(200_000)),
  );

  const refused = await raw.answer();
  const next = await raw.write(rawRequest('GET /healthz')).answer();

  assert.equal(refused.status, 404);
  assert.equal(next.status, 200, 'and the connection goes on');
  raw.destroy();
});

test('F12 a client that sends with fetch gets the refusal of a large body', async () => {
  const answer = await service.service.fetch('/storage/v1/object/nowhere/a', {
    as: 'olivia',
    method: 'POST',
    body: new Uint8Array(2 ** 25),
  });

  await assertRefused(answer, 404, 'bucket_not_found');
});

test('F12 a refused client that waits for 100-continue sends nothing, and its connection ends', async () => {
  const raw = await RawSocket.to(service.service.url);
  const head = { authorization, expect: '100-continue', 'content-length': 1000 };

  const answer = await raw.write(rawRequest('POST /storage/v1/object/nowhere/a', head)).answer();

  assert.equal(answer.status, 404);
  assert.equal(answer.headers['connection'], 'close');
  await raw.closed();
});

const notLinux = platform() === 'linux' ? false : 'resident memory is read from /proc, which only Linux has';

test('F12 forty heads of 15 kB and bodies of 1 MB leave memory as it was', { skip: notLinux }, async () => {
  const resident = (): number =>
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  const body = `{"prefix":"${'x'.repeat(1_000_000)}"}`;
  const round = async (): Promise<void> => {
    for (let i = 0; i < 4; i += 1) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const answer = await service.service.fetch(list, {
            as: 'olivia',
            method: 'POST',
            headers: { 'content-type': 'application/json', padding: 'x'.repeat(14_000) },
            body,
          });
          await answer.arrayBuffer();
        }),
      );
    }
  };
  await round();
  const before = resident();

  await round();

  assert.ok(resident() - before < 150, `${before} MiB became ${resident()} MiB, in the process of client and server`);
});

/** Row 93 of the list of attacks, uploads as forms: fields around the file, bounded, streamed, refused when they are none. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { assertInvariants, signToken, startService, type TestService, until } from '@rowlock/test-harness';

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
  for (const bucket of [
    { name: 'box' },
    { name: 'small', file_size_limit: 1000 },
    { name: 'texts', allowed_mime_types: ['text/*'] },
  ]) {
    const body = JSON.stringify(bucket);
    const headers = { 'content-type': 'application/json' };
    assert.equal((await service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body })).status, 201);
  }
});
after(() => service.stop());

type Part = readonly [head: string, body: string | Buffer];

const field = (name: string, value: string): Part => [`Content-Disposition: form-data; name="${name}"`, value];
const file = (body: string | Buffer, type = 'text/plain', more = ''): Part => [
  `Content-Disposition: form-data; name=""; filename="blob"${more}\r\nContent-Type: ${type}`,
  body,
];

function formOf(parts: readonly Part[], boundary = 'xxxx', end = `--${boundary}--\r\n`): Buffer {
  const written = parts.flatMap(([head, body]) => [`--${boundary}\r\n${head}\r\n\r\n`, body, '\r\n']);
  return Buffer.concat([...written, end].map((each) => Buffer.from(each)));
}

const send = (path: string, body: Buffer | FormData, type = 'multipart/form-data; boundary=xxxx') =>
  service.fetch(`/storage/v1/object/${path}`, {
    as: 'ann',
    method: 'POST',
    body: body as Uint8Array<ArrayBuffer>,
    ...(body instanceof FormData ? {} : { headers: { 'content-type': type } }),
  });

const rowOf = async (name: string): Promise<Record<string, unknown> | undefined> =>
  (
    await service.database.query(
      'SELECT content_type, cache_control, user_metadata, size::int FROM storage.objects WHERE name = $1',
      [name],
    )
  )[0];

const reasonOf = async (response: Response): Promise<string> => ((await response.json()) as { reason: string }).reason;

test('93 fields say type, cache control and metadata, in front of the file and behind it', async () => {
  const said = [field('cacheControl', '60'), field('metadata', '{"a":1}'), field('contentType', 'text/csv')];
  const expected = { content_type: 'text/csv', cache_control: 'max-age=60', user_metadata: { a: 1 }, size: 5 };

  assert.equal((await send('texts/before', formOf([...said, file('hello')]))).status, 201);
  assert.equal((await send('texts/behind', formOf([file('hello'), ...said]))).status, 201);
  assert.equal((await send('texts/around', formOf([said[0] as Part, file('hello'), ...said.slice(1)]))).status, 201);

  assert.deepEqual(await rowOf('before'), expected);
  assert.deepEqual(await rowOf('behind'), expected);
  assert.deepEqual(await rowOf('around'), expected);
  const typed = await send('texts/typed', formOf([file('hello'), field('contentType', 'image/png')]));
  assert.equal(await reasonOf(typed), 'media_type_not_allowed');
});

test('93 a FormData of the platform is read, its file byte for byte', async () => {
  const bytes = Buffer.alloc(300_000, '\r\n--xxxx\r\n-');
  const form = new FormData();
  form.append('file', new Blob([bytes], { type: 'application/octet-stream' }), 'ä "b".bin');
  form.append('userMetadata', '{"b":[1]}');

  const answer = await send('box/platform', form);
  const read = await service.fetch('/storage/v1/object/box/platform', { as: 'ann' });

  assert.equal(answer.status, 201);
  assert.deepEqual(Buffer.from(await read.arrayBuffer()), bytes);
  assert.deepEqual((await rowOf('platform'))?.['user_metadata'], { b: [1] });
});

test('93 what is no form with one file is refused, and leaves nothing', async () => {
  const whole = formOf([file('hello')]);
  const cases: readonly (readonly [string, Buffer, string?])[] = [
    ['no file', formOf([field('a', 'b')])],
    ['no part', Buffer.from('--xxxx--\r\n')],
    ['nothing', Buffer.from('')],
    ['two files', formOf([file('one'), file('two')])],
    ['another boundary', whole, 'multipart/form-data; boundary=yyyy'],
    ['no boundary', whole, 'multipart/form-data'],
    ['an empty boundary', whole, 'multipart/form-data; boundary='],
    ['no last boundary', formOf([file('hello')], 'xxxx', '')],
    ['cut in the file', whole.subarray(0, -14)],
    ['cut in a head', whole.subarray(0, 30)],
    ['a field too large', formOf([field('metadata', 'x'.repeat(1_100_000)), file('hello')])],
    ['a field too large behind the file', formOf([file('hello'), field('metadata', 'x'.repeat(1_100_000))])],
    ['too many fields', formOf([...Array.from({ length: 30 }, (_, i) => field(`f${i}`, '')), file('hello')])],
    ['too many behind the file', formOf([file('hello'), ...Array.from({ length: 30 }, (_, i) => field(`f${i}`, ''))])],
    ['too much in front', Buffer.concat([Buffer.alloc(3_000_000, 'x'), whole])],
    ['too much behind', Buffer.concat([whole, Buffer.alloc(4_000_000, 'x')])],
    ['metadata that is no object', formOf([field('metadata', '[1]'), file('hello')])],
    ['metadata that is no JSON', formOf([file('hello'), field('metadata', '{')])],
    ['a cache control with a line break', formOf([field('cacheControl', 'a\r\nb'), file('hello')])],
    ['no type', formOf([field('contentType', 'nonsense'), file('hello')])],
  ];

  for (const [what, body, type] of cases) {
    const answer = await send(`box/${encodeURIComponent(what)}`, body, type).catch((error: unknown) => error);
    if (answer instanceof Response) {
      assert.ok([400, 415].includes(answer.status), `${what}: ${answer.status}`);
    } else {
      assert.match(what, /too (much|large)/, `${what}: ${String(answer)}`); // the connection ended with the answer
    }
    assert.equal(await rowOf(what), undefined, what);
  }
  assert.equal((await service.fetch('/storage/v1/object/box/two%20files', { as: 'ann' })).status, 404);
  await assertInvariants(service);
});

test('93 names of fields and files, and headers of parts, are only data', async () => {
  const parts = [
    field('__proto__', 'x'),
    field('constructor', 'x'),
    ['Content-Disposition: form-data; name="a"; filename*=UTF-8\'\'..%2f..%2fetc%2fpasswd', 'hello'] as const,
  ];

  const answer = await send('box/fields', formOf(parts));

  assert.equal(answer.status, 201);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
  assert.equal((await rowOf('fields'))?.['size'], 5);
});

test('93 a file over the limit of the bucket is cut, and a checksum of a form is refused', async () => {
  assert.equal((await send('small/exact', formOf([file('x'.repeat(1000))]))).status, 201);
  assert.equal((await send('small/over', formOf([file('x'.repeat(1001))]))).status, 413);
  assert.equal(await rowOf('over'), undefined);
  const summed = await service.fetch('/storage/v1/object/box/summed', {
    as: 'ann',
    method: 'POST',
    body: formOf([file('hello')]) as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': 'multipart/form-data; boundary=xxxx', 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' },
  });
  assert.equal(await reasonOf(summed), 'bad_digest');
});

test('93 a client that leaves in the middle of its form leaves neither object nor upload', async () => {
  const upload = request(`${service.url}/storage/v1/object/box/left`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await signToken({ sub: 'ann', role: 'authenticated' })}`,
      'content-type': 'multipart/form-data; boundary=xxxx',
    },
  });
  upload.on('error', () => undefined);
  upload.write(formOf([file('the first half')], 'xxxx', '').subarray(0, -2));
  await until(async () => (await service.database.query("SELECT FROM storage.uploads WHERE name = 'left'"))[0], {
    what: 'the upload has begun',
  });

  upload.destroy();

  await until(
    async () => (await service.database.query("SELECT FROM storage.uploads WHERE name = 'left'")).length === 0,
    { what: 'the upload was given up' },
  );
  assert.equal(await rowOf('left'), undefined);
  await assertInvariants(service);
});

/** Rows 24 to 27, 31 and 32 of the list of attacks: bodies that are not as long or as whole as was said, and readers between writers. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { enableFaults, Presigner } from '@rowlock/server';
import { seededRandom, until } from '@rowlock/test-harness';
import { type Attacked, assertRefused, assertRefusedByDoor, attacked } from './standing.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 3);
const random = seededRandom();

let attack: Attacked;
const as = 'olivia';

before(async () => {
  attack = await attacked();
  await attack.database.query(
    "INSERT INTO storage.buckets (id, owner_id, file_size_limit) VALUES ('box', 'olivia', NULL), ('small', 'olivia', 1000)",
  );
  await attack.remember();
});
afterEach(() => attack.assertUnharmed());
after(() => attack.stop());

const put = (
  path: string,
  body: string | Buffer | ReadableStream,
  headers: Record<string, string> = {},
): Promise<Response> =>
  attack.service.fetch(`/storage/v1/object/${path}`, {
    as,
    method: 'PUT',
    body,
    headers,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit & { as: string });

const read = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  attack.service.fetch(`/storage/v1/object/${path}`, { as, headers });

async function remove(path: string): Promise<void> {
  const removed = await attack.service.fetch(`/storage/v1/object/${path}`, { as, method: 'DELETE' });
  assert.equal(removed.status, 200);
}

/** Sends bytes as they are and reads what comes back until the server or this side closes. */
async function overSocket(head: readonly string[], body: string, end: boolean): Promise<string> {
  const { hostname, port } = new URL(attack.service.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
    if (/^HTTP\/1\.1 \d/.test(answer) && answer.includes('\r\n\r\n')) socket.end();
  });
  socket.on('error', () => undefined);
  const lines = [...head, `Host: ${hostname}`, `Authorization: Bearer ${attack.tokens.olivia}`, '', ''];
  socket.write(lines.join('\r\n') + body);
  if (end) socket.end();
  await once(socket, 'close');
  return answer;
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

test('24 a body that ends before its length, or never says that it ended, makes no object', async () => {
  const line = 'PUT /storage/v1/object/box/short HTTP/1.1';

  await overSocket([line, 'Content-Length: 10'], 'short', true);
  await overSocket([line, 'Transfer-Encoding: chunked'], '5\r\nshort\r\n', true);
  await overSocket([line, 'Transfer-Encoding: chunked'], 'zz\r\nshort\r\n', false);
  await overSocket([line, 'Transfer-Encoding: chunked'], '5\r\nshortest\r\n0\r\n\r\n', false);
  await until(async () => (await attack.database.query('SELECT FROM storage.uploads')).length === 0, {
    what: 'the uploads were given up',
  });

  assert.equal((await read('box/short')).status, 404);
});

test('24 a body that is longer than its length is cut there, and the rest is no request of anybody', async () => {
  const smuggled = 'GET /storage/v1/object/box/long HTTP/1.1\r\nHost: x\r\n\r\n';

  const answer = await overSocket(
    ['PUT /storage/v1/object/box/long HTTP/1.1', 'Content-Length: 4'],
    `long${smuggled}`,
    false,
  );

  assert.equal(statusOf(answer), 201);
  assert.equal(await (await read('box/long')).text(), 'long');
  await remove('box/long');
});

test('24 a connection whose upload was refused in the middle answers the next request or ends', async () => {
  const { hostname, port } = new URL(attack.service.url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  const common = `Host: ${hostname}\r\nAuthorization: Bearer ${attack.tokens.olivia}\r\n`;
  const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;

  socket.write(`PUT /storage/v1/object/small/a HTTP/1.1\r\n${common}Transfer-Encoding: chunked\r\n\r\n`);
  socket.write(`${chunk.repeat(40)}0\r\n\r\nGET /healthz HTTP/1.1\r\n${common}\r\n`);
  await until(() => answer.includes('"healthy"') || socket.closed, { what: 'the second request is not left waiting' });
  socket.destroy();

  const isEnded = /\r\nconnection: close\r\n/i.test(answer);
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), isEnded ? ['HTTP/1.1 413'] : ['HTTP/1.1 413', 'HTTP/1.1 200']);
});

test('24 a length that is no number of bytes is refused', async () => {
  for (const length of ['-1', '1e3', '+5', '0x10', '5, 6', '99999999999999999999']) {
    const answer = await overSocket(
      ['PUT /storage/v1/object/box/odd HTTP/1.1', `Content-Length: ${length}`],
      '',
      false,
    );

    assert.ok([400, 413].includes(statusOf(answer)), `${length}: ${answer.slice(0, 40)}`);
  }
  assert.equal((await read('box/odd')).status, 404);
});

/** Checksums of `right`, one header each. */
const right = Buffer.from('123456789');
const digest = (algorithm: string): string => createHash(algorithm).update(right).digest('base64');
const checksums: Readonly<Record<string, string>> = {
  'content-md5': digest('md5'),
  'x-amz-checksum-crc32': 'y/Q5Jg==',
  'x-amz-checksum-crc32c': '4waSgw==',
  'x-amz-checksum-crc64nvme': 'rosUhgp5mIg=',
  'x-amz-checksum-sha1': digest('sha1'),
  'x-amz-checksum-sha256': digest('sha256'),
  digest: `SHA-256=${digest('sha256')},MD5=${digest('md5')}`,
  'content-digest': `sha-512=:${digest('sha512')}:`,
  'repr-digest': `sha-256=:${digest('sha256')}:`,
};

test('25 a checksum that is not that of the body refuses it, in every spelling', async () => {
  for (const [name, value] of Object.entries(checksums)) {
    await assertRefused(await put('box/sum', '123456788', { [name]: value }), 400, 'bad_digest');
    await assertRefused(await put('box/sum', '', { [name]: value }), 400, 'bad_digest');
    await assertRefused(await put('box/sum', right, { [name]: value.slice(0, -2) }), 400, 'bad_digest');
    assert.equal((await read('box/sum')).status, 404, 'nothing was committed');
    assert.equal((await put('box/sum', right, { [name]: value })).status, 201, name);
    await assertRefused(await put('box/sum', 'other', { [name]: value }), 400, 'bad_digest');
    assert.equal(await (await read('box/sum')).text(), right.toString(), 'nor overwritten');
    await remove('box/sum');
  }
  await assertRefused(await put('box/sum', right, { 'x-amz-checksum-crc16': 'AAA=' }), 400, 'bad_digest');
  const two = { 'content-md5': digest('md5'), 'x-amz-checksum-crc32': 'AAAAAA==' };
  await assertRefused(await put('box/sum', right, two), 400, 'bad_digest');
});

interface DirectUpload {
  readonly url: string;
  readonly key: string;
  readonly request_id: string;
}

/** An upload that waits for its PUT, as the queue's signer answers it. */
async function directUpload(): Promise<DirectUpload> {
  const body = { p_entity_type: 'issue', p_entity_id: '1', p_file_name: 'a.bin', p_file_type: '' };
  const request_id = (await (await attack.send('POST', '/rpc/request_upload_url', body, as)).json()) as string;
  const row = await until(async () => {
    const polled = await attack.service.fetch(`/rpc/get_upload_url?p_request_id=${request_id}`, { as });
    const [first] = (await polled.json()) as { url: string | null }[];
    return first?.url;
  });
  return { url: row, key: new URL(row).pathname.replace('/civic-os-files/', ''), request_id };
}

async function giveUp({ request_id }: DirectUpload): Promise<void> {
  await attack.settle();
  await attack.database.query(
    `SELECT storage_internal.abandon_upload(upload_id, 'over') FROM metadata.file_upload_requests WHERE id = '${request_id}'`,
  );
  await attack.database.query('DELETE FROM metadata.file_upload_requests WHERE id = $1', [request_id]);
}

/** A URL for the key as somebody with the secret would sign it, with more in its query. */
function signedWith(key: string, query: Readonly<Record<string, string>>): string {
  const { backend } = attack.service.config;
  const presigner = new Presigner({
    endpoint: backend.endpoint,
    region: backend.region,
    bucket: backend.bucket,
    credentials: { access_key_id: backend.access_key_id, secret_access_key: backend.secret_access_key },
  });
  return presigner.presign({ method: 'PUT', key, expirySeconds: 60, now: new Date(), query });
}

test('25 the door of presigned URLs checks what was said of the body too', async () => {
  const upload = await directUpload();

  for (const value of [digest('md5').replace(/^./, 'A'), 'AAAA', 'no base64']) {
    const refused = await fetch(upload.url, { method: 'PUT', body: right, headers: { 'content-md5': value } });
    await assertRefusedByDoor(refused, 400, 'BadDigest');
  }
  const accepted = await fetch(upload.url, { method: 'PUT', body: right, headers: { 'content-md5': digest('md5') } });

  assert.equal(accepted.status, 200);
  await giveUp(upload);
});

test('26 a checksum that was signed into a URL is checked, and ours have none', async () => {
  const upload = await directUpload();
  const ofNothing = signedWith(upload.key, {
    'x-amz-checksum-crc32': 'AAAAAA==',
    'x-amz-sdk-checksum-algorithm': 'CRC32',
  });

  assert.doesNotMatch(upload.url, /checksum/i);
  const added = `${upload.url}&x-amz-checksum-crc32=AAAAAA%3D%3D`;
  await assertRefusedByDoor(await fetch(added, { method: 'PUT', body: right }), 403);
  await assertRefusedByDoor(await fetch(ofNothing, { method: 'PUT', body: right }), 400, 'BadDigest');
  await giveUp(upload);
});

/** The body as a stream, so that it has no length. */
const streamed = (bytes: number): ReadableStream => new Blob([Buffer.alloc(bytes)]).stream();

test('27 the limit of a bucket is exact, with and without a declared length', async () => {
  for (const size of [999, 1000]) {
    assert.equal((await put('small/a', Buffer.alloc(size))).status, 201, String(size));
    assert.equal((await put('small/b', streamed(size))).status, 201, String(size));
    assert.equal((await (await read('small/b')).arrayBuffer()).byteLength, size);
    await remove('small/a');
    await remove('small/b');
  }
  for (const size of [1001, 2000, 200_000]) {
    await assertRefused(await put('small/a', Buffer.alloc(size)), 413, 'too_large');
    await assertRefused(await put('small/b', streamed(size)), 413, 'too_large');
  }
});

test('27 the limit is exact at the door of presigned URLs', async () => {
  await attack.database.query("UPDATE storage.buckets SET file_size_limit = 1000 WHERE id = 'files'");
  const upload = await directUpload();

  const stream = { method: 'PUT', body: streamed(1001), duplex: 'half' } as RequestInit;
  await assertRefusedByDoor(
    await fetch(upload.url, { method: 'PUT', body: Buffer.alloc(1001) }),
    413,
    'EntityTooLarge',
  );
  await assertRefusedByDoor(await fetch(upload.url, stream), 413, 'EntityTooLarge');
  assert.equal((await fetch(upload.url, { method: 'PUT', body: Buffer.alloc(1000) })).status, 200);
  await giveUp(upload);
  await attack.database.query(
    "UPDATE storage.buckets SET file_size_limit = NULL, updated_at = created_at WHERE id = 'files'",
  );
  await attack.remember();
});

test('27 a limit that shrinks while the bytes are on their way is the one that counts', async () => {
  let finish: () => void = () => undefined;
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.alloc(900));
      finish = () => controller.close();
    },
  });
  const uploading = put('small/late', body);
  await until(async () => (await attack.database.query('SELECT FROM storage.uploads')).length === 1, {
    what: 'the upload has begun',
  });

  const shrunk = await attack.sql(
    { role: 'authenticated', sub: as },
    "UPDATE storage.buckets SET file_size_limit = 100 WHERE id = 'small' RETURNING 1",
  );
  finish();

  assert.equal(shrunk.length, 1);
  await assertRefused(await uploading, 413, 'too_large');
  assert.equal((await read('small/late')).status, 404);
  await attack.database.query("UPDATE storage.buckets SET file_size_limit = 1000 WHERE id = 'small'");
  await attack.remember();
});

test('31 an object of no bytes is an object, and one that is too large is refused before its bytes', async () => {
  assert.equal((await put('box/nothing', '')).status, 201);
  const empty = await read('box/nothing');
  const ranged = await read('box/nothing', { range: 'bytes=0-' });
  await remove('box/nothing');
  const answer = await overSocket(
    ['PUT /storage/v1/object/box/huge HTTP/1.1', `Content-Length: ${5 * 2 ** 30 + 1}`, 'Expect: 100-continue'],
    '',
    false,
  );

  assert.equal(empty.headers.get('content-length'), '0');
  assert.equal(await empty.text(), '');
  assert.equal(ranged.status, 416);
  assert.equal(statusOf(answer), 413, 'and nobody was told to go on');
});

test('31 an empty image by the door has no thumbnails and harms no worker', async () => {
  const upload = await directUpload();
  assert.equal((await fetch(upload.url, { method: 'PUT', body: '' })).status, 200);
  await giveUp(upload);
});

/** Bodies of one letter, so that a mixture shows. */
const version = (letter: string): Buffer => Buffer.alloc(2 ** 20 + 17, letter);

async function lettersOf(response: Response): Promise<string> {
  const bytes = Buffer.from(await response.arrayBuffer());
  return [...new Set(bytes.toString('latin1'))].join('');
}

test('32 who has begun to read gets that version to its end, over overwriting, deleting and purging', async () => {
  assert.equal((await put('box/read', version('a'))).status, 201);
  const { body } = await read('box/read');
  assert.ok(body);
  const reader = body.getReader();
  const first = await reader.read();

  assert.equal((await put('box/read', version('b'))).status, 200);
  await remove('box/read');
  await attack.settle();
  let [size, letters] = [first.value?.byteLength ?? 0, new Set(first.value)];
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.byteLength;
    letters = new Set([...letters, ...new Set(next.value)]);
  }

  assert.equal(size, version('a').byteLength);
  assert.deepEqual([...letters], ['a'.charCodeAt(0)]);
});

test('32 readers among writers get one whole version, and parts of one version only', async () => {
  const alphabet = [...'abcdefghij'];
  await put('box/busy', version('a'));

  for (let round = 0; round < rounds; round += 1) {
    const writes = Array.from({ length: 4 }, () => put('box/busy', version(random.pick(alphabet))));
    const reads = Array.from({ length: 8 }, async () => {
      const whole = await read('box/busy');
      assert.equal(
        whole.status,
        200,
        await whole
          .clone()
          .text()
          .then((text) => text.slice(0, 200)),
      );
      const etag = whole.headers.get('etag') ?? '';
      const letter = await lettersOf(whole);
      const rest = await read('box/busy', { range: 'bytes=1000000-', 'if-range': etag });
      const isSame = rest.headers.get('etag') === etag;
      assert.equal(letter.length, 1, 'no mixture');
      assert.equal(rest.status, isSame ? 206 : 200);
      assert.equal((await lettersOf(rest)).length, 1);
    });
    for (const written of await Promise.all(writes)) assert.equal(written.status, 200);
    await Promise.all(reads);
  }
  await remove('box/busy');
});

test('32 who looked just before an overwriting gets the new version, and who looked before a delete gets 404', async () => {
  const small = (letter: string): Buffer => Buffer.alloc(1000, letter);
  /** Does something, and waits for the purge, between finding the object and opening its bytes. */
  const readAfter = async (meanwhile: () => Promise<unknown>, headers: Record<string, string>): Promise<Response> => {
    let isReached = false;
    enableFaults(async (point) => {
      if (isReached || point !== 'file.open') return;
      isReached = true;
      await meanwhile();
      await attack.settle();
    });
    try {
      return await read('box/late', headers);
    } finally {
      enableFaults(undefined);
      assert.ok(isReached);
    }
  };
  await put('box/late', small('a'));

  const whole = await readAfter(() => put('box/late', small('b')), {});
  const part = await readAfter(() => put('box/late', small('c')), { range: 'bytes=990-' });
  const gone = await readAfter(() => remove('box/late'), {});

  assert.equal(whole.status, 200);
  assert.equal(await lettersOf(whole), 'b');
  assert.equal(part.headers.get('content-range'), 'bytes 990-999/1000');
  assert.equal(await lettersOf(part), 'c');
  await assertRefused(gone, 404, 'object_not_found');
});

/** Ranges as players, readers of archives and resuming downloads ask for them: several at once, of large media, of HEAD. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { seededRandom, startService, type TestService, until } from '@rowlock/test-harness';

let service: TestService;
let etag = '';
let modified = '';
const random = seededRandom();
const content = random.bytes(600_000);

before(async () => {
  service = await startService();
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'ann')");
  await upload('media', content);
  const read = await ask({});
  etag = read.headers.get('etag') ?? '';
  modified = read.headers.get('last-modified') ?? '';
  await read.arrayBuffer();
});
after(() => service.stop());

async function upload(name: string, body: Buffer): Promise<void> {
  const put = await service.fetch(`/storage/v1/object/box/${name}`, {
    as: 'ann',
    method: 'PUT',
    body,
    headers: { 'content-type': 'video/mp4' },
  });
  assert.ok(put.ok, await put.text());
}

const ask = (headers: Record<string, string>, name = 'media', method = 'GET'): Promise<Response> =>
  service.fetch(`/storage/v1/object/box/${name}`, { as: 'ann', headers, method });

interface Part {
  readonly type: string;
  readonly range: string;
  readonly bytes: Buffer;
}

/** Takes a multipart/byteranges body apart, strictly. */
async function partsOf(answer: Response): Promise<Part[]> {
  const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(answer.headers.get('content-type') ?? '')?.[1];
  const body = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.headers.get('content-length'), String(body.length));
  const text = body.toString('latin1');
  const pieces = text.split(`\r\n--${boundary}`);
  assert.equal(pieces.shift(), '');
  assert.equal(pieces.pop(), '--\r\n');
  return pieces.map((piece) => {
    const head = /^\r\nContent-Type: ([^\r]+)\r\nContent-Range: bytes ([^\r]+)\r\n\r\n/.exec(piece);
    assert.ok(head !== null, piece.slice(0, 100));
    return { type: head[1] ?? '', range: head[2] ?? '', bytes: Buffer.from(piece.slice(head[0].length), 'latin1') };
  });
}

test('several ranges come as parts, each with its place, small ones and large ones', async () => {
  const asked = [
    [599_990, 599_999],
    [0, 299_999],
    [400_000, 400_000],
  ] as const;

  const answer = await ask({ range: `bytes=-10,0-299999,400000-400000` });
  const parts = await partsOf(answer);

  assert.equal(answer.status, 206);
  assert.equal(answer.headers.get('content-range'), null);
  assert.equal(answer.headers.get('etag'), etag);
  assert.deepEqual(
    parts.map(({ type, range }) => [type, range]),
    asked.map(([start, end]) => ['video/mp4', `${start}-${end}/600000`]),
  );
  for (const [i, [start, end]] of asked.entries()) {
    assert.ok(parts[i]?.bytes.equals(content.subarray(start, end + 1)), `part ${i}`);
  }
});

test('ranges that overlap or touch are merged, so that no byte is sent twice', async () => {
  const merged = await ask({ range: 'bytes=100-199,150-299,300-310' });
  const some = await partsOf(await ask({ range: 'bytes=500-599,0-9,550-650' }));

  assert.equal(merged.headers.get('content-range'), 'bytes 100-310/600000');
  assert.ok(Buffer.from(await merged.arrayBuffer()).equals(content.subarray(100, 311)));
  assert.deepEqual(
    some.map(({ range }) => range),
    ['0-9/600000', '500-650/600000'],
  );
});

test('what lies beyond the end is left out, and if nothing is left the answer is 416', async () => {
  const partly = await ask({ range: 'bytes=0-4,600000-600010' });
  const beyond = await ask({ range: 'bytes=600000-,700000-' });

  assert.equal(partly.headers.get('content-range'), 'bytes 0-4/600000');
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get('content-range'), 'bytes */600000');
});

test('more than sixteen ranges get the whole body', async () => {
  const ranges = Array.from({ length: 17 }, (_, i) => `${i * 10}-${i * 10}`);

  const sixteen = await partsOf(await ask({ range: `bytes=${ranges.slice(1).join(',')}` }));
  const more = await ask({ range: `bytes=${ranges.join(',')}` });

  assert.equal(sixteen.length, 16);
  assert.equal(more.status, 200);
  assert.equal((await more.arrayBuffer()).byteLength, content.length);
});

test('If-Range lets ranges through for the same bytes only', async () => {
  const range = 'bytes=0-1,10-11';

  for (const fresh of [etag, modified]) {
    assert.equal((await ask({ range, 'if-range': fresh })).status, 206, fresh);
  }
  for (const stale of ['"other"', `W/${etag}`, 'Thu, 01 Jan 1970 00:00:00 GMT', 'nonsense']) {
    assert.equal((await ask({ range, 'if-range': stale })).status, 200, stale);
  }
});

test('HEAD knows no ranges and says how long the whole is', async () => {
  for (const range of ['bytes=0-1', 'bytes=0-1,5-6', 'bytes=600000-']) {
    const head = await ask({ range }, 'media', 'HEAD');

    assert.equal(head.status, 200, range);
    assert.equal(head.headers.get('content-length'), '600000');
    assert.equal(head.headers.get('accept-ranges'), 'bytes');
    assert.equal(head.headers.get('content-range'), null);
  }
});

test('many ranges of an object that is overwritten and purged are all of one version', async () => {
  const range = 'bytes=0-9,300000-599990';
  const versions = [content, random.bytes(600_000)];
  await upload('busy', content);
  let running = true;
  const writer = (async () => {
    for (let i = 1; running; i += 1) await upload('busy', versions[i % 2] ?? content);
  })();

  try {
    for (let round = 0; round < 20; round += 1) {
      const answer = await ask({ range }, 'busy');
      // A version that was purged between two parts ends the connection.
      const parts = await partsOf(answer).catch(() => []);

      const fits = (version: Buffer): boolean =>
        parts[0]?.bytes.equals(version.subarray(0, 10)) === true &&
        parts[1]?.bytes.equals(version.subarray(300_000, 599_991)) === true;
      assert.ok(parts.length === 0 || versions.some(fits), 'parts of two versions were mixed');
    }
  } finally {
    running = false;
    await writer;
  }
});

test('a range in the middle of a gigabyte reads that range and not the gigabyte', async (t) => {
  const size = 2 ** 30;
  await upload('film', Buffer.from('begin'));
  const [row] = await service.database.query<{ key: string }>(
    "SELECT v.key FROM storage.objects o JOIN storage.versions v ON v.id = o.version_id WHERE o.name = 'film'",
  );
  // A file of that length that holds nothing but its middle.
  const file = await open(join(service.root, row?.key ?? ''), 'r+');
  await file.truncate(size);
  await file.write(content, 0, 300_000, size / 2);
  await file.close();
  await service.database.query(`BEGIN; SET LOCAL session_replication_role = replica;
    UPDATE storage.versions SET size = ${size} WHERE key = '${row?.key}';
    UPDATE storage.objects SET size = ${size} WHERE name = 'film'; COMMIT`);
  const charactersRead = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  await (await ask({ range: 'bytes=0-0' }, 'film')).arrayBuffer();

  const before = charactersRead();
  const middle = await ask({ range: `bytes=${size / 2}-${size / 2 + 299_999}` }, 'film');
  const bytes = Buffer.from(await middle.arrayBuffer());
  const ends = await partsOf(await ask({ range: 'bytes=0-4,-5' }, 'film'));
  const read = charactersRead() - before;

  assert.equal(middle.headers.get('content-range'), `bytes ${size / 2}-${size / 2 + 299_999}/${size}`);
  assert.ok(bytes.equals(content.subarray(0, 300_000)));
  assert.equal(ends[0]?.bytes.toString(), 'begin');
  t.diagnostic(`${read} bytes were read`);
  // Everything that this process read: the file, its own answers over the socket, and the database's.
  assert.ok(read < 4 * 2 ** 20, `${read} bytes were read for 300,000`);
  await service.fetch('/storage/v1/object/box/film', { as: 'ann', method: 'DELETE' });
  await until(
    async () => (await service.database.query("SELECT FROM storage.versions WHERE state = 'purging'")).length === 0,
  );
});

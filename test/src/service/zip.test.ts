/** ZIP downloads: what is in them, for whom, and what happens to objects that change meanwhile. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertInvariants, seededRandom, startService, type TestService, until } from '@rowlock/test-harness';
import { unzipped } from './unzipped.ts';

let service: TestService;
const random = seededRandom();

before(async () => {
  service = await startService();
  for (const bucket of [{ name: 'box' }, { name: 'open', public: true }]) {
    const headers = { 'content-type': 'application/json' };
    await service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body: JSON.stringify(bucket) });
  }
  // More than sockets and streams hold: a download of it waits for who reads it.
  for (let i = 0; i < 8; i += 1) await put(`box/slow/${i}`, Buffer.alloc(4_000_000, i));
  await put('open/a/b.txt', 'b', 'text/plain');
  await put('open/c.txt', 'c', 'text/plain');
});
after(() => service.stop());

const put = async (path: string, body: string | Buffer, type = 'application/octet-stream'): Promise<void> => {
  const url = `/storage/v1/object/${path.split('/').map(encodeURIComponent).join('/')}`;
  const answer = await service.fetch(url, { as: 'ann', method: 'PUT', body, headers: { 'content-type': type } });
  assert.ok(answer.ok, await answer.text());
};
const zip = (path: string, as?: string): Promise<Response> => service.fetch(`/storage/v1/object/zip/${path}`, { as });
const read = async (answer: Response): Promise<Map<string, Buffer>> => {
  assert.equal(answer.status, 200);
  return await unzipped(Buffer.from(await answer.arrayBuffer()));
};

test('a folder comes as a ZIP of everything below it, byte for byte, compressed where that pays', async () => {
  const large = random.bytes(700_000);
  const text = 'the same line again\n'.repeat(20_000);
  const bytes: Readonly<Record<string, readonly [string | Buffer, string]>> = {
    'été 😀.txt': [text, 'text/plain'],
    'deep/er/large.bin': [large, 'application/octet-stream'],
    empty: ['', 'text/plain'],
    'photo.jpg': ['no photo', 'image/jpeg'],
  };
  for (const [name, [body, type]] of Object.entries(bytes)) await put(`box/all/${name}`, body, type);
  await put('box/all.txt', 'beside it');

  const answer = await zip('box/all', 'ann');
  const archive = Buffer.from(await answer.arrayBuffer());
  const files = await unzipped(archive);

  assert.equal(answer.headers.get('content-type'), 'application/zip');
  assert.equal(answer.headers.get('content-disposition'), `attachment; filename="all.zip"; filename*=UTF-8''all.zip`);
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  assert.match(answer.headers.get('cache-control') ?? '', /private, no-store/);
  assert.deepEqual([...files.keys()].sort(), Object.keys(bytes).sort());
  for (const [name, [body]] of Object.entries(bytes)) {
    assert.ok(files.get(name)?.equals(Buffer.from(body)), name);
  }
  assert.ok(archive.length < large.length + text.length / 10, 'text is compressed');
  assert.ok(archive.length > large.length, 'random bytes are not');
});

test('a bucket comes whole, anonymously where it is public', async () => {
  const whole = await read(await zip('open'));
  const slashed = await read(await zip('open/'));
  const folder = await read(await zip('open/a/'));

  assert.deepEqual([...whole.keys()], ['a/b.txt', 'c.txt']);
  assert.deepEqual([...slashed.keys()], ['a/b.txt', 'c.txt']);
  assert.deepEqual([...folder.keys()], ['b.txt']);
});

test('a ZIP has what its caller may read, and nothing of it tells of the rest', async () => {
  await put('box/shared/anns.txt', 'of ann');
  await put('box/shared/bobs.txt', 'of bob');
  await service.database.query(
    `BEGIN; SET LOCAL session_replication_role = replica;
     UPDATE storage.objects SET owner_id = 'bob' WHERE name = 'shared/bobs.txt'; COMMIT`,
  );

  const bobs = await read(await zip('box/shared', 'bob'));
  const refused = await Promise.all([
    zip('box/shared', 'eve'),
    zip('nowhere/shared', 'eve'),
    zip('box/none', 'ann'),
    zip('box/shared'),
    zip('box/a%00b', 'ann'),
  ]);

  assert.deepEqual([...bobs], [['bobs.txt', Buffer.from('of bob')]]);
  assert.deepEqual(
    refused.map(({ status }) => status),
    [404, 404, 404, 401, 400],
  );
});

test('an object and a folder of one name can both be unpacked', async () => {
  await put('box/same/x', 'object');
  await put('box/same/x/y', 'below');
  await put('box/same/x-z', 'between');

  const files = await read(await zip('box/same', 'ann'));

  assert.deepEqual([...files.keys()].sort(), ['x (file)', 'x-z', 'x/y']);
});

test('bytes that vanished are named in MISSING.txt, and the rest is whole', async () => {
  for (const name of ['1', '2', '3']) await put(`box/vanish/${name}`, `object ${name}`);
  const [row] = await service.database.query<{ key: string }>(
    "SELECT v.key FROM storage.objects o JOIN storage.versions v ON v.id = o.version_id WHERE o.name = 'vanish/2'",
  );
  await unlink(join(service.root, row?.key ?? ''));

  const files = await read(await zip('box/vanish', 'ann'));

  assert.deepEqual([...files.keys()], ['1', '3', 'MISSING.txt']);
  assert.match(files.get('MISSING.txt')?.toString() ?? '', /^Deleted while .*\nvanish\/2\n$/);
  await service.database.query("DELETE FROM storage.objects WHERE name = 'vanish/2'");
});

test('an object that is overwritten meanwhile is one of its versions, never a mixture', async () => {
  const bodies = Array.from({ length: 4 }, (_, i) => Buffer.alloc(400_000, 65 + i));
  const hashes = new Set(bodies.map((body) => createHash('sha256').update(body).digest('hex')));
  for (let i = 0; i < 12; i += 1) await put(`box/busy/${i}`, bodies[0] ?? '');
  let running = true;
  const writer = (async () => {
    for (let i = 0; running; i += 1) await put(`box/busy/${i % 12}`, bodies[i % 4] ?? '');
  })();
  const isOfOneVersion = ([name, bytes]: readonly [string, Buffer]): boolean =>
    name === 'MISSING.txt' || hashes.has(createHash('sha256').update(bytes).digest('hex'));

  try {
    for (let round = 0; round < 3; round += 1) {
      const files = [...(await read(await zip('box/busy', 'ann')))];

      assert.deepEqual(
        files.filter((file) => !isOfOneVersion(file)).map(([name]) => name),
        [],
      );
    }
  } finally {
    running = false;
    await writer;
  }
});

test('no connection of the database is held while a slow client takes a ZIP', async () => {
  const slow = await zip('box/slow', 'ann');
  const reader = (slow.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();

  const busy = async (): Promise<number> => {
    const [row] = await service.database.query<{ n: string }>(
      `SELECT count(*) AS n FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'rowlock api' AND state <> 'idle'`,
    );
    return Number(row?.n);
  };
  await until(async () => (await busy()) === 0, { what: 'the API does nothing in the database' });

  const again = await zip('open', 'ann');
  assert.equal(again.status, 200);
  await again.arrayBuffer();
  await reader.cancel();
});

test('a caller has two ZIP downloads at once, and another when one has ended', async () => {
  const held = [await zip('box/slow', 'ann'), await zip('box/slow', 'ann')];

  const third = await zip('box/slow', 'ann');
  const other = await zip('open', 'bob');
  assert.equal(third.status, 503);
  assert.ok(Number(third.headers.get('retry-after')) > 0);
  assert.equal(other.status, 200);
  await other.arrayBuffer();
  await Promise.all(held.map(async ({ body }) => await body?.cancel()));

  await until(async () => {
    const answer = await zip('box/slow', 'ann');
    await answer.body?.cancel();
    return answer.status === 200;
  });
});

test('more than ten thousand objects or 16 GiB are refused before the first byte', async () => {
  await service.database.query(`
    BEGIN;
    SET LOCAL session_replication_role = replica;
    INSERT INTO storage.buckets (id, name, owner_id) VALUES ('many', 'many', 'mia');
    INSERT INTO storage.objects (bucket_id, name, owner_id, version_id, size, content_type)
      SELECT 'many', n::text, 'ann', o.version_id, 1, 'text/plain'
      FROM generate_series(1, 10001) AS n, (SELECT version_id FROM storage.objects LIMIT 1) AS o;
    INSERT INTO storage.objects (bucket_id, name, owner_id, version_id, size, content_type)
      SELECT 'many', 'huge/' || n, 'ann', o.version_id, 9::bigint * 1024 * 1024 * 1024, 'text/plain'
      FROM generate_series(1, 2) AS n, (SELECT version_id FROM storage.objects LIMIT 1) AS o;
    COMMIT`);

  for (const path of ['many', 'many/huge']) {
    const refused = await zip(path, 'mia');

    assert.equal(refused.status, 413, path);
    assert.match(((await refused.json()) as { message: string }).message, /10,000 objects and 16 GiB/);
  }
  await service.database.query(
    "BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM storage.objects WHERE bucket_id = 'many'; COMMIT",
  );
});

test('after all of that every promise holds', async () => {
  await assertInvariants(service);
});

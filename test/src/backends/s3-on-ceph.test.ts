/**
 * What is special to objects in an S3 store, at a real one: large bodies in bounded memory, uploads that are killed,
 * names that are no keys of ours, and a check that says what is wrong.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort, requires, until } from '@rowlock/test-harness';
import { isAlreadyExists, isNotFound } from '../../../packages/server/dist/backend/backend.js';
import { openS3Backend, type S3BackendConfig } from '../../../packages/server/dist/backend/s3/s3-backend.js';
import { cephBackend, cephConfig } from './ceph-backend.js';
import { hashed, madeBytes } from './made-bytes.js';

const mebi = 1024 ** 2;
const key = 'objects/ab/large';
const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);

async function all<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

function clientOf(config: S3BackendConfig): S3Client {
  const { endpoint = '', region, credentials } = config;
  const { access_key_id: accessKeyId = '', secret_access_key: secretAccessKey = '' } = credentials ?? {};
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

/** The most memory that buffers of this process have while something is done, in bytes. */
async function peakOfBuffers<T>(work: () => Promise<T>): Promise<{ value: T; peak: number }> {
  let peak = 0;
  const look = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }, 5);
  try {
    return { value: await work(), peak };
  } finally {
    clearInterval(look);
  }
}

describe('an S3 backend on ceph', { skip: requires('ceph') }, () => {
  for (const size of [5 * mebi + 1, 8 * mebi, 8 * mebi + 1, 17 * mebi]) {
    test(`${size} bytes come back as they were put, whole and around the seams of parts`, async (t) => {
      const backend = await cephBackend();
      t.after(() => backend.close());
      const expected = await hashed(madeBytes(size));

      const put = await backend.put(key, madeBytes(size));
      const got = await backend.get(key);
      const seam = await backend.get(key, { start: 5 * mebi - 1, end: 5 * mebi });

      assert.equal(put.size, size);
      assert.deepEqual(await hashed(got.stream), expected);
      assert.equal(seam.size, size);
      assert.equal(seam.bytes?.length, 2);
      assert.deepEqual(await all(backend.listUnfinished()), []);
    });
  }

  test('100 MiB go up and come down without being in memory', async (t) => {
    const backend = await cephBackend();
    t.after(() => backend.close());
    const expected = await hashed(madeBytes(100 * mebi));
    const before = process.memoryUsage().arrayBuffers;

    const up = await peakOfBuffers(async () => await backend.put(key, madeBytes(100 * mebi)));
    const down = await peakOfBuffers(async () => await hashed((await backend.get(key)).stream));

    assert.deepEqual(down.value, expected);
    // Five parts of 8 MiB, and as many again that are not collected yet.
    assert.ok(up.peak - before < 90 * mebi, `${up.peak - before} bytes on the way up`);
    assert.ok(down.peak - before < 90 * mebi, `${down.peak - before} bytes on the way down`);
  });

  for (const plan of ['s3.after_create=kill', 's3.part@3=kill', 's3.before_complete=kill']) {
    test(`a process that dies at ${plan} leaves nothing to see, and the sweep takes what it left`, async (t) => {
      const config = await cephConfig();
      const backend = await openS3Backend(config);
      t.after(() => backend.close());
      const program = fileURLToPath(new URL('killed-put.js', import.meta.url));

      const child = spawn(process.execPath, [program, JSON.stringify(config), key, String(30 * mebi), plan]);
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      const left = await all(backend.listUnfinished());
      const seen = [await backend.head(key), ...(await all(backend.list()))];
      const young = await backend.removeUnfinished(3_600_000);
      const removed = await backend.removeUnfinished(-1);

      assert.equal(signal, 'SIGKILL');
      assert.deepEqual(seen, [undefined]);
      assert.equal(left.length, 1);
      assert.match(left[0]?.id ?? '', /^objects\/ab\/large \(upload /);
      assert.deepEqual([young, removed], [0, 1]);
      assert.deepEqual(await all(backend.listUnfinished()), []);
      assert.equal((await backend.put(key, madeBytes(10))).size, 10);
    });
  }

  test('a large put of a key that came to be meanwhile is refused and leaves nothing', async (t) => {
    const backend = await cephBackend();
    t.after(() => backend.close());
    async function* source(): AsyncGenerator<Buffer, void> {
      yield* madeBytes(20 * mebi);
      await backend.put(key, madeBytes(10, 7));
    }

    await assert.rejects(backend.put(key, source()), isAlreadyExists);

    assert.deepEqual(await hashed((await backend.get(key)).stream), await hashed(madeBytes(10, 7)));
    assert.deepEqual(await all(backend.listUnfinished()), []);
  });

  test('a large put that is aborted leaves nothing, also where parts are on their way', async (t) => {
    const backend = await cephBackend();
    t.after(() => backend.close());
    const stop = new AbortController();
    async function* source(): AsyncGenerator<Buffer, void> {
      yield* madeBytes(34 * mebi);
      stop.abort(new Error('the client went away'));
      await new Promise<never>(() => undefined);
    }

    await assert.rejects(backend.put(key, source(), { signal: stop.signal }), { message: 'the client went away' });

    assert.equal(await backend.head(key), undefined);
    assert.deepEqual(await all(backend.listUnfinished()), []);
  });

  test('names that are no keys of ours are walked over as foreign, in order, and are in no list', async (t) => {
    const config = await cephConfig();
    const backend = await openS3Backend({ ...config, page_keys: 3 });
    const client = clientOf(config);
    t.after(async () => {
      await backend.close();
      client.destroy();
    });
    const foreign = [
      '.x',
      ' a',
      'a b',
      'a+b',
      'a%20b',
      'a//b',
      'a/',
      'a\u0001b',
      '<&"\'>',
      'é/ü',
      '日本',
      '😀',
      '~',
      '-',
    ];
    const ours = ['a', 'a/b', 'a-b', 'b', 'Z'];
    for (const name of [...foreign, ...ours]) {
      await client.send(new PutObjectCommand({ Bucket: config.bucket, Key: `${config.key_prefix}${name}`, Body: 'x' }));
    }
    const sorted = [...foreign, ...ours].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

    const walked = (await all(backend.walk())).map((entry) => ('key' in entry ? entry.key : entry.place));
    const behindEach = await Promise.all(
      sorted.map(async (after) => {
        const [next] = await all(backend.walk({ after }));
        return next === undefined ? undefined : 'key' in next ? next.key : next.place;
      }),
    );
    const listed = (await all(backend.list())).map((entry) => entry.key);

    assert.deepEqual(walked, sorted);
    assert.deepEqual(behindEach, [...sorted.slice(1), undefined]);
    assert.deepEqual(listed, [...ours].sort());
  });

  test('a list of many keys is complete and in order, page by page', async (t) => {
    const backend = await cephBackend(rounds > 1 ? {} : { page_keys: 40 });
    t.after(() => backend.close());
    const count = rounds > 1 ? 10_000 : 210;
    const keys = Array.from({ length: count }, (_, i) => `objects/${(i % 256).toString(16).padStart(2, '0')}/key-${i}`);
    for (let i = 0; i < count; i += 32) {
      await Promise.all(keys.slice(i, i + 32).map((each) => backend.put(each, madeBytes(0))));
    }

    const listed = (await all(backend.list())).map((entry) => entry.key);

    assert.deepEqual(listed, keys.sort());
  });

  test('presigned URLs are for the public endpoint, and put and get what is under the prefix', async (t) => {
    const config = await cephConfig();
    const { port } = new URL(config.endpoint);
    const backend = await openS3Backend({ ...config, public_endpoint: `http://localhost:${port}` });
    t.after(() => backend.close());
    const terms = { expirySeconds: 60, contentType: 'image/png', contentLength: 5 };

    const put = await backend.presignPut(key, terms);
    const sent = await fetch(put, { method: 'PUT', body: 'hello', headers: { 'content-type': 'image/png' } });
    const longer = await fetch(put, { method: 'PUT', body: 'hello!', headers: { 'content-type': 'image/png' } });
    const got = await fetch(await backend.presignGet(key, { expirySeconds: 60, contentDisposition: 'attachment' }));

    assert.ok(put.startsWith(`http://localhost:${port}/${config.bucket}/${config.key_prefix}objects/ab/large?`));
    assert.deepEqual([sent.status, longer.status, got.status], [200, 403, 200]);
    assert.equal(got.headers.get('content-disposition'), 'attachment');
    assert.equal((await backend.head(key))?.size, 5);
    assert.equal((await backend.get(key)).bytes?.toString(), 'hello');
  });

  test('the check says what is wrong, in one sentence', async (t) => {
    const config = await cephConfig();
    const credentials = { access_key_id: 'rowlockkey', secret_access_key: 'another' };
    const nobody = { access_key_id: 'nobody', secret_access_key: 'another' };
    const closed = `http://127.0.0.1:${await freePort()}`;
    const cases: [Partial<S3BackendConfig>, RegExp][] = [
      [{ credentials }, /does not know the credentials/],
      [{ credentials: nobody }, /does not know the credentials/],
      [{ bucket: 'no-such-bucket-here' }, /bucket of the store does not exist/],
      [{ endpoint: closed }, /cannot be reached/],
      [{ endpoint: 'http://no-such-host.invalid' }, /cannot be reached/],
    ];

    for (const [options, says] of cases) {
      const backend = await openS3Backend({ ...config, ...options });
      t.after(() => backend.close());
      await assert.rejects(backend.check(), (error: Error & { reason?: string }) => {
        assert.equal(error.reason, 'unavailable');
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /\n|another|rowlockkey/);
        return true;
      });
    }
  });

  test('where the bucket is gone no key is called missing', async (t) => {
    const backend = await cephBackend({ bucket: 'no-such-bucket-here' });
    t.after(() => backend.close());

    await assert.rejects(backend.head(key), { reason: 'unavailable' });
    await assert.rejects(backend.get(key), { reason: 'unavailable' });
    await assert.rejects(backend.delete(key), { reason: 'unavailable' });
    await assert.rejects(all(backend.list()), { reason: 'unavailable' });
    await assert.rejects(backend.put(key, madeBytes(10)), { reason: 'unavailable' });
  });

  test('uploads of other programs in the same bucket are left alone', async (t) => {
    const config = await cephConfig();
    const backend = await openS3Backend(config);
    const other = await openS3Backend({ ...config, key_prefix: `${config.key_prefix?.slice(0, -1)}-other/` });
    t.after(async () => {
      await backend.close();
      await other.close();
    });
    let removed: number | undefined;
    async function* source(): AsyncGenerator<Buffer, void> {
      yield* madeBytes(9 * mebi);
      await until(async () => (await all(other.listUnfinished())).length === 1);
      removed = await backend.removeUnfinished(-1);
    }

    await other.put(key, source());

    assert.equal(removed, 0);
    await assert.rejects(backend.get(key), isNotFound);
    assert.equal((await other.head(key))?.size, 9 * mebi);
  });
});

/**
 * The tests that every backend passes, registered with `node:test` under the backend's name. What is special
 * to one store is tested beside that store. Invariant: it uses the interface only, so that a backend which
 * passes can take any other's place.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Backend, type ByteRange, isAlreadyExists, isNotFound } from './backend.ts';

/** Makes an empty backend for one test and arranges with `t.after` for its removal. */
export type MakeBackend = (t: TestContext) => Promise<Backend>;

/** Registers the suite; call it once in a test file of the backend. */
export function backendConformance(name: string, makeBackend: MakeBackend): void {
  const check = (what: string, run: (backend: Backend) => Promise<void>): void => {
    test(`${name}: ${what}`, async (t) => {
      const backend = await makeBackend(t);
      t.after(() => backend.close());
      await run(backend);
    });
  };
  roundTrips(check);
  ranges(check);
  createOnly(check);
  failedPuts(check);
  removals(check);
  listings(check);
  refusals(check);
  presigning(check);
}

type Check = (what: string, run: (backend: Backend) => Promise<void>) => void;

function roundTrips(check: Check): void {
  for (const size of [0, 1, 65_535, 65_536, 65_537, 5 * 1024 * 1024]) {
    check(`${size} bytes come back as they were put`, async (backend) => {
      const bytes = randomBytes(size);
      const key = newKey();

      const put = await backend.put(key, inChunks(bytes, 10_000));
      const got = await backend.get(key);
      const head = await backend.head(key);

      assert.equal(put.size, size);
      assert.equal(got.size, size);
      assert.equal(hashOf(await readAll(got.stream)), hashOf(bytes));
      assert.equal(head?.size, size);
    });
  }

  check('many single bytes and empty chunks come back as they were put', async (backend) => {
    const bytes = randomBytes(50_000);
    const key = newKey();

    await backend.put(key, inChunks(bytes, 1));
    const got = await backend.get(key);

    assert.equal(hashOf(await readAll(got.stream)), hashOf(bytes));
  });

  check('head tells time and an etag that stays the same', async (backend) => {
    const key = newKey();
    const before = Date.now() - 2000;
    await backend.put(key, inChunks(randomBytes(10)));

    const first = await backend.head(key);
    const again = await backend.head(key);

    assert.ok(first !== undefined && first.last_modified.getTime() >= before);
    assert.ok(first.last_modified.getTime() <= Date.now() + 2000);
    assert.match(first.etag, /^[^"\s]+$/);
    assert.deepEqual(again, first);
  });

  check('the store says that it can be written to', async (backend) => {
    await backend.check();

    assert.deepEqual(await all(backend.list()), []);
    assert.deepEqual(await all(backend.listUnfinished()), []);
  });
}

function ranges(check: Check): void {
  check('a range gives exactly its bytes and the size of the whole', async (backend) => {
    const bytes = randomBytes(700_000);
    const key = newKey();
    await backend.put(key, inChunks(bytes, 65_536));
    const cases: [ByteRange, Buffer][] = [
      [{ start: 0, end: 0 }, bytes.subarray(0, 1)],
      [{ start: 1, end: 699_998 }, bytes.subarray(1, 699_999)],
      [{ start: 65_535, end: 65_536 }, bytes.subarray(65_535, 65_537)],
      [{ start: 699_999, end: 699_999 }, bytes.subarray(699_999)],
      [{ start: 699_990, end: 5_000_000 }, bytes.subarray(699_990)],
    ];

    for (const [range, expected] of cases) {
      const got = await backend.get(key, range);

      assert.equal(got.size, bytes.length);
      assert.equal(hashOf(await readAll(got.stream)), hashOf(expected), JSON.stringify(range));
    }
  });

  check('a range outside of the object is refused', async (backend) => {
    const [key, empty] = [newKey(), newKey()];
    await backend.put(key, inChunks(randomBytes(10)));
    await backend.put(empty, inChunks(Buffer.alloc(0)));

    await assert.rejects(backend.get(key, { start: 10, end: 10 }), { reason: 'range_not_satisfiable' });
    await assert.rejects(backend.get(key, { start: 5, end: 4 }), { reason: 'range_not_satisfiable' });
    await assert.rejects(backend.get(key, { start: -1, end: 4 }), { reason: 'range_not_satisfiable' });
    await assert.rejects(backend.get(empty, { start: 0, end: 0 }), { reason: 'range_not_satisfiable' });
  });

  check('a reader who stops early leaves nothing behind that would disturb the next', async (backend) => {
    const bytes = randomBytes(3 * 1024 * 1024);
    const key = newKey();
    await backend.put(key, inChunks(bytes, 65_536));

    for (let i = 0; i < 20; i++) {
      for await (const chunk of (await backend.get(key)).stream) {
        assert.ok(chunk.length > 0);
        break;
      }
    }
    const got = await backend.get(key);

    assert.equal(hashOf(await readAll(got.stream)), hashOf(bytes));
  });
}

function createOnly(check: Check): void {
  check(
    'of fifty concurrent puts of one key exactly one succeeds, and its bytes are the ones there',
    async (backend) => {
      const key = newKey();
      const bodies = Array.from({ length: 50 }, () => randomBytes(20_000));

      const results = await Promise.allSettled(bodies.map((body) => backend.put(key, inChunks(body, 4096))));
      const got = await readAll((await backend.get(key)).stream);

      const winners = bodies.filter((_, i) => results[i]?.status === 'fulfilled');
      assert.equal(winners.length, 1);
      assert.equal(hashOf(got), hashOf(winners[0] ?? Buffer.alloc(0)));
      for (const result of results) assert.ok(result.status === 'fulfilled' || isAlreadyExists(result.reason));
      assert.deepEqual(await all(backend.listUnfinished()), []);
    },
  );

  check('a put of an existing key is refused and changes nothing', async (backend) => {
    const key = newKey();
    const bytes = randomBytes(100);
    await backend.put(key, inChunks(bytes));
    const before = await backend.head(key);

    await assert.rejects(backend.put(key, inChunks(randomBytes(100))), isAlreadyExists);

    assert.deepEqual(await backend.head(key), before);
    assert.equal(hashOf(await readAll((await backend.get(key)).stream)), hashOf(bytes));
  });

  check('nothing is visible under a key before its put has resolved', async (backend) => {
    const key = newKey();
    const seen: unknown[] = [];
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 4; i++) {
        yield randomBytes(300_000);
        seen.push(await backend.head(key), ...(await all(backend.list())));
      }
    }

    await backend.put(key, source());

    assert.deepEqual(seen, [undefined, undefined, undefined, undefined]);
    assert.equal((await backend.head(key))?.size, 1_200_000);
  });
}

function failedPuts(check: Check): void {
  const assertNothingLeft = async (backend: Backend, key: string): Promise<void> => {
    assert.equal(await backend.head(key), undefined);
    assert.deepEqual(await all(backend.list()), []);
    assert.deepEqual(await all(backend.listUnfinished()), []);
  };

  for (const bytesBefore of [0, 10, 2_000_000]) {
    check(`a source that fails after ${bytesBefore} bytes leaves nothing`, async (backend) => {
      const key = newKey();
      async function* source(): AsyncGenerator<Uint8Array> {
        if (bytesBefore > 0) yield* inChunks(randomBytes(bytesBefore), 100_000);
        throw new Error('the client went away');
      }

      await assert.rejects(backend.put(key, source()), { message: 'the client went away' });

      await assertNothingLeft(backend, key);
    });

    check(
      `a put that is aborted while its source is silent after ${bytesBefore} bytes leaves nothing`,
      async (backend) => {
        const key = newKey();
        const stop = new AbortController();
        async function* source(): AsyncGenerator<Uint8Array> {
          if (bytesBefore > 0) yield* inChunks(randomBytes(bytesBefore), 100_000);
          setImmediate(() => stop.abort(new Error('the server stops')));
          await new Promise<never>(() => undefined);
        }

        await assert.rejects(backend.put(key, source(), { signal: stop.signal }), { message: 'the server stops' });

        await assertNothingLeft(backend, key);
      },
    );
  }

  check('a put whose signal has aborted already reads nothing and leaves nothing', async (backend) => {
    const key = newKey();
    let reads = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      reads += 1;
      yield randomBytes(10);
    }

    await assert.rejects(backend.put(key, source(), { signal: AbortSignal.abort(new Error('too late')) }), {
      message: 'too late',
    });

    assert.equal(reads, 0);
    await assertNothingLeft(backend, key);
  });

  check('a running put is listed as unfinished, and is removed only when it is old', async (backend) => {
    const key = newKey();
    const running: unknown[] = [];
    async function* source(): AsyncGenerator<Uint8Array> {
      yield randomBytes(600_000);
      running.push(...(await all(backend.listUnfinished())));
      assert.equal(await backend.removeUnfinished(60_000), 0);
      yield randomBytes(10);
    }

    const { size } = await backend.put(key, source());

    assert.equal(size, 600_010);
    assert.equal(running.length, 1);
    assert.deepEqual(await all(backend.listUnfinished()), []);
  });

  check('a put whose unfinished bytes were swept away fails and leaves nothing', async (backend) => {
    const key = newKey();
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* inChunks(randomBytes(2_000_000), 100_000);
      while ((await backend.removeUnfinished(-1)) === 0) yield randomBytes(300_000);
    }

    await assert.rejects(backend.put(key, source()));

    await assertNothingLeft(backend, key);
  });
}

function removals(check: Check): void {
  check('delete removes once and says so', async (backend) => {
    const key = newKey();
    await backend.put(key, inChunks(randomBytes(10)));

    assert.equal(await backend.delete(key), true);
    assert.equal(await backend.delete(key), false);

    assert.equal(await backend.head(key), undefined);
    await assert.rejects(backend.get(key), isNotFound);
  });

  check('a key that never was cannot be got, and deleting it changes nothing', async (backend) => {
    const key = newKey();

    await assert.rejects(backend.get(key), isNotFound);
    assert.equal(await backend.head(key), undefined);
    assert.equal(await backend.delete(key), false);
  });

  check('the beginning of a key is not a key', async (backend) => {
    await backend.put('objects/ab/one/original.bin', inChunks(randomBytes(10)));

    await assert.rejects(backend.get('objects/ab/one'), isNotFound);
    assert.equal(await backend.head('objects/ab'), undefined);
    assert.equal(await backend.delete('objects/ab/one'), false);

    assert.equal((await backend.head('objects/ab/one/original.bin'))?.size, 10);
  });

  check('puts and deletes side by side in one folder disturb each other never', async (backend) => {
    const workers = Array.from({ length: 8 }, (_, i) => `Issue/1/file/worker-${i}`);

    await Promise.all(
      workers.map(async (worker) => {
        for (let round = 0; round < 25; round++) {
          await backend.put(`${worker}-${round}`, inChunks(randomBytes(100)));
          assert.equal(await backend.delete(`${worker}-${round}`), true);
        }
      }),
    );

    assert.deepEqual(await all(backend.list()), []);
  });
}

function listings(check: Check): void {
  check('a list is complete beyond a thousand keys, and by prefix exact', async (backend) => {
    const keys = Array.from({ length: 1100 }, (_, i) => `objects/${(i % 7).toString(16).padStart(2, '0')}/key-${i}`);
    keys.push('Issue/1/file/original.jpg', 'Issue/1/file/thumb-small.jpg', 'Issue/10/file/original.jpg');
    for (let i = 0; i < keys.length; i += 50) {
      await Promise.all(keys.slice(i, i + 50).map((key) => backend.put(key, inChunks(Buffer.from(key)))));
    }

    const listed = await all(backend.list());
    const prefixes = [
      '',
      'objects',
      'objects/',
      'objects/03/',
      'objects/03/key-1',
      'Issue/1',
      'Issue/1/',
      'x',
      '../',
      '/',
    ];
    const byPrefix = await Promise.all(prefixes.map((prefix) => all(backend.list({ prefix }))));

    assert.deepEqual(listed.map(({ key }) => key).sort(), [...keys].sort());
    assert.ok(listed.every(({ key, size }) => size === key.length));
    for (const [i, prefix] of prefixes.entries()) {
      const expected = keys.filter((key) => key.startsWith(prefix)).sort();
      assert.deepEqual(byPrefix[i]?.map(({ key }) => key).sort(), expected, prefix);
    }
  });
}

function refusals(check: Check): void {
  check('what is not a key is refused by every method', async (backend) => {
    const notKeys = [
      '',
      '.',
      '..',
      '/a',
      'a/',
      'a//b',
      'a/../b',
      '../a',
      'a\\b',
      'a b',
      'a%2fb',
      'é',
      'a\0',
      '.tmp/a',
      '-a',
    ];

    for (const key of notKeys) {
      const refused = { reason: 'invalid_name' };
      await assert.rejects(backend.put(key, inChunks(Buffer.alloc(1))), refused, key);
      await assert.rejects(backend.get(key), refused, key);
      await assert.rejects(backend.head(key), refused, key);
      await assert.rejects(backend.delete(key), refused, key);
      assert.throws(() => backend.presignPut(key, { expirySeconds: 60 }), refused, key);
      assert.throws(() => backend.presignGet(key, { expirySeconds: 60 }), refused, key);
    }
    await assert.rejects(backend.get('a'.repeat(1025)), { reason: 'name_too_long' });
    await assert.rejects(backend.get(`b/${'a'.repeat(256)}`), { reason: 'name_too_long' });
    assert.deepEqual(await all(backend.list()), []);
  });
}

function presigning(check: Check): void {
  const now = new Date('2026-03-04T05:06:07.890Z');

  check('a presigned PUT binds what was declared as signed headers', async (backend) => {
    const key = newKey();

    const url = backend.presignPut(key, {
      expirySeconds: 900,
      contentType: 'image/jpeg',
      contentLength: 5,
      acl: 'private',
      now,
    });
    const plain = backend.presignPut(key, { expirySeconds: 900, contentType: '', now });
    const { pathname, searchParams } = new URL(url);

    assert.ok(pathname.endsWith(`/${key}`));
    assert.equal(searchParams.get('X-Amz-SignedHeaders'), 'content-length;content-type;host;x-amz-acl');
    assert.equal(searchParams.get('X-Amz-Expires'), '900');
    assert.equal(searchParams.get('X-Amz-Date'), '20260304T050607Z');
    assert.match(searchParams.get('X-Amz-Signature') ?? '', /^[0-9a-f]{64}$/);
    assert.equal(searchParams.has('x-amz-acl'), false);
    assert.equal(new URL(plain).searchParams.get('X-Amz-SignedHeaders'), 'host');
  });

  check("a presigned GET carries its answer's headers", async (backend) => {
    const options = {
      expirySeconds: 3600,
      contentDisposition: 'attachment; filename="ä.jpg"',
      contentType: 'image/jpeg',
      now,
    };

    const { searchParams } = new URL(backend.presignGet(newKey(), options));

    assert.equal(searchParams.get('response-content-disposition'), options.contentDisposition);
    assert.equal(searchParams.get('response-content-type'), 'image/jpeg');
    assert.equal(searchParams.get('X-Amz-SignedHeaders'), 'host');
  });

  check('an expiry outside of one second to seven days is refused', async (backend) => {
    for (const expirySeconds of [0, -1, 0.5, 604_801]) {
      assert.throws(() => backend.presignGet(newKey(), { expirySeconds }), { reason: 'invalid_expiry' });
      assert.throws(() => backend.presignPut(newKey(), { expirySeconds }), { reason: 'invalid_expiry' });
    }
  });
}

function newKey(): string {
  const id = randomUUID();
  return `objects/${id.slice(-2)}/${id}`;
}

/** Yields bytes in chunks of their own memory, with an empty chunk after every hundredth. */
async function* inChunks(bytes: Buffer, chunkBytes = 65_536): AsyncGenerator<Uint8Array, void> {
  for (let at = 0, i = 1; at < bytes.length; at += chunkBytes, i++) {
    yield Uint8Array.from(bytes.subarray(at, at + chunkBytes));
    if (i % 100 === 0) yield new Uint8Array(0);
  }
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await all(stream));
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

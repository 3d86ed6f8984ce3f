import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { addAbortSignal } from 'node:stream';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { isAlreadyExists, isOutOfSpace } from '../backend.ts';
import { all, inChunks, readAll } from '../conformance/sample-bytes.ts';
import { errorAnswer, type ScriptedAnswer, type SeenRequest, scriptedStore } from './scripted-store.ts';

const key = 'objects/ab/x';
const large = 9 * 1024 ** 2;
const missing: ScriptedAnswer = { status: 404 };
const done: ScriptedAnswer = { headers: { etag: '"abc"' } };
const created: ScriptedAnswer = {
  body: '<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>',
};
const completed: ScriptedAnswer = {
  body: '<CompleteMultipartUploadResult><ETag>"abc"</ETag></CompleteMultipartUploadResult>',
};
const emptyList: ScriptedAnswer = { body: '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>' };

/** A store in which everything works, with some answers put in their place. */
function working(instead: (request: SeenRequest, n: number) => ScriptedAnswer | undefined) {
  return (request: SeenRequest, n: number): ScriptedAnswer => {
    const other = instead(request, n);
    if (other !== undefined) return other;
    const { method, what } = request;
    if (method === 'HEAD') return missing;
    if (method === 'DELETE') return { status: 204 };
    if (what.endsWith('?uploads')) return created;
    if (method === 'POST') return completed;
    return method === 'GET' ? emptyList : done;
  };
}

const isPut = ({ what }: SeenRequest): boolean => what === `PUT /${key}`;

test('a store that asks for fewer requests is obeyed, and the caller hears for how long', async (t) => {
  const store = await scriptedStore(t, () => errorAnswer(503, 'SlowDown', { 'retry-after': '1' }));

  await assert.rejects(store.backend.get(key), (error) => {
    assert.ok(isRowlockError(error, 'unavailable'));
    assert.equal(error.retryAfterSeconds, 1);
    return true;
  });

  assert.equal(store.seen.length, 3);
});

test('what a store says is told by its reason', async (t) => {
  let next: ScriptedAnswer = missing;
  const store = await scriptedStore(t, () => next);
  const reasonOf = async (answer: ScriptedAnswer): Promise<string> => {
    next = answer;
    return await store.backend.get(key).then(
      () => 'nothing',
      (error: unknown) => (isRowlockError(error) ? error.reason : 'unknown'),
    );
  };

  assert.equal(await reasonOf(errorAnswer(404, 'NoSuchKey')), 'object_not_found');
  assert.equal(await reasonOf(errorAnswer(404, 'NoSuchBucket')), 'unavailable');
  assert.equal(await reasonOf(errorAnswer(416, 'InvalidRange')), 'range_not_satisfiable');
  assert.equal(await reasonOf(errorAnswer(403, 'AccessDenied')), 'unavailable');
  assert.equal(await reasonOf(errorAnswer(403, 'InvalidAccessKeyId')), 'unavailable');
  assert.equal(await reasonOf(errorAnswer(403, 'ExpiredToken')), 'unavailable');
  assert.equal(await reasonOf(errorAnswer(301, 'PermanentRedirect')), 'unavailable');
  assert.equal(await reasonOf(errorAnswer(500, 'InternalError')), 'unavailable');
  assert.equal(await reasonOf(errorAnswer(507, 'InsufficientStorage')), 'out_of_space');
  assert.equal(await reasonOf(errorAnswer(400, 'SomethingElse')), 'unknown');
  assert.equal(await reasonOf({ instead: 'cut' }), 'unavailable');
});

for (const code of ['QuotaExceeded', 'XMinioStorageFull']) {
  test(`${code} says that the store is full, for a small body and for a large one, of which nothing stays`, async (t) => {
    const store = await scriptedStore(
      t,
      working(({ what }) => (what.startsWith('PUT') ? errorAnswer(403, code) : undefined)),
    );

    await assert.rejects(store.backend.put(key, inChunks(randomBytes(10))), isOutOfSpace);
    await assert.rejects(store.backend.put(key, inChunks(randomBytes(large))), isOutOfSpace);

    assert.ok(store.whats.includes(`DELETE /${key}?uploadId`));
  });
}

test('a put whose answer was lost finds its own bytes and has succeeded', async (t) => {
  let mark = '';
  const store = await scriptedStore(
    t,
    working((request) => {
      if (request.method === 'HEAD') return { headers: { etag: '"abc"', 'x-amz-meta-rowlock-put': mark } };
      if (!isPut(request)) return undefined;
      mark = String(request.headers['x-amz-meta-rowlock-put']);
      return { instead: 'cut' };
    }),
  );

  const { size } = await store.backend.put(key, inChunks(randomBytes(10)));

  assert.equal(size, 10);
  assert.match(mark, /^[0-9a-f-]{36}$/);
  assert.ok(!store.whats.includes(`DELETE /${key}`));
});

test('a put that is refused at its second attempt finds what the first one wrote', async (t) => {
  let mark = '';
  const store = await scriptedStore(
    t,
    working((request, n) => {
      if (request.method === 'HEAD') return { headers: { etag: '"abc"', 'x-amz-meta-rowlock-put': mark } };
      mark = String(request.headers['x-amz-meta-rowlock-put']);
      return n === 0 ? { instead: 'cut' } : errorAnswer(412, 'PreconditionFailed');
    }),
  );

  const { size } = await store.backend.put(key, inChunks(randomBytes(10)));

  assert.equal(size, 10);
  assert.deepEqual(store.whats, [`PUT /${key}`, `PUT /${key}`, `HEAD /${key}`]);
});

test('a put that is refused finds the bytes of somebody else, and leaves them alone', async (t) => {
  const others = { headers: { etag: '"abc"', 'x-amz-meta-rowlock-put': 'another' } };
  const store = await scriptedStore(
    t,
    working((request, n) => {
      if (request.method === 'HEAD') return others;
      return n === 0 ? { instead: 'cut' } : errorAnswer(412, 'PreconditionFailed');
    }),
  );

  await assert.rejects(store.backend.put(key, inChunks(randomBytes(10))), isAlreadyExists);

  assert.ok(!store.whats.some((what) => what.startsWith('DELETE')));
});

test('a put that was aborted while its answer was on the way removes its own bytes', async (t) => {
  let mark = '';
  const stop = new AbortController();
  const store = await scriptedStore(
    t,
    working((request) => {
      if (request.method === 'HEAD') return { headers: { etag: '"abc"', 'x-amz-meta-rowlock-put': mark } };
      if (!isPut(request)) return undefined;
      mark = String(request.headers['x-amz-meta-rowlock-put']);
      stop.abort(new Error('the server stops'));
      return { instead: 'silence' };
    }),
  );

  await assert.rejects(store.backend.put(key, inChunks(randomBytes(10)), { signal: stop.signal }), {
    message: 'the server stops',
  });

  assert.deepEqual(store.whats, [`PUT /${key}`, `HEAD /${key}`, `DELETE /${key}`]);
});

test('two writers who meet at a key are told apart by trying again', async (t) => {
  const store = await scriptedStore(
    t,
    working((_, n) => (n < 2 ? errorAnswer(409, 'ConditionalRequestConflict') : undefined)),
  );

  await store.backend.put(key, inChunks(randomBytes(10)));

  assert.deepEqual(
    store.whats,
    Array.from({ length: 3 }, () => `PUT /${key}`),
  );
});

test('an upload whose end is answered 200 with an error inside has failed, and is aborted', async (t) => {
  const error = errorAnswer(200, 'InternalError');
  const store = await scriptedStore(
    t,
    working(({ method, what }) => (method === 'POST' && what.endsWith('?uploadId') ? error : undefined)),
  );

  await assert.rejects(store.backend.put(key, inChunks(randomBytes(large))), { reason: 'unavailable' });

  assert.ok(store.whats.includes(`DELETE /${key}?uploadId`));
});

test('a part that fails ends the put at once, though its source is silent', async (t) => {
  const store = await scriptedStore(
    t,
    working(({ what }) => (what.includes('partNumber') ? errorAnswer(403, 'AccessDenied') : undefined)),
  );
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* inChunks(randomBytes(large));
    await new Promise<never>(() => undefined);
  }

  // Only a put that fails to end by itself ever meets this signal.
  const signal = AbortSignal.timeout(10_000);
  await assert.rejects(store.backend.put(key, source(), { signal }), { reason: 'unavailable' });

  assert.ok(store.whats.includes(`DELETE /${key}?uploadId`));
});

for (const [puts, permits, most] of [
  [1, 16, 4],
  [2, 1, 3],
] as const) {
  test(`${puts} large puts with ${permits} parts beside one each have ${most} parts on their way`, async (t) => {
    const { promise: permitted, resolve: permit } = withResolvers();
    const store = await scriptedStore(
      t,
      working(({ what }) => (what.includes('partNumber') ? { ...done, after: permitted } : undefined)),
      { parts_at_once: permits },
    );
    let yielded = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let part = 0; part < 7; part++) {
        yielded += 1;
        yield new Uint8Array(8 * 1024 ** 2);
      }
    }
    const parts = (): number => store.whats.filter((what) => what.includes('partNumber')).length;

    const running = Array.from({ length: puts }, (_, i) => store.backend.put(`a/${i}`, source()));
    // Two more of each are gathered: one that waits for its turn, and one behind it that shows it is not the last.
    await until(() => parts() === most && yielded === most + 2 * puts);
    const before = parts();
    permit();
    await Promise.all(running);

    assert.equal(before, most);
    assert.equal(parts(), 7 * puts);
  });
}

test('a conditional header goes only to stores that know it, and the others are asked first', async (t) => {
  const asked: Record<string, unknown> = {};
  for (const flavour of ['aws', 'ceph', 'r2', 'minio', 'b2', 'generic'] as const) {
    const store = await scriptedStore(
      t,
      working(() => undefined),
      { flavour, force_path_style: true },
    );
    await store.backend.put(key, inChunks(randomBytes(10)));
    await store.backend.put(key, inChunks(randomBytes(large)));
    const [put] = store.seen.filter(isPut);
    const end = store.seen.findLast(({ method }) => method === 'POST');
    const heads = store.whats.filter((what) => what.startsWith('HEAD')).length;
    const checksum = Object.keys(put?.headers ?? {}).some((name) => name.startsWith('x-amz-checksum-'));
    asked[flavour] = [put?.headers['if-none-match'], end?.headers['if-none-match'], heads, checksum];
  }

  assert.deepEqual(asked, {
    aws: ['*', '*', 0, true],
    ceph: ['*', undefined, 1, false],
    r2: ['*', '*', 0, false],
    minio: ['*', '*', 0, false],
    b2: [undefined, undefined, 2, false],
    generic: [undefined, undefined, 2, false],
  });
});

test('a store that cannot list uploads is not asked to', async (t) => {
  const store = await scriptedStore(
    t,
    working(() => undefined),
    { flavour: 'minio' },
  );

  const left = await all(store.backend.listUnfinished());
  const removed = await store.backend.removeUnfinished(-1);

  assert.deepEqual([left, removed, store.whats], [[], 0, []]);
});

test('a small answer that breaks off is asked for again', async (t) => {
  const bytes = randomBytes(5000);
  const headers = { 'content-length': '5000', etag: '"abc"' };
  const store = await scriptedStore(t, (_, n) =>
    n === 0 ? { headers, body: bytes.subarray(0, 2000), instead: 'cut' } : { headers, body: bytes },
  );

  const got = await store.backend.get(key);

  assert.deepEqual(got.bytes, bytes);
  assert.deepEqual(await readAll(got.stream), bytes);
});

test('a large answer that breaks off is an error and no end', async (t) => {
  const headers = { 'content-length': '1000000', etag: '"abc"' };
  const store = await scriptedStore(t, () => ({ headers, body: randomBytes(500_000), instead: 'cut' }));

  const got = await store.backend.get(key);

  await assert.rejects(readAll(got.stream));
});

test('an answer with another range than it was asked for is not passed on', async (t) => {
  const headers = { 'content-range': 'bytes 5-9/100', etag: '"abc"' };
  const store = await scriptedStore(t, () => ({ status: 206, headers, body: '56789' }));

  assert.equal((await store.backend.get(key, { start: 5, end: 9 })).bytes?.toString(), '56789');
  await assert.rejects(store.backend.get(key, { start: 4, end: 8 }), /another range/);
});

test('a store that says nothing any more is left, in the middle of an answer too', async (t) => {
  const headers = { 'content-length': '1000000', etag: '"abc"' };
  const store = await scriptedStore(
    t,
    (_, n) => (n === 0 ? { headers, body: randomBytes(300_000), instead: 'silence' } : { instead: 'silence' }),
    {
      idle_ms: 200,
    },
  );

  const got = await store.backend.get(key);

  // Only a stream that never ends by itself ever meets this signal.
  addAbortSignal(AbortSignal.timeout(10_000), got.stream);
  await assert.rejects(readAll(got.stream), { code: 'ETIMEDOUT' });
  await assert.rejects(store.backend.head(key), { reason: 'unavailable' });
});

test('a reader who takes his time is not taken for a store that says nothing', async (t) => {
  const bytes = randomBytes(3_000_000);
  const store = await scriptedStore(t, () => ({ headers: { etag: '"abc"' }, body: bytes }), { idle_ms: 100 });
  const chunks: Buffer[] = [];

  const { stream } = await store.backend.get(key);
  for await (const chunk of stream) {
    if (chunks.length === 0) await untilSocketIsIdleFor(500);
    chunks.push(chunk);
  }

  assert.deepEqual(Buffer.concat(chunks), bytes);
});

test('a list that is not in the order of bytes is refused', async (t) => {
  const entries = ['b', 'a'].map((name) => `<Contents><Key>${name}</Key><Size>1</Size></Contents>`).join('');
  const body = `<ListBucketResult><IsTruncated>false</IsTruncated>${entries}</ListBucketResult>`;
  const store = await scriptedStore(t, () => ({ body }));

  await assert.rejects(all(store.backend.walk()), /another order/);
});

test('a clock that is off is told by the check, in seconds', async (t) => {
  const date = new Date(Date.now() + 600_000).toUTCString();
  const store = await scriptedStore(
    t,
    working(({ method }) => (method === 'GET' ? { ...emptyList, headers: { date } } : undefined)),
  );

  await assert.rejects(store.backend.check(), (error: Error) => {
    assert.match(error.message, /clock of the server is (599|600|601) s behind the store's/);
    return true;
  });
});

test('a good check is remembered, and those that run together are one', async (t) => {
  const store = await scriptedStore(
    t,
    working(() => undefined),
  );

  await Promise.all([store.backend.check(), store.backend.check()]);
  await store.backend.check();

  assert.deepEqual(
    store.seen.map(({ method }) => method),
    ['GET', 'PUT', 'DELETE'],
  );
  assert.match(store.whats[1] ?? '', /^PUT \/\.rowlock-check\//);
});

/** Polls; every wait here is for a request that is about to come. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** The time is what is tested: so long nothing is read, several times the patience with a silent store. */
function untilSocketIsIdleFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

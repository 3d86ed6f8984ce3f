/**
 * An S3 backend behind a line that breaks: whatever is cut, and wherever, an object is there whole or not at all, and
 * what is left of an upload is listed and swept.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { type FaultProxy, requires, seededRandom, startFaultProxy, until } from '@rowlock/test-harness';
import type { Backend } from '../../../packages/server/dist/backend/backend.js';
import { backendConformance } from '../../../packages/server/dist/backend/conformance.js';
import { openS3Backend, type S3BackendConfig } from '../../../packages/server/dist/backend/s3/s3-backend.js';
import { cephConfig } from './ceph-backend.js';
import { hashed, madeBytes } from './made-bytes.js';

const mebi = 1024 ** 2;
const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const skip = requires('ceph');

async function all<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

interface Site {
  readonly proxy: FaultProxy;
  /** Through the proxy. */
  readonly backend: Backend;
  /** Beside it. */
  readonly direct: Backend;
}

async function site(t: TestContext, options: Partial<S3BackendConfig> = {}): Promise<Site> {
  const config = await cephConfig();
  const proxy = await startFaultProxy({ url: config.endpoint });
  const direct = await openS3Backend(config);
  const backend = await openS3Backend({ ...config, endpoint: proxy.through(config.endpoint), ...options });
  t.after(async () => {
    await backend.close();
    await direct.close();
    await proxy.close();
  });
  return { proxy, backend, direct };
}

/** Nothing of it is there, or all. */
async function assertWholeOrAbsent(direct: Backend, key: string, sha256: string, succeeded: boolean): Promise<void> {
  const found = await direct.head(key);
  if (found === undefined) {
    assert.equal(succeeded, false, `${key} was put and is not there`);
    return;
  }
  assert.equal((await hashed((await direct.get(key)).stream)).sha256, sha256, key);
}

if (skip === false) {
  backendConformance(
    's3 on ceph behind a slow line',
    async (t) => {
      const { proxy, backend } = await site(t, { page_keys: 20 });
      proxy.pace({ pauseMs: 2 });
      return backend;
    },
    { unfinishedFromBytes: 9 * mebi, listedKeys: 50, roundsInFolder: 1 },
  );
}

describe('an S3 backend behind a line that breaks', { skip }, () => {
  for (const direction of ['to_server', 'to_client'] as const) {
    test(`cut ${direction}, a small put, its look and its removal do what they say`, async (t) => {
      const { proxy, backend, direct } = await site(t);
      const { sha256 } = await hashed(madeBytes(50_000));
      const places = direction === 'to_server' ? [0, 1, 500, 30_000, 50_500] : [0, 1, 60, 200];

      for (const afterBytes of places) {
        const key = `objects/ab/${direction}-${afterBytes}`;
        const armed = proxy.armBytes({ direction, afterBytes, kind: 'cut' });
        const succeeded = await backend.put(key, madeBytes(50_000)).then(
          () => true,
          () => false,
        );
        armed.disarm();

        assert.equal(armed.hasStruck, true, `after ${afterBytes} bytes`);
        assert.equal(succeeded, true, 'one cut is repaired by trying again');
        await assertWholeOrAbsent(direct, key, sha256, succeeded);
        proxy.armBytes({ direction, afterBytes: 10, kind: 'cut' });
        assert.equal(await backend.delete(key), true);
        assert.equal(await direct.head(key), undefined);
      }
    });
  }

  test('a large put survives a cut anywhere, or fails and leaves nothing', async (t) => {
    const { proxy, backend, direct } = await site(t);
    const random = seededRandom();
    const size = 18 * mebi;
    const { sha256 } = await hashed(madeBytes(size));

    for (let round = 0; round < 4 * rounds; round++) {
      const key = `objects/ab/${round}`;
      const direction = random.pick(['to_server', 'to_client'] as const);
      const afterBytes = random.integer(direction === 'to_server' ? size : 2500);
      const armed = proxy.armBytes({ direction, afterBytes, kind: 'cut' });
      const succeeded = await backend.put(key, madeBytes(size)).then(
        () => true,
        (error: unknown) => {
          assert.ok(isRowlockError(error, 'unavailable'), String(error));
          return false;
        },
      );
      armed.disarm();

      await assertWholeOrAbsent(direct, key, sha256, succeeded);
      // Where the answer that named an upload was lost, another one was begun: of the first nobody here knows the id.
      const left = await all(direct.listUnfinished());
      const swept = await direct.removeUnfinished(-1);
      assert.ok(
        left.length <= 1 && left.every(({ size: bytes }) => bytes === 0),
        `cut ${direction} after ${afterBytes}`,
      );
      assert.equal(swept, left.length);
      assert.equal((await direct.head(key)) !== undefined, succeeded);
    }
  });

  test('a store that goes away in the middle of a large put leaves an upload, which is swept when it is back', async (t) => {
    const { proxy, backend, direct } = await site(t);
    const key = 'objects/ab/x';
    async function* source(): AsyncGenerator<Buffer, void> {
      yield* madeBytes(20 * mebi);
      await proxy.cut();
      yield* madeBytes(20 * mebi);
    }

    await assert.rejects(backend.put(key, source()), { reason: 'unavailable' });
    const left = await all(direct.listUnfinished());
    await proxy.restore();
    const removed = await backend.removeUnfinished(-1);

    assert.equal(left.length, 1);
    assert.equal(removed, 1);
    assert.equal(await backend.head(key), undefined);
    assert.equal((await backend.put(key, madeBytes(10))).size, 10);
  });

  test('a store that is away, or says nothing, is unavailable in bounded time, and used again when it is back', async (t) => {
    const { proxy, backend } = await site(t, { idle_ms: 300 });
    await backend.put('objects/ab/x', madeBytes(10));

    await proxy.cut();
    await assert.rejects(backend.head('objects/ab/x'), { reason: 'unavailable' });
    await proxy.restore();
    const after = await until(async () => await backend.head('objects/ab/x').catch(() => undefined));
    await proxy.cut();
    await proxy.restore();
    proxy.mute();
    await assert.rejects(backend.head('objects/ab/x'), { reason: 'unavailable' });

    assert.equal(after.size, 10);
  });

  test('half an answer is no answer: small ones are read again, large ones break', async (t) => {
    const { proxy, backend } = await site(t);
    await backend.put('objects/ab/small', madeBytes(100_000));
    await backend.put('objects/ab/large', madeBytes(3 * mebi));

    proxy.armBytes({ direction: 'to_client', afterBytes: 50_000, kind: 'cut' });
    const small = await hashed((await backend.get('objects/ab/small')).stream);
    const armed = proxy.armBytes({ direction: 'to_client', afterBytes: 2 * mebi, kind: 'cut' });
    const { stream } = await backend.get('objects/ab/large');

    await assert.rejects(hashed(stream));
    assert.deepEqual(small, await hashed(madeBytes(100_000)));
    assert.equal(armed.hasStruck, true);
  });

  test('a store that falls silent in the middle of an answer is left after its time', async (t) => {
    const { proxy, backend } = await site(t, { idle_ms: 400 });
    await backend.put('objects/ab/large', madeBytes(3 * mebi));

    proxy.armBytes({ direction: 'to_client', afterBytes: 2 * mebi, kind: 'stall' });
    const { stream } = await backend.get('objects/ab/large');

    await assert.rejects(hashed(stream), { code: 'ETIMEDOUT' });
  });
});

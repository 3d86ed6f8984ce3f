/**
 * The part of the conformance suite about puts: that one key is written once, and that a put which fails, is
 * aborted or is swept leaves nothing. Invariant: after every failed put it looks for objects and for leftovers.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type Backend, isAlreadyExists } from '../backend.ts';
import { all, type Check, hashOf, inChunks, newKey, readAll } from './sample-bytes.ts';

/** Registers the tests of put, listUnfinished and removeUnfinished. */
export function writing(check: Check, unfinishedFromBytes: number): void {
  createOnly(check);
  failedPuts(check);
  unfinishedPuts(check, unfinishedFromBytes);
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
}

function unfinishedPuts(check: Check, unfinishedFromBytes: number): void {
  check('a running put is listed as unfinished, and is removed only when it is old', async (backend) => {
    const key = newKey();
    const running: unknown[] = [];
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* inChunks(randomBytes(unfinishedFromBytes), 600_000);
      running.push(...(await all(backend.listUnfinished())));
      assert.equal(await backend.removeUnfinished(60_000), 0);
      yield randomBytes(10);
    }

    const { size } = await backend.put(key, source());

    assert.equal(size, unfinishedFromBytes + 10);
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

async function assertNothingLeft(backend: Backend, key: string): Promise<void> {
  assert.equal(await backend.head(key), undefined);
  assert.deepEqual(await all(backend.list()), []);
  assert.deepEqual(await all(backend.listUnfinished()), []);
}

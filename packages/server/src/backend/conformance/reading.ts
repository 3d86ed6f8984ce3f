/**
 * The part of the conformance suite about bytes that come back: whole, by ranges, and described by head. It
 * writes only to read. Invariant: it compares contents by hash, never by length alone.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ByteRange } from '../backend.ts';
import { all, type Check, hashOf, inChunks, newKey, readAll } from './sample-bytes.ts';

/** Registers the tests of get, head and check. */
export function reading(check: Check): void {
  roundTrips(check);
  ranges(check);
}

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

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { isRowlockError } from './contract/errors.ts';
import { type PartsToSend, sendParts } from './send-parts.ts';

/** A store that answers each PUT of a part with the next of its statuses, `0` for no answer at all, and then takes it. */
function storeWith(statuses: Readonly<Record<string, readonly number[]>>): {
  readonly fetch: typeof fetch;
  readonly taken: Map<string, number>;
  readonly asked: string[];
} {
  const left = new Map(Object.entries(statuses).map(([part, each]) => [part, [...each]]));
  const taken = new Map<string, number>();
  const asked: string[] = [];
  return {
    taken,
    asked,
    fetch: async (url, init) => {
      const part = new URL(String(url)).pathname.slice(1);
      asked.push(String(url));
      const status = left.get(part)?.shift() ?? 200;
      if (status === 0) throw new TypeError('fetch failed');
      const body = init?.body;
      if (status === 200 && body instanceof Uint8Array) taken.set(part, body.byteLength);
      return new Response(null, { status });
    },
  };
}

const read: number[] = [];
let signatures = 0;
const parts = (changes: Partial<PartsToSend> = {}): PartsToSend => ({
  size: 25,
  part_size: 10,
  part_count: 3,
  arrived: [],
  source: {
    size: 25,
    read: async (start, end) => {
      read.push(start);
      return new Uint8Array(end - start);
    },
  },
  sign: async (numbers) => {
    signatures += 1;
    return numbers.map((part_number) => ({ part_number, size: 0, url: `http://store/${part_number}?${signatures}` }));
  },
  ...changes,
});

test('every part is sent once, the last one shorter, and what has arrived is not', async () => {
  const store = storeWith({});
  const sent: number[] = [];

  await sendParts(
    parts({
      arrived: [
        { part_number: 2, size: 10, etag: 'x' },
        { part_number: 3, size: 4, etag: 'x' },
      ],
    }),
    {
      fetch: store.fetch,
      onProgress: (progress) => sent.push(progress.sent),
    },
  );

  assert.deepEqual([...store.taken].sort(), [
    ['1', 10],
    ['3', 5],
  ]);
  assert.deepEqual([sent[0], sent.at(-1)], [10, 25]);
});

test('a part is sent again after silence and failures, and with another URL after a refusal', async () => {
  const store = storeWith({ 1: [503, 0], 2: [403] });
  signatures = 0;

  await sendParts(parts(), { fetch: store.fetch });

  assert.equal(store.taken.size, 3);
  const urlsOf = (part: string): number => new Set(store.asked.filter((url) => url.includes(`/${part}?`))).size;
  assert.deepEqual([urlsOf('1'), urlsOf('2')], [1, 2]);
});

test('an upload that is over, a part that never goes through and a signal end it, and nothing more is read', async () => {
  const over = sendParts(parts(), { fetch: storeWith({ 2: [404] }).fetch, atOnce: 1 });
  await assert.rejects(over, (error) => isRowlockError(error, 'upload_gone'));
  const never = sendParts(parts(), { fetch: storeWith({ 1: [500, 500] }).fetch, atOnce: 1, attemptsMax: 2 });
  await assert.rejects(never, (error) => isRowlockError(error, 'unavailable'));
  read.length = 0;
  const stop = new AbortController();
  const stopped = sendParts(parts(), {
    fetch: storeWith({}).fetch,
    atOnce: 1,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  });

  await assert.rejects(stopped, /enough/);
  assert.deepEqual(read, [0]);
});

test("when the parts have gone nobody listens to the caller's signal", async () => {
  const { signal } = new AbortController();

  await sendParts(parts(), { fetch: storeWith({}).fetch, signal });

  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import { beginFrame, type Frame, FrameReader } from './decoder-frames.ts';

const limits = { headBytesMax: 1000, dataBytesMax: 10_000 };

test('frames come out as they went in, however the stream cuts them', () => {
  const random = seededRandom();
  const sent: Frame[] = [0, 1, 9000].map((bytes) => ({ head: { bytes, text: 'é' }, data: random.bytes(bytes) }));
  const stream = Buffer.concat(sent.flatMap(({ head, data }) => [beginFrame(head as object, data.length), data]));

  for (const step of [1, 2, 7, 8, 9, 100, stream.length]) {
    const reader = new FrameReader(limits);
    const received: Frame[] = [];
    for (let at = 0; at < stream.length; at += step) received.push(...reader.push(stream.subarray(at, at + step)));

    assert.deepEqual(received, sent, `in steps of ${step}, seed ${random.seed}`);
  }
});

test('a frame over the limits is refused by its prefix, before anything is held for it', () => {
  const prefix = (head: number, data: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(head, 0);
    bytes.writeUInt32BE(data, 4);
    return bytes;
  };
  const before = process.memoryUsage().arrayBuffers;

  for (const bytes of [prefix(1001, 0), prefix(2, 10_001), prefix(2 ** 32 - 1, 2 ** 32 - 1)]) {
    assert.throws(() => new FrameReader(limits).push(bytes), RangeError);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 1e6);
});

test('a head that is no JSON is refused', () => {
  const bytes = beginFrame({ a: 1 }, 0);
  bytes[8] = 0xff;

  assert.throws(() => new FrameReader(limits).push(bytes), SyntaxError);
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { all, inChunks } from '../conformance/sample-bytes.ts';
import { PartBuffers, partBytes } from './s3-part-buffers.ts';
import { inParts } from './s3-parts.ts';

/** Fixed, so that a failure is found again; fast-check prints the seed and path of a counterexample. */
const seed = 20_261_121;

test('whatever the chunks, the parts have the sizes that were asked for and the bytes in their order', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 0, max: 3000 }),
    fc.integer({ min: 1, max: 700 }),
    fc.integer({ min: 1, max: 500 }),
    async (size, chunkBytes, partBytes) => {
      const bytes = randomBytes(size);
      const sizeOf = (number: number): number => partBytes * number;

      const parts = await all(inParts(inChunks(bytes, chunkBytes), { sizeOf, buffers: new PartBuffers() }));

      assert.deepEqual(Buffer.concat(parts.map((part) => part.bytes)), bytes);
      assert.deepEqual(
        parts.map(({ number }) => number),
        parts.map((_, i) => i + 1),
      );
      assert.deepEqual(
        parts.map(({ isLast }) => isLast),
        parts.map((_, i) => i === parts.length - 1),
      );
      for (const part of parts.slice(0, -1)) assert.equal(part.bytes.byteLength, sizeOf(part.number));
      const last = parts.at(-1);
      assert.ok(last !== undefined && last.bytes.byteLength <= sizeOf(last.number));
      assert.ok(size === 0 || last.bytes.byteLength > 0);
    },
  );

  await fc.assert(property, { numRuns: 300, seed });
});

test('a body that came in one chunk is not copied', async () => {
  const chunk = randomBytes(100);

  const [part] = await all(
    inParts(
      (async function* () {
        yield chunk;
      })(),
      { sizeOf: () => 1000, buffers: new PartBuffers() },
    ),
  );

  assert.equal(part?.bytes.buffer, chunk.buffer);
});

test('memory that was given back is used again, and what nobody gave back never', async () => {
  const buffers = new PartBuffers();
  const bytes = randomBytes(3 * partBytes);
  const seen: ArrayBufferLike[] = [];

  for await (const part of inParts(inChunks(bytes), { sizeOf: () => partBytes, buffers })) {
    const at = (part.number - 1) * partBytes;
    assert.ok(bytes.subarray(at, at + partBytes).equals(part.bytes), `part ${part.number}`);
    seen.push(part.bytes.buffer);
    if (part.number === 1 && part.buffer !== undefined) buffers.give(part.buffer);
  }

  // Not by assert.equal, which would print millions of bytes.
  assert.ok(seen[1] === seen[0]);
  assert.ok(seen[2] !== seen[0]);
});

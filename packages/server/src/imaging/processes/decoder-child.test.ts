import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import sharp from 'sharp';
import { variantPresets } from '../presets.ts';
import { DecoderChild } from './decoder-child.ts';
import { faultyDecoder, poolFor } from './faulty-decoder.ts';

/** An interlaced PNG has to be held as a whole, whatever is made of it. */
const interlaced = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: 'teal' } })
  .png({ progressive: true })
  .toBuffer();
const fileOf = (bytes: Buffer) => ({ size: bytes.length, bytes, stream: Readable.from([]) });

test('33 a process that needs much memory says so by the header, and decodes when it may', async (t) => {
  const child = new DecoderChild({ timeoutMs: 30_000, memoryBytesMax: 2 ** 30 });
  t.after(() => child.kill(new Error('the test has ended')));
  await child.ready();
  const asked: number[] = [];
  let isAllowed = false;
  const admit = async (bytes: number): Promise<void> => {
    asked.push(bytes);
    await new Promise((resolve) => setImmediate(resolve));
    isAllowed = true;
  };

  const { source } = await child.render({ file: fileOf(interlaced), presets: variantPresets, admit });

  assert.ok(isAllowed && asked.length === 1 && (asked[0] ?? 0) >= 4000 * 3000 * 3, `${asked}`);
  assert.deepEqual([source.width, source.height], [4000, 3000]);
  const refused = child.render({
    file: fileOf(interlaced),
    presets: variantPresets,
    admit: () => Promise.reject(new Error('no memory today')),
  });
  await assert.rejects(refused, { message: 'no memory today' });
  await child.ended;
});

test('46 a process whose WebAssembly trapped refuses that file for good, and gets no other', async (t) => {
  const errors = JSON.stringify(new URL('../image-error.js', import.meta.url).href);
  const trap = `throw new (await import(${errors})).BrokenEngine('unreachable')`;
  const { pool } = poolFor(t, { module: faultyDecoder(t, 'decoder.before_decode', trap) });

  await assert.rejects(pool.render(fileOf(interlaced), variantPresets), { reason: 'corrupt', permanent: true });

  assert.deepEqual(pool.pids, []);
});

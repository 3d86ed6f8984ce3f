import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { ImageError } from '../image-error.ts';
import { type VariantPreset, variantPresets } from '../presets.ts';
import { renderVariants } from '../render.ts';
import { drawn, noise, scene } from '../sample-images.ts';
import { beginFrame, FrameReader } from './decoder-frames.ts';
import {
  readReply,
  replyBytesMost,
  replyLimits,
  requestLimits,
  sourceBytesMax,
  watermarkBytesMax,
} from './decoder-messages.ts';
import { decoderModule, faultyDecoder, poolFor } from './faulty-decoder.ts';

const photo = await drawn(scene(300, 200)).jpeg().toBuffer();
const image = await renderVariants(photo, variantPresets);
const data = Buffer.concat(image.variants.map((variant) => variant.data));
const variants = image.variants.map(({ data: _, ...variant }) => variant);
const head = { source: image.source, facts: image.facts, variants };
const changed = (at: number, change: object): object => ({
  ...head,
  variants: variants.map((variant, i) => (i === at ? { ...variant, ...change } : variant)),
});

test('a reply is read as the image that was rendered, and nothing else of it goes on', () => {
  const sent = JSON.parse(JSON.stringify({ ...head, more: 1, variants: variants.map((v) => ({ ...v, key: '../x' })) }));

  const read = readReply({ head: sent, data }, variantPresets);

  assert.deepEqual(read, image);
});

const nested: unknown = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
const lies: Readonly<Record<string, readonly [head: unknown, data?: Buffer]>> = {
  'no object': ['hello'],
  null: [null],
  'an array': [[]],
  nothing: [{}],
  'no source': [{ variants }],
  'a variant too few': [{ ...head, variants: variants.slice(1) }],
  'a variant too many': [{ ...head, variants: [...variants, variants[0]] }],
  'variants that are no array': [{ ...head, variants: { length: 3, 0: variants[0], 1: variants[1], 2: variants[2] } }],
  'a variant that is null': [{ ...head, variants: [null, null, null] }],
  'a size beyond the bytes': [changed(2, { size: data.length + 1 })],
  'a size below the bytes': [changed(2, { size: 10 })],
  'a negative size': [changed(0, { size: -1 })],
  'a size of nothing': [changed(0, { size: 0 })],
  'a size that is no number': [changed(0, { size: '10' })],
  'a size with a fraction': [changed(0, { size: 10.5 })],
  'another width than was asked for': [changed(0, { width: 149 })],
  'a larger height than was asked for': [changed(1, { height: 401 })],
  'bytes of no picture': [head, Buffer.alloc(data.length, '<script>')],
  'bytes after the last variant': [head, Buffer.concat([data, Buffer.alloc(1)])],
  'another format': [{ ...head, source: { ...image.source, format: 'bmp' } }],
  'a format that is a property of all objects': [{ ...head, source: { ...image.source, format: 'constructor' } }],
  'a source without width': [{ ...head, source: { ...image.source, width: Number.NaN } }],
  'a source of 2³¹': [{ ...head, source: { ...image.source, height: 2 ** 31 } }],
  'no facts': [{ ...head, facts: undefined }],
  'facts that are no facts': [{ ...head, facts: { ...image.facts, taken_at: '<script>' } }],
  'no pages': [{ ...head, source: { ...image.source, pages: 0 } }],
  'a reason that does not exist': [{ refused: 'because', message: 'no' }],
  'a refusal without words': [{ refused: 'corrupt' }],
  'words that are nested too deep to be made a string': [{ refused: 'corrupt', message: nested }],
};

for (const [what, [lie, bytes = data]] of Object.entries(lies)) {
  test(`46 a reply with ${what} is no reply`, () => {
    assert.throws(() => readReply({ head: lie, data: bytes }, variantPresets), TypeError);
  });
}

test('the largest file goes to a process together with the largest watermark', () => {
  const begin = beginFrame({}, sourceBytesMax + watermarkBytesMax);

  assert.deepEqual(new FrameReader(requestLimits).push(begin), []);
});

test('a variant of noise is of no more bytes than its preset is thought to come to, and the largest fits a reply', async () => {
  const box: VariantPreset = {
    ...(variantPresets[0] as VariantPreset),
    width: 400,
    height: 400,
    background: 'transparent',
  };
  const presets = (['png', 'jpeg', 'webp'] as const).map((format): VariantPreset => ({ ...box, format, quality: 100 }));
  const random = await noise(400, 400).ensureAlpha().png().toBuffer();

  const made = (await renderVariants(random, presets)).variants;

  for (const [n, preset] of presets.entries()) {
    assert.ok((made[n]?.size ?? Number.NaN) <= replyBytesMost(preset), preset.format);
    const largest = { ...preset, width: null, height: 4096, animated: true };
    assert.ok(replyBytesMost(largest) <= replyLimits.dataBytesMax, preset.format);
  }
});

test('46 what a process says of its failure is cut', () => {
  const long = 'x'.repeat(60_000);
  const reading = (reply: object) => () => readReply({ head: reply, data: Buffer.alloc(0) }, variantPresets);

  assert.throws(reading({ refused: 'corrupt', message: long }), { reason: 'corrupt', message: 'x'.repeat(500) });
  assert.throws(
    reading({ failed: long }),
    (error) => !(error instanceof ImageError) && error instanceof Error && error.message.length === 500,
  );
});

test('a variant that fits inside its box may be smaller, and each format has its signature', () => {
  const inside: VariantPreset = { ...(variantPresets[0] as VariantPreset), fit: 'inside', format: 'webp' };
  const bytes = Buffer.from('RIFF....WEBPVP8 ');
  const sent = { ...head, variants: [{ width: 1, height: 150, size: bytes.length }] };

  assert.equal(readReply({ head: sent, data: bytes }, [inside]).variants[0]?.content_type, 'image/webp');
  assert.throws(() => readReply({ head: sent, data: bytes }, [{ ...inside, format: 'png' }]), TypeError);
});

const afterReady = (script: string): string => `
  import fs from 'node:fs';
  const frame = (head, length = 0) => {
    const text = Buffer.from(head);
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32BE(text.length, 0);
    prefix.writeUInt32BE(length, 4);
    return Buffer.concat([prefix, text]);
  };
  fs.writeSync(3, frame('{"ready":true}'));
  setInterval(() => undefined, 1000);
  ${script}`;
const asked = (write: string): string => afterReady(`fs.readSync(3, Buffer.alloc(2 ** 16)); ${write}`);

for (const [what, text] of Object.entries({
  'says the length of a reply that no memory holds': asked(`fs.writeSync(3, Buffer.alloc(8, 0xff));`),
  'replies no JSON': asked(`fs.writeSync(3, frame('{"source":'));`),
  'replies JSON of another shape': asked(`fs.writeSync(3, frame('[1,2]'));`),
  'refuses with words that are nested deep': asked(
    `fs.writeSync(3, frame('{"refused":"corrupt","message":' + '['.repeat(5e4) + ']'.repeat(5e4) + '}'));`,
  ),
  'replies twice': asked(`fs.writeSync(3, Buffer.concat([frame('{"failed":"1"}'), frame('{"failed":"2"}')]));`),
  'replies half and ends': asked(`fs.writeSync(3, frame('{}', 100)); process.exit(0);`),
})) {
  test(`46 a decoder that ${what} is killed, and its job has crashed`, async (t) => {
    const { pool, reported } = poolFor(t, { module: decoderModule(t, text) });
    const stream = Readable.from([photo]);

    await assert.rejects(pool.render({ size: photo.length, stream }, variantPresets), { reason: 'crashed' });

    assert.deepEqual(pool.pids, []);
    assert.equal(reported.length, 1);
  });
}

test('46 a decoder that speaks when nobody asked is killed', async (t) => {
  const text = asked(`
    fs.writeSync(3, frame('{"failed":"first"}'));
    setTimeout(() => fs.writeSync(3, frame('{"failed":"more"}')), 10);`);
  const { pool, reported } = poolFor(t, { module: decoderModule(t, text) });
  const file = { size: photo.length, stream: Readable.from([photo]) };

  await assert.rejects(pool.render(file, variantPresets), { message: 'first' });
  await until(() => pool.pids.length === 0, { what: 'the process is gone' });

  assert.equal(reported.length, 1);
});

test('46 a decoder that replies before it has the file is not believed', async (t) => {
  const { pool } = poolFor(t, { module: decoderModule(t, asked(`fs.writeSync(3, frame('{"failed":"early"}'));`)) });
  const stream = Readable.from([photo, Buffer.alloc(2 ** 23)], { objectMode: false });

  const failing = pool.render({ size: photo.length + 2 ** 23, stream }, variantPresets);

  await assert.rejects(failing, ImageError);
  assert.deepEqual(pool.pids, []);
});

test('46 the words of a failure inside reach the job as they are, and the process lives on', async (t) => {
  const { pool } = poolFor(t, { module: faultyDecoder(t, 'decoder.before_decode', "throw new Error('odd')") });

  const failing = pool.render({ size: photo.length, stream: Readable.from([photo]) }, variantPresets);

  await assert.rejects(failing, { name: 'Error', message: 'odd' });
  assert.equal(pool.pids.length, 1);
});

test('variants that are too many bytes for a reply are refused as that, and the process lives on', async (t) => {
  const messages = JSON.stringify(new URL('./decoder-messages.js', import.meta.url).href);
  const script = `(await import(${messages})).replyLimits.dataBytesMax = 1000;`;
  const { pool } = poolFor(t, { module: faultyDecoder(t, 'decoder.before_decode', script) });

  const failing = pool.render({ size: photo.length, stream: Readable.from([photo]) }, variantPresets);

  await assert.rejects(failing, { reason: 'too_large', permanent: true });
  assert.equal(pool.pids.length, 1);
});

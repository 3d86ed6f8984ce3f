import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import sharp from 'sharp';
import { civicOsPresets, type VariantPreset, variantPresets } from '../presets.ts';
import { readReply } from '../processes/decoder-messages.ts';
import type { DecoderPool } from '../processes/decoder-pool.ts';
import { faultyDecoder, poolFor } from '../processes/faulty-decoder.ts';
import { type RenderedImage, type RenderedVariant, renderVariants } from '../render.ts';
import { renderAsked } from '../render-asked.ts';
import { drawn, scene } from '../sample-images.ts';
import { lockedPdf, pdfObjects, pdfOf, pdfOfPage, svgOf } from './sample-documents.ts';
import { drawnElements } from './svg-expansion.ts';

const large = variantPresets[2] as VariantPreset;
const clear: VariantPreset = { ...large, fit: 'inside', format: 'png', background: 'transparent' };

async function coloursOf({ data }: RenderedVariant, places: readonly (readonly [x: number, y: number])[]) {
  const { data: raw, info } = await sharp(data).raw().toBuffer({ resolveWithObject: true });
  return places.map(([x, y]) => {
    const at = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * info.channels;
    return [...raw.subarray(at, at + info.channels)];
  });
}

function near(found: readonly number[][], expected: readonly number[][]): void {
  const isNear = found.every((colour, i) => colour.every((value, j) => Math.abs(value - (expected[i]?.[j] ?? 0)) < 12));
  assert.ok(isNear, `${JSON.stringify(found)} is not about ${JSON.stringify(expected)}`);
}

const red = [255, 0, 0];
const blue = [0, 0, 255];
const sides = [
  [0.2, 0.5],
  [0.8, 0.5],
] as const;

test('the first page of a PDF is drawn sharp at the size of each variant, and fitted as documents are', async () => {
  const presets = [...variantPresets, { ...large, name: 'cover', document_fit: 'cover' as const }];

  const { source, variants } = await renderVariants(pdfOfPage({ width: 200, height: 100 }), presets);

  assert.deepEqual(source, { width: 200, height: 100, format: 'pdf', damaged: false, pages: 1 });
  assert.deepEqual(
    variants.map(({ width, height }) => [width, height]),
    [
      [150, 75],
      [400, 200],
      [800, 400],
      [800, 800],
    ],
  );
  near(await coloursOf(variants[2] as RenderedVariant, sides), [red, blue]);
});

test('a turned page is upright, and what is not painted is white', async () => {
  const content = '1 0 0 rg 0 0 50 50 re f';
  const page = pdfOfPage({ width: 200, height: 100, content, page: '/Rotate 90' });

  const { source, variants } = await renderVariants(page, [clear]);

  assert.deepEqual([source.width, source.height], [100, 200]);
  // Turned clockwise, the lower left corner is the upper left one.
  near(
    await coloursOf(variants[0] as RenderedVariant, [
      [0.1, 0.1],
      [0.9, 0.9],
    ]),
    [red, [255, 255, 255]],
  );
});

test('44 a PDF that is locked, empty or broken says why, once and for good', async () => {
  const objects = pdfObjects({ width: 100, height: 50 });
  const empty = pdfOf([objects[0] ?? '', '<</Type/Pages/Kids[]/Count 0>>']);
  const files: readonly (readonly [Buffer, string])[] = [
    [lockedPdf(), 'encrypted'],
    [empty, 'empty'],
    [Buffer.from('%PDF-1.7\nnothing'), 'corrupt'],
    [pdfOf(objects).subarray(0, 60), 'corrupt'],
  ];

  for (const [bytes, reason] of files) {
    await assert.rejects(renderVariants(bytes, [large]), { name: 'ImageError', reason, permanent: true });
  }
});

test('an SVG is drawn at the size that is wanted, with its transparency where that is wanted', async () => {
  const half = svgOf(16, 8).toString().replace('width="8" height="8" fill="#0000ff"', 'width="0" height="8"');

  const { source, variants } = await renderVariants(Buffer.from(half), [clear, { ...large, fit: 'inside' }]);

  assert.deepEqual(source, { width: 16, height: 8, format: 'svg', damaged: false, pages: 1 });
  assert.deepEqual([variants[0]?.width, variants[0]?.height], [800, 400]);
  near(await coloursOf(variants[0] as RenderedVariant, sides), [
    [...red, 255],
    [0, 0, 0, 0],
  ]);
  near(await coloursOf(variants[1] as RenderedVariant, sides), [red, [255, 255, 255]]);
});

test('49 an SVG reads no file and no address, and one that declares entities is refused', async () => {
  const reference = `<image xlink:href="${import.meta.url}" width="16" height="8"/><use href="${import.meta.url}#a"/>`;
  const laughs = svgOf(9, 9).toString().replace('<svg', '<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg');

  const { variants } = await renderVariants(svgOf(16, 8, reference), [clear]);

  near(await coloursOf(variants[0] as RenderedVariant, sides), [
    [...red, 255],
    [...blue, 255],
  ]);
  await assert.rejects(renderVariants(Buffer.from(laughs), [clear]), { reason: 'unsafe', permanent: true });
  await assert.rejects(renderVariants(svgOf(4e6, 4e6), [clear]), { reason: 'too_large' });
  await assert.rejects(renderVariants(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><g>'), [clear]), {
    reason: 'corrupt',
  });
});

test('each kind of file has a process of its own, one more than work is kept, and photographs meet no other parser', async (t) => {
  const { pool, reported } = poolFor(t, { size: 1 });
  const photo = await drawn(scene(300, 200)).jpeg().toBuffer();
  const page = pdfOfPage({ width: 100, height: 50 });
  const started: string[] = [];
  let most = 0;

  for (const bytes of [photo, page, photo, page, photo, svgOf(60, 40), photo, page]) {
    const before = pool.pids;
    const { source } = await rendered(pool, bytes);
    if (pool.pids.some((pid) => !before.includes(pid))) started.push(source.format);
    most = Math.max(most, pool.pids.length);
  }

  assert.deepEqual(started, ['jpeg', 'pdf', 'svg', 'pdf'], 'what waited longest made room');
  assert.equal(most, 2);
  assert.deepEqual(reported, []);
});

test('pages are drawn as PNG where a preset says so, and photographs by the same preset are not', async () => {
  const photo = await drawn(scene(300, 200)).jpeg().toBuffer();

  const [page, picture] = await Promise.all(
    [pdfOfPage({ width: 595, height: 842 }), photo].map(async (file) => await renderAsked(file, civicOsPresets, {})),
  );

  for (const [image, type] of [
    [page, 'png'],
    [picture, 'jpeg'],
  ] as const) {
    const seen = await Promise.all((image?.variants ?? []).map(async ({ data }) => await sharp(data).metadata()));
    assert.deepEqual(
      seen.map(({ format, width, height }) => [format, width, height]),
      [150, 400, 800].map((side) => [type, side, side]),
    );
    assert.deepEqual(new Set(image?.variants.map(({ content_type }) => content_type)), new Set([`image/${type}`]));
  }
  const { source, facts, variants } = page as RenderedImage;
  const reply = { source, facts, variants: variants.map(({ data: _, ...variant }) => variant) };
  const head = JSON.parse(JSON.stringify(reply));
  const data = Buffer.concat(variants.map((variant) => variant.data));
  assert.deepEqual(readReply({ head, data }, civicOsPresets), page);
  const asJpeg = civicOsPresets.map(({ document_format: _, ...preset }) => preset);
  assert.throws(
    () => readReply({ head, data }, asJpeg),
    TypeError,
    'a decoder draws no other format than was asked for',
  );
});

test('a page that is drawn as large as it is has 300 pixels an inch, and 4,096 on its longer side at most', async () => {
  const { document_fit: _, ...asItIs } = { ...clear, width: null, height: null };
  const pages = [
    [595, 842],
    [1684, 2384],
    [72, 36],
  ] as const;

  const drawnPages = await Promise.all(
    pages.map(async ([width, height]) => (await renderVariants(pdfOfPage({ width, height }), [asItIs])).variants[0]),
  );

  assert.deepEqual(
    drawnPages.map((variant) => [variant?.width, variant?.height]),
    [
      [2479, 3508],
      [2893, 4096],
      [300, 150],
    ],
  );
});

test('46 a job whose memory is not there yet waits, and one may always run', async (t) => {
  const { pool } = poolFor(t, { size: 3, memoryBudgetBytes: 1 });
  const photo = await drawn(scene(1500, 1000)).png({ progressive: true }).toBuffer();
  let most = 0;

  const images = await Promise.all(
    [photo, pdfOfPage({ width: 100, height: 50 }), photo].map(async (bytes) => {
      const image = await rendered(pool, bytes);
      most = Math.max(most, pool.pids.length);
      return image;
    }),
  );

  assert.deepEqual(
    images.map(({ source }) => source.format),
    ['png', 'pdf', 'png'],
  );
  assert.ok(most <= 3, `${most} processes: one at work at a time, and those that wait warm`);
});

function rendered(pool: DecoderPool, bytes: Buffer): Promise<RenderedImage> {
  const stream = Readable.from([bytes.subarray(0, 3), bytes.subarray(3)], { objectMode: false });
  return pool.render({ size: bytes.length, stream }, variantPresets);
}

test('a drawing counts what it refers to as often as it does, and what refers to itself once', () => {
  const of = (inner: string): number => drawnElements(`<svg>${inner}</svg>`);

  assert.equal(of('<g id="a"><rect/><rect/></g>'), 4);
  assert.equal(of('<g id="a"><rect/></g><use href="#a"/><use xlink:href="#a"/>'), 9);
  assert.equal(of('<g id="a"><use href="#a"/></g>'), 3);
  assert.equal(of('<rect fill="url(#p)"/><pattern id="p"><rect/></pattern>'), 6);
  assert.ok(
    of(Array.from({ length: 50 }, (_, i) => `<g id="g${i + 1}"><use href="#g${i}"/><a href="#g${i}"/></g>`).join('')) >
      1e9,
  );
});

test('49 elements that never end are looked at once, as everything else of a drawing', () => {
  const count = (): readonly number[] =>
    [`<${'a'.repeat(2 ** 21)}`, `<svg>${'<a '.repeat(2 ** 19)}`, `</${' '.repeat(2 ** 21)}`].map(drawnElements);

  // The limit is for a pattern that tries again at each character, and would take an hour.
  const counted = runInNewContext('count()', { count }, { timeout: 20_000 }) as readonly number[];

  assert.deepEqual(counted, [0, 1, 0]);
});

test('49 a drawing that takes too long is not tried again, and a photograph is', async (t) => {
  const module = faultyDecoder(t, 'decoder.before_decode', 'await new Promise(() => undefined);');
  const { pool } = poolFor(t, { size: 2, timeoutMs: 100, module });
  const files = [svgOf(60, 40), await drawn(scene(60, 40)).jpeg().toBuffer()];

  const [drawing, photograph] = await Promise.allSettled(files.map((bytes) => rendered(pool, bytes)));

  const reasons = [drawing, photograph].map((each) => (each?.status === 'rejected' ? each.reason : each));
  assert.deepEqual(
    reasons.map(({ reason, permanent }) => [reason, permanent]),
    [
      ['timeout', true],
      ['timeout', false],
    ],
  );
});

/**
 * Makes the variants of an image: decodes it once, as small as the largest variant allows, cuts once per shape,
 * and encodes each variant from those pixels. It stores nothing and knows no keys. Invariant: a variant is
 * upright sRGB, of exactly its preset's size, and carries no metadata of its source.
 */
import assert from 'node:assert/strict';
import sharp, { type Sharp } from 'sharp';
import { isMoving, moving } from './animation.ts';
import type { ImageFormat, ImageLimits, ImageSource } from './decoder.ts';
import { type ImageFacts, readFacts } from './facts/facts.ts';
import { type Box, boxOf, decodedSize, focalCut, keptSize, pictureSize, type Size } from './geometry.ts';
import { imageError } from './image-error.ts';
import { Deadline, fromPixels, type Pixels, rawPixels } from './pixels.ts';
import { presetFor, type VariantPreset } from './presets.ts';
import { openSource } from './sources/open-source.ts';
import type { OpenedSource } from './sources/opened-source.ts';
import { type SourceKind, sourceKind } from './sources/source-kind.ts';
import { overlay } from './watermark.ts';

export interface RenderOptions extends ImageLimits {
  /** From when memory was granted. libvips looks at it between pieces of work, so killing the process is the last word. */
  readonly timeoutMs?: number;
  /** How the file is opened; by its first bytes unless given. */
  readonly kind?: SourceKind;
  /** A picture that is laid over the variants whose presets say so. */
  readonly watermark?: Buffer | undefined;
  /** Asked once before anything is decoded, with the bytes that decoding takes beside the file, about. */
  readonly admit?: (bytes: number) => Promise<void>;
}

export interface RenderedVariant {
  /** The preset's name. */
  readonly preset: string;
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  readonly content_type: string;
  /** Of `data`, in bytes. */
  readonly size: number;
}

export interface RenderedImage {
  readonly source: {
    /** Upright; of a document, its first page in points. */
    readonly width: number;
    readonly height: number;
    readonly format: ImageFormat;
    /** True when the file breaks off or has errors, and what could be read was shown. */
    readonly damaged: boolean;
    /** Frames or pages; 1 for a still image. */
    readonly pages: number;
  };
  readonly facts: ImageFacts;
  /** In the order of the presets. */
  readonly variants: readonly RenderedVariant[];
}

const timeoutMsDefault = 30_000;
const white = '#ffffff';
/** What facts are told from, beside the variants. */
const glance: Box = { width: 256, height: 256, fit: 'inside' };

/** A preset, and the box that it asks of this image. */
interface Wanted {
  readonly preset: VariantPreset;
  readonly box: Box;
}

/** What all steps of one rendering need. */
interface Rendering {
  readonly source: ImageSource;
  readonly opened: OpenedSource;
  readonly deadline: Deadline;
  readonly watermark: Buffer | undefined;
}

/**
 * Renders an image in the given presets, which may be none, and tells its facts.
 *
 * Of animations and documents the first frame or page is shown, but where a preset keeps the animation. A damaged file is
 * shown when at least three quarters of it could be read, and `source.damaged` says so. Throws an ImageError.
 */
export async function renderVariants(
  source: ImageSource,
  presets: readonly VariantPreset[],
  options: RenderOptions = {},
): Promise<RenderedImage> {
  const { kind = typeof source === 'string' ? 'picture' : sourceKind(source), watermark } = options;
  assert.ok(
    watermark !== undefined || presets.every((preset) => preset.watermark === undefined),
    'no watermark is here',
  );
  const opened = await openSource(source, kind, options);
  try {
    const wanted = presets.map((each) => wantedOf(opened, each));
    const size = decodedSize(opened.size, [...wanted.map(({ box }) => box), glance]);
    await options.admit?.(opened.bytesNeeded(size));
    const deadline = new Deadline(options.timeoutMs ?? timeoutMsDefault);
    const background = backgroundOf(wanted.map(({ preset }) => preset));
    const { pixels, damaged } = await opened.decode(size, background, deadline);
    const variants = await encodeAll(pixels, wanted, { source, opened, deadline, watermark });
    const { format, told, pages, blocks } = opened;
    const small = await rawPixels(fromPixels(pixels, deadline).resize({ ...glance, withoutEnlargement: true }));
    const facts = readFacts({ ...blocks, metadata: { orientation: blocks.orientation }, pixels: seen(small) });
    return { source: { ...told, format, damaged, pages }, facts, variants };
  } catch (error) {
    throw imageError(error);
  } finally {
    opened.close?.();
  }
}

/** Raw pixels have channels. */
function seen({ data, width, height, channels = 3 }: Pixels): Required<Pixels> & { channels: 1 | 2 | 3 | 4 } {
  return { data, width, height, channels };
}

function wantedOf({ format, size, natural }: OpenedSource, asked: VariantPreset): Wanted {
  const preset = presetFor(asked, format === 'pdf');
  const box = boxOf(size, preset, preset.fit);
  const isAsItIs = preset.width === null && preset.height === null;
  return { preset, box: isAsItIs && natural !== undefined ? { ...box, ...natural } : box };
}

/** A background that all have may be applied while decoding; else the transparency is kept until each is encoded. */
function backgroundOf(presets: readonly VariantPreset[]): string | undefined {
  const backgrounds = new Set(presets.map(backgroundOfOne));
  if (backgrounds.size === 0) return white;
  const [background] = backgrounds;
  return backgrounds.size === 1 ? background : undefined;
}

/** Undefined for transparent. */
function backgroundOfOne({ background, format }: VariantPreset): string | undefined {
  if (background !== 'transparent') return background;
  return format === 'jpeg' ? white : undefined;
}

/** Cuts once for all presets of one shape, and encodes each from the cut of the largest of them. */
async function encodeAll(pixels: Pixels, wanted: readonly Wanted[], rendering: Rendering): Promise<RenderedVariant[]> {
  const cuts = new Map<string, Pixels>();
  const largestFirst = [...wanted].sort((a, b) => b.box.width - a.box.width);
  for (const each of largestFirst) {
    const shape = shapeOf(each);
    if (!cuts.has(shape)) cuts.set(shape, await cut(pixels, each, rendering.deadline));
  }
  const variants: RenderedVariant[] = [];
  for (const each of wanted) {
    const kept = cuts.get(shapeOf(each));
    assert.ok(kept !== undefined);
    const { preset, box } = each;
    const { data, width, height } = isMoving(rendering.opened, preset, box)
      ? await moving(rendering.source, preset, box, rendering.deadline)
      : await encode(kept, each, rendering);
    const content_type = `image/${preset.format}`;
    variants.push({ preset: preset.name, data, width, height, content_type, size: data.byteLength });
  }
  return variants;
}

/** Presets of one shape show the same part of the image. */
function shapeOf({ preset, box }: Wanted): string {
  const { position, focal_x = 0.5, focal_y = 0.5 } = preset;
  if (box.fit !== 'cover') return `whole ${box.fit} ${box.width / box.height}`;
  const focal = position === 'focal' ? `${focal_x} ${focal_y}` : '';
  return `cover ${position} ${focal} ${box.width / box.height}`;
}

async function cut(pixels: Pixels, { preset, box }: Wanted, deadline: Deadline): Promise<Pixels> {
  const kept = keptSize(pixels, box);
  const image = fromPixels(pixels, deadline);
  if (box.fit === 'cover' && preset.position === 'focal') {
    const { focal_x: x = 0.5, focal_y: y = 0.5 } = preset;
    const { resized, left, top } = focalCut(pixels, kept, { x, y });
    return await rawPixels(image.resize({ ...resized, fit: 'fill' }).extract({ left, top, ...kept }));
  }
  const fit = box.fit === 'cover' ? 'cover' : 'fill';
  return await rawPixels(image.resize({ ...kept, fit, position: positions[preset.position] }));
}

const positions: Readonly<Record<VariantPreset['position'], number | string>> = {
  attention: sharp.strategy.attention,
  entropy: sharp.strategy.entropy,
  centre: 'centre',
  focal: 'centre',
};

async function encode(
  kept: Pixels,
  { preset, box }: Wanted,
  { opened, deadline, watermark }: Rendering,
): Promise<{ readonly data: Buffer; readonly width: number; readonly height: number }> {
  const picture = pictureSize(opened.size, box);
  const background = backgroundOfOne(preset);
  let image = fromPixels(kept, deadline);
  if (background !== undefined && kept.channels === 4) image = image.flatten({ background });
  if (kept.width !== picture.width || kept.height !== picture.height) image = image.resize({ ...picture, fit: 'fill' });
  if (box.fit === 'contain') {
    image = image.extend({ ...margins(picture, box), background: background ?? { r: 0, g: 0, b: 0, alpha: 0 } });
  }
  if (preset.watermark !== undefined && watermark !== undefined) {
    const whole = box.fit === 'contain' ? box : picture;
    image = image.composite([await overlay(watermark, whole, preset.watermark, deadline)]);
    if (background !== undefined) image = image.removeAlpha();
  }
  const { data, info } = await encoders[preset.format](image, preset.quality).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Nothing here asks sharp to keep metadata, and from raw pixels there is none to keep. */
const encoders: Readonly<Record<VariantPreset['format'], (image: Sharp, quality: number) => Sharp>> = {
  jpeg: (image, quality) => image.jpeg({ quality, progressive: true }),
  png: (image) => image.png(),
  webp: (image, quality) => image.webp({ quality }),
  avif: (image, quality) => image.avif({ quality, effort: 2 }),
};

function margins(picture: Size, box: Size): { left: number; right: number; top: number; bottom: number } {
  const [across, down] = [box.width - picture.width, box.height - picture.height];
  const [left, top] = [Math.floor(across / 2), Math.floor(down / 2)];
  return { left, right: across - left, top, bottom: down - top };
}

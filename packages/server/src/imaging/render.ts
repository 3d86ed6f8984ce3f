/**
 * Makes the variants of an image: decodes it once, as small as the largest variant allows, cuts once per shape,
 * and encodes each variant from those pixels. It stores nothing and knows no keys. Invariant: a variant is
 * upright sRGB on white, of exactly its preset's size, and carries no metadata of its source.
 */
import assert from 'node:assert/strict';
import sharp, { type Sharp } from 'sharp';
import { missingShare } from './damage.ts';
import {
  type ImageFormat,
  type ImageHeader,
  type ImageLimits,
  type ImageSource,
  openImage,
  readHeader,
} from './decoder.ts';
import { decodedSize, keptSize, pictureSize, type Size } from './geometry.ts';
import { ImageError, imageError } from './image-error.ts';
import type { VariantPreset } from './presets.ts';

export interface RenderOptions extends ImageLimits {
  /** For the whole call. libvips looks at it between pieces of work, so killing the process is the last word. */
  readonly timeoutMs?: number;
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
    /** Upright. */
    readonly width: number;
    readonly height: number;
    readonly format: ImageFormat;
    /** True when the file breaks off or has errors, and what could be read was shown. */
    readonly damaged: boolean;
  };
  /** In the order of the presets. */
  readonly variants: readonly RenderedVariant[];
}

const timeoutMsDefault = 30_000;
/** A file may lack this share of its picture and still be shown: an upload that broke off near its end. */
const missingShareMax = 0.25;
const white = '#ffffff';

/** Pixels between two steps: raw, or a TIFF that still has its colour profile. */
interface Pixels extends Size {
  readonly data: Buffer;
  /** Undefined for a TIFF. */
  readonly channels: 1 | 2 | 3 | 4 | undefined;
}

/**
 * Renders an image in the given presets.
 *
 * Of animations and documents the first frame or page is shown. A damaged file is shown when at least three
 * quarters of it could be read, and `source.damaged` says so. Throws an ImageError: `unsupported`, `too_large`,
 * `corrupt` or `timeout`. One 12-megapixel JPEG in the three standard presets takes about 85 ms of one core.
 */
export async function renderVariants(
  source: ImageSource,
  presets: readonly VariantPreset[],
  options: RenderOptions = {},
): Promise<RenderedImage> {
  assert.ok(presets.length > 0, 'there is nothing to render');
  const deadline = new Deadline(options.timeoutMs ?? timeoutMsDefault);
  const header = await readHeader(source, options);
  const { width, height } = header.metadata.autoOrient;
  try {
    const { pixels, damaged } = await decode({ source, options, header, deadline }, presets);
    const variants = await encodeAll(pixels, { width, height }, presets, deadline);
    return { source: { width, height, format: header.format, damaged }, variants };
  } catch (error) {
    throw imageError(error);
  }
}

interface Decoding {
  readonly source: ImageSource;
  readonly options: RenderOptions;
  readonly header: ImageHeader;
  readonly deadline: Deadline;
}

/** Decodes strictly first, since almost all files are sound, and leniently only what failed so. */
async function decode(
  decoding: Decoding,
  presets: readonly VariantPreset[],
): Promise<{ pixels: Pixels; damaged: boolean }> {
  const size = decodedSize(decoding.header.metadata.autoOrient, presets);
  try {
    return { pixels: await decodeStrictly(decoding, size), damaged: false };
  } catch (error) {
    const failure = imageError(error);
    if (!(failure instanceof ImageError) || failure.reason !== 'corrupt') throw failure;
  }
  const pixels = await rawPixels(reduced(decoding, size, 'none').toColourspace('srgb'));
  if (missingShare(pixels) > missingShareMax) throw new ImageError('corrupt', 'most of the image is missing');
  return { pixels, damaged: true };
}

async function decodeStrictly(decoding: Decoding, size: Size): Promise<Pixels> {
  const image = reduced(decoding, size, 'warning');
  const { hasProfile, space, depth } = decoding.header.metadata;
  // Converting colours costs 30 to 45 ms for what libjpeg gives of 12 megapixels and a third of that for what is
  // left of it, so the profile travels along. Only RGB of 8 bits can be scaled before it is converted.
  if (hasProfile && space === 'srgb' && depth === 'uchar') {
    return {
      data: await image.keepIccProfile().tiff({ compression: 'none' }).toBuffer(),
      ...size,
      channels: undefined,
    };
  }
  return await rawPixels(image.toColourspace('srgb'));
}

/** Upright, on white, and scaled down while it is decoded (libvips lets libjpeg and libwebp shrink). */
function reduced({ source, options, deadline }: Decoding, size: Size, failOn: 'warning' | 'none'): Sharp {
  return openImage(source, options, { failOn, autoOrient: true })
    .timeout(deadline.left())
    .resize({ ...size, fit: 'fill' })
    .flatten({ background: white });
}

/** Cuts once for all presets of one shape, and encodes each from the cut of the largest of them. */
async function encodeAll(
  pixels: Pixels,
  source: Size,
  presets: readonly VariantPreset[],
  deadline: Deadline,
): Promise<RenderedVariant[]> {
  const cuts = new Map<string, Pixels>();
  const largestFirst = [...presets].sort((a, b) => b.width - a.width);
  for (const preset of largestFirst) {
    const shape = shapeOf(preset);
    if (!cuts.has(shape)) cuts.set(shape, await cut(pixels, preset, deadline));
  }
  const variants: RenderedVariant[] = [];
  for (const preset of presets) {
    const kept = cuts.get(shapeOf(preset));
    assert.ok(kept !== undefined);
    variants.push(await encode(kept, pictureSize(source, preset), preset, deadline));
  }
  return variants;
}

/** Presets of one shape show the same part of the image. */
function shapeOf({ fit, position, width, height }: VariantPreset): string {
  return `${fit} ${position} ${width / height}`;
}

async function cut(pixels: Pixels, preset: VariantPreset, deadline: Deadline): Promise<Pixels> {
  const image = opened(pixels, deadline).resize({
    ...keptSize(pixels, preset),
    fit: preset.fit === 'cover' ? 'cover' : 'fill',
    position: preset.position === 'attention' ? sharp.strategy.attention : 'centre',
  });
  return await rawPixels(image.toColourspace('srgb'));
}

async function encode(
  kept: Pixels,
  picture: Size,
  preset: VariantPreset,
  deadline: Deadline,
): Promise<RenderedVariant> {
  let image = opened(kept, deadline);
  if (kept.width !== picture.width || kept.height !== picture.height) image = image.resize({ ...picture, fit: 'fill' });
  if (preset.fit === 'contain') image = image.extend({ ...margins(picture, preset), background: white });
  const { data, info } = await encoders[preset.format](image, preset.quality).toBuffer({ resolveWithObject: true });
  return {
    preset: preset.name,
    data,
    width: info.width,
    height: info.height,
    content_type: `image/${preset.format}`,
    size: data.byteLength,
  };
}

/** Nothing here asks sharp to keep metadata, and from raw pixels there is none to keep. */
const encoders: Readonly<Record<VariantPreset['format'], (image: Sharp, quality: number) => Sharp>> = {
  jpeg: (image, quality) => image.jpeg({ quality, progressive: true }),
  png: (image) => image.png(),
  webp: (image, quality) => image.webp({ quality }),
};

function margins(picture: Size, box: Size): { left: number; right: number; top: number; bottom: number } {
  const [across, down] = [box.width - picture.width, box.height - picture.height];
  const [left, top] = [Math.floor(across / 2), Math.floor(down / 2)];
  return { left, right: across - left, top, bottom: down - top };
}

function opened({ data, width, height, channels }: Pixels, deadline: Deadline): Sharp {
  const image = channels === undefined ? sharp(data) : sharp(data, { raw: { width, height, channels } });
  return image.timeout(deadline.left());
}

async function rawPixels(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** The time that is left, as sharp takes it. */
class Deadline {
  readonly #at: number;

  constructor(timeoutMs: number) {
    this.#at = performance.now() + timeoutMs;
  }

  /** Whole seconds, at least one; throws an ImageError when none is left. */
  left(): { seconds: number } {
    const ms = this.#at - performance.now();
    if (ms <= 0) throw new ImageError('timeout', 'decoding the image took too long');
    return { seconds: Math.min(3600, Math.ceil(ms / 1000)) };
  }
}

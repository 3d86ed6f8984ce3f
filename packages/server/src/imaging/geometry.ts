/**
 * Computes the sizes that an image passes through on its way to its variants. Pure arithmetic: it sees no
 * pixels. Invariant: no step holds more pixels than `intermediatePixelsMax` or enlarges before it has cut, so
 * a strip of 16 by 17,000 pixels costs no more than a photograph.
 */
import { type VariantFit, type VariantPreset, variantSideMax } from './presets.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a preset asks of one image: both sides, and how it is fitted. */
export interface Box extends Size {
  readonly fit: VariantFit;
}

/** 48 MB as RGB; only an image more than 30 times as long as wide has to lose sharpness for it. */
export const intermediatePixelsMax = 16_000_000;

/** The box of a preset for an image of that size; `fit` is the preset's, or its one for documents. */
export function boxOf(source: Size, { width, height }: VariantPreset, fit: VariantFit): Box {
  if (width !== null && height !== null) return { width, height, fit };
  // What is fitted inside is bounded by the side that was given; everything else takes the image's shape.
  if (fit === 'inside' || (width === null && height === null)) {
    return { width: width ?? variantSideMax, height: height ?? variantSideMax, fit: 'inside' };
  }
  const side = (given: number, one: number, other: number): number => {
    return Math.min(variantSideMax, Math.max(1, Math.round((given * one) / other)));
  };
  return {
    width: width ?? side(height ?? 1, source.width, source.height),
    height: height ?? side(width ?? 1, source.height, source.width),
    fit,
  };
}

/** The size to decode to: the smallest that is enough for every box, never more than the source. */
export function decodedSize(source: Size, boxes: readonly Box[]): Size {
  const enough = Math.max(...boxes.map((box) => scaleTo(source, box)));
  const affordable = Math.sqrt(intermediatePixelsMax / (source.width * source.height));
  return scaled(source, Math.min(1, enough, affordable));
}

/** What a box keeps of the image, before it is brought to its final size: a cut for `cover`, else all of it. */
export function keptSize(decoded: Size, box: Box): Size {
  if (box.fit !== 'cover') return scaled(decoded, Math.min(1, scaleTo(decoded, box)));
  return scaled(box, Math.min(1, decoded.width / box.width, decoded.height / box.height));
}

/** The size of the picture within a variant, computed from the upright source so that rounding never adds up. */
export function pictureSize(source: Size, box: Box): Size {
  if (box.fit === 'cover' || box.fit === 'fill') return { width: box.width, height: box.height };
  const scale = scaleTo(source, box);
  const size = scaled(source, box.fit === 'inside' ? Math.min(1, scale) : scale);
  return { width: Math.min(size.width, box.width), height: Math.min(size.height, box.height) };
}

/** How to cut `kept` around a point: scale to `resized`, then take what lies at `left` and `top`. */
export function focalCut(
  decoded: Size,
  kept: Size,
  focal: { readonly x: number; readonly y: number },
): { readonly resized: Size; readonly left: number; readonly top: number } {
  const scale = Math.max(kept.width / decoded.width, kept.height / decoded.height);
  const { width, height } = scaled(decoded, scale);
  const resized = { width: Math.max(width, kept.width), height: Math.max(height, kept.height) };
  const start = (middle: number, side: number, room: number): number => {
    return Math.min(room, Math.max(0, Math.round(middle - side / 2)));
  };
  return {
    resized,
    left: start(focal.x * resized.width, kept.width, resized.width - kept.width),
    top: start(focal.y * resized.height, kept.height, resized.height - kept.height),
  };
}

function scaleTo(source: Size, box: Box): number {
  const [across, down] = [box.width / source.width, box.height / source.height];
  return box.fit === 'cover' || box.fit === 'fill' ? Math.max(across, down) : Math.min(across, down);
}

function scaled(size: Size, scale: number): Size {
  return { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) };
}

/**
 * Lays one picture over another: as large as its preset says, at its place, as opaque as it may be. It decodes the watermark
 * like any file of a stranger. Invariant: what is laid over lies within the variant.
 */
import type { OverlayOptions } from 'sharp';
import { openImage } from './decoder.ts';
import type { Size } from './geometry.ts';
import { WatermarkError } from './image-error.ts';
import type { Deadline } from './pixels.ts';
import type { Watermark } from './presets.ts';

const pixelsMax = 16_000_000;
/** Between a watermark in a corner and the edges, of the shorter side. */
const marginShare = 0.03;

/** What sharp composites on a variant of that size. @throws WatermarkError for what is no picture */
export async function overlay(
  watermark: Buffer,
  variant: Size,
  { position, opacity, scale }: Watermark,
  deadline: Deadline,
): Promise<OverlayOptions> {
  const side = (whole: number): number => Math.max(1, Math.round(whole * scale));
  const { data, width, height, channels } = await openImage(watermark, { pixelsMax }, { autoOrient: true })
    .timeout(deadline.left())
    .resize({ width: side(variant.width), height: side(variant.height), fit: 'inside' })
    .ensureAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .then(({ data: pixels, info }) => ({ data: pixels, ...info }))
    .catch((cause: unknown) => {
      throw new WatermarkError('the watermark is no picture that can be shown', { cause });
    });
  for (let at = 3; at < data.length; at += channels) data[at] = Math.round((data[at] ?? 0) * opacity);
  return { input: data, raw: { width, height, channels }, ...placeOf(variant, { width, height }, position) };
}

function placeOf(variant: Size, mark: Size, position: Watermark['position']): { left: number; top: number } {
  const margin = Math.round(Math.min(variant.width, variant.height) * marginShare);
  const along = (room: number, isStart: boolean, isEnd: boolean): number => {
    const kept = Math.min(margin, Math.floor(room / 2));
    return isStart ? kept : isEnd ? room - kept : Math.floor(room / 2);
  };
  return {
    left: along(variant.width - mark.width, position.endsWith('west'), position.endsWith('east')),
    top: along(variant.height - mark.height, position.startsWith('north'), position.startsWith('south')),
  };
}

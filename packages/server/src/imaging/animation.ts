/**
 * Keeps an animation where a preset asks for it and it is bounded: all frames, brought to the box, as WebP. It chooses the
 * middle, since what draws the eye moves. Invariant: frames and pixels are counted by the header before any is decoded.
 */
import { type ImageSource, openImage } from './decoder.ts';
import { type Box, pictureSize } from './geometry.ts';
import type { Deadline } from './pixels.ts';
import type { VariantPreset } from './presets.ts';
import type { OpenedSource } from './sources/opened-source.ts';

const framesMax = 256;
/** Of all frames together, of the file and of the variant. */
const pixelsMax = 50_000_000;

/** Whether a variant of the file is to move. */
export function isMoving(opened: OpenedSource, preset: VariantPreset, box: Box): boolean {
  const { pages, size, format } = opened;
  const variant = pictureSize(size, box);
  return (
    preset.animated === true &&
    preset.format === 'webp' &&
    preset.watermark === undefined &&
    (format === 'gif' || format === 'webp') &&
    pages > 1 &&
    pages <= framesMax &&
    pages * size.width * size.height <= pixelsMax &&
    pages * variant.width * variant.height <= pixelsMax
  );
}

/** Renders all frames. */
export async function moving(
  source: ImageSource,
  preset: VariantPreset,
  box: Box,
  deadline: Deadline,
): Promise<{ readonly data: Buffer; readonly width: number; readonly height: number }> {
  const background = preset.background === 'transparent' ? { r: 0, g: 0, b: 0, alpha: 0 } : preset.background;
  const image = openImage(source, { pixelsMax }, { animated: true, failOn: 'error' })
    .timeout(deadline.left())
    .resize({
      width: box.width,
      height: box.height,
      fit: box.fit,
      background,
      withoutEnlargement: box.fit === 'inside',
    });
  const { data, info } = await (preset.background === 'transparent' ? image : image.flatten({ background }))
    .toColourspace('srgb')
    .webp({ quality: preset.quality, effort: 2 })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.pageHeight ?? info.height };
}

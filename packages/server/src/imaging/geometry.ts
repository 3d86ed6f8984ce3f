/**
 * Computes the sizes that an image passes through on its way to its variants. Pure arithmetic: it sees no
 * pixels. Invariant: no step holds more pixels than `intermediatePixelsMax` or enlarges before it has cut, so
 * a strip of 16 by 17,000 pixels costs no more than a photograph.
 */
import type { VariantPreset } from './presets.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** 48 MB as RGB; only an image more than 30 times as long as wide has to lose sharpness for it. */
export const intermediatePixelsMax = 16_000_000;

/** The size to decode to: the smallest that is enough for every preset, never more than the source. */
export function decodedSize(source: Size, presets: readonly VariantPreset[]): Size {
  const enough = Math.max(...presets.map((preset) => scaleTo(source, preset)));
  const affordable = Math.sqrt(intermediatePixelsMax / (source.width * source.height));
  return scaled(source, Math.min(1, enough, affordable));
}

/** What a preset keeps of the image, before it is brought to its final size: a cut for `cover`, else all of it. */
export function keptSize(decoded: Size, preset: VariantPreset): Size {
  if (preset.fit !== 'cover') return scaled(decoded, Math.min(1, scaleTo(decoded, preset)));
  return scaled(preset, Math.min(1, decoded.width / preset.width, decoded.height / preset.height));
}

/** The size of the picture within a variant, computed from the upright source so that rounding never adds up. */
export function pictureSize(source: Size, preset: VariantPreset): Size {
  if (preset.fit === 'cover') return { width: preset.width, height: preset.height };
  const scale = scaleTo(source, preset);
  const size = scaled(source, preset.fit === 'inside' ? Math.min(1, scale) : scale);
  return { width: Math.min(size.width, preset.width), height: Math.min(size.height, preset.height) };
}

function scaleTo(source: Size, preset: VariantPreset): number {
  const [across, down] = [preset.width / source.width, preset.height / source.height];
  return preset.fit === 'cover' ? Math.max(across, down) : Math.min(across, down);
}

function scaled(size: Size, scale: number): Size {
  return { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) };
}

/**
 * Answers all that a decoder may be asked for: variants that are drawn, and copies of the file that are stripped. It decodes
 * and strips nothing itself. Invariant: what comes back is in the order of the presets.
 */
import assert from 'node:assert/strict';
import type { AskedPreset, VariantPreset } from './presets.ts';
import { type RenderedImage, type RenderedVariant, type RenderOptions, renderVariants } from './render.ts';
import { stripMetadata } from './strip/strip-metadata.ts';

/** Renders a file. @throws ImageError */
export async function renderAsked(
  file: Buffer,
  presets: readonly AskedPreset[],
  options: RenderOptions,
): Promise<RenderedImage> {
  const image = await renderVariants(file, presets.filter(isDrawn), options);
  const drawn = image.variants.values();
  const variants = presets.map((preset): RenderedVariant => {
    if (!isDrawn(preset)) return strippedOf(file, preset.name, image.source);
    const { value } = drawn.next();
    assert.ok(value !== undefined);
    return value;
  });
  return { ...image, variants };
}

function isDrawn(preset: AskedPreset): preset is VariantPreset {
  return preset.format !== 'stripped';
}

function strippedOf(file: Buffer, preset: string, { width, height }: RenderedImage['source']): RenderedVariant {
  const { data, content_type } = stripMetadata(file);
  return { preset, data, width, height, content_type, size: data.length };
}

/**
 * What a variant is to look like, as data: the same in rows, in the messages to a decoder process and in JSON. It renders
 * nothing and knows no database. Invariant: two presets that make the same bytes of the same image have one digest,
 * whatever they are called.
 */
import { createHash } from 'node:crypto';

export type VariantFit = 'cover' | 'contain' | 'inside' | 'fill';
export type VariantFormat = 'jpeg' | 'png' | 'webp' | 'avif';

export interface Watermark {
  readonly position: 'centre' | 'northwest' | 'northeast' | 'southwest' | 'southeast';
  /** Above 0, up to 1. */
  readonly opacity: number;
  /** Of the variant's sides, above 0, up to 1: the watermark fits into that box. */
  readonly scale: number;
}

export interface VariantPreset {
  /** `[a-z0-9_-]`: part of keys, rows and URLs. */
  readonly name: string;
  /** Of the box, in pixels, 1 to 4096. The side that is null follows from the image; both: as large as it is, to 4096. */
  readonly width: number | null;
  readonly height: number | null;
  /**
   * - `cover`: fills the box exactly; what sticks out is cut off
   * - `contain`: exactly the box; what the picture leaves free is background
   * - `inside`: fits into the box, keeps its aspect ratio, is never enlarged
   * - `fill`: exactly the box, stretched
   */
  readonly fit: VariantFit;
  /** What `cover` keeps: what draws the eye, where most happens, the middle, or what is around the focal point. */
  readonly position: 'attention' | 'entropy' | 'centre' | 'focal';
  /** Of the upright picture, 0 to 1 from its left and from its top; with `focal` only. */
  readonly focal_x?: number;
  readonly focal_y?: number;
  readonly format: VariantFormat;
  /** 1 to 100; PNG has none and ignores it. */
  readonly quality: number;
  /** `#rrggbb`, or `transparent` in formats that can; a JPEG takes white for it. */
  readonly background: string;
  /** Keep an animation, in WebP: of the middle, without watermark, and still where it has too many frames or pixels. */
  readonly animated?: boolean;
  /** Lays the picture that travels beside the file over the variant. */
  readonly watermark?: Watermark;
  /** How a page of a document is fitted, and in which format it is drawn, if not as a picture. */
  readonly document_fit?: VariantFit;
  readonly document_format?: VariantFormat;
}

/** What a preset asks of a document or of a picture, as if there were nothing else. */
export function presetFor(preset: VariantPreset, isDocument: boolean): VariantPreset {
  const { document_fit, document_format, ...picture } = preset;
  if (!isDocument) return picture;
  return { ...picture, fit: document_fit ?? preset.fit, format: document_format ?? preset.format };
}

/** A copy of the file itself without what it says beside its pixels; of the other properties none counts. */
export interface StrippedPreset extends Omit<VariantPreset, 'format'> {
  readonly format: 'stripped';
}

/** What a decoder may be asked for. */
export type AskedPreset = VariantPreset | StrippedPreset;

/** The longest side of any variant. */
export const variantSideMax = 4096;

/** What all shipped presets have in common. */
const shipped = { format: 'jpeg', background: '#ffffff' } as const;
const drawing = { ...shipped, fit: 'cover', position: 'attention', document_fit: 'inside' } as const;
const letterboxed = { ...shipped, fit: 'contain', position: 'centre', document_format: 'png' } as const;

/** Sizes of requirements R55; fit, position and quality of R56, C4 and C5. The set `default`. */
export const variantPresets: readonly VariantPreset[] = [
  { name: 'small', width: 150, height: 150, quality: 75, ...drawing },
  { name: 'medium', width: 400, height: 400, quality: 80, ...drawing },
  { name: 'large', width: 800, height: 800, quality: 85, ...drawing },
];

/** What deployed civic-os systems have: the same boxes, letterboxed on white, with their qualities, pages as PNG (C4, C5, C16). */
export const civicOsPresets: readonly VariantPreset[] = [
  { name: 'small', width: 150, height: 150, quality: 80, ...letterboxed },
  { name: 'medium', width: 400, height: 400, quality: 85, ...letterboxed },
  { name: 'large', width: 800, height: 800, quality: 90, ...letterboxed },
];

/**
 * Returns the SHA-256, in hex, of everything about a preset that can change a variant's bytes; its name is no such thing.
 *
 * `watermark` says which picture is laid over, in the caller's words (an id of its bytes), and counts only where the preset
 * has one.
 */
export function presetDigest(preset: AskedPreset, watermark = ''): string {
  if (preset.format === 'stripped') return createHash('sha256').update('stripped 1').digest('hex');
  const { position, fit } = preset;
  const isCut = fit === 'cover' || preset.document_fit === 'cover';
  const pages = preset.document_format ?? preset.format;
  const canonical = [
    ['width', preset.width],
    ['height', preset.height],
    ['fit', fit],
    ['position', isCut ? position : null],
    ['focal', isCut && position === 'focal' ? [preset.focal_x ?? 0.5, preset.focal_y ?? 0.5] : null],
    ['format', preset.format],
    ['quality', preset.format === 'png' && pages === 'png' ? null : preset.quality],
    ['background', preset.background],
    ['animated', preset.animated === true && preset.format === 'webp'],
    ['watermark', preset.watermark === undefined ? null : [...watermarkOf(preset.watermark), watermark]],
    ['document_fit', preset.document_fit ?? fit],
    ...(pages === preset.format ? [] : [['document_format', pages]]),
  ];
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex');
}

function watermarkOf({ position, opacity, scale }: Watermark): readonly (string | number)[] {
  return [position, opacity, scale];
}

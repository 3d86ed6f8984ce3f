/**
 * The variants that are made of images, as data. It renders nothing; adding a variant is adding an entry.
 * Invariant: names are unique and go into keys and rows, so an entry that was released is never renamed.
 */

export interface VariantPreset {
  /** `[a-z0-9_-]`: part of keys, rows and URLs. */
  readonly name: string;
  /** Of the box, in pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * - `cover`: fills the box exactly; what sticks out is cut off
   * - `contain`: exactly the box; what the picture leaves free is white
   * - `inside`: fits into the box, keeps its aspect ratio, is never enlarged
   */
  readonly fit: 'cover' | 'contain' | 'inside';
  /** What `cover` keeps: `attention` is the part that draws the eye (libvips' smart crop). */
  readonly position: 'attention' | 'centre';
  readonly format: 'jpeg' | 'png' | 'webp';
  /** 1 to 100; PNG has none and ignores it. */
  readonly quality: number;
}

/** Sizes of requirements R55; fit, position and quality of R56, C4 and C5. */
export const variantPresets: readonly VariantPreset[] = [
  { name: 'small', width: 150, height: 150, fit: 'cover', position: 'attention', format: 'jpeg', quality: 75 },
  { name: 'medium', width: 400, height: 400, fit: 'cover', position: 'attention', format: 'jpeg', quality: 80 },
  { name: 'large', width: 800, height: 800, fit: 'cover', position: 'attention', format: 'jpeg', quality: 85 },
];

/** What deployed civic-os systems have: the same boxes, letterboxed on white, with their qualities (C4, C5). */
export const civicOsPresets: readonly VariantPreset[] = [
  { name: 'small', width: 150, height: 150, fit: 'contain', position: 'centre', format: 'jpeg', quality: 80 },
  { name: 'medium', width: 400, height: 400, fit: 'contain', position: 'centre', format: 'jpeg', quality: 85 },
  { name: 'large', width: 800, height: 800, fit: 'contain', position: 'centre', format: 'jpeg', quality: 90 },
];

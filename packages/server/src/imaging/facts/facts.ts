/**
 * What is worth knowing of an image beside its pixels, as data: when and with what it was taken, where, who says so, what
 * it looks like in a few bytes. It finds no container and no pixels, which its caller has, and stores nothing. Invariant:
 * whatever the blocks hold it returns, throws nothing, and every text is valid Unicode without control characters and
 * every number within the range that is said here.
 */
import { type ExifFacts, noExif, readExif } from './exif.ts';
import { firstText, noTexts, type TextFacts } from './fact-text.ts';
import { readIptc } from './iptc.ts';
import { lookOf, type PixelFacts, type SmallPixels } from './looks.ts';
import { type ImageLocation, unknownPosition } from './position.ts';
import { readXmp } from './xmp.ts';

/** Everything that is known. Plain data, which survives JSON. */
export interface ImageFacts extends PixelFacts {
  /** EXIF's 1 to 8; 1 where it says nothing. The image's width and height are those after it was applied. */
  readonly orientation: number;
  /** What the camera's clock showed: `2024-05-17T10:11:12.345`. */
  readonly taken_at_local: string | null;
  /** The instant, with its offset, where the offset is known: `2024-05-17T10:11:12.345+02:00`. */
  readonly taken_at: string | null;
  readonly camera_make: string | null;
  readonly camera_model: string | null;
  readonly lens_model: string | null;
  readonly title: string | null;
  readonly caption: string | null;
  readonly creator: string | null;
  readonly copyright: string | null;
  readonly keywords: readonly string[];
  readonly location: ImageLocation;
}

/** What a decoder has in its hands once it has decoded an image. */
export interface FactSources {
  /** The block that begins with `Exif\0\0` or a TIFF header, or has one within its first bytes (HEIC). */
  readonly exif?: Uint8Array | undefined;
  readonly xmp?: Uint8Array | undefined;
  /** IPTC datasets, or Photoshop's resources that hold them. */
  readonly iptc?: Uint8Array | undefined;
  /** What the decoder found; its orientation is what was applied. */
  readonly metadata?: { readonly orientation?: number | undefined } | undefined;
  /** The whole picture, upright, sRGB of 8 bits, best of 256 pixels in its longer side; undefined where there are none. */
  readonly pixels?: SmallPixels | undefined;
}

/**
 * Reads all that is known of an image. About a millisecond for a photograph; what a block says is cut to bounds, so a
 * hostile one costs little more.
 */
export function readFacts({ exif, xmp, iptc, metadata, pixels }: FactSources): ImageFacts {
  const camera: ExifFacts = exif === undefined ? noExif : readExif(exif);
  const packet = xmp === undefined ? undefined : readXmp(xmp);
  const captions: TextFacts = iptc === undefined ? noTexts : readIptc(iptc);
  const texts = packet?.texts ?? noTexts;
  const taken = camera.taken_at_local === null && packet !== undefined ? packet : camera;
  return {
    orientation: orientationOf(metadata?.orientation ?? camera.orientation),
    taken_at_local: taken.taken_at_local,
    taken_at: taken.taken_at,
    camera_make: camera.camera_make,
    camera_model: camera.camera_model,
    lens_model: camera.lens_model,
    title: firstText(texts.title, captions.title),
    caption: firstText(texts.caption, captions.caption, camera.caption),
    creator: firstText(texts.creator, captions.creator, camera.creator),
    copyright: firstText(texts.copyright, captions.copyright, camera.copyright),
    keywords: texts.keywords.length > 0 ? texts.keywords : captions.keywords,
    location: camera.location.state === 'none' ? (packet?.location ?? unknownPosition('none')) : camera.location,
    ...lookOf(pixels),
  };
}

function orientationOf(value: number): number {
  return Number.isInteger(value) && value >= 1 && value <= 8 ? value : 1;
}

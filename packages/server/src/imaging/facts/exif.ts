/**
 * Reads from an EXIF block what columns are made of: orientation, time, camera, position, captions. It reads no maker
 * notes and no thumbnail. Invariant: a value that cannot be true is null, never a guess, and a position has both of its
 * numbers or none.
 */
import { captionCharsMax, wordsCharsMax, wordsOf } from './fact-text.ts';
import { type ImageLocation, positionOf, unknownPosition } from './position.ts';
import { type Taken, takenAt } from './taken-at.ts';
import { TiffBlock, type TiffTags, textBytes } from './tiff-tags.ts';

export interface ExifFacts extends Taken {
  /** 1 to 8; 1 where it says nothing or nonsense. */
  readonly orientation: number;
  readonly camera_make: string | null;
  readonly camera_model: string | null;
  readonly lens_model: string | null;
  readonly caption: string | null;
  readonly creator: string | null;
  readonly copyright: string | null;
  readonly location: ImageLocation;
}

export const noExif: ExifFacts = {
  orientation: 1,
  taken_at: null,
  taken_at_local: null,
  camera_make: null,
  camera_model: null,
  lens_model: null,
  caption: null,
  creator: null,
  copyright: null,
  location: unknownPosition('none'),
};

/** Numbers of tags: EXIF 2.32, tables 4, 7 and 15 of CIPA DC-008. */
const tag = {
  imageDescription: 0x010e,
  make: 0x010f,
  model: 0x0110,
  orientation: 0x0112,
  artist: 0x013b,
  copyright: 0x8298,
  photo: 0x8769,
  gps: 0x8825,
  original: 0x9003,
  digitized: 0x9004,
  offsetOriginal: 0x9011,
  offsetDigitized: 0x9012,
  subSecondsOriginal: 0x9291,
  subSecondsDigitized: 0x9292,
  lensModel: 0xa434,
  latitudeRef: 1,
  latitude: 2,
  longitudeRef: 3,
  longitude: 4,
  altitudeRef: 5,
  altitude: 6,
  status: 9,
  accuracy: 31,
} as const;

/** Reads a block; one without a TIFF header says nothing. */
export function readExif(block: Uint8Array): ExifFacts {
  const tiff = TiffBlock.find(block);
  if (tiff === undefined) return noExif;
  const image = tiff.first();
  const photo = pointedAt(tiff, image, tag.photo);
  const gps = pointedAt(tiff, image, tag.gps);
  const orientation = tiff.integer(image.get(tag.orientation)) ?? 1;
  return {
    ...takenIn(photo),
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
    camera_make: words(image, tag.make),
    camera_model: words(image, tag.model),
    lens_model: words(photo, tag.lensModel),
    caption: words(image, tag.imageDescription, captionCharsMax),
    creator: words(image, tag.artist),
    copyright: words(image, tag.copyright),
    location: locationIn(tiff, gps),
  };
}

function pointedAt(tiff: TiffBlock, tags: TiffTags, pointer: number): TiffTags {
  return tiff.directory(tiff.integer(tags.get(pointer)) ?? 0);
}

function words(tags: TiffTags, wanted: number, charsMax: number = wordsCharsMax): string | null {
  const bytes = textBytes(tags.get(wanted));
  return bytes === undefined ? null : wordsOf(bytes, charsMax);
}

/** When the shutter opened, else when the picture became digital. */
function takenIn(photo: TiffTags): Taken {
  const original = takenAt(
    words(photo, tag.original),
    words(photo, tag.subSecondsOriginal),
    words(photo, tag.offsetOriginal),
  );
  if (original.taken_at_local !== null) return original;
  return takenAt(words(photo, tag.digitized), words(photo, tag.subSecondsDigitized), words(photo, tag.offsetDigitized));
}

function locationIn(tiff: TiffBlock, gps: TiffTags): ImageLocation {
  const across = gps.get(tag.longitude);
  const up = gps.get(tag.latitude);
  if (across === undefined && up === undefined) return unknownPosition('none');
  // `V`: the receiver had lost its satellites.
  if (words(gps, tag.status) === 'V') return unknownPosition('invalid');
  const isBelowSea = tiff.integer(gps.get(tag.altitudeRef)) === 1;
  const [altitude] = tiff.rationals(gps.get(tag.altitude), 1) ?? [];
  return positionOf({
    latitude: { ref: words(gps, tag.latitudeRef), degrees: tiff.rationals(up, 3) },
    longitude: { ref: words(gps, tag.longitudeRef), degrees: tiff.rationals(across, 3) },
    altitude: altitude === undefined || !isBelowSea ? altitude : -altitude,
    accuracy: tiff.rationals(gps.get(tag.accuracy), 1)?.[0],
  });
}

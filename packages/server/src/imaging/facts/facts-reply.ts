/**
 * Checks what a decoder process says that it found in an image, before anybody believes it: an enemy may have written it.
 * Invariant: what passes is an ImageFacts whose every value is within the bounds that the database checks again.
 */
import { captionCharsMax, clean, keywordsMax, wordsCharsMax } from './fact-text.ts';
import type { ImageFacts } from './facts.ts';
import { type ImageLocation, unknownPosition } from './position.ts';

type Fields = Readonly<Record<string, unknown>>;

const localPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$/;
const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d:\d\d$/;

/**
 * Reads the facts of a reply.
 *
 * @throws TypeError for what is none
 */
export function readFactsReply(value: unknown): ImageFacts {
  const fields = fieldsOf(value);
  const words = (name: string, charsMax: number = wordsCharsMax): string | null => text(fields[name], charsMax);
  return {
    orientation: number(fields['orientation'], 1, 8) ?? 1,
    taken_at_local: matching(fields['taken_at_local'], localPattern),
    taken_at: matching(fields['taken_at'], instantPattern),
    camera_make: words('camera_make'),
    camera_model: words('camera_model'),
    lens_model: words('lens_model'),
    title: words('title'),
    caption: words('caption', captionCharsMax),
    creator: words('creator'),
    copyright: words('copyright'),
    keywords: keywordsOf(fields['keywords']),
    location: locationOf(fieldsOf(fields['location'])),
    thumbhash: matching(fields['thumbhash'], /^[A-Za-z0-9+/]{4,56}={0,2}$/),
    dominant_colour: matching(fields['dominant_colour'], /^#[0-9a-f]{6}$/),
    dhash: matching(fields['dhash'], /^[0-9a-f]{16}$/),
    sharpness: number(fields['sharpness'], 0, 1),
    brightness: number(fields['brightness'], 0, 1),
    contrast: number(fields['contrast'], 0, 1),
    shadows: number(fields['shadows'], 0, 1),
    highlights: number(fields['highlights'], 0, 1),
  };
}

function locationOf(fields: Fields): ImageLocation {
  const { state } = fields;
  if (state === 'none' || state === 'invalid') return unknownPosition(state);
  const [latitude, longitude] = [number(fields['latitude'], -90, 90), number(fields['longitude'], -180, 180)];
  if (state !== 'found' || latitude === null || longitude === null) throw new TypeError('not a location');
  return {
    state,
    latitude,
    longitude,
    altitude: number(fields['altitude'], -12_000, 100_000),
    accuracy: number(fields['accuracy'], 0, 1_000_000),
  };
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not facts');
  return value as Fields;
}

function text(value: unknown, charsMax: number): string | null {
  if (value === null) return null;
  // What was clean stays as it is, so anything else was not made by us.
  if (typeof value !== 'string' || clean(value, charsMax) !== value) throw new TypeError('not a clean text');
  return value;
}

function keywordsOf(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > keywordsMax) throw new TypeError('not keywords');
  return value.map((each: unknown) => text(each, wordsCharsMax) ?? '');
}

function matching(value: unknown, pattern: RegExp): string | null {
  if (value === null) return null;
  if (typeof value !== 'string' || !pattern.test(value)) throw new TypeError('not a fact of an image');
  return value;
}

function number(value: unknown, min: number, max: number): number | null {
  if (value === null) return null;
  if (typeof value !== 'number' || !(value >= min && value <= max)) throw new TypeError('not a number of an image');
  return value;
}

/**
 * Reads captions, time and position of an XMP packet. It is no XML parser: it looks for a few properties by the names that
 * all writers give them, resolves no entity but XML's own five and numbers, and follows nothing. Invariant: its time grows
 * with the packet's length only, of which no more than half a mebibyte is looked at.
 */
import { captionCharsMax, clean, keywordsMax, type TextFacts, wordsCharsMax } from './fact-text.ts';
import { type ImageLocation, positionOf, unknownPosition, type WrittenAngle } from './position.ts';
import { neverTaken, type Taken, takenAtIso } from './taken-at.ts';

export interface XmpFacts extends Taken {
  readonly texts: TextFacts;
  readonly location: ImageLocation;
}

const packetBytesMax = 2 ** 19;
const utf8 = new TextDecoder('utf-8');
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Reads a packet; what is not found is null. */
export function readXmp(packet: Uint8Array): XmpFacts {
  const xml = utf8.decode(packet.subarray(0, packetBytesMax));
  return {
    ...timeIn(xml),
    texts: {
      title: word(xml, 'dc:title'),
      caption: word(xml, 'dc:description', captionCharsMax),
      creator: word(xml, 'dc:creator'),
      copyright: word(xml, 'dc:rights'),
      keywords: items(element(xml, 'dc:subject') ?? '', keywordsMax)
        .map((text) => clean(text, wordsCharsMax))
        .filter((text) => text !== null),
    },
    location: locationIn(xml),
  };
}

function timeIn(xml: string): Taken {
  // `xap` is what Adobe called it first, and the same namespace.
  for (const name of ['exif:DateTimeOriginal', 'photoshop:DateCreated', 'xmp:CreateDate', 'xap:CreateDate']) {
    const taken = takenAtIso(word(xml, name) ?? '');
    if (taken.taken_at_local !== null) return taken;
  }
  return neverTaken;
}

function locationIn(xml: string): ImageLocation {
  const [latitude, longitude] = [word(xml, 'exif:GPSLatitude'), word(xml, 'exif:GPSLongitude')];
  if (latitude === null && longitude === null) return unknownPosition('none');
  const altitude = fraction(word(xml, 'exif:GPSAltitude'));
  const isBelowSea = word(xml, 'exif:GPSAltitudeRef') === '1';
  return positionOf({
    latitude: angle(latitude),
    longitude: angle(longitude),
    altitude: altitude === undefined || !isBelowSea ? altitude : -altitude,
    accuracy: fraction(word(xml, 'exif:GPSHPositioningError')),
  });
}

/** `51,30.5N` or `51,30,30N` (XMP specification, part 2, section 1.2.7.4). */
function angle(text: string | null): WrittenAngle {
  const match = /^(\d{1,3}),(\d{1,2}(?:\.\d{1,12})?)(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])$/.exec(text ?? '');
  if (match === null) return { ref: null, degrees: undefined };
  return { ref: match[4] ?? null, degrees: [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] };
}

function fraction(text: string | null): number | undefined {
  const match = /^(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]) / Number(match[2] ?? 1);
}

/** A property's value: of a list its first item, else an element's or an attribute's text. */
function word(xml: string, name: string, charsMax: number = wordsCharsMax): string | null {
  const inside = element(xml, name);
  const text = inside === undefined ? attribute(xml, name) : (items(inside, 1)[0] ?? textOf(inside));
  return text === undefined ? null : clean(text, charsMax);
}

/** What stands between the tags of the first element of this name. */
function element(xml: string, name: string): string | undefined {
  const opening = `<${name}`;
  let at = xml.indexOf(opening);
  while (at !== -1 && !isNameEnd(xml, at + opening.length)) at = xml.indexOf(opening, at + opening.length);
  if (at === -1) return undefined;
  const begin = xml.indexOf('>', at) + 1;
  if (begin === 0 || xml[begin - 2] === '/') return undefined;
  const end = xml.indexOf(`</${name}>`, begin);
  return end === -1 ? undefined : xml.slice(begin, end);
}

function attribute(xml: string, name: string): string | undefined {
  for (const quote of ['"', "'"]) {
    const opening = `${name}=${quote}`;
    const at = xml.indexOf(opening);
    if (at <= 0 || !/\s/.test(xml[at - 1] ?? '')) continue;
    const begin = at + opening.length;
    const end = xml.indexOf(quote, begin);
    if (end !== -1) return resolved(xml.slice(begin, end));
  }
  return undefined;
}

/** The items of a list, at most so many. */
function items(inside: string, countMax: number): string[] {
  const found: string[] = [];
  let at = inside.indexOf('<rdf:li');
  while (at !== -1 && found.length < countMax) {
    const begin = inside.indexOf('>', at) + 1;
    const end = begin === 0 ? -1 : inside.indexOf('</rdf:li>', begin);
    if (end === -1) break;
    found.push(textOf(inside.slice(begin, end)) ?? '');
    at = inside.indexOf('<rdf:li', end);
  }
  return found;
}

function textOf(inside: string): string | undefined {
  const end = inside.indexOf('<');
  return resolved(end === -1 ? inside : inside.slice(0, end));
}

function isNameEnd(xml: string, at: number): boolean {
  return at < xml.length && /[\s/>]/.test(xml[at] ?? '');
}

function resolved(text: string): string {
  const kept = text.slice(0, captionCharsMax * 8);
  return kept.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,4});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return entities[name] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
}

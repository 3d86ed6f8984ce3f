/**
 * Tells by the first bytes of a file which kind of decoder process it is for, so that what parses pages or HEVC is never in
 * the process that parses photographs. It looks at signatures and parses nothing. Invariant: a wrong answer costs the file
 * its picture and nothing else, since every process refuses what is not of its kind.
 */

/**
 * - `picture`: what libvips decodes by its own loaders, and whatever is no file of the other kinds
 * - `heif`: HEIC, and HEIF of a codec that only its inside tells
 * - `svg`, `pdf`
 */
export type SourceKind = 'picture' | 'heif' | 'svg' | 'pdf';

export const sourceKinds: readonly SourceKind[] = ['picture', 'heif', 'svg', 'pdf'];

/** What is looked at. */
export const kindBytes = 1024;

const hevcBrands: readonly string[] = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs'];
const av1Brands: readonly string[] = ['avif', 'avis'];
const anyBrands: readonly string[] = ['mif1', 'msf1'];

/** Returns the kind of a file that begins with these bytes. */
export function sourceKind(file: Uint8Array): SourceKind {
  const text = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, kindBytes)).toString('latin1');
  if (text.slice(4, 8) === 'ftyp') return isHeif(text) ? 'heif' : 'picture';
  if (text.includes('%PDF-')) return 'pdf';
  return isSvg(text) ? 'svg' : 'picture';
}

function isHeif(text: string): boolean {
  const boxBytes = Buffer.from(text.slice(0, 4), 'latin1').readUInt32BE();
  const brands = [text.slice(8, 12)];
  for (let at = 16; at + 4 <= Math.min(boxBytes, text.length); at += 4) brands.push(text.slice(at, at + 4));
  if (brands.some((brand) => hevcBrands.includes(brand))) return true;
  return brands.some((brand) => anyBrands.includes(brand)) && !brands.some((brand) => av1Brands.includes(brand));
}

function isSvg(text: string): boolean {
  const begin = text.replace(/^\u00ef\u00bb\u00bf/, '').trimStart();
  return begin.startsWith('<') && /<svg[\s>:]/.test(begin) && !/^<(!doctype\s+html|html)/i.test(begin);
}

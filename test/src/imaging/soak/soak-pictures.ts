/**
 * The files of an image soak: photographs of 2, 5, 12 and 20 megapixels, and every eighth file something else that people
 * upload. They are made when the soak begins, so that nothing is encoded while memory is measured; HEIC is that of libheif's
 * examples where it was fetched, and else there is none. Invariant: the same mix makes the same files in the same order.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { pdfOfPage } from '../../../../packages/server/dist/imaging/sources/sample-documents.js';

export interface SoakPicture {
  /** What it is, as reports say it: `jpeg 20 MP`. */
  readonly what: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** Width and height of what phones and cameras make. */
const sizes: readonly (readonly [megapixels: number, width: number, height: number])[] = [
  [2, 1632, 1224],
  [5, 2592, 1944],
  [12, 4000, 3000],
  [20, 5472, 3648],
];
/** After so many photographs comes something else. */
const photographsBetween = 7;

/** Makes the files, in the order in which they are uploaded, again and again. `scale` makes them smaller, for a look at the soak itself. */
export async function soakPictures(scale = 1): Promise<readonly SoakPicture[]> {
  const photographs = await Promise.all(sizes.map(async (size) => await photograph(size, scale)));
  const others = await otherPictures(scale);
  return others.flatMap((other, n) => [
    ...Array.from({ length: photographsBetween }, (_, i) => photographs[(n * photographsBetween + i) % sizes.length]),
    other,
  ]) as readonly SoakPicture[];
}

/** Blurred noise, which makes a file as large as a camera's. */
function noise([, width, height]: (typeof sizes)[number], scale: number): Sharp {
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  const grain = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { width: across, height: down, channels: 3, background: 'teal', noise: grain } }).blur(2);
}

async function photograph(size: (typeof sizes)[number], scale: number): Promise<SoakPicture> {
  const bytes = await noise(size, scale).jpeg({ quality: 90 }).toBuffer();
  return { what: `jpeg ${size[0]} MP`, type: 'image/jpeg', bytes };
}

async function otherPictures(scale: number): Promise<readonly SoakPicture[]> {
  const [two, five, twelve] = sizes as [Size, Size, Size, Size];
  const png = await noise(five, scale).png({ compressionLevel: 1 }).toBuffer();
  const progressive = await noise(twelve, scale).jpeg({ quality: 90, progressive: true }).toBuffer();
  const webp = await noise(two, scale).webp({ quality: 85, effort: 0 }).toBuffer();
  const text = 'BT /F 12 Tf 72 700 Td (A letter) Tj ET 0.2 0.4 0.6 rg 72 72 451 500 re f';
  const heic = heicOfOthers();
  return [
    { what: 'png 5 MP', type: 'image/png', bytes: png },
    { what: 'pdf', type: 'application/pdf', bytes: pdfOfPage({ width: 595, height: 842, content: text }) },
    { what: 'progressive jpeg 12 MP', type: 'image/jpeg', bytes: progressive },
    ...(heic === undefined ? [] : [{ what: 'heic', type: 'image/heic', bytes: heic }]),
    { what: 'webp 2 MP', type: 'image/webp', bytes: webp },
  ];
}

type Size = (typeof sizes)[number];

function heicOfOthers(): Buffer | undefined {
  const folder = process.env['ROWLOCK_CORPORA'] ?? join(homedir(), '.cache', 'rowlock', 'corpora');
  try {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const name = names.find((each) => each.endsWith(join('libheif-1.15.1', 'examples', 'example.heic')));
    return name === undefined ? undefined : readFileSync(join(folder, name));
  } catch {
    return undefined; // nothing was fetched
  }
}

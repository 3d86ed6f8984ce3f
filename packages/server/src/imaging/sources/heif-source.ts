/**
 * HEIC as the renderer sees it: libvips reads the container, libheif in WebAssembly decodes the HEVC inside, and the pixels
 * go on with the file's colour profile. What needs no HEVC stays with libvips. Invariant: nothing is decoded whose size by
 * the header is over the limit, and what libheif holds is freed after each file.
 */
import { createRequire } from 'node:module';
import type { Metadata } from 'sharp';
import { formatOf, type ImageLimits, readMetadata } from '../decoder.ts';
import { engineError, ImageError } from '../image-error.ts';
import { type Deadline, fromPixels, type Pixels, packedRgb, rawPixels } from '../pixels.ts';
import { missingShare } from './damage.ts';
import type { OpenedSource } from './opened-source.ts';
import { missingShareMax, openPicture, pictureSource } from './picture-source.ts';
import { plainTiff } from './plain-tiff.ts';

/** As much as its memory allows: it holds the image several times, in planes, as RGBA and as what is handed on. */
const pixelsMax = 50_000_000;
const bytesAPixel = 16;
const boxesMax = 1000;
/** Of the whole file: images of a burst are decoded by number one only, but all of them are listed. */
const imagesMax = 1000;

interface HeifImage {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  display(into: { readonly data: Uint8ClampedArray }, done: (shown: unknown) => void): void;
  free(): void;
}

interface LibHeif {
  readonly HeifDecoder: new () => { decode(file: Uint8Array): HeifImage[]; readonly decoder: unknown };
  readonly heif_context_free: (context: unknown) => void;
}

let loaded: LibHeif | undefined;

function libheif(): LibHeif {
  // It is CommonJS of its own kind, without types, and its memory is that of the process: loaded when it is needed first.
  loaded ??= createRequire(import.meta.url)('libheif-js/wasm-bundle') as LibHeif;
  return loaded;
}

/** Reads the header of a HEIC or HEIF file; throws an ImageError. */
export async function openHeif(file: Buffer, limits: ImageLimits): Promise<OpenedSource> {
  const metadata = await readMetadata(file, limits);
  const format = formatOf(metadata);
  const source = pictureSource(file, limits, format, metadata);
  if (format !== 'heic') return source;
  const { width, height } = source.size;
  if (width * height > Math.min(pixelsMax, limits.pixelsMax ?? pixelsMax)) {
    throw new ImageError('too_large', 'the image has too many pixels');
  }
  return {
    ...source,
    // libheif applies what turns the picture; an EXIF orientation beside it is a remark.
    blocks: { ...source.blocks, orientation: 1 },
    bytesNeeded: (size) => width * height * bytesAPixel + size.width * size.height * 12,
    decode: async (size, background, deadline) => {
      deadline.left();
      const picture = await openPicture(await decoded(file, metadata), limits);
      const { pixels } = await picture.decode(size, background, deadline);
      return { pixels, damaged: await isDamaged(file, pixels, deadline) };
    },
  };
}

/** libheif shows what there is of a file that breaks off, and leaves out the rest without a word. */
async function isDamaged(file: Buffer, pixels: Pixels, deadline: Deadline): Promise<boolean> {
  if (!breaksOff(file)) return false;
  if (missingShare(await rawPixels(fromPixels(pixels, deadline))) > missingShareMax) {
    throw new ImageError('corrupt', 'most of the image is missing');
  }
  return true;
}

/** Whether one of its outermost boxes goes on behind its end. */
function breaksOff(file: Buffer): boolean {
  let at = 0;
  for (let box = 0; box < boxesMax && at + 16 <= file.length; box += 1) {
    const short = file.readUInt32BE(at);
    const length = short === 1 ? Number(file.readBigUInt64BE(at + 8)) : short;
    if (length === 0) return false; // to the end, wherever that is
    if (length < 8) return true;
    at += length;
  }
  return at > file.length;
}

/** The primary image as a TIFF. */
async function decoded(file: Buffer, { icc, hasAlpha }: Metadata): Promise<Buffer> {
  const { HeifDecoder, heif_context_free: freeContext } = libheif();
  const decoder = new HeifDecoder();
  return await quietly(async () => {
    const images = decoder.decode(file);
    try {
      const image = images.slice(0, imagesMax).find((each) => each.is_primary()) ?? images[0];
      if (image === undefined) throw new ImageError('corrupt', 'the image is damaged');
      return await displayed(image, icc, hasAlpha);
    } finally {
      for (const image of images) image.free();
      freeContext(decoder.decoder);
    }
  }).catch((error: unknown) => {
    throw engineError(error);
  });
}

async function displayed(image: HeifImage, icc: Buffer | undefined, hasAlpha: boolean): Promise<Buffer> {
  const [width, height] = [image.get_width(), image.get_height()];
  if (!(width > 0 && height > 0 && width * height <= pixelsMax))
    throw new ImageError('corrupt', 'the image is damaged');
  const rgba = new Uint8ClampedArray(width * height * 4);
  const shown = await new Promise((resolve) => image.display({ data: rgba }, resolve));
  if (shown === null) throw new ImageError('corrupt', 'the image is damaged');
  const data = Buffer.from(rgba.buffer);
  if (hasAlpha) return plainTiff({ data, width, height, channels: 4 }, icc);
  return plainTiff({ data: packedRgb(data), width, height, channels: 3 }, icc);
}

/** libheif-js tells the console what it could not decode; whoever waits is told by an error. */
async function quietly<Result>(work: () => Promise<Result>): Promise<Result> {
  const told = globalThis.console;
  const { log } = told;
  told.log = () => undefined;
  try {
    return await work();
  } finally {
    told.log = log;
  }
}

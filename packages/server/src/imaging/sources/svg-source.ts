/**
 * SVG as the renderer sees it: drawn by librsvg at the size that is needed. Nothing outside of the file is ever read: it is
 * given as bytes without an address, so that references have nowhere to go. Invariant: what declares entities, or is
 * larger than drawings are, is refused before any parser sees it.
 */
import type { ImageLimits } from '../decoder.ts';
import { allowDrawings, openImage } from '../decoder.ts';
import type { Size } from '../geometry.ts';
import { ImageError, imageError } from '../image-error.ts';
import { rawPixels } from '../pixels.ts';
import { variantSideMax } from '../presets.ts';
import type { OpenedSource } from './opened-source.ts';
import { drawnElements } from './svg-expansion.ts';

const bytesMax = 8 * 2 ** 20;
/** Beginnings and ends of elements, each of which takes some hundred bytes of memory and more. */
const tagsMax = 200_000;
/** Pixels an inch that an SVG's own units are measured in. */
const ownDensity = 72;
const densityMax = 100_000;

/** Reads the size of a drawing; throws an ImageError. */
export async function openSvg(file: Buffer, limits: ImageLimits): Promise<OpenedSource> {
  if (file.length > bytesMax)
    throw new ImageError('too_large', `drawings over ${bytesMax / 2 ** 20} MiB are not shown`);
  const text = file.toString('latin1');
  if (/<!ENTITY/i.test(text)) throw new ImageError('unsafe', 'drawings that declare entities are not shown');
  if (tagsOf(text) > tagsMax || drawnElements(text) > tagsMax) {
    throw new ImageError('too_large', `drawings of more than ${tagsMax} elements are not shown`);
  }
  allowDrawings();
  const told = await sizeOf(file);
  // A drawing has no pixels: an icon of 16 by 16 is as good at any size.
  const enlarged = Math.max(1, variantSideMax / Math.max(told.width, told.height));
  const size = { width: told.width * enlarged, height: told.height * enlarged };
  return {
    format: 'svg',
    told,
    size,
    pages: 1,
    bytesNeeded: ({ width, height }) => width * height * 16,
    blocks: {},
    decode: async (wanted, background, deadline) => {
      const density = Math.max(1, ownDensity * Math.max(wanted.width / told.width, wanted.height / told.height));
      try {
        const image = openImage(file, limits, { density: Math.min(densityMax, density), failOn: 'warning' })
          .timeout(deadline.left())
          .resize({ ...wanted, fit: 'fill' });
        return {
          pixels: await rawPixels(background === undefined ? image : image.flatten({ background })),
          damaged: false,
        };
      } catch (error) {
        throw imageError(error);
      }
    },
  };
}

function tagsOf(text: string): number {
  let tags = 0;
  for (let at = text.indexOf('<'); at >= 0 && tags <= tagsMax; at = text.indexOf('<', at + 1)) tags += 1;
  return tags;
}

/** Of any size by its header, since it is drawn at another. */
async function sizeOf(file: Buffer): Promise<Size> {
  try {
    const { format, width, height } = await openImage(file, { pixelsMax: 2 ** 52 }).metadata();
    if (format !== 'svg') throw new ImageError('corrupt', 'the image is damaged');
    return { width, height };
  } catch (error) {
    const failure = imageError(error);
    if (failure instanceof ImageError && failure.reason === 'unsupported') {
      throw new ImageError('corrupt', 'the image is damaged', { cause: error });
    }
    throw failure;
  }
}

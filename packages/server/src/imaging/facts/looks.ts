/**
 * What a picture looks like in a few bytes: a placeholder, its main colour, a hash by which near duplicates are found, and
 * how sharp and how light it is. It decodes nothing. Invariant: the same pixels give the same answer, and pixels are read
 * twice at most, since all but the first step works on a reduced copy.
 */
import { rgbaToThumbHash } from 'thumbhash';

/** Raw pixels of 8 bits; two channels are grey and alpha. */
export interface SmallPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

export interface PixelFacts {
  /** A placeholder of at most 40 bytes, in base64 (thumbhash). */
  readonly thumbhash: string | null;
  /** The colour of most of the picture: `#c83232`. */
  readonly dominant_colour: string | null;
  /** 64 bits, as 16 hexadecimal digits; null for a picture without structure, which would be like any other. */
  readonly dhash: string | null;
  /** Variance of the Laplacian of the picture at 256 pixels, 0 to 1; a photograph below 0.001 is blurred. */
  readonly sharpness: number | null;
  /** Mean of the lightness, 0 to 1. */
  readonly brightness: number | null;
  /** Standard deviation of the lightness, 0 to 0.5. */
  readonly contrast: number | null;
  /** Shares of pixels that are all but black, and all but white. */
  readonly shadows: number | null;
  readonly highlights: number | null;
}

const unseen: PixelFacts = {
  thumbhash: null,
  dominant_colour: null,
  dhash: null,
  sharpness: null,
  brightness: null,
  contrast: null,
  shadows: null,
  highlights: null,
};

const measuredSide = 256;
const thumbhashSide = 64;
/** Of lightness, 0 to 255: below it what dHash compares is noise. */
const structureMin = 6;
const shadowMax = 8;
const highlightMin = 247;

/** Looks at the whole upright picture; without pixels all is null. */
export function lookOf(pixels: SmallPixels | undefined): PixelFacts {
  if (pixels === undefined) return unseen;
  const isSmall = Math.max(pixels.width, pixels.height) <= measuredSide;
  const measured = isSmall ? pixels : reduced(pixels, ...fitted(pixels, measuredSide));
  const small = reduced(measured, ...fitted(measured, thumbhashSide));
  return {
    thumbhash: Buffer.from(rgbaToThumbHash(small.width, small.height, small.data)).toString('base64'),
    dominant_colour: dominantColour(small.data),
    dhash: dHash(small),
    ...lightOf(lightness(measured), measured),
  };
}

function fitted({ width, height }: SmallPixels, side: number): [width: number, height: number] {
  const scale = Math.min(1, side / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** Averages boxes of pixels into RGBA, colours by their opacity. */
function reduced(source: SmallPixels, width: number, height: number): SmallPixels {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    const top = Math.floor((y * source.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * source.height) / height));
    for (let x = 0; x < width; x++, at += 4) {
      const left = Math.floor((x * source.width) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * source.width) / width));
      averageInto(data, at, source, { left, right, top, bottom });
    }
  }
  return { data, width, height, channels: 4 };
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function averageInto(target: Uint8Array, at: number, { data, width, channels }: SmallPixels, box: Box): void {
  const isGrey = channels < 3;
  const opacityAt = channels === 2 ? 1 : channels === 4 ? 3 : -1;
  let red = 0;
  let green = 0;
  let blue = 0;
  let opacity = 0;
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left, from = (y * width + x) * channels; x < box.right; x++, from += channels) {
      const weight = opacityAt === -1 ? 255 : (data[from + opacityAt] ?? 0);
      red += (data[from] ?? 0) * weight;
      green += (data[isGrey ? from : from + 1] ?? 0) * weight;
      blue += (data[isGrey ? from : from + 2] ?? 0) * weight;
      opacity += weight;
    }
  }
  if (opacity === 0) return;
  target[at] = Math.round(red / opacity);
  target[at + 1] = Math.round(green / opacity);
  target[at + 2] = Math.round(blue / opacity);
  target[at + 3] = Math.round(opacity / ((box.right - box.left) * (box.bottom - box.top)));
}

/** Rec. 709 on the values as they are, what is transparent on white. */
function lightness({ data, width, height, channels }: SmallPixels): Float32Array {
  const light = new Float32Array(width * height);
  const [greenAt, blueAt] = channels < 3 ? [0, 0] : [1, 2];
  const opacityAt = channels === 2 ? 1 : 3;
  const isOpaque = channels % 2 === 1;
  for (let i = 0, at = 0; i < light.length; i++, at += channels) {
    const colour = 0.2126 * (data[at] ?? 0) + 0.7152 * (data[at + greenAt] ?? 0) + 0.0722 * (data[at + blueAt] ?? 0);
    const opacity = isOpaque ? 1 : (data[at + opacityAt] ?? 0) / 255;
    light[i] = colour * opacity + 255 * (1 - opacity);
  }
  return light;
}

/** The mean colour of the fullest of 512 equal parts of the colour cube; null where nothing is opaque. */
function dominantColour(data: Uint8Array): string | null {
  const counts = new Uint32Array(512);
  const sums = new Uint32Array(512 * 3);
  for (let at = 0; at < data.length; at += 4) {
    if ((data[at + 3] ?? 0) < 128) continue;
    const [red, green, blue] = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
    const part = ((red >> 5) << 6) | ((green >> 5) << 3) | (blue >> 5);
    counts[part] = (counts[part] ?? 0) + 1;
    sums[part * 3] = (sums[part * 3] ?? 0) + red;
    sums[part * 3 + 1] = (sums[part * 3 + 1] ?? 0) + green;
    sums[part * 3 + 2] = (sums[part * 3 + 2] ?? 0) + blue;
  }
  const most = Math.max(...counts);
  if (most === 0) return null;
  const fullest = counts.indexOf(most);
  const mean = [0, 1, 2].map((i) => Math.round((sums[fullest * 3 + i] ?? 0) / most));
  return `#${mean.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** Whether each pixel of a row of nine is lighter than the next, in eight rows: stays the same under scaling and encoding. */
function dHash(picture: SmallPixels): string | null {
  const light = lightness(reduced(picture, 9, 8));
  if (Math.max(...light) - Math.min(...light) < structureMin) return null;
  let bits = '';
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) bits += (light[y * 9 + x] ?? 0) > (light[y * 9 + x + 1] ?? 0) ? '1' : '0';
  }
  return BigInt(`0b${bits}`).toString(16).padStart(16, '0');
}

type Light = Pick<PixelFacts, 'sharpness' | 'brightness' | 'contrast' | 'shadows' | 'highlights'>;

function lightOf(light: Float32Array, size: SmallPixels): Light {
  const sums = { sum: 0, squares: 0, dark: 0, bright: 0 };
  for (const value of light) {
    sums.sum += value;
    sums.squares += value * value;
    if (value <= shadowMax) sums.dark += 1;
    else if (value >= highlightMin) sums.bright += 1;
  }
  const count = light.length;
  return {
    sharpness: rounded(laplacianVariance(light, size) / 255 ** 2),
    brightness: rounded(sums.sum / count / 255),
    contrast: rounded(Math.sqrt(variance(sums.sum, sums.squares, count)) / 255),
    shadows: rounded(sums.dark / count),
    highlights: rounded(sums.bright / count),
  };
}

function laplacianVariance(light: Float32Array, { width, height }: SmallPixels): number {
  let [sum, squares] = [0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const around = (light[i - 1] ?? 0) + (light[i + 1] ?? 0) + (light[i - width] ?? 0) + (light[i + width] ?? 0);
      const edge = around - 4 * (light[i] ?? 0);
      sum += edge;
      squares += edge * edge;
    }
  }
  return variance(sum, squares, Math.max(1, (width - 2) * (height - 2)));
}

function variance(sum: number, squares: number, count: number): number {
  return Math.max(0, squares / count - (sum / count) ** 2);
}

/** Laplacian's variance can be 16 times the range squared. */
function rounded(value: number): number {
  return Math.round(Math.min(1, value) * 1e6) / 1e6;
}

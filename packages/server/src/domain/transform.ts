/**
 * How a picture is asked for in another size or format, and which picture that names. Pure rules: what may be asked,
 * which steps sizes are brought to, what `Accept` chooses. It renders nothing. Invariant: what leaves here is bounded,
 * so that of one image there are only so many pictures.
 */
import { RowlockError } from '@rowlock/client/contract';

export type PictureFormat = 'jpeg' | 'png' | 'webp' | 'avif';

/** A picture as it is asked for; each is optional. */
export interface Transform {
  /** Of the box, in pixels, 1 to 2,000. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** `cover` fills the box and cuts off what sticks out; `contain` fits into it; `fill` stretches. Default `cover`. */
  readonly resize?: 'cover' | 'contain' | 'fill' | undefined;
  /** 20 to 100. Default 80. */
  readonly quality?: number | undefined;
  /** `origin`: that of the object, or the nearest to it; `auto`: by `Accept`, else that. Default `auto`. */
  readonly format?: 'auto' | 'origin' | PictureFormat | undefined;
}

/** A picture as it is made. `inside` keeps the aspect ratio and never enlarges. */
export interface PictureParameters {
  readonly width: number;
  readonly height: number;
  readonly fit: 'cover' | 'inside' | 'fill';
  readonly format: PictureFormat;
  readonly quality: number;
}

/** Largest side that can be asked for. */
export const transformSideMax = 2000;
/** Of a box whose other side alone was asked for. */
const openSideMax = 4096;
const qualityMin = 20;
const qualityDefault = 80;

/** The steps that sizes are brought to where nobody signed for others. */
export const transformSizesDefault: readonly number[] = [64, 128, 256, 384, 640, 828, 1080, 1920];

const resizeModes: readonly NonNullable<Transform['resize']>[] = ['cover', 'contain', 'fill'];
const transformFormats: readonly NonNullable<Transform['format']>[] = ['auto', 'origin', 'jpeg', 'png', 'webp', 'avif'];
const transformNames: readonly string[] = ['width', 'height', 'resize', 'quality', 'format'];

/**
 * Reads what was asked for, from a query or from JSON. Answers undefined where nothing of it is there.
 *
 * @throws RowlockError `invalid_request`, which names what is wrong
 */
export function readTransform(fields: Readonly<Record<string, unknown>>): Transform | undefined {
  const unknown = Object.keys(fields).find((name) => !transformNames.includes(name));
  if (unknown !== undefined) {
    throw new RowlockError(
      'invalid_request',
      `"${unknown.slice(0, 50)}" is not known; ${transformNames.join(', ')} are`,
    );
  }
  const asked: Transform = {
    width: whole(fields, 'width', 1, transformSideMax),
    height: whole(fields, 'height', 1, transformSideMax),
    quality: whole(fields, 'quality', qualityMin, 100),
    resize: oneOf(fields, 'resize', resizeModes),
    format: oneOf(fields, 'format', transformFormats),
  };
  return Object.values(asked).every((value) => value === undefined) ? undefined : asked;
}

type Fields = Readonly<Record<string, unknown>>;

/** In a query digits and nothing else: `1e3`, `+5`, `0x10` and ` 7` are numbers to others only. */
function whole(fields: Fields, name: string, min: number, max: number): number | undefined {
  const given = fields[name];
  const value = typeof given === 'string' && /^[1-9]\d{0,3}$/.test(given) ? Number(given) : given;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new RowlockError('invalid_request', `"${name}" is a whole number from ${min} to ${max}`);
  }
  return value;
}

function oneOf<Word extends string>(fields: Fields, name: string, known: readonly Word[]): Word | undefined {
  const given = fields[name];
  if (given === undefined) return undefined;
  const word = known.find((each) => each === given);
  if (word === undefined) throw new RowlockError('invalid_request', `"${name}" is one of ${known.join(', ')}`);
  return word;
}

/** Ratios of width and height that boxes keep, and the same on their side. */
const usualRatios: readonly number[] = [1, 5 / 4, 4 / 3, 3 / 2, 16 / 9, 2, 21 / 9];

/**
 * Brings sizes up to the next of some ascending steps, and quality to the next ten, so that a caller cannot fill the cache
 * with pictures that differ by a pixel. A box of a usual ratio keeps it: its longer side is brought to a step.
 */
export function snapped(asked: Transform, sizes: readonly number[]): Transform {
  const { width, height, quality } = asked;
  const up = (side: number): number => sizes.find((size) => size >= side) ?? sizes.at(-1) ?? transformSideMax;
  return {
    ...asked,
    width: width && up(width),
    height: height && up(height),
    ...(width === undefined || height === undefined ? {} : snappedBox(width, height, up)),
    quality: quality && Math.ceil(quality / 10) * 10,
  };
}

function snappedBox(width: number, height: number, up: (side: number) => number): Transform {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  const ratio = usualRatios.find((each) => Math.abs(short - long / each) <= Math.max(1, long / 100));
  if (ratio === undefined) return {};
  const side = up(long);
  const other = Math.max(1, Math.round(side / ratio));
  return width >= height ? { width: side, height: other } : { width: other, height: side };
}

/** Types whose pictures, asked for as `origin`, are of that format; all others are JPEG, or PNG where they may be transparent. */
const originFormats: Readonly<Record<string, PictureFormat>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/gif': 'png',
  'image/svg+xml': 'png',
  '*': 'jpeg',
};

/** The picture that a transform names, by the type of the object; `*` for every other type. */
export function picturesOf(
  asked: Transform,
  accepted: PictureFormat | undefined,
): Readonly<Record<string, PictureParameters>> {
  const { width, height, resize = 'cover', quality = qualityDefault, format = 'auto' } = asked;
  const isBox = width !== undefined && height !== undefined;
  const isWhole = width === undefined && height === undefined;
  const open = isWhole ? transformSideMax : openSideMax;
  const made = (as: PictureFormat): PictureParameters => ({
    width: width ?? open,
    height: height ?? open,
    fit: isBox && resize !== 'contain' ? resize : 'inside',
    format: as,
    quality,
  });
  const fixed = format === 'auto' ? accepted : format === 'origin' ? undefined : format;
  if (fixed !== undefined) return { '*': made(fixed) };
  return Object.fromEntries(Object.entries(originFormats).map(([type, as]) => [type, made(as)]));
}

/** The picture of an object of a type. */
export function pictureFor<Picture>(pictures: Readonly<Record<string, Picture>>, type: string | null): Picture {
  const picture = (type !== null && Object.hasOwn(pictures, type) ? pictures[type] : undefined) ?? pictures['*'];
  if (picture === undefined) throw new TypeError('pictures are of every type');
  return picture;
}

const acceptCharsMax = 1000;

/**
 * WebP or AVIF where `Accept` names it; the one that it prefers, WebP where it does not care, since it is made in a third of
 * the time. `image/*` names neither: clients send it that know only what they always knew.
 */
export function acceptedFormat(accept: string | undefined): 'webp' | 'avif' | undefined {
  const weights = { webp: 0, avif: 0 };
  for (const range of (accept ?? '').slice(0, acceptCharsMax).toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = parameters.find((part) => part.startsWith('q='));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    if (type === 'image/webp') weights.webp = weight || 0;
    if (type === 'image/avif') weights.avif = weight || 0;
  }
  if (weights.avif > weights.webp) return 'avif';
  return weights.webp > 0 ? 'webp' : undefined;
}

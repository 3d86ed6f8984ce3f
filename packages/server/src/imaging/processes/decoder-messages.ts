/**
 * What a worker asks of a decoder process and what comes back. A reply is checked against what was asked as if an
 * enemy had written it, since the process decodes hostile bytes. Invariant: no property of a reply goes on unless it
 * was checked here.
 */
import type { ImageFormat } from '../decoder.ts';
import { readFactsReply } from '../facts/facts-reply.ts';
import { ImageError, type ImageErrorReason } from '../image-error.ts';
import { type AskedPreset, presetFor, type VariantPreset, variantSideMax } from '../presets.ts';
import type { RenderedImage, RenderedVariant } from '../render.ts';
import { strippableBytesMax } from '../strip/strip-metadata.ts';
import type { Frame, FrameLimits } from './decoder-frames.ts';

/** The head of a request; the file's bytes follow it, and the watermark's behind them. */
export interface RenderRequest {
  readonly presets: readonly AskedPreset[];
  readonly timeoutMs: number;
  /** Of the watermark; 0 for none. */
  readonly watermark_bytes: number;
}

/** What a process says once it has read the header: it goes on when it is told to. */
export interface NeedsMemory {
  /** Bytes that decoding takes beside the file, about. */
  readonly needs: number;
}

/** The answer to that. */
export const goHead: { readonly go: true } = { go: true };

/** The head of a reply; the variants' bytes follow it, one after the other. */
export type RenderReply =
  | (Omit<RenderedImage, 'variants'> & { readonly variants: readonly Omit<RenderedVariant, 'data'>[] })
  /** `worn` when the process must not decode another file. */
  | { readonly refused: ImageErrorReason; readonly message: string; readonly worn?: boolean }
  | { readonly failed: string };

/** What a process says when it has loaded libvips. */
export const readyHead: { readonly ready: true } = { ready: true };

/** The largest file that is decoded: the process holds it in memory as a whole. */
export const sourceBytesMax: number = 256 * 2 ** 20;

/** The largest watermark. */
export const watermarkBytesMax: number = 2 ** 23;

export const requestLimits: FrameLimits = { headBytesMax: 2 ** 16, dataBytesMax: sourceBytesMax + watermarkBytesMax };
/** The largest variant of any preset fits; those of all presets of a set need not. */
export const replyLimits: FrameLimits = { headBytesMax: 2 ** 17, dataBytesMax: 2 ** 26 + 2 ** 20 };
/** What a file has beside its pixels: headers, checksums, a colour profile. */
const wrappingBytes = 2 ** 16;

const formats: readonly string[] = [
  'jpeg',
  'png',
  'webp',
  'gif',
  'tiff',
  'avif',
  'heic',
  'svg',
  'pdf',
] satisfies ImageFormat[];
const reasons: readonly string[] = [
  'unsupported',
  'corrupt',
  'encrypted',
  'empty',
  'unsafe',
  'too_large',
  'timeout',
  'memory',
  'crashed',
] satisfies ImageErrorReason[];
const messageCharsMax = 500;
const sideMax = 2 ** 31 - 1;

/** Bytes by which each format that variants are made in is known, and where they stand. */
const signatures: Readonly<Record<VariantPreset['format'], readonly [at: number, bytes: Buffer]>> = {
  jpeg: [0, Buffer.from([0xff, 0xd8, 0xff])],
  png: [0, Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
  webp: [8, Buffer.from('WEBP', 'latin1')],
  avif: [4, Buffer.from('ftypavif', 'latin1')],
};

type Fields = Readonly<Record<string, unknown>>;

/** What a process says went wrong that is not the file's doing; the process is good for the next. */
export class DecodingFailure extends Error {}

/** The most bytes that a variant of a preset comes to, about: those of noise. What moves may come to all of a reply. */
export function replyBytesMost(preset: AskedPreset): number {
  if (preset.format === 'stripped') return strippableBytesMax + wrappingBytes;
  if (preset.animated === true && preset.format === 'webp') return replyLimits.dataBytesMax;
  const pixels = (preset.width ?? variantSideMax) * (preset.height ?? variantSideMax);
  return Math.ceil(pixels * 4 * 1.005) + wrappingBytes;
}

/** Whether a frame says that the process is ready. */
export function isReady({ head, data }: Frame): boolean {
  return fieldsOf(head)['ready'] === true && data.length === 0;
}

/** How many bytes a process asks for; undefined for another message. @throws TypeError for a message that is none */
export function neededBytes({ head, data }: Frame): number | undefined {
  const { needs } = fieldsOf(head);
  if (needs === undefined) return undefined;
  if (data.length > 0) throw new TypeError('bytes that belong to no variant');
  return side(needs, Number.MAX_SAFE_INTEGER);
}

/** Whether a process says that it is good for no other file. */
export function isWorn({ head }: Frame): boolean {
  return fieldsOf(head)['worn'] === true;
}

/**
 * Reads a reply to a request for these presets.
 *
 * @throws ImageError that the process reports, DecodingFailure for what failed inside, TypeError for what is no reply
 */
export function readReply({ head, data }: Frame, presets: readonly AskedPreset[]): RenderedImage {
  const reply = fieldsOf(head);
  if (typeof reply['failed'] === 'string') throw new DecodingFailure(cut(reply['failed']));
  if (typeof reply['refused'] === 'string') {
    const reason = oneOf<ImageErrorReason>(reply['refused'], reasons);
    throw new ImageError(reason, cut(words(reply['message'])));
  }
  const source = fieldsOf(reply['source']);
  const variants: unknown = reply['variants'];
  if (!Array.isArray(variants) || variants.length !== presets.length) throw new TypeError('not the variants asked for');
  const format = oneOf<ImageFormat>(source['format'], formats);
  let at = 0;
  const read = presets.map((preset, i) => {
    const variant = readVariant(fieldsOf(variants[i]), data.subarray(at), preset, format);
    at += variant.size;
    return variant;
  });
  if (at !== data.length) throw new TypeError('bytes that belong to no variant');
  return {
    source: {
      width: side(source['width'], sideMax),
      height: side(source['height'], sideMax),
      format,
      damaged: source['damaged'] === true,
      pages: side(source['pages'], sideMax),
    },
    facts: readFactsReply(reply['facts']),
    variants: read,
  };
}

function readVariant(fields: Fields, rest: Buffer, preset: AskedPreset, format: ImageFormat): RenderedVariant {
  const size = side(fields['size'], rest.length);
  const data = rest.subarray(0, size);
  if (preset.format === 'stripped') return readStripped(fields, data, preset.name, format);
  const width = side(fields['width'], preset.width ?? variantSideMax);
  const height = side(fields['height'], preset.height ?? variantSideMax);
  const { fit, format: made } = presetFor(preset, format === 'pdf');
  const isExact = width === (preset.width ?? width) && height === (preset.height ?? height);
  const [at, signature] = signatures[made];
  const isOfFormat = data.subarray(at, at + signature.length).equals(signature);
  if (!(isExact || fit === 'inside') || !isOfFormat) throw new TypeError('not a variant asked for');
  return { preset: preset.name, data, width, height, content_type: `image/${made}`, size };
}

/** A copy is of the format and the size of its file. */
function readStripped(fields: Fields, data: Buffer, preset: string, format: ImageFormat): RenderedVariant {
  if (format !== 'jpeg' && format !== 'png' && format !== 'webp') throw new TypeError('not a format that is stripped');
  const [at, signature] = signatures[format];
  if (!data.subarray(at, at + signature.length).equals(signature)) throw new TypeError('not a variant asked for');
  const [width, height] = [side(fields['width'], sideMax), side(fields['height'], sideMax)];
  return { preset, data, width, height, content_type: `image/${format}`, size: data.length };
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not an object');
  return value as Fields;
}

function side(value: unknown, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max) {
    throw new TypeError('not a size');
  }
  return value;
}

function oneOf<Name extends string>(value: unknown, known: readonly string[]): Name {
  if (typeof value !== 'string' || !known.includes(value)) throw new TypeError('not a known word');
  return value as Name;
}

/** Made a string here, what is nested deeply enough would overflow the stack. */
function words(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('not words');
  return value;
}

function cut(text: string): string {
  return text.slice(0, messageCharsMax);
}

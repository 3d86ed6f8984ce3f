/**
 * What a worker asks of a decoder process and what comes back. A reply is checked against what was asked as if an
 * enemy had written it, since the process decodes hostile bytes. Invariant: no property of a reply goes on unless it
 * was checked here.
 */
import type { ImageFormat } from './decoder.ts';
import type { Frame, FrameLimits } from './decoder-frames.ts';
import { ImageError, type ImageErrorReason } from './image-error.ts';
import type { VariantPreset } from './presets.ts';
import type { RenderedImage, RenderedVariant } from './render.ts';

/** The head of a request; the file's bytes follow it. */
export interface RenderRequest {
  readonly presets: readonly VariantPreset[];
  readonly timeoutMs: number;
}

/** The head of a reply; the variants' bytes follow it, one after the other. */
export type RenderReply =
  | { readonly source: RenderedImage['source']; readonly variants: readonly Omit<RenderedVariant, 'data'>[] }
  | { readonly refused: ImageErrorReason; readonly message: string }
  | { readonly failed: string };

/** What a process says when it has loaded libvips. */
export const readyHead: { readonly ready: true } = { ready: true };

/** The largest file that is decoded: the process holds it in memory as a whole. */
export const sourceBytesMax: number = 256 * 2 ** 20;

export const requestLimits: FrameLimits = { headBytesMax: 2 ** 16, dataBytesMax: sourceBytesMax };
export const replyLimits: FrameLimits = { headBytesMax: 2 ** 16, dataBytesMax: 2 ** 24 };

const formats: readonly string[] = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] satisfies ImageFormat[];
const reasons: readonly string[] = [
  'unsupported',
  'corrupt',
  'too_large',
  'timeout',
  'memory',
  'crashed',
] satisfies ImageErrorReason[];
const messageCharsMax = 500;
const sideMax = 2 ** 31 - 1;

/** The first bytes of each format that variants are made in. */
const signatures: Readonly<Record<VariantPreset['format'], Buffer>> = {
  jpeg: Buffer.from([0xff, 0xd8, 0xff]),
  png: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
  webp: Buffer.from('RIFF', 'latin1'),
};

type Fields = Readonly<Record<string, unknown>>;

/** Whether a frame says that the process is ready. */
export function isReady({ head, data }: Frame): boolean {
  return fieldsOf(head)['ready'] === true && data.length === 0;
}

/**
 * Reads a reply to a request for these presets.
 *
 * @throws ImageError that the process reports, TypeError for what is no reply, Error for what failed inside
 */
export function readReply({ head, data }: Frame, presets: readonly VariantPreset[]): RenderedImage {
  const reply = fieldsOf(head);
  if (typeof reply['failed'] === 'string') throw new Error(cut(reply['failed']));
  if (typeof reply['refused'] === 'string') {
    const reason = oneOf<ImageErrorReason>(reply['refused'], reasons);
    throw new ImageError(reason, cut(String(reply['message'])));
  }
  const source = fieldsOf(reply['source']);
  const variants: unknown = reply['variants'];
  if (!Array.isArray(variants) || variants.length !== presets.length) throw new TypeError('not the variants asked for');
  let at = 0;
  const read = presets.map((preset, i) => {
    const variant = readVariant(fieldsOf(variants[i]), data.subarray(at), preset);
    at += variant.size;
    return variant;
  });
  if (at !== data.length) throw new TypeError('bytes that belong to no variant');
  return {
    source: {
      width: side(source['width'], sideMax),
      height: side(source['height'], sideMax),
      format: oneOf<ImageFormat>(source['format'], formats),
      damaged: source['damaged'] === true,
    },
    variants: read,
  };
}

function readVariant(fields: Fields, rest: Buffer, preset: VariantPreset): RenderedVariant {
  const size = side(fields['size'], rest.length);
  const data = rest.subarray(0, size);
  const [width, height] = [side(fields['width'], preset.width), side(fields['height'], preset.height)];
  const isExact = preset.fit === 'inside' || (width === preset.width && height === preset.height);
  const signature = signatures[preset.format];
  if (!isExact || !data.subarray(0, signature.length).equals(signature)) throw new TypeError('not a variant asked for');
  return { preset: preset.name, data, width, height, content_type: `image/${preset.format}`, size };
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

function cut(text: string): string {
  return text.slice(0, messageCharsMax);
}

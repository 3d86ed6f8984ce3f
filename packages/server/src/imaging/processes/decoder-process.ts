/**
 * The process that decodes hostile bytes of one kind: started by `decoder-child.ts`, it renders one image after the other
 * and knows no database, no key and no secret. Whatever it does costs one job. Invariant: it never outlives its parent,
 * and nothing but its parent ends it on purpose.
 */
import { Socket } from 'node:net';
import { fault } from '../../domain/fault.ts';
import { BrokenEngine, ImageError } from '../image-error.ts';
import { renderAsked } from '../render-asked.ts';
import { type SourceKind, sourceKinds } from '../sources/source-kind.ts';
import { beginFrame, type Frame, FrameReader } from './decoder-frames.ts';
import {
  type NeedsMemory,
  type RenderReply,
  type RenderRequest,
  readyHead,
  replyLimits,
  requestLimits,
} from './decoder-messages.ts';

/** What this process decodes, and nothing else; its parent says so when it starts it. */
const kind: SourceKind = sourceKinds.find((each) => each === process.argv[2]) ?? 'picture';
/** What is taken for granted: ordinary photographs need not ask. */
const bytesUnasked = 32 * 2 ** 20;

const parent = new Socket({ fd: 3, readable: true, writable: true });

/** At once: an exit would wait for the thread that decodes. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function answer({ head, data }: Frame): Promise<void> {
  const { reply, bytes } = await rendered(data, head as RenderRequest);
  await fault('decoder.before_reply');
  parent.write(
    beginFrame(
      reply,
      bytes.reduce((sum, each) => sum + each.length, 0),
    ),
  );
  for (const each of bytes) {
    await fault('decoder.half_replied');
    parent.write(each);
  }
  setImmediate(forget);
}

/** Frees what the last file left behind, of which V8 sees a few bytes: 25 MiB less between jobs, in 3 ms of nobody's time. */
function forget(): void {
  globalThis.gc?.();
}

async function rendered(
  data: Buffer,
  { presets, timeoutMs, watermark_bytes: markBytes }: RenderRequest,
): Promise<{ readonly reply: RenderReply; readonly bytes: readonly Buffer[] }> {
  const file = data.subarray(0, data.length - markBytes);
  const watermark = markBytes > 0 ? data.subarray(file.length) : undefined;
  try {
    await fault('decoder.before_decode');
    const { variants, ...image } = await renderAsked(file, presets, { timeoutMs, kind, watermark, admit });
    if (variants.reduce((sum, { size }) => sum + size, 0) > replyLimits.dataBytesMax) {
      throw new ImageError('too_large', 'the variants of the image have too many bytes');
    }
    const reply = { ...image, variants: variants.map(({ data: _, ...variant }) => variant) };
    return { reply, bytes: variants.map((variant) => variant.data) };
  } catch (error) {
    return { reply: refusalOf(error), bytes: [] };
  }
}

let goOn: (() => void) | undefined;

/** Waits until the parent has memory for what is about to be decoded. */
async function admit(bytes: number): Promise<void> {
  if (bytes <= bytesUnasked) return;
  const needs: NeedsMemory = { needs: Math.ceil(bytes) };
  const told = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  parent.write(beginFrame(needs, 0));
  await told;
}

function refusalOf(error: unknown): RenderReply {
  if (error instanceof ImageError) return { refused: error.reason, message: error.message };
  // What hostile bytes did to the memory of WebAssembly stays there, so nothing else is decoded in it.
  if (error instanceof BrokenEngine) {
    return { refused: 'corrupt', message: 'the image is damaged', worn: true };
  }
  const text = error instanceof Error ? error.message : String(error);
  if (/out of memory|unable to allocate|allocation failed/i.test(text)) {
    return { refused: 'memory', message: 'decoding the image takes too much memory' };
  }
  return { failed: text };
}

const reader = new FrameReader(requestLimits);
parent.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) {
    if (goOn === undefined) void answer(frame);
    else goOn();
    goOn = undefined;
  }
});
parent.on('close', end);
parent.on('error', end);
// A terminal and a service manager signal every process of a group; the parent decides when its jobs are done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
parent.write(beginFrame(readyHead, 0));

/**
 * The process that decodes hostile bytes: started by `decoder-child.ts`, it renders one image after the other and
 * knows no database, no key and no secret. Whatever it does costs one job. Invariant: it never outlives its parent,
 * and nothing but its parent ends it on purpose.
 */
import { Socket } from 'node:net';
import { fault } from '../domain/fault.ts';
import { beginFrame, type Frame, FrameReader } from './decoder-frames.ts';
import { type RenderReply, type RenderRequest, readyHead, requestLimits } from './decoder-messages.ts';
import { ImageError } from './image-error.ts';
import { renderVariants } from './render.ts';

const parent = new Socket({ fd: 3, readable: true, writable: true });

/** At once: an exit would wait for the thread that decodes. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function answer({ head, data }: Frame): Promise<void> {
  const { presets, timeoutMs } = head as RenderRequest;
  const { reply, bytes } = await rendered(data, presets, timeoutMs);
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
}

async function rendered(
  data: Buffer,
  presets: RenderRequest['presets'],
  timeoutMs: number,
): Promise<{ readonly reply: RenderReply; readonly bytes: readonly Buffer[] }> {
  try {
    await fault('decoder.before_decode');
    const { source, variants } = await renderVariants(data, presets, { timeoutMs });
    const reply = { source, variants: variants.map(({ data: _, ...variant }) => variant) };
    return { reply, bytes: variants.map((variant) => variant.data) };
  } catch (error) {
    return { reply: refusalOf(error), bytes: [] };
  }
}

function refusalOf(error: unknown): RenderReply {
  if (error instanceof ImageError) return { refused: error.reason, message: error.message };
  const text = error instanceof Error ? error.message : String(error);
  if (/out of memory|unable to allocate|allocation failed/i.test(text)) {
    return { refused: 'memory', message: 'decoding the image takes too much memory' };
  }
  return { failed: text };
}

const reader = new FrameReader(requestLimits);
parent.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) void answer(frame);
});
parent.on('close', end);
parent.on('error', end);
// A terminal and a service manager signal every process of a group; the parent decides when its jobs are done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
parent.write(beginFrame(readyHead, 0));

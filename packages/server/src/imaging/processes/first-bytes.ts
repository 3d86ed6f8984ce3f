/**
 * Looks at the first bytes of a stream and leaves them in it, but where it ends with them. It holds little more than it was
 * asked for. Invariant: nothing of the stream is lost, and its error is told.
 */
import type { Readable } from 'node:stream';

export interface FirstBytes {
  readonly bytes: Buffer;
  /** The stream has ended with them and gives nothing any more. */
  readonly isAll: boolean;
}

/** Returns the first bytes, at least so many where there are. @throws the signal's reason; what the stream fails with */
export async function firstBytes(stream: Readable, bytesMin: number, signal?: AbortSignal): Promise<FirstBytes> {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < bytesMin) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) {
      if (!(await more(stream, signal))) return { bytes: Buffer.concat(chunks), isAll: true };
    } else {
      chunks.push(chunk);
      length += chunk.length;
    }
  }
  const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  stream.unshift(bytes);
  return { bytes, isAll: false };
}

/** Waits for something to read; false at the end. */
async function more(stream: Readable, signal: AbortSignal | undefined): Promise<boolean> {
  signal?.throwIfAborted();
  if (stream.errored) throw stream.errored;
  if (stream.destroyed || stream.readableEnded) return false;
  const ends = new AbortController();
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const on = (event: string, listener: (error?: Error) => void): void => {
        stream.once(event, listener);
        ends.signal.addEventListener('abort', () => stream.off(event, listener));
      };
      on('readable', () => resolve(stream.readableLength > 0 || !stream.readableEnded));
      on('end', () => resolve(false));
      on('close', () => resolve(false));
      on('error', reject);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: ends.signal });
    });
  } finally {
    ends.abort();
  }
}

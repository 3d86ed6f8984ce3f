/**
 * Bodies of any size that are made while they are read, and hashes of what comes back. Nothing is kept. Invariant: the
 * same seed and size give the same bytes.
 */
import { createCipheriv, createHash } from 'node:crypto';

const chunkBytes = 64 * 1024;

/** Yields so many bytes that do not repeat; chunks are memory of their own. */
export async function* madeBytes(size: number, seed = 1): AsyncGenerator<Buffer, void> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(chunkBytes);
  for (let left = size; left > 0; left -= chunkBytes)
    yield cipher.update(zeros.subarray(0, Math.min(left, chunkBytes)));
}

/** The sha256 of what is yielded, in hex, and how much it was. */
export async function hashed(source: AsyncIterable<Uint8Array>): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { size, sha256: hash.digest('hex') };
}

/**
 * Keys and bytes for the conformance suite, and the form in which its parts register tests. It knows no
 * backend. Invariant: every call makes new keys and new bytes, so that no test can meet another's.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Backend } from '../backend.ts';

/** Registers one test, which gets an empty backend of its own. */
export type Check = (what: string, run: (backend: Backend) => Promise<void>) => void;

/** A key of the kind that versions have. */
export function newKey(): string {
  const id = randomUUID();
  return `objects/${id.slice(-2)}/${id}`;
}

/** Yields bytes in chunks of their own memory, with an empty chunk after every hundredth. */
export async function* inChunks(bytes: Buffer, chunkBytes = 65_536): AsyncGenerator<Uint8Array, void> {
  for (let at = 0, i = 1; at < bytes.length; at += chunkBytes, i++) {
    yield Uint8Array.from(bytes.subarray(at, at + chunkBytes));
    if (i % 100 === 0) yield new Uint8Array(0);
  }
}

/** Reads a stream to its end. */
export async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await all(stream));
}

/** Collects what an iterable yields. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Bytes in a form that a failed comparison can print. */
export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Streams bytes into a new file and makes them durable. It knows neither keys nor where the file goes next.
 * Invariants: at most one batch is being written while the next one gathers, so a slow disk slows the source;
 * and a sync that failed is never repeated, since the kernel may then forget the lost pages.
 */
import { abortable } from '../abortable.ts';
import { closeFile, createFile, syncFile, writeSome } from './file-calls.ts';

/** The steps of a put at which a test may fail, delay or kill. */
export type DiskFaultPoint = 'disk.bytes' | 'disk.before_fsync' | 'disk.after_fsync' | 'disk.after_rename';
export type DiskFault = (point: DiskFaultPoint) => void | Promise<void>;

export interface WriteFileOptions {
  readonly signal?: AbortSignal | undefined;
  readonly fault?: DiskFault | undefined;
}

/** Beyond this a batch is written: large enough to spare system calls, small enough for many slow uploads. */
const batchBytes = 256 * 1024;
/** What one writev takes. */
const batchChunks = 1024;

/**
 * Writes a source into a file that must not exist yet, syncs and closes it; returns its size in bytes.
 *
 * The file is opened with its first bytes. When it throws, the file may be left in any state and is the
 * caller's to remove; it is closed in any case.
 */
export async function writeFile(
  path: string,
  source: AsyncIterable<Uint8Array>,
  { signal, fault }: WriteFileOptions,
): Promise<number> {
  let fd: number | undefined;
  let size = 0;
  let writing: Promise<void> = Promise.resolve();
  const write = async (chunks: Uint8Array[]): Promise<void> => {
    const isFirst = fd === undefined;
    fd ??= await createFile(path);
    await writeFully(fd, chunks);
    if (isFirst) await fault?.('disk.bytes');
  };
  try {
    for await (const chunks of batches(source, signal)) {
      for (const chunk of chunks) size += chunk.byteLength;
      await writing;
      writing = write(chunks);
      // Awaited above or below; this only keeps a failure from being called unhandled until then.
      writing.catch(() => undefined);
    }
    await writing;
    fd ??= await createFile(path);
    await fault?.('disk.before_fsync');
    await syncFile(fd);
    await fault?.('disk.after_fsync');
  } finally {
    await writing.catch(() => undefined);
    if (fd !== undefined) await closeFile(fd);
  }
  return size;
}

async function* batches(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array[], void> {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of abortable(source, signal)) {
    if (chunk.byteLength === 0) continue;
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes < batchBytes && chunks.length < batchChunks) continue;
    yield chunks;
    chunks = [];
    bytes = 0;
  }
  if (chunks.length > 0) yield chunks;
}

async function writeFully(fd: number, chunks: Uint8Array[]): Promise<void> {
  let rest = chunks;
  while (rest.length > 0) {
    rest = without(rest, await writeSome(fd, rest));
  }
}

/** What is left of the chunks after their first bytes; the kernel may write less than it was given. */
function without(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return chunks.flatMap((chunk) => {
    const cut = Math.min(skip, chunk.byteLength);
    skip -= cut;
    return cut === chunk.byteLength ? [] : [chunk.subarray(cut)];
  });
}

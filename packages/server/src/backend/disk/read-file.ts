/**
 * Opens a file for reading by ranges: small answers in one read, large ones as a stream. It checks neither
 * policies nor checksums. Invariant: what is opened is a regular file at exactly the given path, never what a
 * symbolic link points at.
 */
import { type BigIntStats, close, closeSync, constants, fstatSync } from 'node:fs';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { RowlockError } from '@rowlock/client/contract';
import type { ByteRange, GetResult } from '../backend.ts';
import { isAbsent } from './disk-errors.ts';
import { isAt } from './disk-tree.ts';
import { openForReading, readSome, streamFrom } from './file-calls.ts';

const closeFile = promisify(close);

/** Up to this an answer is read at once and the file closed before the caller has seen a byte. */
const atOnceBytes = 256 * 1024;
/** 64 KiB reads reach 1.2 GiB/s here and 256 KiB reads 5; more would only cost memory per slow reader. */
const chunkBytes = 256 * 1024;

/** Opens a range of a file (all of it by default), or returns undefined where there is no such file. */
export async function readFile(path: string, range?: ByteRange): Promise<GetResult | undefined> {
  const opened = await openRegular(path);
  if (opened === undefined) return undefined;
  const { fd, stats } = opened;
  const size = Number(stats.size);
  let bytes: Buffer;
  try {
    const { start, length } = extent(size, range);
    if (length > atOnceBytes) {
      // The stream closes the file at its end or when destroyed.
      const stream = streamFrom(fd, { start, end: start + length - 1, highWaterMark: chunkBytes });
      return { size, stream };
    }
    bytes = Buffer.allocUnsafe(length);
    await readFully(fd, bytes, start);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return {
    size,
    bytes,
    get stream() {
      return streamOf(bytes);
    },
  };
}

/** Looks at a file, or returns undefined where there is no such file. */
export async function statFile(path: string): Promise<BigIntStats | undefined> {
  const opened = await openRegular(path);
  if (opened === undefined) return undefined;
  await closeFile(opened.fd);
  return opened.stats;
}

async function openRegular(path: string): Promise<{ fd: number; stats: BigIntStats } | undefined> {
  let fd: number;
  try {
    // O_NONBLOCK, since opening a pipe that somebody put there would otherwise wait for its writer.
    fd = await openForReading(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    // The inode is in memory since it was opened: asking the thread pool would cost more than the answer.
    const stats = fstatSync(fd, { bigint: true });
    if (stats.isFile() && (await isAt(fd, path))) return { fd, stats };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return undefined;
}

function extent(size: number, range: ByteRange | undefined): { start: number; length: number } {
  if (range === undefined) return { start: 0, length: size };
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || start >= size) {
    throw new RowlockError('range_not_satisfiable', 'The range is not inside of the object.');
  }
  return { start, length: Math.min(end, size - 1) - start + 1 };
}

async function readFully(fd: number, bytes: Buffer, start: number): Promise<void> {
  let filled = 0;
  while (filled < bytes.length) {
    const bytesRead = await readSome(fd, bytes, filled, start);
    if (bytesRead === 0) throw new Error('The file became shorter while it was read.');
    filled += bytesRead;
  }
}

function streamOf(bytes: Buffer): Readable {
  const stream = new Readable({ read: () => undefined });
  if (bytes.length > 0) stream.push(bytes);
  stream.push(null);
  return stream;
}

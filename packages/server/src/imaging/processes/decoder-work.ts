/**
 * What a decoder process is given: a file, what is wanted of it, and what it may take. It does nothing with it. Invariant: a
 * file is read to its end once, or discarded.
 */
import type { Readable } from 'node:stream';
import type { AskedPreset } from '../presets.ts';

/** A file to decode; a backend's answer to `get` is one. */
export interface ImageFile {
  readonly size: number;
  /** Read to its end, or destroyed. */
  readonly stream: Readable;
  /** The same bytes where they are in memory already; the stream is then left alone. */
  readonly bytes?: Buffer;
}

/** What one job may take of a process, before the process is killed. */
export interface DecoderLimits {
  /** To decode, in milliseconds; the time in which the file arrives is not counted. */
  readonly timeoutMs: number;
  /** Resident, in bytes. Looked at on Linux only. */
  readonly memoryBytesMax: number;
}

/** A file, what is wanted of it, and who waits. */
export interface DecoderWork {
  readonly file: ImageFile;
  readonly presets: readonly AskedPreset[];
  /** A picture that is laid over the variants whose presets say so. */
  readonly watermark?: Buffer | undefined;
  /** Waits until that many bytes may be taken, beside the process and the file. @throws the signal's reason */
  readonly admit: (bytes: number, signal: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** Closes a file that is not read any further. */
export function discard(file: ImageFile): void {
  if (file.bytes === undefined) file.stream.destroy();
}

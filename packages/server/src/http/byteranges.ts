/**
 * Several ranges of one object as one body, `multipart/byteranges` (RFC 9110 section 14.6). It opens one range at a time,
 * each when its turn comes, so memory and open files do not grow with their number. Invariant: the length that is
 * announced is the length that is sent, or the connection ends.
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange } from '../domain/byte-range.ts';
import type { OpenedObject } from '../operations/read-object.ts';

export interface Byteranges {
  readonly content_type: string;
  /** Of the whole body, in bytes. */
  readonly length: number;
  readonly body: Readable;
}

/** Makes the body of an answer with several ranges; `first` is the first of them, opened already. */
export function byteranges(
  object: Pick<OpenedObject, 'size' | 'content_type' | 'open'>,
  ranges: readonly ByteRange[],
  first: Readable | Buffer,
): Byteranges {
  // Random, so that nobody can upload bytes that look like the end of a part.
  const boundary = randomBytes(18).toString('hex');
  const heads = ranges.map(({ start, end }) =>
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: ${object.content_type}\r\nContent-Range: bytes ${start}-${end}/${object.size}\r\n\r\n`,
    ),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const length = ranges.reduce(
    (sum, { start, end }, i) => sum + (heads[i]?.length ?? 0) + end - start + 1,
    tail.length,
  );
  async function* parts(): AsyncGenerator<Buffer> {
    for (const [i, range] of ranges.entries()) {
      yield heads[i] ?? tail;
      const bytes = i === 0 ? first : await object.open(range);
      if (bytes instanceof Readable) {
        yield* bytes as AsyncIterable<Buffer>;
      } else {
        yield bytes;
      }
    }
    yield tail;
  }
  const body = Readable.from(parts(), { objectMode: false });
  // Who leaves before the first part was asked for leaves it open.
  body.once('close', () => {
    if (first instanceof Readable) first.destroy();
  });
  return { content_type: `multipart/byteranges; boundary=${boundary}`, length, body };
}

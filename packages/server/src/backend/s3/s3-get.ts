/**
 * Reads one object: small answers at once, large ones as the stream that the store sends. It checks neither policies nor
 * checksums. Invariant: bytes that are returned at once are as many as the store has announced; a stream that breaks
 * raises an error and never just ends.
 */
import { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { RowlockError } from '@rowlock/client/contract';
import type { ByteRange, GetResult } from '../backend.ts';
import type { Place, S3Store } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';

/** Up to this an answer is read before the caller has seen a byte, and read again where it broke off. */
const atOnceBytes = 256 * 1024;
const attemptsMax = 3;

/** Opens a range of an object, all of it by default. */
export async function getObject(store: S3Store, place: Place, range: ByteRange | undefined): Promise<GetResult> {
  for (let attempt = 1; ; attempt++) {
    const opened = await open(store, place, range);
    if (opened.length > atOnceBytes) {
      store.sockets.reading(opened.body);
      return { size: opened.size, stream: opened.body };
    }
    try {
      return atOnce(opened.size, await readFully(opened));
    } catch (error) {
      if (attempt === attemptsMax) throw s3Error(error);
    }
  }
}

interface Opened {
  /** Of the whole object. */
  readonly size: number;
  /** Of what is read. */
  readonly length: number;
  readonly body: Readable;
}

async function open(store: S3Store, place: Place, range: ByteRange | undefined): Promise<Opened> {
  const input = range === undefined ? place : { ...place, Range: rangeHeader(range) };
  const answer = await store.call((options) => store.client.getObject(input, options));
  const { Body: body, ContentLength: length } = answer;
  if (!(body instanceof Readable) || length === undefined)
    throw new Error('the store answered without a body or length');
  const size = sizeOf(answer, range);
  if (size === undefined) {
    body.destroy();
    throw new Error('the store answered with another range than it was asked for');
  }
  return { size, length, body };
}

function rangeHeader({ start, end }: ByteRange): string {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new RowlockError('range_not_satisfiable', 'The range is not inside of the object.');
  }
  return `bytes=${start}-${end}`;
}

/** The size of the whole, if the answer is what was asked for. */
function sizeOf({ ContentLength, ContentRange }: GetObjectCommandOutput, range?: ByteRange): number | undefined {
  if (range === undefined) return ContentLength;
  const [, start, end, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? '') ?? [];
  const isAsked = Number(start) === range.start && Number(end) === Math.min(range.end, Number(size) - 1);
  return isAsked ? Number(size) : undefined;
}

async function readFully({ body, length }: Opened): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
  }
  if (size !== length) throw new RowlockError('unavailable', 'The answer of the store broke off.');
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, size);
}

function atOnce(size: number, bytes: Buffer): GetResult {
  return {
    size,
    bytes,
    get stream() {
      return Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false });
    },
  };
}

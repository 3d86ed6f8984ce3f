/**
 * A file as one body, and its checksum. Both read it piece by piece. Invariant: no more than a few pieces are in memory at once,
 * but of small sources, and of those that browsers keep.
 */
import type { PartSource } from './part-source.ts';
import { Sha256 } from './sha256.ts';
import { canTell } from './telling-fetch.ts';

const pieceBytes = 2 ** 20;
const atOnceBytes = 4 * pieceBytes;

/** What is sent, and the header that says how much it is where nobody else can know. */
export async function bodyOf(source: PartSource): Promise<{
  readonly body: Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly headers: Readonly<Record<string, string>>;
}> {
  const { size } = source;
  const whole = source.body ?? (size <= atOnceBytes ? await source.read(0, size) : undefined);
  if (whole !== undefined) return { body: whole, headers: {} };
  if (canTell()) {
    // XMLHttpRequest takes no stream; what a browser makes a Blob of it may put aside.
    const pieces: (Blob | Uint8Array<ArrayBuffer>)[] = [];
    for await (const piece of piecesOf(source)) pieces.push(piece);
    return { body: new Blob(pieces), headers: {} };
  }
  return { body: streamOf(source), headers: { 'content-length': String(size) } };
}

/** Of the whole, in hex. Lets others run between pieces; `onPiece` is told of each, and may throw to end it. */
export async function sha256Of(source: PartSource, onPiece: (bytes: number) => void | Promise<void>): Promise<string> {
  const hash = new Sha256();
  for await (const piece of piecesOf(source)) {
    const bytes = piece instanceof Uint8Array ? piece : new Uint8Array(await piece.arrayBuffer());
    hash.update(bytes);
    await onPiece(bytes.length);
  }
  return hash.hex();
}

async function* piecesOf(source: PartSource): AsyncGenerator<Blob | Uint8Array<ArrayBuffer>, void, undefined> {
  for (let from = 0; from < source.size; from += pieceBytes) {
    yield await source.read(from, Math.min(from + pieceBytes, source.size));
  }
}

function streamOf(source: PartSource): ReadableStream<Uint8Array> {
  const pieces = piecesOf(source);
  return new ReadableStream({
    pull: async (stream) => {
      const { done, value } = await pieces.next();
      if (done === true) stream.close();
      else stream.enqueue(value instanceof Uint8Array ? value : new Uint8Array(await value.arrayBuffer()));
    },
  });
}

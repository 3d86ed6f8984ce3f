/**
 * The frames that a worker and its decoder process exchange: a JSON head and raw bytes, each of a length that is said
 * before. It knows nothing of images. Invariant: whatever arrives, no more is held than the limits, and what does not
 * fit them ends the exchange.
 */

export interface Frame {
  readonly head: unknown;
  readonly data: Buffer;
}

export interface FrameLimits {
  readonly headBytesMax: number;
  readonly dataBytesMax: number;
}

const prefixBytes = 8;

/** The beginning of a frame, after which exactly `dataBytes` bytes are to follow. */
export function beginFrame(head: object, dataBytes: number): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(text.length, 0);
  prefix.writeUInt32BE(dataBytes, 4);
  return Buffer.concat([prefix, text]);
}

/** Puts frames together from the chunks of a stream. */
export class FrameReader {
  readonly #limits: FrameLimits;
  #parts: readonly [prefix: Buffer, head: Buffer, data: Buffer] | undefined;
  #prefix: Buffer = Buffer.alloc(prefixBytes);
  #filled = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a chunk and gives the frames that it completes.
   *
   * @throws RangeError for a frame over the limits, SyntaxError for a head that is no JSON
   */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    for (let left = chunk; left.length > 0; ) {
      left = left.subarray(this.#fill(left));
      const frame = this.#completed();
      if (frame !== undefined) frames.push(frame);
    }
    return frames;
  }

  /** Copies into the part that is not full yet; returns how many bytes it took. */
  #fill(chunk: Uint8Array): number {
    let before = 0;
    for (const part of this.#parts ?? [this.#prefix]) {
      const at = this.#filled - before;
      if (at < part.length) {
        const taken = Math.min(part.length - at, chunk.length);
        part.set(chunk.subarray(0, taken), at);
        this.#filled += taken;
        return taken;
      }
      before += part.length;
    }
    return 0;
  }

  #completed(): Frame | undefined {
    if (this.#parts === undefined && this.#filled === prefixBytes) this.#parts = this.#announced();
    if (this.#parts === undefined) return undefined;
    const [prefix, head, data] = this.#parts;
    if (this.#filled < prefix.length + head.length + data.length) return undefined;
    this.#parts = undefined;
    this.#filled = 0;
    return { head: JSON.parse(head.toString('utf8')) as unknown, data };
  }

  #announced(): readonly [Buffer, Buffer, Buffer] {
    const [headBytes, dataBytes] = [this.#prefix.readUInt32BE(0), this.#prefix.readUInt32BE(4)];
    if (headBytes > this.#limits.headBytesMax || dataBytes > this.#limits.dataBytesMax) {
      throw new RangeError(`a frame of ${headBytes} and ${dataBytes} bytes is over the limit`);
    }
    return [this.#prefix, Buffer.allocUnsafe(headBytes), Buffer.allocUnsafe(dataBytes)];
  }
}

/**
 * A body in passing: counted, hashed, cut at its limit, and its beginning kept for detection, in one pass while the
 * bytes stream to a backend. It holds no more than the first 64 KiB.
 */
import { createHash, type Hash } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import { type RunningChecksum, type SentChecksum, startChecksum } from './checksum.ts';
import { sniffBytes } from './media-type.ts';

export interface BodyLimits {
  /** Most bytes that are accepted. */
  readonly sizeMax: number;
  /** The declared size, when there was one: a body of another length is incomplete. */
  readonly declaredSize: number | undefined;
  /** What the client said of the bytes, checked at the end. */
  readonly checksums?: readonly SentChecksum[] | undefined;
}

/** Iterates once over the source; after that `size`, `sha256` and `head` are true. */
export class MeasuredBody implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #limits: BodyLimits;
  readonly #hash: Hash = createHash('sha256');
  #head: Buffer = Buffer.alloc(0);
  size = 0;
  sha256: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>, limits: BodyLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  /** The first bytes, at most 64 KiB. */
  get head(): Uint8Array {
    return this.#head;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const sent = (this.#limits.checksums ?? []).map((each) => ({ ...each, running: startChecksum(each.algorithm) }));
    for await (const chunk of this.#source) {
      this.size += chunk.byteLength;
      if (this.size > this.#limits.sizeMax) {
        throw new RowlockError(
          'too_large',
          `The body has more than the ${this.#limits.sizeMax} bytes that are accepted`,
        );
      }
      this.#hash.update(chunk);
      for (const { running } of sent) {
        running.update(chunk);
      }
      if (this.#head.byteLength < sniffBytes) {
        this.#head = Buffer.concat([this.#head, chunk.subarray(0, sniffBytes - this.#head.byteLength)]);
      }
      yield chunk;
    }
    this.sha256 = this.#hash.digest();
    this.#verify(sent);
  }

  #verify(sent: readonly (SentChecksum & { readonly running: RunningChecksum })[]): void {
    const { declaredSize } = this.#limits;
    if (declaredSize !== undefined && this.size !== declaredSize) {
      throw new RowlockError('incomplete_body', `The body has ${this.size} bytes; ${declaredSize} were declared`);
    }
    for (const { algorithm, value, running } of sent) {
      if (!running.digest().equals(value)) {
        throw new RowlockError('bad_digest', `The body does not have the ${algorithm} that was sent with it`);
      }
    }
  }
}

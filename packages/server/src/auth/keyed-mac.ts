/**
 * HMAC-SHA256 (RFC 2104) of short texts under one key, for who signs thousands at once: the two blocks that the key makes
 * are kept, and each mac is two calls of a hash function without an object of its own. It compares nothing; whoever does
 * so takes as long for a wrong mac as for a right one.
 */
import { hash } from 'node:crypto';

const blockBytes = 64;
const digestBytes = 32;
/** Longer texts than a token's are rare; room for one is made, and kept. */
const textBytesKept = 8192;
/** Of a UTF-16 code unit in UTF-8. */
const bytesOfUnit = 3;

/** Macs under one key, as base64url without padding. */
export class KeyedMac {
  #inner: Buffer = Buffer.alloc(blockBytes + textBytesKept, 0x36);
  readonly #outer: Buffer = Buffer.alloc(blockBytes + digestBytes, 0x5c);

  constructor(secret: string) {
    const bytes = Buffer.from(secret);
    const key = bytes.byteLength > blockBytes ? hash('sha256', bytes, 'buffer') : bytes;
    key.forEach((byte, place) => {
      this.#inner[place] = byte ^ 0x36;
      this.#outer[place] = byte ^ 0x5c;
    });
  }

  /** The mac of a text's UTF-8, 43 characters. */
  of(text: string): string {
    if (text.length * bytesOfUnit > this.#inner.byteLength - blockBytes) this.#makeRoom(text.length * bytesOfUnit);
    const end = blockBytes + this.#inner.write(text, blockBytes);
    this.#outer.write(hash('sha256', this.#inner.subarray(0, end), 'binary'), blockBytes, 'latin1');
    return hash('sha256', this.#outer, 'base64url');
  }

  #makeRoom(bytes: number): void {
    const larger = Buffer.alloc(blockBytes + bytes);
    this.#inner.copy(larger, 0, 0, blockBytes);
    this.#inner = larger;
  }
}

/**
 * Unguessable short texts, many at a time: asking the operating system for each would cost more than signing. It keeps
 * what it drew in memory until it is given out. No text is given out twice.
 */
import { randomBytes } from 'node:crypto';

/** 96 bits, as 16 characters of base64url without padding. */
const bytesEach = 12;
const charactersEach = 16;
const drawnAtOnce = 512;

class RandomTexts {
  #drawn = '';
  #at = 0;

  /** 16 characters of `A-Za-z0-9_-`. */
  next(): string {
    if (this.#at >= this.#drawn.length) {
      this.#drawn = randomBytes(bytesEach * drawnAtOnce).toString('base64url');
      this.#at = 0;
    }
    this.#at += charactersEach;
    return this.#drawn.slice(this.#at - charactersEach, this.#at);
  }
}

/** The process's own supply. */
export const randomTexts: { next(): string } = new RandomTexts();

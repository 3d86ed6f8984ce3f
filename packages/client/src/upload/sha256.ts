/**
 * SHA-256 of bytes that come in pieces, since the platform's own takes only a whole. Constants and steps are those of FIPS 180-4.
 * It is no secret's keeper: nothing here runs in constant time. Invariant: it holds 64 bytes, whatever the size of the whole.
 */

const initial = [1, 2, 3, 4, 5, 6, 7, 8].map((place) => fraction(Math.sqrt(prime(place))));
const round = Array.from({ length: 64 }, (_, place) => fraction(Math.cbrt(prime(place + 1))));

/** The first 32 bits of what stands behind the point. */
function fraction(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) | 0;
}

function prime(place: number): number {
  let found = 0;
  for (let candidate = 2; ; candidate += 1) {
    let divisor = 2;
    while (candidate % divisor !== 0) divisor += 1;
    if (divisor === candidate) found += 1;
    if (found === place) return candidate;
  }
}

const turned = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

export class Sha256 {
  readonly #state = Int32Array.from(initial);
  readonly #words = new Int32Array(64);
  readonly #rest = new Uint8Array(64);
  #restSize = 0;
  #size = 0;

  update(bytes: Uint8Array): this {
    this.#size += bytes.length;
    let from = 0;
    while (from < bytes.length) {
      const taken = Math.min(64 - this.#restSize, bytes.length - from);
      this.#rest.set(bytes.subarray(from, from + taken), this.#restSize);
      this.#restSize += taken;
      from += taken;
      if (this.#restSize < 64) break;
      this.#block(this.#rest, 0);
      this.#restSize = 0;
      for (; from + 64 <= bytes.length; from += 64) this.#block(bytes, from);
    }
    return this;
  }

  /** In hex; nothing can be added after it. */
  hex(): string {
    const bits = this.#size * 8;
    const padding = new Uint8Array(((119 - (this.#size % 64)) % 64) + 9);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padding.length - 4, bits >>> 0);
    this.update(padding);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #block(bytes: Uint8Array, from: number): void {
    const [w, s] = [this.#words, this.#state];
    const at = (array: Int32Array, place: number): number => array[place] as number;
    for (let i = 0; i < 16; i += 1) {
      const p = from + i * 4;
      w[i] =
        ((bytes[p] as number) << 24) |
        ((bytes[p + 1] as number) << 16) |
        ((bytes[p + 2] as number) << 8) |
        (bytes[p + 3] as number);
    }
    for (let i = 16; i < 64; i += 1) {
      const [early, late] = [at(w, i - 15), at(w, i - 2)];
      const low = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
      const high = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
      w[i] = (at(w, i - 16) + low + at(w, i - 7) + high) | 0;
    }
    let [a, b, c, d, e, f, g, h] = s as unknown as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i += 1) {
      const choice = (e & f) ^ (~e & g);
      const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + choice + (round[i] as number) + at(w, i)) | 0;
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + majority) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    for (const [place, word] of [a, b, c, d, e, f, g, h].entries()) s[place] = (at(s, place) + word) | 0;
  }
}

/**
 * The order that listings have: names by their bytes in UTF-8, which is that of their code points. Texts are compared by
 * UTF-16 units otherwise, which puts what needs two of them too early.
 */

/** Compares two names as a listing does. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let place = 0; place < length; place += 1) {
    const [one, other] = [a.charCodeAt(place), b.charCodeAt(place)];
    if (one !== other) {
      return isSurrogate(one) === isSurrogate(other) ? one - other : isSurrogate(one) ? 1 : -1;
    }
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/**
 * Bends paths and tokens out of shape, each time a little: other spellings of what might be the same, and bits that are
 * not what was signed. It knows neither routes nor answers. Invariant: a bent token is never the token in another
 * spelling, since what it decodes to has changed.
 */
import type { SeededRandom } from '@rowlock/test-harness';

type Bend = (path: string, random: SeededRandom) => string;

/** Changes one letter or slash of a path. */
const atOne =
  (pattern: RegExp, change: (found: string) => string): Bend =>
  (path, random) => {
    const places = [...path.matchAll(pattern)];
    if (places.length === 0) return path;
    const { index, 0: found } = random.pick(places);
    return path.slice(0, index) + change(found) + path.slice(index + found.length);
  };

const hex = (char: string): string => char.charCodeAt(0).toString(16).padStart(2, '0');

const bends: readonly Bend[] = [
  atOne(/[a-z]/g, (char) => `%${hex(char)}`),
  atOne(/[a-z]/g, (char) => `%25${hex(char)}`),
  atOne(/[a-z]/g, (char) => `%u00${hex(char)}`),
  atOne(/[a-z]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0)),
  atOne(/[a-z]/g, (char) => char.toUpperCase()),
  atOne(/[a-z]/g, (char) => `${char}\u0301`),
  atOne(/\/[a-z]+/g, (segment) => segment.toUpperCase()),
  atOne(/\//g, () => '//'),
  atOne(/\//g, () => '/./'),
  atOne(/\//g, () => '/x/../'),
  atOne(/\//g, () => '/%2e%2e/'),
  atOne(/\//g, () => '/..;/'),
  atOne(/\//g, () => '%2f'),
  atOne(/\//g, () => '%5c'),
  atOne(/\//g, () => '\\'),
  atOne(/\//g, () => '%c0%af'),
  atOne(/\//g, () => '\u2215'),
  atOne(/\//g, () => '/%00/'),
  atOne(/\/[^/]*$/g, (last) => `${last}%00`),
  atOne(/\/[^/]*$/g, (last) => `${last};jsessionid=1`),
  atOne(/\/[^/]*$/g, (last) => `${last}%20`),
  atOne(/\/[^/]*$/g, (last) => `${last}.json`),
  atOne(/\/[^/]*$/g, (last) => `${last}/`),
  atOne(/\/[^/]*$/g, (last) => `${last}#x`),
  atOne(/\/[^/]*$/g, (last) => `${last}%ff%fe`),
  atOne(/\/[^/]*$/g, (last) => `${last}${'x'.repeat(2000)}`),
  atOne(/\/[^/]*$/g, (last) => `${last}${'/y'.repeat(600)}`),
  atOne(/\/object\/(?:info\/|sign\/|authenticated\/)?/g, () => '/object/public/'),
  atOne(/\/(?:public|authenticated|sign|info)\//g, () => '/'),
  (path) => `http://localhost${path}`,
  (path) => `/storage/v1/../..${path}`,
  (path) => path.replace(/^\//, '//'),
  (path) => path.repeat(2),
];

/** A path after one to three bends. */
export function bentPath(path: string, random: SeededRandom): string {
  let bent = path;
  for (let times = 1 + random.integer(3); times > 0; times -= 1) bent = random.pick(bends)(bent, random);
  return bent;
}

/** A token that was never signed: a bit flipped, a part of another one, a field changed, a part left out. */
export function bentToken(token: string, other: string, random: SeededRandom): string {
  const parts = token.split('.');
  const at = random.integer(parts.length);
  const decoded = Buffer.from(parts[at] ?? '', 'base64url');
  switch (random.integer(5)) {
    case 0:
      parts[at] = other.split('.')[at] ?? 'e30';
      // The other one may be of the same kind: then this is the token itself.
      return parts.join('.') === token || parts.join('.') === other ? `${token}.e30` : parts.join('.');
    case 1:
      parts[at] = decoded.subarray(0, Math.floor(decoded.length / 2)).toString('base64url');
      return parts.join('.');
    case 2:
      return Buffer.from('{"alg":"none"}').toString('base64url').concat('.', parts.slice(1, -1).join('.'), '.');
    case 3:
      return parts.reverse().join('.').concat('.x');
    default: {
      const bit = random.integer(Math.max(1, decoded.length) * 8);
      const place = bit >> 3;
      decoded[place] = (decoded[place] ?? 0) ^ (1 << (bit & 7));
      parts[at] = decoded.toString('base64url');
      return parts.join('.');
    }
  }
}

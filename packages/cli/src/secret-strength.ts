/**
 * Whether a secret is one: long enough for HS256, not a word that is written over and over, and not from somebody's
 * documentation. It measures no entropy: what a generator made passes, what a person made up in a hurry mostly does not.
 */
import type { Settings } from './options.ts';
import { UsageError } from './usage-error.ts';

/** RFC 7518, section 3.2: a key of HS256 has at least the 32 bytes of its hash. */
const secretBytesMin = 32;

/** What a generator makes of 32 characters has more different ones, even in hexadecimal. */
const distinctMin = 8;

/** Long enough, and known to everybody: the examples of Supabase and PostgREST. */
const publishedSecrets: ReadonlySet<string> = new Set([
  'super-secret-jwt-token-with-at-least-32-characters-long',
  'your-super-secret-jwt-token-with-at-least-32-characters-long',
  'reallyreallyreallyreallyverysafe',
]);

/** How to make a good one. */
export const secretFix = 'openssl rand -base64 48';

/** Why a secret is too weak, as the end of a sentence that begins with its name; undefined for one that will do. */
export function weaknessOf(secret: string): string | undefined {
  const bytes = Buffer.byteLength(secret);
  if (bytes < secretBytesMin) {
    return `has ${bytes} bytes; at least ${secretBytesMin} are needed`;
  }
  if (publishedSecrets.has(secret) || /change[-_ ]?me|replace[-_ ]?me|placeholder/i.test(secret)) {
    return 'is an example that everybody can read';
  }
  if (new Set(secret).size < distinctMin || /^(.{1,16})\1+$/su.test(secret)) {
    return 'repeats itself and can be guessed';
  }
  return undefined;
}

/** @throws UsageError for one that is missing or too weak */
export function strongSecret(settings: Settings, name: string): string {
  const value = settings.required(name);
  const weakness = weaknessOf(value);
  if (weakness !== undefined) {
    throw new UsageError(`${name} ${weakness}. Make one: ${secretFix}`);
  }
  return value;
}

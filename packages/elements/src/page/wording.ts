/**
 * How sizes, paces and failures are said to a person. One place, so that the same thing is said in the same words
 * everywhere; it makes no elements and knows no page.
 */
import type { RowlockError } from '@rowlock/client';

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** A size with two or three digits, in powers of a thousand as the service reads them. */
export function bytesInWords(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${Number(value.toFixed(digits))} ${unit === 0 && bytes === 1 ? 'byte' : units[unit]}`;
}

/** `one file`, `2 files`. */
export function filesInWords(count: number): string {
  return count === 1 ? 'one file' : `${count} files`;
}

/** How long something will still take, rounded as one would say it. */
export function timeLeftInWords(seconds: number): string {
  if (seconds < 5) {
    return 'a few seconds left';
  }
  if (seconds < 55) {
    return `about ${Math.ceil(seconds / 5) * 5} seconds left`;
  }
  if (seconds < 90) {
    return 'about a minute left';
  }
  if (seconds < 5400) {
    return `about ${Math.round(seconds / 60)} minutes left`;
  }
  const hours = Math.round(seconds / 3600);
  return hours < 48 ? `about ${hours} hours left` : 'more than two days left';
}

/** A position as a person reads it: latitude, longitude, to about a metre. */
export function positionInWords(latitude: number, longitude: number): string {
  return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
}

const sentences: Partial<Record<RowlockError['reason'], string>> = {
  auth_required: 'This needs a key. Sign in.',
  bucket_not_found: 'This bucket does not exist, or you may not see it.',
  bucket_not_empty: 'It still holds files, yours or another user’s. Delete those first.',
  bucket_exists: 'The name is taken. Bucket names are shared by everybody on this service.',
  internal: 'Something went wrong in the service. Its log says what.',
  invalid_token: 'The service does not accept this key. It may have expired.',
  not_allowed: 'The policies of this bucket do not let you do that.',
  object_exists: 'A file with this name is here already.',
  object_not_found: 'This file is gone, or you may not see it.',
  out_of_space: 'The service has no space left.',
  role_not_allowed: 'The key is for a role that this service does not serve.',
  unavailable: 'The service cannot be reached. Check the connection, then try again.',
};

/** What went wrong and what to do about it, as a sentence. */
export function failureInWords(error: RowlockError): string {
  const said = sentences[error.reason] ?? error.message;
  const sentence = said.charAt(0).toUpperCase() + said.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

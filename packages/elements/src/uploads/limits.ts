/**
 * What a bucket takes, in words before somebody chooses a file and as a check before its bytes move. The service
 * decides; this only spares a wait. Invariant: what the service takes is not refused here.
 */

import { type Bucket, RowlockError } from '@rowlock/client';
import { bytesInWords } from '../page/wording.ts';

export type Limits = Pick<Bucket, 'file_size_limit' | 'allowed_mime_types'>;

/** Nothing is known to be refused. */
export const noLimits: Limits = { file_size_limit: null, allowed_mime_types: null };

/** The limits as a sentence. */
export function limitsInWords({ file_size_limit, allowed_mime_types }: Limits): string {
  const size = file_size_limit === null ? 'of any size' : `of up to ${bytesInWords(file_size_limit)} each`;
  return allowed_mime_types === null || allowed_mime_types.length === 0
    ? `Takes files of any type, ${size}.`
    : `Takes ${allowed_mime_types.join(', ')}, ${size}.`;
}

/** Why the service would refuse a file; undefined where it may well take it. */
export function refusedBefore(
  file: { readonly size: number; readonly type: string },
  { file_size_limit, allowed_mime_types }: Limits,
): RowlockError | undefined {
  if (file_size_limit !== null && file.size > file_size_limit) {
    const words = `It has ${bytesInWords(file.size)}; this bucket takes up to ${bytesInWords(file_size_limit)}`;
    return new RowlockError('too_large', words);
  }
  const type = file.type === '' ? 'application/octet-stream' : file.type;
  if (allowed_mime_types?.length && !allowed_mime_types.some((allowed) => isCovered(type, allowed))) {
    return new RowlockError(
      'media_type_not_allowed',
      `It is ${type}; this bucket takes ${allowed_mime_types.join(', ')}`,
    );
  }
  return undefined;
}

function isCovered(type: string, allowed: string): boolean {
  const [given = '', wanted = ''] = [type, allowed].map((each) => each.split(';')[0]?.trim().toLowerCase());
  return (
    wanted === given ||
    wanted === '*' ||
    wanted === '*/*' ||
    (wanted.endsWith('/*') && given.startsWith(wanted.slice(0, -1)))
  );
}

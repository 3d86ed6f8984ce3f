/**
 * Maps what the operating system says into the errors of the backend interface: one table from errno to
 * reason. It adds no path and no key to a message. Invariant: an error that is not in the table stays what it
 * is, so that a failing disk (EIO) is never mistaken for a full or missing one.
 */
import { type ErrorReason, RowlockError } from '@rowlock/client/contract';

const reasons: Readonly<Record<string, readonly [ErrorReason, string]>> = {
  ENOSPC: ['out_of_space', 'The disk is full.'],
  EDQUOT: ['out_of_space', 'The disk quota is used up.'],
  EFBIG: ['out_of_space', 'The file is larger than this process or file system may write.'],
  EMFILE: ['unavailable', 'Too many files are open.'],
  ENFILE: ['unavailable', 'Too many files are open.'],
  EROFS: ['unavailable', 'The file system is read-only.'],
  EACCES: ['unavailable', 'The store does not permit this to the server.'],
  EPERM: ['unavailable', 'The store does not permit this to the server.'],
};

/** Returns the RowlockError of an errno, or the error itself. */
export function diskError(error: unknown): unknown {
  const [reason, message] = reasons[errnoOf(error) ?? ''] ?? [];
  return reason === undefined ? error : new RowlockError(reason, message ?? '', { cause: error });
}

/** The errno name of a system error (`ENOENT`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Tells whether nothing is there: no such file, a file where a folder would be, or a link where neither may be. */
export function isAbsent(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP';
}

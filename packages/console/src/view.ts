/**
 * What every view of the console is given, and how their work under way ends: with the view's signal. A view makes
 * elements and calls; it keeps nothing after it was left.
 */
import { isRowlockError, type RowlockError, type StorageClient } from '@rowlock/client';
import type { UploadQueue } from '@rowlock/elements';
import { announce } from './status-line.ts';
import { failureInWords } from './wording.ts';

export interface ViewContext {
  readonly client: StorageClient;
  /** Ends when another view takes the place of this one. */
  readonly signal: AbortSignal;
  /** Ends the session, saying why. */
  readonly signOut: (why: string) => void;
}

/** What a view of a folder is given besides. */
export interface FolderContext extends ViewContext {
  readonly uploads: UploadQueue;
}

/** Does something for a view; what fails is said in the status line unless `onFailure` shows it. */
export async function attempt(
  { signal, signOut }: Pick<ViewContext, 'signal' | 'signOut'>,
  work: () => Promise<void>,
  onFailure: (sentence: string, error: RowlockError) => void = (sentence) => announce(sentence),
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (signal.aborted) {
      return;
    }
    if (!isRowlockError(error)) {
      throw error;
    }
    if (isRowlockError(error, 'invalid_token', 'role_not_allowed')) {
      signOut(failureInWords(error));
      return;
    }
    onFailure(failureInWords(error), error);
  }
}

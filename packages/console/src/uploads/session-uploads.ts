/**
 * The uploads of a session: their queue, and the tray that shows it. Loaded with the first folder, so that whoever looks at
 * buckets does not wait for it.
 */
import type { StorageClient } from '@rowlock/client';
import { defineElements, isSettled, UploadQueue } from '@rowlock/elements';
import { showUploads } from './upload-tray.ts';

export interface SessionUploads {
  readonly queue: UploadQueue;
  /** Whether something would be lost if the tab were closed now. */
  isBusy(): boolean;
}

/** Begins a queue that ends with the signal, shown in the tray. */
export function startUploads(client: StorageClient, tray: HTMLElement, signal: AbortSignal): SessionUploads {
  defineElements();
  const queue = new UploadQueue(client, signal);
  showUploads(tray, queue, signal);
  return { queue, isBusy: () => queue.entries().some(([, upload]) => !isSettled(upload)) };
}

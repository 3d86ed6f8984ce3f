/**
 * What the ways of an upload share: the file and its target, the client, the control, the meter, what is remembered. Each way is a
 * function of it. Invariant: every request of an upload goes through `again`, so that pause and cancel reach it.
 */
import type { StorageClient } from '../client.ts';
import type { PartSource } from './part-source.ts';
import type { PendingUpload, PendingUploads } from './pending-uploads.ts';
import type { ProgressMeter } from './progress-meter.ts';
import { retried } from './retried.ts';
import type { UploadControl } from './upload-control.ts';
import type { UploadChoices, UploadTarget } from './upload-options.ts';

export interface RunningUpload {
  readonly client: StorageClient;
  readonly target: UploadTarget;
  readonly source: PartSource;
  readonly choices: UploadChoices;
  readonly contentType: string | undefined;
  /** What an entity's file is called. */
  readonly fileName: string;
  /** Of the whole file, in hex. */
  readonly sha256: string | undefined;
  readonly control: UploadControl;
  readonly meter: ProgressMeter;
  /** Where it is remembered, and by which key; undefined where it is not. */
  readonly memory: { readonly uploads: PendingUploads; readonly key: string } | undefined;
}

/** A request that may be made again. */
export function again<T>(
  { control, meter, choices }: RunningUpload,
  attempt: (signal: AbortSignal, before: number) => Promise<T>,
): Promise<T> {
  const { attemptsMax } = choices;
  return retried(attempt, { control, attemptsMax, onRetry: () => meter.enter('retrying') });
}

/** What was begun before. */
export function remembered(upload: RunningUpload): Promise<PendingUpload | undefined> {
  return inMemory(upload, (uploads, key) => uploads.get(key));
}

/** Keeps what was begun. */
export function remember(upload: RunningUpload, uploadId: string): Promise<void> {
  const pending = { uploadId, sha256: upload.sha256, begunAt: Date.now() };
  return inMemory(upload, (uploads, key) => uploads.set(key, pending));
}

/** Forgets it. */
export function forget(upload: RunningUpload): Promise<void> {
  return inMemory(upload, (uploads, key) => uploads.delete(key));
}

async function inMemory<T>(
  { memory }: RunningUpload,
  act: (uploads: PendingUploads, key: string) => Promise<T>,
): Promise<T | undefined> {
  try {
    return memory === undefined ? undefined : await act(memory.uploads, memory.key);
  } catch {
    return undefined; // a storage that is full or forbidden: then nothing goes on later, but all of it goes now
  }
}

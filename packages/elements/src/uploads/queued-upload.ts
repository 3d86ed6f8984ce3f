/**
 * One file of a queue as it stands: where it goes, how far it is, what became of it. These are values; whoever changes
 * one makes another.
 */
import type { RowlockError, UploadedFile } from '@rowlock/client';
import type { Limits } from './limits.ts';
import type { PhotoPlace } from './photo-place.ts';

/** Where files go: a bucket, below the folder that their names begin with, or a row of the application. */
export type Destination =
  | { readonly bucket: string }
  | { readonly entityType: string; readonly entityId: string; readonly propertyName?: string };

/** `storing`: all bytes are sent, and the service has not said yet that it has them. */
export type UploadState = 'waiting' | 'sending' | 'paused' | 'storing' | 'done' | 'failed' | 'cancelled';

export interface QueuedUpload {
  readonly destination: Destination;
  readonly name: string;
  readonly file: File;
  readonly limits: Limits;
  readonly consentLocation: boolean;
  readonly state: UploadState;
  readonly sent_bytes: number;
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
  /** Whether the connection was lost and it is being tried again. */
  readonly retrying: boolean;
  /** Bytes that an earlier visit had sent already. */
  readonly resumedBytes: number;
  /** Why it failed. */
  readonly error: RowlockError | undefined;
  /** What the service made of it. */
  readonly uploaded: UploadedFile | undefined;
  /** Where a photo was taken; undefined where nobody agreed that it is asked. */
  readonly place: PhotoPlace | undefined;
}

/** States in which a file is still on its way. */
const unsettled: ReadonlySet<UploadState> = new Set(['waiting', 'sending', 'paused', 'storing']);

/** Whether nothing more happens to an upload by itself or by being resumed. */
export function isSettled({ state }: Pick<QueuedUpload, 'state'>): boolean {
  return !unsettled.has(state);
}

/** Whether a file goes to a bucket, at this name or below this folder. */
export function isBelow({ destination, name }: QueuedUpload, bucket: string | undefined, prefix: string): boolean {
  return 'bucket' in destination && destination.bucket === bucket && name.startsWith(prefix);
}

/** How far many files are together, without those that failed or were cancelled. */
export interface QueueProgress {
  readonly sentBytes: number;
  readonly bytes: number;
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** Adds up how far uploads are. */
export function progressOf(uploads: readonly QueuedUpload[]): QueueProgress {
  const counted = uploads.filter(({ state }) => state !== 'failed' && state !== 'cancelled');
  const bytes = sum(counted.map(({ file }) => file.size));
  const sentBytes = sum(counted.map(({ sent_bytes }) => sent_bytes));
  const paces = counted.filter(({ state }) => state === 'sending').map(({ bytesPerSecond }) => bytesPerSecond ?? 0);
  const bytesPerSecond = sum(paces) > 0 ? sum(paces) : undefined;
  const secondsLeft = bytesPerSecond === undefined ? undefined : (bytes - sentBytes) / bytesPerSecond;
  return { sentBytes, bytes, bytesPerSecond, secondsLeft };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The last part of a name. */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

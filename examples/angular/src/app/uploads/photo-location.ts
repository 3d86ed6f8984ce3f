/**
 * Where a photo was taken, as far as Rowlock read it and the caller may know it. The answer always comes: also for a photo
 * that says nothing, for a file that is no photo, for one that cannot be read, and where nobody reads it in time.
 */
import type { StorageClient } from '@rowlock/client';

export type PhotoLocation =
  | { readonly state: 'found'; readonly latitude: number; readonly longitude: number }
  /** `none`: it says nothing; `withheld`: it says where, and nobody consented; `hidden`: not for this caller. */
  | { readonly state: 'none' | 'withheld' | 'hidden' | 'unreadable' };

/** What `get_file_exif` answers. */
interface FileExif {
  readonly status: string;
  readonly location_status: string | null;
  readonly exif_data: { readonly latitude?: number; readonly longitude?: number } | null;
}

const ended = new Set(['extracted', 'completed', 'failed', 'not_applicable']);
const firstPauseMs = 250;
const pauseMsMax = 2000;
const patienceMs = 120_000;

/**
 * Waits until a file was read, and answers where it was taken; `unreadable` where that takes longer than `timeoutMs`. Ends
 * with the signal's reason when that is given.
 */
export async function waitForLocation(
  client: StorageClient,
  fileId: string,
  signal: AbortSignal,
  timeoutMs: number = patienceMs,
): Promise<PhotoLocation> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    return await locationOnceRead(client, fileId, AbortSignal.any([signal, late.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (late.signal.aborted) return { state: 'unreadable' };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function locationOnceRead(client: StorageClient, fileId: string, signal: AbortSignal): Promise<PhotoLocation> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, pauseMsMax)) {
    signal.throwIfAborted();
    const exif = await client.rpc<FileExif | null>('get_file_exif', { p_file_id: fileId }, 'GET', signal);
    if (exif === null || ended.has(exif.status)) return locationIn(exif);
    await pause(pauseMs, signal);
  }
}

function locationIn(exif: FileExif | null): PhotoLocation {
  const { latitude, longitude } = exif?.exif_data ?? {};
  if (typeof latitude === 'number' && typeof longitude === 'number') return { state: 'found', latitude, longitude };
  if (exif === null || exif.location_status === 'hidden') return { state: 'hidden' };
  if (exif.location_status === 'withheld') return { state: 'withheld' };
  return { state: exif.status === 'failed' || exif.location_status === 'invalid' ? 'unreadable' : 'none' };
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, durationMs);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Where a photo was taken, as the service found it in the photo after its upload: asked for until it is known. Nothing
 * is read from the file here, and nothing is asked for without consent.
 */
import { type ImageFacts, isRowlockError, type StorageClient, type UploadedFile } from '@rowlock/client';
import { pause } from '../page/pause.ts';
import { positionInWords } from '../page/wording.ts';

export type PhotoPlace =
  | { readonly state: 'looking' }
  | { readonly state: 'found'; readonly latitude: number; readonly longitude: number }
  | { readonly state: 'none' }
  /** It is there and not for this caller, or could not be read in time. */
  | { readonly state: 'unknown' };

/** What `get_file_exif` answers of a file. */
interface FileExif {
  readonly status: string;
  readonly location_status: string | null;
  readonly exif_data: { readonly latitude: number | null; readonly longitude: number | null } | null;
}

const firstPauseMs = 300;
const pauseMsMax = 3000;
const patienceMs = 120_000;
const underWay: ReadonlySet<string> = new Set(['pending', 'processing']);
/** Of thumbnails, which are made by the job that reads a photo. */
const over: ReadonlySet<string> = new Set(['failed', 'not_applicable']);

/** A place as a sentence. */
export function placeInWords(place: PhotoPlace): string {
  switch (place.state) {
    case 'looking':
      return 'Extracting GPS…';
    case 'found':
      return `Location automatically detected: ${positionInWords(place.latitude, place.longitude)}`;
    case 'none':
      return 'No location in this photo';
    case 'unknown':
      return 'The location of this photo is not known';
  }
}

/** Asks until the service has read the photo. Answers also where nothing comes of it; throws the signal's reason only. */
export async function findPlace(
  client: StorageClient,
  uploaded: Pick<UploadedFile, 'bucket' | 'name' | 'fileId'>,
  signal: AbortSignal,
): Promise<PhotoPlace> {
  const until = Date.now() + patienceMs;
  for (let pauseMs = firstPauseMs; Date.now() < until; pauseMs = Math.min(pauseMs * 1.5, pauseMsMax)) {
    const place = await ask(client, uploaded);
    if (place !== 'later') {
      return place;
    }
    await pause(pauseMs, signal);
  }
  return { state: 'unknown' };
}

async function ask(
  client: StorageClient,
  { bucket, name, fileId }: Pick<UploadedFile, 'bucket' | 'name' | 'fileId'>,
): Promise<PhotoPlace | 'later'> {
  try {
    if (fileId !== undefined) {
      return placeOfFile(await client.rpc<FileExif | null>('get_file_exif', { p_file_id: fileId }, 'GET'));
    }
    const segments = [bucket, ...name.split('/')].map(encodeURIComponent).join('/');
    const facts = await client.ask<ImageFacts>({ method: 'GET', path: `/storage/v1/object/facts/${segments}` });
    const place = placeOfObject(facts);
    const isOver = place === 'later' && over.has((await client.picture({ bucket, name })).status);
    return isOver ? { state: 'unknown' } : place;
  } catch (error) {
    if (isRowlockError(error, 'unavailable', 'rate_limited')) {
      return 'later';
    }
    if (isRowlockError(error)) {
      return { state: 'unknown' };
    }
    throw error;
  }
}

function placeOfFile(exif: FileExif | null): PhotoPlace | 'later' {
  if (exif !== null && underWay.has(exif.status)) {
    return 'later';
  }
  if (exif === null || exif.status === 'failed') {
    return { state: 'unknown' };
  }
  return placeIn(exif.location_status, exif.exif_data);
}

function placeOfObject({ read_at, location }: ImageFacts): PhotoPlace | 'later' {
  return read_at === null ? 'later' : placeIn(location.state, location);
}

function placeIn(
  state: string | null,
  at: { readonly latitude?: number | null; readonly longitude?: number | null } | null,
): PhotoPlace {
  const { latitude, longitude } = at ?? {};
  if (state === 'found' && typeof latitude === 'number' && typeof longitude === 'number') {
    return { state: 'found', latitude, longitude };
  }
  return { state: state === 'hidden' ? 'unknown' : 'none' };
}

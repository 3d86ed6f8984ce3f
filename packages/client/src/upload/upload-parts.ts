/**
 * An upload in parts, whoever's it is: goes on with what was begun, else begins, sends what is missing and completes. How an upload
 * is begun, signed and completed its store knows. Invariant: what was begun is completed, kept to go on with, or given up.
 */
import { isRowlockError, RowlockError } from '../contract/errors.ts';
import type { MultipartState, SignedPart } from '../contract/parts.ts';
import { sendParts } from '../send-parts.ts';
import { again, forget, type RunningUpload, remember, remembered } from './running-upload.ts';
import type { UploadedFile } from './upload-options.ts';

export type OpenParts = Pick<MultipartState, 'upload_id' | 'size' | 'part_size' | 'part_count' | 'parts'> & {
  /** Whether parts can be sent; otherwise it is only to be completed. */
  readonly isOpen: boolean;
};

/** The requests around the parts. */
export interface PartsStore<T> {
  begin(signal: AbortSignal): Promise<OpenParts>;
  /** @throws RowlockError `upload_gone` */
  find(uploadId: string, signal: AbortSignal): Promise<OpenParts>;
  sign(uploadId: string, parts: readonly number[], signal: AbortSignal): Promise<readonly SignedPart[]>;
  /** @throws RowlockError `invalid_part` where one is missing: then it goes on */
  complete(uploadId: string, signal: AbortSignal): Promise<T>;
  /** Makes what was completed what the upload answers. Until then it is remembered. */
  record(completed: T): Promise<UploadedFile>;
  abort(uploadId: string): Promise<void>;
  /** Whether the file can go without parts, where not one of them has reached the store. */
  readonly hasOtherWay?: boolean;
}

/** How often what the store does not have is sent once more. */
const completionsMax = 3;

/** Says of an upload that no later try of the same will do better. */
function isFinal(error: unknown): boolean {
  return isRowlockError(
    error,
    'upload_gone',
    'object_not_found',
    'object_exists',
    'too_large',
    'quota_exceeded',
    'media_type_not_allowed',
    'not_allowed',
    'bad_digest',
    'not_implemented',
  );
}

/**
 * @throws RowlockError what the service says; `client_closed` after a cancel, with nothing left behind; `not_implemented` where the
 *   store has another way, and was not reached by this one
 */
export async function uploadParts<T>(upload: RunningUpload, store: PartsStore<T>): Promise<UploadedFile> {
  const known = await found(upload, store);
  try {
    return await carriedOut(upload, store, known);
  } catch (error) {
    // It was over by the time that its parts came: from the beginning, once.
    if (known === undefined || !isRowlockError(error, 'upload_gone')) throw error;
    return await carriedOut(upload, store, undefined);
  }
}

/** What was begun of the same file; undefined where it is over. */
async function found<T>(upload: RunningUpload, store: PartsStore<T>): Promise<OpenParts | undefined> {
  const pending = await remembered(upload);
  if (pending === undefined) return undefined;
  try {
    const parts = await again(upload, (signal) => store.find(pending.uploadId, signal));
    return parts.size === upload.source.size && pending.sha256 === upload.sha256 ? parts : undefined;
  } catch (error) {
    if (!isRowlockError(error, 'upload_gone', 'object_not_found', 'invalid_request')) throw error;
    return undefined;
  }
}

async function carriedOut<T>(
  upload: RunningUpload,
  store: PartsStore<T>,
  known: OpenParts | undefined,
): Promise<UploadedFile> {
  let uploadId = known?.upload_id;
  try {
    const parts = known ?? (await again(upload, (signal) => store.begin(signal)));
    uploadId = parts.upload_id;
    if (known === undefined) await remember(upload, uploadId);
    const done = await store.record(await sentAndCompleted(upload, store, parts));
    await forget(upload);
    return done;
  } catch (error) {
    // The rest stays, for when the same file is uploaded again: by then the caller may have a token that is good.
    if (!upload.control.isEnded && (!isFinal(error) || uploadId === undefined)) throw error;
    await forget(upload);
    if (uploadId !== undefined) await givenUp(store, uploadId);
    throw error;
  }
}

async function sentAndCompleted<T>(upload: RunningUpload, store: PartsStore<T>, begun: OpenParts): Promise<T> {
  const { meter } = upload;
  let parts = begun;
  for (let completions = 1; ; completions += 1) {
    const { upload_id } = parts;
    if (parts.isOpen) {
      if (completions === 1) meter.resumed(bytesOf(parts));
      meter.enter('sending');
      await sendMissing(upload, store, parts);
    }
    meter.sent('all', parts.size); // those that arrived by another page too
    meter.enter('completing');
    try {
      return await again(upload, (signal) => store.complete(upload_id, signal));
    } catch (error) {
      if (completions === completionsMax || !isRowlockError(error, 'invalid_part')) throw error;
      parts = await again(upload, (signal) => store.find(upload_id, signal));
    }
  }
}

async function sendMissing<T>(upload: RunningUpload, store: PartsStore<T>, parts: OpenParts): Promise<void> {
  const { meter, control, client, source } = upload;
  const { atOnce, attemptsMax } = upload.choices;
  let hasArrived = false;
  const onProgress = (): void => {
    hasArrived = true;
  };
  const sign = (numbers: readonly number[]) => again(upload, (signal) => store.sign(parts.upload_id, numbers, signal));
  try {
    await sendParts(
      { ...parts, arrived: parts.parts, source, sign },
      { atOnce, attemptsMax, onProgress },
      {
        control,
        put: (url, request) => client.putTo(url, request),
        onSent: (part, bytes) => meter.sent(part, bytes),
        onRetry: () => meter.enter('retrying'),
      },
    );
  } catch (error) {
    if (hasArrived || store.hasOtherWay !== true || !isRowlockError(error, 'unavailable')) throw error;
    throw new RowlockError('not_implemented', 'The store cannot be reached', { cause: error });
  }
}

function bytesOf({ parts }: OpenParts): number {
  return parts.reduce((sum, { size }) => sum + size, 0);
}

/** As well as it goes: what is not given up now ends by itself in a day. */
async function givenUp<T>(store: PartsStore<T>, uploadId: string): Promise<void> {
  try {
    await store.abort(uploadId);
  } catch (error) {
    if (!(error instanceof RowlockError)) throw error;
  }
}

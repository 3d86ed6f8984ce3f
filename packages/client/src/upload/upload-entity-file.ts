/**
 * The ways of a file of an entity, by functions of the database alone: one PUT to a URL that was asked for, or parts; then its row.
 * The bytes go straight to the store. Invariant: the row is written last, and twice is once.
 */
import type { StorageClient } from '../client.ts';
import { RowlockError } from '../contract/errors.ts';
import type { UploadRequest } from '../contract/objects.ts';
import type { ArrivedPart, MultipartRequestState, SignedPart } from '../contract/parts.ts';
import { errorOfAnswer } from '../error-of-answer.ts';
import { pictureOf } from '../picture-of.ts';
import { waited } from '../wait.ts';
import { again, type RunningUpload } from './running-upload.ts';
import { bodyOf } from './upload-body.ts';
import type { UploadedFile } from './upload-options.ts';
import { type OpenParts, type PartsStore, uploadParts } from './upload-parts.ts';

export interface EntityPlace {
  readonly entityType: string;
  readonly entityId: string;
  readonly propertyName?: string | undefined;
}

/** Where the bytes of a file are, and its id. */
export interface StoredFile {
  readonly file_id: string | null;
  readonly bucket: string | null;
  readonly key: string;
}

/** A signer that has to be told signs in milliseconds, and a worker begins an upload so; putting one together takes its time. */
const signPatienceMs = 20_000;
const completePatienceMs = 3_600_000;
/** URLs that are asked for anew, where the store refuses one. */
const requestsMax = 3;

/** In one PUT. */
export async function putEntityFile(upload: RunningUpload, place: EntityPlace): Promise<UploadedFile> {
  for (let requests = 1; ; requests += 1) {
    const request = await again(upload, (signal) => signedRequest(upload.client, argumentsOf(upload, place), signal));
    upload.meter.enter('sending');
    if (await isPut(upload, request)) return await recorded(upload, place, request);
    if (requests === requestsMax)
      throw new RowlockError('invalid_signature', 'The store refused every URL for the file');
  }
}

/** Whether the store has the bytes; false where it did not take the URL, which may have expired. */
async function isPut(upload: RunningUpload, { url, headers }: SignedRequest): Promise<boolean> {
  const { client, meter, source } = upload;
  return await again(upload, async (signal, before) => {
    let isThere = false;
    try {
      const { body, headers: ofBody } = await bodyOf(source);
      const onSent = (bytes: number): void => meter.sent('body', Math.min(bytes, source.size));
      const answer = await client.putTo(url, { body, headers: { ...ofBody, ...headers }, signal, onSent });
      // A URL is good for one PUT: after an answer that was lost the refusal says that it was ours.
      isThere = answer.ok || (before > 0 && answer.status === 412);
      if (isThere || answer.status === 403 || answer.status === 410) return isThere;
      throw await errorOfAnswer(answer, signal);
    } finally {
      meter.sent('body', isThere ? source.size : 0);
    }
  });
}

/** A request whose URL is there. */
export type SignedRequest = UploadRequest & { readonly url: string };

/** As a rule it is signed when it is answered; where the database may not sign, a worker does a moment later. */
async function signedRequest(
  client: StorageClient,
  args: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<SignedRequest> {
  const first = await client.rpc<UploadRequest>('request_upload', args, 'POST', signal);
  return isSigned(first) ? first : await untilSigned(client, first, signal);
}

/** The same once it is signed. @throws RowlockError `unavailable` where nobody signs it in 20 s */
export async function untilSigned(
  client: StorageClient,
  first: UploadRequest,
  signal?: AbortSignal,
): Promise<SignedRequest> {
  const look = async (): Promise<UploadRequest | null> =>
    await client.rpc('get_upload_request', { p_request_id: first.request_id }, 'GET', signal);
  const hasEnded = (state: UploadRequest | null): boolean => state?.status === 'failed' || isSigned(state);
  const state = await waited(look, hasEnded, { patienceMs: signPatienceMs, signal });
  if (isSigned(state)) return state;
  throw new RowlockError(
    'unavailable',
    state?.status === 'failed'
      ? (state.error ?? 'the upload URL could not be signed')
      : 'no upload URL was signed in time; is a worker running?',
  );
}

function isSigned(state: UploadRequest | null): state is SignedRequest {
  return state?.status === 'completed' && state.url !== null;
}

/** In parts. */
export async function uploadEntityFileInParts(upload: RunningUpload, place: EntityPlace): Promise<UploadedFile> {
  const args = { ...argumentsOf(upload, place), p_part_size: upload.choices.partSize ?? null };
  const record = (stored: StoredFile) => recorded(upload, place, stored);
  return await uploadParts(upload, { ...partsStore(upload.client, args), record });
}

/** What the store has to be asked a worker asks, so each step is asked for and then waited for. */
function partsStore(
  client: StorageClient,
  args: Readonly<Record<string, unknown>>,
): Omit<PartsStore<MultipartRequestState>, 'record'> {
  const state = (p_upload_id: string, signal: AbortSignal) =>
    client.rpc<MultipartRequestState | null>('get_multipart_upload', { p_upload_id }, 'GET', signal);
  const begun = async (id: string, signal: AbortSignal): Promise<MultipartRequestState> =>
    alive(
      await waited(
        () => state(id, signal),
        (now) => now?.status !== 'pending',
        { patienceMs: signPatienceMs, signal },
      ),
    );
  let asked: MultipartRequestState | undefined; // once, though the worker may have to be waited for twice
  return {
    begin: async (signal) => {
      asked ??= await client.rpc<MultipartRequestState>('request_multipart_upload', args, 'POST', signal);
      return opened(await begun(asked.upload_id, signal), []);
    },
    find: async (uploadId, signal) => {
      const now = await begun(uploadId, signal);
      return opened(now, now.status === 'open' ? await listedParts(client, uploadId, signal) : []);
    },
    sign: (p_upload_id, p_parts, signal) =>
      client.rpc<readonly SignedPart[]>('get_part_urls', { p_upload_id, p_parts }, 'POST', signal),
    complete: async (p_upload_id, signal) => {
      await client.rpc('complete_multipart_upload', { p_upload_id }, 'POST', signal);
      const isOver = (now: MultipartRequestState | null): boolean => now?.status !== 'completing';
      const ended = alive(
        await waited(() => state(p_upload_id, signal), isOver, { patienceMs: completePatienceMs, signal }),
      );
      if (ended.status === 'completed') return ended;
      throw new RowlockError('invalid_part', ended.error ?? 'the parts are not whole');
    },
    abort: (p_upload_id) => client.rpc('abort_multipart_upload', { p_upload_id }),
  };
}

interface ListedParts {
  readonly status: string;
  readonly parts: readonly ArrivedPart[] | null;
}

async function listedParts(
  client: StorageClient,
  p_upload_id: string,
  signal: AbortSignal,
): Promise<readonly ArrivedPart[]> {
  const look = () => client.rpc<ListedParts | null>('list_parts', { p_upload_id }, 'POST', signal);
  const listed = await waited(look, (now) => now?.status !== 'pending', { patienceMs: signPatienceMs, signal });
  return listed?.parts ?? [];
}

function opened(state: MultipartRequestState, parts: readonly ArrivedPart[]): OpenParts {
  return { ...state, parts, isOpen: state.status === 'open' };
}

/** @throws RowlockError `upload_gone` where it is over, `unavailable` where no worker has begun it */
function alive(state: MultipartRequestState | null): MultipartRequestState {
  if (state === null || state.status === 'failed') {
    throw new RowlockError('upload_gone', state?.error ?? 'The upload expired or was given up');
  }
  if (state.status === 'pending') {
    throw new RowlockError('unavailable', 'the upload was not begun in time; is a worker running?');
  }
  return state;
}

async function recorded(upload: RunningUpload, place: EntityPlace, stored: StoredFile): Promise<UploadedFile> {
  const { client, source, contentType = '', sha256 } = upload;
  const fileId = stored.file_id ?? '';
  upload.meter.enter('completing');
  await again(upload, (signal) => {
    const { p_consent_location: _consent, p_sha256: _sha256, ...args } = argumentsOf(upload, place);
    const where = { p_id: fileId, p_s3_bucket: stored.bucket, p_s3_original_key: stored.key };
    return client.rpc('create_file_record', { ...args, ...where }, 'POST', signal);
  });
  const { bucket, name, object_id } = await again(upload, (signal) => pictureOf(client, { fileId }, { signal }));
  return { bucket, name, objectId: object_id ?? undefined, fileId, size: source.size, contentType, sha256 };
}

function argumentsOf(upload: RunningUpload, { entityType, entityId, propertyName }: EntityPlace) {
  return {
    p_entity_type: entityType,
    p_entity_id: entityId,
    p_file_name: upload.fileName,
    p_file_type: upload.contentType ?? '',
    p_file_size: upload.source.size,
    p_property_name: propertyName ?? null,
    p_consent_location: upload.choices.consentLocation ?? false,
    p_sha256: upload.sha256 ?? null,
  };
}

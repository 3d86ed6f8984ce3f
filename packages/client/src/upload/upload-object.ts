/**
 * The ways of one object into a bucket: a request through the service, a request by a URL that is signed for it, or parts. It
 * decides between none of them. Invariant: a request whose answer was lost is not taken for a refusal.
 */
import type { StorageClient } from '../client.ts';
import { isRowlockError } from '../contract/errors.ts';
import type { UploadedObject } from '../contract/objects.ts';
import { errorOfAnswer } from '../error-of-answer.ts';
import { objectPath } from '../object-path.ts';
import { writeHeaders } from '../write-headers.ts';
import { abortMultipart, beginParts, completeParts, findParts, signParts } from './object-parts.ts';
import { again, type RunningUpload } from './running-upload.ts';
import { bodyOf, sha256Of } from './upload-body.ts';
import type { UploadedFile } from './upload-options.ts';
import { type OpenParts, uploadParts } from './upload-parts.ts';

export interface ObjectName {
  readonly bucket: string;
  readonly name: string;
}

/** What the service answered, as every way answers. */
function uploaded({ id, bucket, path, size, content_type, sha256 }: UploadedObject): UploadedFile {
  return {
    bucket,
    name: path,
    objectId: id,
    fileId: undefined,
    size,
    contentType: content_type,
    sha256: sha256 ?? undefined,
  };
}

/** In one request through the service. */
export async function uploadThroughService(upload: RunningUpload, place: ObjectName): Promise<UploadedFile> {
  const { bucket, name } = place;
  const path = objectPath('object', bucket, name);
  const headers = { ...headersOf(upload), ...writeHeaders(choicesOf(upload)) };
  return await inOneRequest(upload, place, async (request) => {
    const call = { method: 'POST', path, ...request, headers: { ...headers, ...request.headers } };
    return await upload.client.ask(call);
  });
}

/** URLs that are asked for anew, where one had expired by the time that the file began to go. */
const urlsMax = 3;

/** In one request by a URL that is good for it once. It overwrites only where it is told to. */
export async function uploadBySignedUrl(upload: RunningUpload, place: ObjectName): Promise<UploadedFile> {
  const { client } = upload;
  const headers = { ...headersOf(upload), ...writeHeaders({ cacheControl: upload.choices.cacheControl }) };
  for (let urls = 1; ; urls += 1) {
    const url = await again(upload, (signal) => signedUrl(upload, place, signal));
    try {
      return await inOneRequest(upload, place, async (request) => {
        const answer = await client.putTo(url, { ...request, headers: { ...headers, ...request.headers } });
        if (!answer.ok) throw await errorOfAnswer(answer, request.signal);
        return await written(client, place, request.signal); // a ticket does not say what its use has made
      });
    } catch (error) {
      if (urls === urlsMax || !isRowlockError(error, 'url_expired', 'invalid_signature')) throw error;
    }
  }
}

async function signedUrl(upload: RunningUpload, { bucket, name }: ObjectName, signal: AbortSignal): Promise<string> {
  const { client, source, contentType, sha256 } = upload;
  const { cacheControl: _ofThePut, ...writing } = choicesOf(upload);
  const json = { content_type: contentType, size_max: source.size === 0 ? undefined : source.size, sha256 };
  const path = objectPath('object/upload/sign', bucket, name);
  const call = { method: 'POST', path, json, headers: writeHeaders(writing), signal };
  return (await client.ask<{ readonly signedURL: string }>(call)).signedURL;
}

type OneRequest = Awaited<ReturnType<typeof bodyOf>> & {
  readonly signal: AbortSignal;
  readonly onSent: (bytes: number) => void;
};

async function inOneRequest(
  upload: RunningUpload,
  place: ObjectName,
  send: (request: OneRequest) => Promise<UploadedObject>,
): Promise<UploadedFile> {
  const { meter, source } = upload;
  meter.enter('sending');
  const object = await again(upload, async (signal, before) => {
    const onSent = (bytes: number): void => {
      meter.sent('body', Math.min(bytes, source.size));
      if (bytes >= source.size) meter.enter('completing');
    };
    try {
      return await send({ ...(await bodyOf(source)), signal, onSent });
    } catch (error) {
      meter.sent('body', 0);
      const mayBeOurs = before > 0 && isRowlockError(error, 'object_exists', 'upload_gone');
      return (mayBeOurs ? await writtenBefore(upload, place, signal) : undefined) ?? Promise.reject(error);
    }
  });
  meter.sent('body', source.size);
  meter.enter('completing');
  return uploaded(object);
}

/** What an attempt whose answer was lost has written: the same bytes. */
async function writtenBefore(
  { client, source, sha256 }: RunningUpload,
  place: ObjectName,
  signal: AbortSignal,
): Promise<UploadedObject | undefined> {
  const object = await written(client, place, signal);
  const ours = sha256 ?? (await sha256Of(source, () => signal.throwIfAborted()));
  return object.size === source.size && object.sha256 === ours ? object : undefined;
}

async function written(
  client: StorageClient,
  { bucket, name }: ObjectName,
  signal: AbortSignal,
): Promise<UploadedObject> {
  const info = await client.info(bucket, name, { signal });
  return { ...info, bucket, path: info.name, updated_at: info.last_modified };
}

/** In parts, straight to the store. @throws RowlockError `not_implemented` where it takes none */
export async function uploadObjectInParts(upload: RunningUpload, place: ObjectName): Promise<UploadedFile> {
  const { client, source, contentType, sha256 } = upload;
  const { partSize } = upload.choices;
  const wanted = { ...place, ...choicesOf(upload), size: source.size, contentType, partSize, sha256 };
  return await uploadParts(upload, {
    hasOtherWay: upload.choices.way === undefined,
    begin: async (signal) => open(await beginParts(client, wanted, signal)),
    find: async (uploadId, signal) => open(await findParts(client, uploadId, signal)),
    sign: (uploadId, parts, signal) => signParts(client, uploadId, parts, signal),
    complete: (uploadId, signal) => completeParts(client, uploadId, signal),
    record: async (object) => uploaded(object),
    abort: (uploadId) => abortMultipart(client, uploadId),
  });
}

function open(state: Awaited<ReturnType<typeof findParts>>): OpenParts {
  return { ...state, isOpen: state.status === 'open' };
}

function headersOf({ contentType, sha256 }: RunningUpload): Record<string, string | undefined> {
  return {
    'content-type': contentType,
    'x-amz-checksum-sha256': sha256 && base64OfHex(sha256),
  };
}

function choicesOf({ choices }: RunningUpload) {
  const { overwrite, cacheControl, consentLocation } = choices;
  // Of an object that no entity has, consent is what its uploader says of it.
  const metadata = consentLocation ? { ...choices.metadata, consent_location: true } : choices.metadata;
  return { overwrite, cacheControl, metadata };
}

function base64OfHex(hex: string): string {
  return btoa(hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))));
}

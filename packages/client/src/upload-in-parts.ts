/**
 * Uploads a large file as one object, in parts that go straight to the store: begin, send, complete; or go on with an upload that
 * a closed page left open. The file is never in memory as a whole. Invariant: a name shows the whole file or what it had before.
 */
import type { StorageClient, UploadOptions } from './client.ts';
import { isRowlockError, RowlockError } from './contract/errors.ts';
import type { UploadedObject } from './contract/objects.ts';
import type { ArrivedPart, BegunMultipart, MultipartState, SignedPart } from './contract/parts.ts';
import { metadataHeader } from './metadata-header.ts';
import { type PartSource, type SendPartsOptions, sendParts, sourceOf } from './send-parts.ts';
import { delay } from './wait.ts';

export interface UploadInPartsOptions extends SendPartsOptions, Omit<UploadOptions, 'size' | 'signal'> {
  /** Goes on with this upload, of the same file; what has arrived is not sent again. */
  readonly uploadId?: string | undefined;
  /** Called once, with what `uploadId` needs to go on: to be kept beside the file. */
  readonly onBegun?: ((uploadId: string) => void) | undefined;
  /** Bytes of a part; chosen by the service unless given. */
  readonly partSize?: number | undefined;
  /** Of the whole file, in hex: the service compares before anybody sees the object. */
  readonly sha256?: string | undefined;
}

const basePath = '/storage/v1/upload/multipart';

/**
 * Uploads it. When it fails or is aborted the upload stays open for a day, so that it can go on; `abortMultipart` gives it up.
 *
 * @throws RowlockError what the service says; `upload_gone` for an `uploadId` that is over; `unavailable` where the store did not
 *   take a part
 */
export async function uploadInParts(
  client: StorageClient,
  place: { readonly bucket: string; readonly name: string },
  file: Blob | PartSource,
  options: UploadInPartsOptions = {},
): Promise<UploadedObject> {
  const source = sourceOf(file);
  const upload =
    options.uploadId === undefined
      ? { ...(await begin(client, place, source, options)), status: 'open', parts: [] }
      : await arrived(client, options.uploadId);
  if (upload.size !== source.size) {
    throw new RowlockError('invalid_request', `the upload has ${upload.size} bytes, and this file ${source.size}`);
  }
  options.onBegun?.(upload.upload_id);
  const { size, part_size, part_count } = upload;
  const path = `${basePath}/${upload.upload_id}`;
  if (upload.status !== 'open') return await complete(client, path, options.signal);
  await sendParts(
    {
      size,
      part_size,
      part_count,
      arrived: upload.parts,
      source,
      sign: async (parts) => {
        const answer = await client.send({
          method: 'POST',
          path: `${path}/sign`,
          json: { parts },
          signal: options.signal,
        });
        return ((await answer.json()) as { readonly urls: readonly SignedPart[] }).urls;
      },
    },
    options,
  );
  return await complete(client, path, options.signal);
}

async function begin(
  client: StorageClient,
  { bucket, name }: { readonly bucket: string; readonly name: string },
  { size }: PartSource,
  options: UploadInPartsOptions,
): Promise<BegunMultipart> {
  const { contentType, partSize, sha256, cacheControl, overwrite, metadata, signal } = options;
  const json = {
    bucket,
    name,
    size,
    ...(contentType === undefined ? {} : { content_type: contentType }),
    ...(partSize === undefined ? {} : { part_size: partSize }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(cacheControl === undefined
      ? {}
      : { cache_control: /^\d+$/.test(cacheControl) ? `max-age=${cacheControl}` : cacheControl }),
  };
  const headers: Record<string, string> = {
    ...(overwrite === undefined ? {} : { 'x-upsert': String(overwrite) }),
    ...(metadata === undefined ? {} : { 'x-metadata': metadataHeader(metadata) }),
  };
  return (await (
    await client.send({ method: 'POST', path: basePath, json, headers, signal })
  ).json()) as BegunMultipart;
}

/** An upload with all parts that have arrived. */
async function arrived(client: StorageClient, uploadId: string): Promise<MultipartState> {
  const parts: ArrivedPart[] = [];
  for (let after = 0; ; ) {
    const path = `${basePath}/${encodeURIComponent(uploadId)}?after=${after}`;
    const page = (await (await client.send({ method: 'GET', path })).json()) as MultipartState;
    parts.push(...page.parts);
    if (page.next_after === null) return { ...page, parts };
    after = page.next_after;
  }
}

const completeAttempts = 4;
const completeWaitMs = 1000;

/** Completing twice is answered twice, so an answer that is lost is asked for again. */
async function complete(client: StorageClient, path: string, signal: AbortSignal | undefined): Promise<UploadedObject> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await client.send({ method: 'POST', path: `${path}/complete`, json: {}, signal });
      return (await answer.json()) as UploadedObject;
    } catch (error) {
      if (attempt === completeAttempts || !isRowlockError(error, 'unavailable')) throw error;
      await delay(completeWaitMs * attempt, signal);
    }
  }
}

/** Gives an upload up, with all that has arrived. Idempotent. */
export async function abortMultipart(client: StorageClient, uploadId: string): Promise<void> {
  await client.send({ method: 'DELETE', path: `${basePath}/${encodeURIComponent(uploadId)}` });
}

/**
 * Uploads a large file as one object, in parts that go straight to the store, for who keeps the id of an upload by themselves:
 * `client.upload` does all of it. Invariant: a name shows the whole file or what it had before.
 */
import type { StorageClient } from './client.ts';
import { RowlockError } from './contract/errors.ts';
import type { UploadedObject } from './contract/objects.ts';
import { type SendPartsOptions, sendParts } from './send-parts.ts';
import { beginParts, completeParts, findParts, signParts } from './upload/object-parts.ts';
import { type PartSource, sourceOf } from './upload/part-source.ts';
import { retried } from './upload/retried.ts';
import { UploadControl } from './upload/upload-control.ts';
import type { Writing } from './write-headers.ts';

export interface UploadInPartsOptions extends SendPartsOptions, Writing {
  readonly contentType?: string | undefined;
  /** Goes on with this upload, of the same file; what has arrived is not sent again. */
  readonly uploadId?: string | undefined;
  /** Called once, with what `uploadId` needs to go on: to be kept beside the file. */
  readonly onBegun?: ((uploadId: string) => void) | undefined;
  /** Bytes of a part; chosen by the service unless given. */
  readonly partSize?: number | undefined;
  /** Of the whole file, in hex: the service compares before anybody sees the object. */
  readonly sha256?: string | undefined;
}

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
  const { size } = source;
  const { uploadId, contentType, partSize, sha256, cacheControl, overwrite, metadata, signal } = options;
  const wanted = { ...place, size, contentType, partSize, sha256, cacheControl, overwrite, metadata };
  const upload =
    uploadId === undefined ? await beginParts(client, wanted, signal) : await findParts(client, uploadId, signal);
  const { upload_id } = upload;
  if (upload.size !== size) {
    throw new RowlockError('invalid_request', `the upload has ${upload.size} bytes, and this file ${size}`);
  }
  options.onBegun?.(upload_id);
  if (upload.status === 'open') {
    const sign = (parts: readonly number[]) => signParts(client, upload_id, parts, signal);
    await sendParts({ ...upload, arrived: upload.parts, source, sign }, options);
  }
  const control = new UploadControl(signal);
  try {
    return await retried((ended) => completeParts(client, upload_id, ended), { control, attemptsMax: 4 });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    control.close();
  }
}

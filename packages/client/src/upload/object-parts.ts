/**
 * The requests of an upload in parts of one object, over HTTP: begin, find, sign, complete, give up. It sends no bytes and tries
 * nothing again.
 */
import type { StorageClient } from '../client.ts';
import type { UploadedObject } from '../contract/objects.ts';
import type { ArrivedPart, BegunMultipart, MultipartState, SignedPart } from '../contract/parts.ts';
import { cacheControlOf, type Writing, writeHeaders } from '../write-headers.ts';

export interface NewParts extends Writing {
  readonly bucket: string;
  readonly name: string;
  readonly size: number;
  readonly contentType?: string | undefined;
  readonly partSize?: number | undefined;
  /** Of the whole file, in hex. */
  readonly sha256?: string | undefined;
}

const basePath = '/storage/v1/upload/multipart';

const pathOf = (uploadId: string): string => `${basePath}/${encodeURIComponent(uploadId)}`;

/** Begins one. */
export async function beginParts(
  client: StorageClient,
  { contentType, partSize, sha256, cacheControl, overwrite, metadata, ...upload }: NewParts,
  signal?: AbortSignal,
): Promise<MultipartState> {
  const json = {
    ...upload,
    content_type: contentType,
    part_size: partSize,
    sha256,
    cache_control: cacheControlOf(cacheControl),
  };
  const headers = writeHeaders({ overwrite, metadata });
  const begun = await client.ask<BegunMultipart>({ method: 'POST', path: basePath, json, headers, signal });
  return { ...begun, status: 'open', error: null, parts: [], next_after: null };
}

/** One that was begun, with all parts that have arrived. @throws RowlockError `upload_gone` */
export async function findParts(
  client: StorageClient,
  uploadId: string,
  signal?: AbortSignal,
): Promise<MultipartState> {
  const parts: ArrivedPart[] = [];
  for (let after = 0; ; ) {
    const path = `${pathOf(uploadId)}?after=${after}`;
    const page = await client.ask<MultipartState>({ method: 'GET', path, signal });
    parts.push(...page.parts);
    if (page.next_after === null) return { ...page, parts };
    after = page.next_after;
  }
}

/** URLs of parts. */
export async function signParts(
  client: StorageClient,
  uploadId: string,
  parts: readonly number[],
  signal?: AbortSignal,
): Promise<readonly SignedPart[]> {
  const call = { method: 'POST', path: `${pathOf(uploadId)}/sign`, json: { parts }, signal };
  return (await client.ask<{ readonly urls: readonly SignedPart[] }>(call)).urls;
}

/** Makes its parts the object; answered again where it was completed before. */
export function completeParts(client: StorageClient, uploadId: string, signal?: AbortSignal): Promise<UploadedObject> {
  return client.ask({ method: 'POST', path: `${pathOf(uploadId)}/complete`, json: {}, signal });
}

/** Gives an upload up, with all that has arrived. Idempotent. */
export async function abortMultipart(client: StorageClient, uploadId: string): Promise<void> {
  await client.send({ method: 'DELETE', path: pathOf(uploadId) });
}

/**
 * Signs the PUT of a direct upload: what was declared becomes signed headers, and the answer says which of them the PUT
 * must send. Whether this may be uploaded was decided before, by whoever wrote the intent.
 */
import type { PresignPutOptions } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';

export interface PutOrder {
  readonly key: string;
  /** Where its bytes will be; the default one unless given. */
  readonly backend?: string | undefined;
  /** As it was declared, which is what its client will send; '' for nothing. */
  readonly fileType: string;
  readonly fileSize?: number | undefined;
  readonly sha256?: Buffer | undefined;
  readonly expirySeconds: number;
  /** Whether the PUT must say that the key is free. */
  readonly onlyNew?: boolean;
}

export interface SignedPut {
  readonly url: string;
  /** The store's own name of its bucket. */
  readonly bucket: string;
  /** What the PUT must send. A browser sets the length by itself, and must not be told to. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expires_at: Date;
}

interface SigningStores {
  readonly backends: Backends;
  /** The canned ACL that the PUT must send; none when undefined. */
  readonly upload_acl?: string | undefined;
}

/** @throws RowlockError `invalid_request`, `invalid_expiry` for what nobody could sign; `unavailable` */
export async function signPut(stores: SigningStores, order: PutOrder, now: Date = new Date()): Promise<SignedPut> {
  const { fileType, fileSize, sha256, expirySeconds, onlyNew = false } = order;
  const acl = stores.upload_acl;
  const backend = order.backend === undefined ? stores.backends.default : stores.backends.of(order.backend);
  const options: PresignPutOptions = {
    expirySeconds,
    contentType: fileType,
    now,
    ...(fileSize === undefined ? {} : { contentLength: fileSize }),
    ...(acl === undefined ? {} : { acl }),
    ...(sha256 === undefined ? {} : { sha256: sha256.toString('hex') }),
    ...(onlyNew ? { onlyNew } : {}),
  };
  const headers = {
    ...(fileType === '' ? {} : { 'content-type': fileType }),
    ...(acl === undefined ? {} : { 'x-amz-acl': acl }),
    ...(sha256 === undefined ? {} : { 'x-amz-checksum-sha256': sha256.toString('base64') }),
    ...(onlyNew ? { 'if-none-match': '*' } : {}),
  };
  const url = await backend.presignPut(order.key, options);
  const expires_at = new Date(Math.floor(now.getTime() / 1000 + expirySeconds) * 1000);
  return { url, bucket: backend.bucket, headers, expires_at };
}

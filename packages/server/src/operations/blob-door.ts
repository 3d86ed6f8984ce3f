/**
 * Our own answer to presigned URLs, for stores that have no HTTP of their own (disk): the signature is verified as S3
 * would, then one key is written once or read. The path decides nothing before the signature did.
 */
import type { Readable } from 'node:stream';
import { RowlockError } from '@rowlock/client/contract';
import type { ByteRange } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import { type RefusalReason, Refused } from '../backend/s3/refusal.ts';
import { type PresignedRequest, verifyPresigned } from '../backend/s3/verify-presigned.ts';
import { type SentChecksum, sentChecksums } from '../domain/checksum.ts';
import type { Database } from '../metadata/database.ts';
import { keyInQuarantine } from '../metadata/file-checks.ts';
import { one } from '../metadata/upkeep.ts';
import { receiveDirectUpload } from './direct-upload.ts';
import { receivePart } from './receive-part.ts';

/** The credentials whose signatures the door accepts, and the bucket that its URLs name. */
export interface BlobDoor {
  /** The name of the backend whose bytes are behind it. */
  readonly backend: string;
  readonly bucket: string;
  readonly region: string;
  readonly access_key_id: string;
  readonly secret_access_key: string;
}

export interface DoorRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly host: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly headers: PresignedRequest['headers'];
}

export interface DoorContext {
  readonly db: Database;
  readonly backends: Backends;
}

/** What a verified request names, and what was signed to be answered with. */
export interface DoorGrant {
  readonly backend: string;
  readonly key: string;
  readonly content_disposition: string | undefined;
  readonly content_type: string | undefined;
  /** The part that the URL is for; undefined where it is for the whole. */
  readonly part: { readonly store_id: string; readonly part_number: number } | undefined;
  /** What was said of the body: in headers, or signed into the URL. */
  readonly checksums: readonly SentChecksum[];
}

/**
 * Verifies the signature of a request at the door.
 *
 * @throws RowlockError `invalid_signature` for everything that is not a valid signature of this very request, an
 *   expired one included, as S3 answers it; `bad_digest` for a checksum that cannot be read
 */
export function verifyDoorRequest(door: BlobDoor, request: DoorRequest, now: Date = new Date()): DoorGrant {
  const verified = verifyPresigned({
    ...request,
    ...(request.method === 'HEAD' ? { alsoMethods: ['GET'] } : {}),
    credentials: { access_key_id: door.access_key_id, secret_access_key: door.secret_access_key },
    region: door.region,
    now,
  });
  if (!verified.ok) {
    throw new RowlockError('invalid_signature', verified.message, {
      cause: new Refused(verified.reason, verified.message),
    });
  }
  const prefix = `/${door.bucket}/`;
  if (!verified.path.startsWith(prefix)) {
    throw new RowlockError('invalid_signature', 'The URL is signed for something else');
  }
  const query = new Map(verified.query);
  return {
    backend: door.backend,
    key: verified.path.slice(prefix.length),
    content_disposition: query.get('response-content-disposition'),
    content_type: query.get('response-content-type'),
    part: partOf(query),
    checksums: request.method === 'PUT' ? sentChecksums([...Object.entries(request.headers), ...verified.query]) : [],
  };
}

/** Why a signature was refused, for answers in S3's dialect; undefined for any other error. */
export function signatureRefusal(error: RowlockError): RefusalReason | undefined {
  return error.cause instanceof Refused ? error.cause.reason : undefined;
}

/** @throws RowlockError `invalid_request` for half of what names a part */
function partOf(query: ReadonlyMap<string, string>): DoorGrant['part'] {
  const [number, store_id] = [query.get('partNumber'), query.get('uploadId')];
  if (number === undefined && store_id === undefined) return undefined;
  if (number === undefined || store_id === undefined || !/^[1-9]\d{0,4}$/.test(number)) {
    throw new RowlockError('invalid_request', 'A part is named by partNumber, from 1 on, and uploadId');
  }
  return { store_id, part_number: Number(number) };
}

/**
 * Takes the body of a verified PUT: of a whole once, of a part as often as it comes.
 *
 * @throws as `receiveDirectUpload` and `receivePart`
 */
export function putAtDoor(
  context: DoorContext,
  grant: DoorGrant,
  body: AsyncIterable<Uint8Array>,
  size: number | undefined,
): Promise<{ readonly etag: string }> {
  const { db, backends } = context;
  const { key, part, checksums } = grant;
  if (part !== undefined) {
    return receivePart({ db, backend: backends.of(grant.backend) }, { key, ...part, body, size, checksums });
  }
  return receiveDirectUpload({ db, backend: backends.of(grant.backend) }, { key, body, size, checksums });
}

/** Opens the bytes of a verified GET or HEAD. @throws RowlockError `object_not_found` */
export async function getAtDoor(
  context: DoorContext,
  grant: DoorGrant,
): Promise<{
  readonly size: number;
  readonly etag: string;
  readonly last_modified: Date;
  open(range?: ByteRange): Promise<Readable>;
}> {
  const backend = context.backends.of(grant.backend);
  // The URL may be older than what was found since.
  const [found, kept] = await Promise.all([
    backend.head(grant.key),
    one<{ is_kept_back: boolean }>(context.db, keyInQuarantine, [grant.backend, grant.key]),
  ]);
  if (found === undefined || kept?.is_kept_back !== false) {
    throw new RowlockError('object_not_found', 'The specified key does not exist');
  }
  return { ...found, open: async (range) => (await backend.get(grant.key, range)).stream };
}

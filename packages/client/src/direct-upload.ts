/**
 * The direct upload of applications that know only functions: ask for a URL, put the bytes there, register the file; above
 * 100 MB the same in parts. The bytes go straight to the store; the service sees them when they are complete.
 */
import type { StorageClient } from './client.ts';
import { RowlockError } from './contract/errors.ts';
import type { UploadRequest } from './contract/objects.ts';
import { type PartSource, type SendPartsOptions, sourceOf } from './send-parts.ts';
import { uploadEntityInParts } from './upload-entity-in-parts.ts';
import { waited } from './wait.ts';

export interface DirectUpload {
  readonly entityType: string;
  readonly entityId: string;
  readonly file:
    | File
    | {
        readonly name: string;
        readonly type: string;
        readonly size: number;
        /** A source is read piece by piece; it is for files that go in parts. */
        readonly body: Blob | Uint8Array<ArrayBuffer> | PartSource;
      };
  readonly propertyName?: string;
  readonly signal?: AbortSignal;
  /** How files above 100 MB are sent: how many parts at once, and who is told how far it is. */
  readonly parts?: Omit<SendPartsOptions, 'signal'> & {
    /** Files of more bytes go in parts; 100 MB unless given. */
    readonly from?: number;
    /** Bytes of a part; chosen by the service unless given. */
    readonly partSize?: number;
  };
}

const patienceMs = 20_000;
const partsFromDefault = 100_000_000;

/**
 * Uploads a file for an entity and answers its row.
 *
 * @throws RowlockError `unavailable` where no URL is signed in 20 s, and what the service says otherwise
 */
export async function uploadForEntity(
  client: StorageClient,
  upload: DirectUpload,
): Promise<Readonly<Record<string, unknown>>> {
  const { entityType, entityId, file } = upload;
  const common = { p_entity_type: entityType, p_entity_id: entityId, p_file_name: file.name, p_file_type: file.type };
  const isLarge = file.size > (upload.parts?.from ?? partsFromDefault);
  const stored = isLarge ? await inParts(client, upload, common) : await atOnce(client, upload, common);
  return client.rpc('create_file_record', {
    ...common,
    p_id: stored.file_id,
    p_file_size: file.size,
    p_s3_bucket: stored.bucket,
    p_s3_original_key: stored.key,
    p_property_name: upload.propertyName ?? null,
  });
}

/** Where the bytes of a file are. */
interface StoredFile {
  readonly file_id: string | null;
  readonly bucket: string | null;
  readonly key: string;
}

async function inParts(
  client: StorageClient,
  { file, propertyName, parts = {}, signal }: DirectUpload,
  common: Readonly<Record<string, string>>,
): Promise<StoredFile> {
  const { from: _from, partSize, ...options } = parts;
  const body = 'body' in file ? file.body : file;
  const source = body instanceof Uint8Array ? new Blob([body]) : body;
  return await uploadEntityInParts(client, { common, body: source, propertyName, partSize }, { ...options, signal });
}

async function atOnce(
  client: StorageClient,
  { file, propertyName, signal }: DirectUpload,
  common: Readonly<Record<string, string>>,
): Promise<StoredFile> {
  const wanted = { ...common, p_file_size: file.size, p_property_name: propertyName ?? null };
  const asked = await client.rpc<UploadRequest>('request_upload', wanted);
  const { url, headers, file_id, bucket, key } = await signed(client, asked, signal);
  const body = 'body' in file ? file.body : file;
  const answer = await fetch(url, {
    method: 'PUT',
    body: 'read' in body ? await sourceOf(body).read(0, file.size) : body,
    headers: headers ?? {},
    ...(signal === undefined ? {} : { signal }),
  });
  if (!answer.ok) {
    throw new RowlockError('unavailable', `the store answered ${answer.status} to the upload`);
  }
  return { file_id, bucket, key };
}

/** As a rule it is signed when it is answered; where the database may not sign, a worker does a moment later. */
async function signed(
  client: StorageClient,
  asked: UploadRequest,
  signal: AbortSignal | undefined,
): Promise<UploadRequest & { readonly url: string }> {
  let known: UploadRequest | null = asked;
  const look = async (): Promise<UploadRequest | null> => {
    const state = known ?? (await client.rpc('get_upload_request', { p_request_id: asked.request_id }, 'GET'));
    known = null;
    return state;
  };
  const ended = (state: UploadRequest | null): boolean => state?.status === 'failed' || isSigned(state);
  const state = await waited(look, ended, { patienceMs, signal });
  if (isSigned(state)) return state;
  throw new RowlockError(
    'unavailable',
    state?.status === 'failed'
      ? (state.error ?? 'the upload URL could not be signed')
      : 'no upload URL was signed in time; is a worker running?',
  );
}

function isSigned(state: UploadRequest | null): state is UploadRequest & { readonly url: string } {
  return state?.status === 'completed' && state.url !== null;
}

/**
 * The direct upload of applications that know only functions: ask for a URL, put the bytes there, register the file. The
 * bytes go straight to the store; the service sees them when they are complete.
 */
import type { StorageClient } from './client.ts';
import { RowlockError } from './contract/errors.ts';
import type { UploadRequestState } from './contract/objects.ts';

export interface DirectUpload {
  readonly entityType: string;
  readonly entityId: string;
  readonly file:
    | File
    | {
        readonly name: string;
        readonly type: string;
        readonly size: number;
        readonly body: Blob | Uint8Array<ArrayBuffer>;
      };
  readonly propertyName?: string;
  readonly signal?: AbortSignal;
}

const firstWaitMs = 50;
const longestWaitMs = 1000;
const patienceMs = 20_000;

/**
 * Uploads a file for an entity and answers its row.
 *
 * @throws RowlockError `unavailable` where no URL is signed in 20 s, and what the service says otherwise
 */
export async function uploadForEntity(
  client: StorageClient,
  upload: DirectUpload,
): Promise<Readonly<Record<string, unknown>>> {
  const { entityType, entityId, file, signal } = upload;
  const common = { p_entity_type: entityType, p_entity_id: entityId, p_file_name: file.name, p_file_type: file.type };
  const requestId = await client.rpc<string>('request_upload_url', common);
  const { url, file_id } = await signedUrl(client, requestId, signal);
  const stored = await fetch(url, {
    method: 'PUT',
    body: 'body' in file ? file.body : file,
    headers: file.type === '' ? {} : { 'content-type': file.type },
    ...(signal === undefined ? {} : { signal }),
  });
  if (!stored.ok) {
    throw new RowlockError('unavailable', `the store answered ${stored.status} to the upload`);
  }
  const [bucket = '', ...key] = new URL(url).pathname.slice(1).split('/');
  return client.rpc('create_file_record', {
    ...common,
    p_id: file_id,
    p_file_size: file.size,
    p_s3_bucket: decodeURIComponent(bucket),
    p_s3_original_key: key.map(decodeURIComponent).join('/'),
    p_property_name: upload.propertyName ?? null,
  });
}

async function signedUrl(
  client: StorageClient,
  requestId: string,
  signal: AbortSignal | undefined,
): Promise<{ url: string; file_id: string }> {
  const deadline = Date.now() + patienceMs;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 1.5, longestWaitMs)) {
    signal?.throwIfAborted();
    const [state] = await client.rpc<readonly UploadRequestState[]>(
      'get_upload_url',
      { p_request_id: requestId },
      'GET',
    );
    if (state?.status === 'completed' && state.url !== null && state.file_id !== null) {
      return { url: state.url, file_id: state.file_id };
    }
    if (state?.status === 'failed') {
      throw new RowlockError('unavailable', state.error ?? 'the upload URL could not be signed');
    }
    if (Date.now() > deadline) {
      throw new RowlockError('unavailable', 'no upload URL was signed in time; is a worker running?');
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

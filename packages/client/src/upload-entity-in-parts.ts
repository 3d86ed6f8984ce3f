/**
 * The direct upload in parts of applications that know only functions: the same path as of one PUT, for files that are too large
 * for it. What the store has to be asked a worker asks, so each step is asked for and then waited for.
 */
import type { StorageClient } from './client.ts';
import { RowlockError } from './contract/errors.ts';
import type { MultipartRequestState, SignedPart } from './contract/parts.ts';
import { type PartSource, type SendPartsOptions, sendParts, sourceOf } from './send-parts.ts';
import { waited } from './wait.ts';

export interface EntityFile {
  /** As the functions call it: type and id of the entity, name and type of the file. */
  readonly common: Readonly<Record<string, string>>;
  readonly body: Blob | PartSource;
  readonly propertyName: string | undefined;
  readonly partSize: number | undefined;
}

/** A worker has begun an upload after milliseconds; putting one together takes as long as its store does. */
const beginPatienceMs = 20_000;
const completePatienceMs = 3_600_000;

/** Uploads it, and answers bucket, key and id under which it is registered. @throws RowlockError what the service says */
export async function uploadEntityInParts(
  client: StorageClient,
  { common, body, propertyName, partSize }: EntityFile,
  options: SendPartsOptions,
): Promise<MultipartRequestState> {
  const source = sourceOf(body);
  const asked = await client.rpc<MultipartRequestState>('request_multipart_upload', {
    ...common,
    p_file_size: source.size,
    p_property_name: propertyName ?? null,
    p_part_size: partSize ?? null,
  });
  const p_upload_id = asked.upload_id;
  const state = (): Promise<MultipartRequestState> => client.rpc('get_multipart_upload', { p_upload_id }, 'GET');
  const begun = await waited(state, ({ status }) => status !== 'pending', {
    patienceMs: beginPatienceMs,
    signal: options.signal,
  });
  assertLives(begun);
  await sendParts(
    {
      size: begun.size,
      part_size: begun.part_size,
      part_count: begun.part_count,
      arrived: [],
      source,
      sign: (p_parts) => client.rpc<readonly SignedPart[]>('get_part_urls', { p_upload_id, p_parts }),
    },
    options,
  );
  await client.rpc('complete_multipart_upload', { p_upload_id });
  const ended = await waited(state, ({ status }) => status !== 'completing', {
    patienceMs: completePatienceMs,
    signal: options.signal,
  });
  assertLives(ended);
  if (ended.status !== 'completed') throw new RowlockError('invalid_part', ended.error ?? 'the parts are not whole');
  return ended;
}

function assertLives({ status, error }: MultipartRequestState): void {
  if (status === 'pending') {
    throw new RowlockError('unavailable', 'the upload was not begun in time; is a worker running?');
  }
  if (status === 'failed') throw new RowlockError('upload_gone', error ?? 'the upload was given up');
}

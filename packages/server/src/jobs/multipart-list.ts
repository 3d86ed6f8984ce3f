/** `multipart_list`: ask the store which parts of an upload have arrived, for a client that knows only functions. */
import { isUploadGone } from '../backend/parts.ts';
import { partsListed, selectMultipart } from '../metadata/multipart.ts';
import { arrivedParts } from '../operations/complete-parts.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

async function perform({ db, backends }: JobContext, job: JobAttempt): Promise<void> {
  const upload = await selectMultipart(db, requiredUuid(job, 'upload_id'));
  const store = upload && backends.of(upload.backend).parts;
  if (upload?.store_id == null || store === undefined) return;
  const { upload_id, key, store_id } = upload;
  const parts = await arrivedParts(store, { key, store_id }).catch((error: unknown) => {
    if (isUploadGone(error)) return [];
    throw error;
  });
  await db.run(partsListed, [upload_id, JSON.stringify(parts)]);
}

export const multipartList: JobKind = { kind: 'multipart_list', timeoutMs: 60_000, perform };

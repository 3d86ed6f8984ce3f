/** `multipart_create`: begin an upload in parts at its store. The row is the truth: what was begun before is left alone. */
import { fault } from '../domain/fault.ts';
import { multipartToBegin, recordBegun } from '../metadata/multipart.ts';
import { one } from '../metadata/upkeep.ts';
import { abandonUpload } from '../metadata/uploads.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const upload_id = requiredUuid(job, 'upload_id');
  const upload = await one<{ backend: string; key: string; content_type: string | null }>(
    context.db,
    multipartToBegin,
    [upload_id],
  );
  if (upload === undefined) return;
  const backend = context.backends.of(upload.backend);
  if (backend.parts === undefined) {
    await abandonUpload(context.db, upload_id, 'the store of this bucket takes no parts: ask for one PUT');
    return;
  }
  const store_id = await backend.parts.create(upload.key, {
    ...(upload.content_type === null ? {} : { contentType: upload.content_type }),
    ...(context.upload_acl === undefined ? {} : { acl: context.upload_acl }),
  });
  await fault('parts.after_create');
  const isOurs = await recordBegun(context.db, { upload_id, store_id, bucket: backend.bucket });
  if (!isOurs) await backend.parts.abort({ key: upload.key, store_id });
}

export const multipartCreate: JobKind = { kind: 'multipart_create', timeoutMs: 30_000, perform };

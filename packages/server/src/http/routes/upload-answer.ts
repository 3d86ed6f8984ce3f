/** What an upload is answered with, however its bytes came. */
import type { CommittedObject } from '../../operations/upload-object.ts';

/** The object in both spellings, as clients of either dialect read it. */
export function uploadAnswer(object: CommittedObject): Record<string, unknown> {
  return {
    Id: object.id,
    Key: `${object.bucket_id}/${object.name}`,
    id: object.id,
    bucket: object.bucket_id,
    path: object.name,
    size: Number(object.size),
    content_type: object.content_type,
    owner_id: object.owner_id,
    sha256: object.sha256?.toString('hex') ?? null,
    created_at: object.created_at,
    updated_at: object.updated_at,
  };
}

/** Its validator, as a header. */
export const etagOf = (object: CommittedObject): string => `"${object.sha256?.toString('hex') ?? object.version_id}"`;

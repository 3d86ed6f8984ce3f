/**
 * Carries an upload out: computes what was asked for, chooses its way by its target, its size and what the store can do, and says
 * what went wrong. It is loaded when the first upload begins. Invariant: it ends, and then nothing of the upload runs any more.
 */
import { isRowlockError, RowlockError } from '../contract/errors.ts';
import { browserUploads } from './pending-uploads.ts';
import type { RunningUpload } from './running-upload.ts';
import { sha256Of } from './upload-body.ts';
import { putEntityFile, uploadEntityFileInParts } from './upload-entity-file.ts';
import { uploadBySignedUrl, uploadObjectInParts, uploadThroughService } from './upload-object.ts';
import type { UploadedFile, UploadSource } from './upload-options.ts';

/** Files of more bytes go in parts. */
const partsFromBytes = 32 * 2 ** 20;

/** An upload before its checksum and its memory are known. */
export type AskedUpload = Omit<RunningUpload, 'memory' | 'sha256'>;

/** @throws RowlockError in any case */
export async function carryOutUpload(asked: AskedUpload, file: UploadSource): Promise<UploadedFile> {
  try {
    asked.control.throwIfEnded();
    const sha256 = await checksumOf(asked);
    return await byItsWay({ ...asked, sha256, memory: memoryOf(asked, file) });
  } catch (error) {
    asked.control.throwIfEnded();
    throw isRowlockError(error) ? error : new RowlockError('internal', 'The upload failed', { cause: error });
  }
}

async function byItsWay(upload: RunningUpload): Promise<UploadedFile> {
  const { target, source, client } = upload;
  const { way = source.size > partsFromBytes ? 'parts' : undefined } = upload.choices;
  if ('entityType' in target) {
    if (way === 'service') {
      throw new RowlockError('invalid_request', 'A file of an entity goes by put, or in parts');
    }
    return way === 'parts' && source.size > 0
      ? await uploadEntityFileInParts(upload, target)
      : await putEntityFile(upload, target);
  }
  if (client.isPostgrest) {
    throw new RowlockError('not_implemented', 'PostgREST takes no objects by their names');
  }
  if (way === 'put') return await uploadBySignedUrl(upload, target);
  if (way !== 'parts' || source.size === 0) return await uploadThroughService(upload, target);
  try {
    return await uploadObjectInParts(upload, target);
  } catch (error) {
    // A store that takes no parts or that a page cannot reach, or a caller without an id, who cannot own an upload.
    const isOurChoice = upload.choices.way === undefined && isRowlockError(error, 'not_implemented', 'auth_required');
    if (!isOurChoice) throw error;
    return await uploadThroughService(upload, target);
  }
}

/** As it was given, or computed. */
async function checksumOf({ source, control, choices: { checksum } }: AskedUpload) {
  if (checksum === undefined) return undefined;
  if (checksum === 'sha256') return await sha256Of(source, () => control.run(async () => undefined));
  if (/^[0-9a-f]{64}$/i.test(checksum)) return checksum.toLowerCase();
  throw new RowlockError('invalid_request', 'A checksum is sha256, or what it is in hex');
}

/** Where a begun upload of this file is remembered. A file is known by what the browser says of it. */
function memoryOf({ client, target, choices, contentType, fileName }: AskedUpload, file: UploadSource) {
  const { resumeKey, storage = browserUploads(), overwrite, consentLocation, cacheControl, metadata } = choices;
  const { name, size, lastModified } = file as Partial<File>;
  const print = lastModified === undefined ? undefined : [name, size, lastModified];
  if (storage === undefined || resumeKey === false || (resumeKey ?? print) === undefined) return undefined;
  const place =
    'entityType' in target
      ? ['entity', target.entityType, target.entityId, target.propertyName ?? '']
      : ['object', target.bucket, target.name];
  // What was begun keeps what it was asked for with: who asks for something else begins anew.
  const asked = [contentType, fileName, overwrite, consentLocation, cacheControl, metadata];
  return { uploads: storage, key: JSON.stringify([client.url, place, print, resumeKey, asked]) };
}

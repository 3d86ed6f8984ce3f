/**
 * `thumbnail_generate` of an adopted row: makes the deployed sizes beside the original, under the deployed names, and
 * says so in the row, as the deployed worker would have; but what fails says `failed` and why. It touches no object of
 * ours. Bytes of an earlier attempt are replaced, since their keys are always the same.
 */
import { Readable } from 'node:stream';
import { isNotFound } from '../backend/backend.ts';
import { variantKey } from '../backend/keys.ts';
import { fault } from '../domain/fault.ts';
import { ImageError } from '../imaging/image-error.ts';
import { civicOsPresets } from '../imaging/presets.ts';
import { sourceBytesMax } from '../imaging/processes/decoder-messages.ts';
import { adoptedFileFailed, adoptedFileRendered, adoptedFileToRender } from '../metadata/adopt-rows.ts';
import { one } from '../metadata/upkeep.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

interface AdoptedFile extends Record<string, unknown> {
  readonly bucket: string;
  readonly key: string;
  /** Whether the key begins with the file's own prefix. */
  readonly has_own_key: boolean;
  readonly status: string;
}

/** What can never be rendered, in words for the file's owner. */
class Unrenderable extends Error {}

/** Makes the thumbnails of one file. A file that was deleted meanwhile is no failure. */
async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const fileId = requiredUuid(job, 'file_id').toLowerCase();
  const file = await one<AdoptedFile>(context.db, adoptedFileToRender, [fileId]);
  if (file === undefined || file.status === 'completed') return;
  try {
    const keys = await render(context, file, job.signal);
    await context.db.run(adoptedFileRendered, [fileId, keys.get('small'), keys.get('medium'), keys.get('large')]);
  } catch (error) {
    const isPermanent = error instanceof Unrenderable || (error instanceof ImageError && error.permanent);
    if (isPermanent || job.attempt >= job.max_attempts) {
      await context.db.run(adoptedFileFailed, [fileId, reasonOf(error)]);
    }
    if (!isPermanent) throw error;
  }
}

async function render(
  { backends, decoders, upload_acl: acl }: JobContext,
  file: AdoptedFile,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const backend = backends.default;
  if (file.bucket !== backend.bucket) throw new Unrenderable('the file is in a bucket that is not served here');
  // Anybody could register somebody else's bytes as their file, and would see thumbnails of them.
  if (!file.has_own_key) throw new Unrenderable("the file's key is not its own");
  const source = await backend.get(file.key).catch((error: unknown) => {
    throw isNotFound(error) ? new Unrenderable('the file has no bytes') : error;
  });
  if (source.size > sourceBytesMax) {
    source.stream.destroy();
    throw new Unrenderable(`files over ${sourceBytesMax / 2 ** 20} MiB have no thumbnails`);
  }
  await fault('adopted.before_render');
  const { variants } = await decoders.render(source, civicOsPresets, signal);
  const keys = new Map<string, string>();
  for (const { preset, data, content_type } of variants) {
    const key = variantKey(file.key, preset, content_type === 'image/png' ? 'png' : 'jpg');
    await backend.delete(key);
    await backend.put(key, Readable.from([data]), {
      signal,
      contentType: content_type,
      ...(acl === undefined ? {} : { acl }),
    });
    await fault('adopted.after_bytes');
    keys.set(preset, key);
  }
  return keys;
}

function reasonOf(error: unknown): string {
  return error instanceof ImageError || error instanceof Unrenderable
    ? error.message
    : 'the thumbnails could not be made';
}

export const adoptedThumbnails: JobKind = { kind: 'thumbnail_generate', timeoutMs: 60_000, perform };

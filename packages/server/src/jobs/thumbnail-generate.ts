/**
 * `thumbnail_generate`: make the variants of one version that are not there yet. The rows of `storage.variants` are the
 * truth; bytes get a key of their own each time, so an attempt that was killed leaves nothing that a later one meets.
 * Nothing is decoded here, but in a process that may crash.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { JobCancel } from '@rowlock/queue';
import { versionKey } from '../backend/keys.ts';
import { fault } from '../domain/fault.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import { sourceBytesMax } from '../imaging/decoder-messages.ts';
import { ImageError } from '../imaging/image-error.ts';
import { type VariantPreset, variantPresets } from '../imaging/presets.ts';
import type { RenderedVariant } from '../imaging/render.ts';
import {
  imageMeasured,
  one,
  variantBegin,
  variantCommit,
  variantSource,
  variantsFail,
  versionOfFile,
} from '../metadata/upkeep.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid, uuidArgument } from './job-kind.ts';

interface Source extends Record<string, unknown> {
  readonly key: string;
  readonly backend: string;
  readonly size: string;
  /** Presets that are not completed. */
  readonly presets: readonly string[];
}

/** How often an image may crash, hang or fill its decoder; what is not the image's doing has the job's attempts. */
const decodeAttemptsMax = 3;

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const versionId = uuidArgument(job, 'version_id') ?? (await versionOf(context, job));
  const source = versionId && (await one<Source>(context.db, variantSource, [versionId]));
  if (!source || source.presets.length === 0) {
    return; // deleted meanwhile, or done by an earlier attempt
  }
  try {
    await makeVariants(context, versionId, source, job.signal);
  } catch (error) {
    const permanent = error instanceof ImageError && error.permanent;
    const isHopeless = error instanceof ImageError && job.attempt >= decodeAttemptsMax;
    if (permanent || isHopeless || job.attempt >= job.max_attempts) {
      await context.db.run(variantsFail, [versionId, reasonOf(error)]);
    }
    if (!permanent) {
      throw isHopeless ? new JobCancel(error.message, { cause: error }) : error;
    }
  }
}

async function versionOf(context: JobContext, job: JobAttempt): Promise<string | undefined> {
  const fileId = requiredUuid(job, 'file_id');
  const row = await one<{ version_id: string | null }>(context.db, versionOfFile, [fileId]);
  return row ? (row.version_id ?? undefined) : undefined;
}

async function makeVariants(
  context: JobContext,
  versionId: string,
  source: Source,
  signal: AbortSignal,
): Promise<void> {
  if (Number(source.size) > sourceBytesMax) {
    throw new ImageError('too_large', `files over ${sourceBytesMax / 2 ** 20} MiB have no thumbnails`);
  }
  const wanted = variantPresets.filter((preset: VariantPreset) => source.presets.includes(preset.name));
  const file = await context.backends.of(source.backend).get(source.key);
  const rendered = await context.decoders.render(file, wanted, signal);
  const { width, height, format } = rendered.source;
  await context.db.run(imageMeasured, [versionId, width, height, format]);
  for (const variant of rendered.variants) {
    await storeVariant(context, { id: versionId, backend: source.backend }, variant);
  }
}

/** A variant's bytes go where those of its source are. */
async function storeVariant(
  { db, backends }: JobContext,
  source: { readonly id: string; readonly backend: string },
  variant: RenderedVariant,
): Promise<void> {
  const backend = backends.of(source.backend);
  const versionId = timeOrderedUuid();
  const key = versionKey(versionId);
  const begun = await one<{ wanted: boolean }>(db, variantBegin, [
    source.id,
    variant.preset,
    versionId,
    backend.name,
    key,
  ]);
  if (!begun?.wanted) {
    return;
  }
  await fault('variant.after_intent');
  await backend.put(key, Readable.from([variant.data]));
  await fault('variant.before_commit');
  const sha256 = createHash('sha256').update(variant.data).digest();
  await db.run(variantCommit, [
    source.id,
    variant.preset,
    versionId,
    variant.data.byteLength,
    sha256,
    variant.content_type,
    variant.width,
    variant.height,
  ]);
}

/** What the file's owner reads: our own words, or that something went wrong. */
function reasonOf(error: unknown): string {
  return error instanceof ImageError ? error.message : 'the thumbnails could not be made';
}

export const thumbnailGenerate: JobKind = { kind: 'thumbnail_generate', timeoutMs: 60_000, perform };

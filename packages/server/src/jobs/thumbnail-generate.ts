/**
 * `thumbnail_generate`: make the presets' variants of one version that are not there yet, or that somebody asked for again. The
 * rows of `storage.variants` are the truth; bytes get a key of their own each time, so an attempt that was killed leaves
 * nothing that a later one meets. Nothing is decoded here, but in a process that may crash.
 */
import { buffer } from 'node:stream/consumers';
import { JobCancel } from '@rowlock/queue';
import { ImageError } from '../imaging/image-error.ts';
import { sourceBytesMax } from '../imaging/processes/decoder-messages.ts';
import type { RenderedImage } from '../imaging/render.ts';
import { strippableBytesMax, strippableTypes } from '../imaging/strip/strip-metadata.ts';
import { imageFactsKeep, imageIsUnread, imagePlace, one, versionOfFile } from '../metadata/upkeep.ts';
import {
  selectVariantSource,
  type VariantSource,
  variantsFail,
  variantsNotApplicable,
  type WatermarkSource,
} from '../metadata/variants.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid, uuidArgument } from './job-kind.ts';
import { planVariants, type SourceVersion, type VariantGroup, variantGroups } from './plan-variants.ts';
import { storeVariants } from './store-variants.ts';

/** How often an image may crash, hang or fill its decoder; what is not the image's doing has the job's attempts. */
const decodeAttemptsMax = 3;

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const id = uuidArgument(job, 'version_id') ?? (await versionOf(context, job));
  const source = id === undefined ? undefined : await selectVariantSource(context.db, id);
  if (id === undefined || source === undefined) return; // deleted meanwhile, or not to be shown
  const { wanted, undefined: gone, unmarked } = planVariants(source.variants, isStrippable(source));
  if (gone.length > 0) await context.db.run(variantsNotApplicable, [id, gone]);
  if (unmarked.length > 0) await fail(context, id, unmarked, new WatermarkMissing());
  if (wanted.length === 0 && !(await isUnread(context, id))) return;
  const groups = wanted.length === 0 ? [{ watermark: undefined, variants: [] }] : variantGroups(wanted);
  await makeGroups(context, { ...source, id }, groups, job);
}

/**
 * Makes one group after the other. What will never be made costs its group only; what may be made later ends the attempt,
 * with all that is not made yet.
 */
async function makeGroups(
  context: JobContext,
  source: SourceVersion,
  groups: readonly VariantGroup[],
  job: JobAttempt,
): Promise<void> {
  for (const [n, group] of groups.entries()) {
    try {
      await makeVariants(context, source, group, job.signal);
    } catch (error) {
      const permanent = error instanceof ImageError && error.permanent;
      const isHopeless = error instanceof ImageError && job.attempt >= decodeAttemptsMax;
      const unmade = permanent ? [group] : groups.slice(n);
      const ids = unmade.flatMap(({ variants }) => variants.map(({ id }) => id));
      if (permanent || isHopeless || job.attempt >= job.max_attempts) await fail(context, source.id, ids, error);
      if (!permanent) throw isHopeless ? new JobCancel(error.message, { cause: error }) : error;
    }
  }
}

/** Said of variants whose preset has a watermark that is not there: they are tried again later, and never made without it. */
class WatermarkMissing extends Error {}

async function versionOf(context: JobContext, job: JobAttempt): Promise<string | undefined> {
  const fileId = requiredUuid(job, 'file_id');
  const row = await one<{ version_id: string | null }>(context.db, versionOfFile, [fileId]);
  return row?.version_id ?? undefined;
}

function isStrippable({ content_type, size }: VariantSource): boolean {
  return strippableTypes.includes(content_type ?? '') && Number(size) <= strippableBytesMax;
}

/** Whether somebody wants to know again what the file says of itself, such as where, having consented to that only now. */
async function isUnread({ db }: JobContext, id: string): Promise<boolean> {
  return (await one<{ unread: boolean }>(db, imageIsUnread, [id]))?.unread === true;
}

async function makeVariants(
  context: JobContext,
  source: SourceVersion,
  { watermark, variants }: VariantGroup,
  signal: AbortSignal,
): Promise<void> {
  if (Number(source.size) > sourceBytesMax) {
    throw new ImageError('too_large', `files over ${sourceBytesMax / 2 ** 20} MiB have no thumbnails`);
  }
  const mark = watermark === undefined ? undefined : await bytesOf(context, watermark);
  const file = await context.backends.of(source.backend).get(source.key);
  const presets = variants.map(({ preset }) => preset);
  const rendered = await context.decoders.render(file, presets, signal, mark);
  await keepFacts(context, source.id, rendered);
  if (variants.length > 0) await storeVariants(context, source, variants, rendered.variants);
}

/** Keeps what the file says of itself. Its position gets to its entity in a transaction of its own, where users may be in the way. */
async function keepFacts({ db }: JobContext, id: string, { source, facts }: RenderedImage): Promise<void> {
  const { width, height, format } = source;
  const kept = await one<{ awaited: boolean }>(db, imageFactsKeep, [id, width, height, format, JSON.stringify(facts)]);
  if (kept?.awaited) await db.run(imagePlace, [id]);
}

/** A watermark's bytes; that they are few, the plan has seen. */
async function bytesOf({ backends }: JobContext, { backend, key }: WatermarkSource): Promise<Buffer> {
  const { bytes, stream } = await backends.of(backend).get(key);
  return bytes ?? (await buffer(stream));
}

async function fail({ db }: JobContext, id: string, ids: readonly string[], error: unknown): Promise<void> {
  const [failure, reason] =
    error instanceof ImageError
      ? [error.reason, error.message]
      : error instanceof WatermarkMissing
        ? ['watermark_missing', 'the watermark that belongs on it is not there, or too large']
        : ['internal', 'the thumbnails could not be made'];
  await db.run(variantsFail, [id, ids, failure, reason, error instanceof ImageError && error.permanent]);
}

export const thumbnailGenerate: JobKind = { kind: 'thumbnail_generate', timeoutMs: 60_000, perform };

/**
 * Stores the rendered variants of a version: their intents in one statement, their bytes beside each other, and one commit. Bytes
 * go where those of the source are, each under a key of its own. Invariant: a row is completed by bytes that are durable.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { versionKey } from '../backend/keys.ts';
import { fault } from '../domain/fault.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import type { RenderedVariant } from '../imaging/render.ts';
import { one } from '../metadata/upkeep.ts';
import { type MadeVariant, variantsBegin, variantsCommit } from '../metadata/variants.ts';
import type { JobContext } from './job-kind.ts';
import type { SourceVersion, WantedVariant } from './plan-variants.ts';

/** The bytes of a version never change, and clients may read them from the store. */
const cacheControl = (isPublic: boolean): string => `${isPublic ? 'public' : 'private'}, max-age=31536000, immutable`;

/** A variant with its bytes, and where they go. */
interface Placed {
  readonly variant: WantedVariant;
  readonly rendered: RenderedVariant;
  readonly version_id: string;
  readonly key: string;
}

/** Stores what was rendered, in the order of what was wanted. Those that are not wanted any more are left out. */
export async function storeVariants(
  { db, backends }: Pick<JobContext, 'db' | 'backends'>,
  source: SourceVersion,
  wanted: readonly WantedVariant[],
  rendered: readonly RenderedVariant[],
): Promise<void> {
  const backend = backends.of(source.backend);
  const placed = wanted.map((variant, n): Placed => {
    const [bytes, version_id] = [rendered[n], timeOrderedUuid()];
    assert.ok(bytes !== undefined, 'every variant that was asked for was rendered');
    return { variant, rendered: bytes, version_id, key: versionKey(version_id) };
  });
  const row = await one<{ begun: readonly string[] }>(db, variantsBegin, [
    source.id,
    placed.map(({ variant }) => variant.id),
    placed.map(({ version_id }) => version_id),
    backend.name,
    placed.map(({ key }) => key),
  ]);
  const begun = placed.filter(({ variant }) => row?.begun.includes(variant.id));
  if (begun.length === 0) return; // its source went
  await fault('variant.after_intent');
  const puts = begun.map(({ variant, rendered: { data, content_type }, key }) =>
    backend.put(key, Readable.from([data]), {
      contentType: content_type,
      cacheControl: cacheControl(source.is_public),
      metadata: { 'original-key': source.key, 'thumbnail-size': variant.preset.name },
    }),
  );
  // All of them end before this does: whoever stops then finds nothing half under way.
  const failed = (await Promise.allSettled(puts)).find((put) => put.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  await fault('variant.before_commit');
  await db.run(variantsCommit, [source.id, JSON.stringify(begun.map(madeOf))]);
}

function madeOf({ variant: { id, digest, params }, rendered, version_id }: Placed): MadeVariant {
  const { data, width, height, content_type } = rendered;
  const sha256 = createHash('sha256').update(data).digest('hex');
  return { id, version_id, size: data.byteLength, sha256, content_type, width, height, digest, params };
}

/**
 * Presets and the variants that are made of them, as rows: what is to be made of a version, the intents of its bytes and what
 * became of them, and looking for what was not made. Run as the worker's own role. It moves no bytes and decodes nothing.
 */
import type { Database, Statement } from './database.ts';

const statement = (name: string, text: string): Statement => ({ name, text });

/** A preset in a set, as its row has it: `variant` is what decoders take. */
export interface PresetRow extends Record<string, unknown> {
  readonly preset_set: string;
  readonly name: string;
  readonly preset: Readonly<Record<string, unknown>>;
  readonly watermark_object_id: string | null;
  /** Buckets whose images get this set. */
  readonly buckets: number;
}

/** Where the bytes of a watermark are. */
export interface WatermarkSource {
  readonly version_id: string;
  readonly backend: string;
  readonly key: string;
  readonly size: number;
}

/** A variant of a preset, and what it is to be. */
export interface VariantRow {
  readonly id: string;
  readonly preset: string;
  readonly status: 'pending' | 'processing' | 'completed' | 'failed';
  /** Of the parameters that it was made by; null where nobody knows. */
  readonly digest: string | null;
  /** Null where the preset is in no set of the version's buckets any more. */
  readonly params: Readonly<Record<string, unknown>> | null;
  readonly watermark: WatermarkSource | null;
}

/** A version and its variants. */
export interface VariantSource {
  readonly key: string;
  readonly backend: string;
  /** Bytes, as text: a bigint. */
  readonly size: string;
  readonly content_type: string | null;
  /** Whether all of its buckets are public. */
  readonly is_public: boolean;
  readonly variants: readonly VariantRow[];
}

/** A variant whose bytes are there. */
export interface MadeVariant {
  /** Of the row. */
  readonly id: string;
  readonly version_id: string;
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
  readonly content_type: string;
  readonly width: number;
  readonly height: number;
  readonly digest: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** One page of a bucket. */
export interface RebuiltPage {
  /** Where the next page goes on; null at the end. */
  readonly last_name: string | null;
  readonly examined: number;
  readonly images: number;
  /** Variants. */
  readonly wanted: number;
  /** Versions that have a job now. */
  readonly enqueued: number;
}

export const variantsToMake: Statement = statement(
  'variants_to_make',
  'SELECT key, backend, size, content_type, is_public, variants FROM storage_internal.variants_to_make($1)',
);
export const variantsBegin: Statement = statement(
  'variants_begin',
  'SELECT storage_internal.variants_begin($1, $2::uuid[], $3::uuid[], $4, $5::text[]) AS begun',
);
export const variantsCommit: Statement = statement(
  'variants_commit',
  'SELECT storage_internal.variants_commit($1, $2) AS attached',
);
export const variantsFail: Statement = statement(
  'variants_fail',
  'SELECT storage_internal.variants_fail($1, $2::uuid[], $3, $4, $5)',
);
export const variantsNotApplicable: Statement = statement(
  'variants_not_applicable',
  'SELECT storage_internal.variants_not_applicable($1, $2::uuid[])',
);
export const variantsRequeue: Statement = statement(
  'variants_requeue',
  'SELECT storage_internal.requeue_variants($1) + storage_internal.begin_forgotten_variants($1) AS requeued',
);
export const variantsRebuild: Statement = statement(
  'variants_rebuild',
  'SELECT last_name, examined, images, wanted, enqueued FROM storage_internal.rebuild_variants($1, $2, $3, $4, $5, $6)',
);
export const presetsList: Statement = statement(
  'presets_list',
  `SELECT p.preset_set, p.name, storage_internal.preset_params(p) AS preset, p.watermark_object_id,
     (SELECT count(*)::integer FROM storage.buckets AS b WHERE b.preset_set = p.preset_set) AS buckets
   FROM storage.variant_presets AS p
   ORDER BY p.preset_set <> 'default', p.preset_set, coalesce(p.width, p.height), p.name`,
);
export const bucketPresets: Statement = statement(
  'bucket_presets',
  `SELECT b.id, b.preset_set, ARRAY(SELECT p.name FROM storage.variant_presets AS p WHERE p.preset_set = b.preset_set) AS presets
   FROM storage.buckets AS b WHERE $1::text IS NULL OR b.id = $1 ORDER BY b.id`,
);

/** What is to be made of a version; undefined where it is gone, in quarantine, or nothing names it. */
export async function selectVariantSource(db: Database, versionId: string): Promise<VariantSource | undefined> {
  return (await db.run<VariantSource & Record<string, unknown>>(variantsToMake, [versionId]))[0];
}

/** Every preset of every set. */
export async function selectPresets(db: Database): Promise<readonly PresetRow[]> {
  return await db.run<PresetRow>(presetsList, []);
}

/** Gives jobs to variants that have none and should, at most so many of each kind; answers how many. */
export async function requeueVariants(db: Database, limit: number): Promise<number> {
  const [row] = await db.run<{ requeued: string }>(variantsRequeue, [limit]);
  return Number(row?.requeued ?? 0);
}

/**
 * Asks for the variants of what is there already: for a bucket or all, for one preset or each, for what is missing or also for
 * what was made by other parameters. It makes none: jobs do, behind those of new files. Each page is one statement, so a run
 * that was ended goes on where its last page ended, and one that begins again asks for nothing twice.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { Database } from '../metadata/database.ts';
import { bucketPresets, type RebuiltPage, variantsRebuild } from '../metadata/variants.ts';

export interface RebuildOptions {
  /** All when undefined. */
  readonly bucket?: string | undefined;
  /** Every preset of the bucket's set when undefined. */
  readonly preset?: string | undefined;
  /** Leaves alone what was made by other parameters than those that the preset has now. */
  readonly onlyMissing?: boolean;
  /** Counts and changes nothing. */
  readonly dryRun?: boolean;
  /** Goes on behind the object of this name; with `bucket`. */
  readonly after?: string | undefined;
  /** Objects of one statement. Default 500. */
  readonly pageSize?: number;
  /** Ends the run between two pages. */
  readonly signal?: AbortSignal;
  /** Called after each page. */
  readonly onPage?: (report: RebuildReport) => void;
}

export interface RebuildReport {
  readonly buckets: number;
  /** Objects. */
  readonly examined: number;
  /** Versions of types that have variants. */
  readonly images: number;
  /** Variants that are to be made. */
  readonly wanted: number;
  /** Versions that got a job for them; with `dryRun`, that would have. Those that wait for one already are not counted. */
  readonly enqueued: number;
  /** Where to go on; null at the end of a bucket. */
  readonly next: { readonly bucket: string; readonly after: string } | null;
}

interface BucketToRebuild extends Record<string, unknown> {
  readonly id: string;
  readonly preset_set: string;
  readonly presets: readonly string[];
}

const pageSizeDefault = 500;

/**
 * Enqueues what is wanted.
 *
 * @throws RowlockError `bucket_not_found`, `invalid_request` for a preset that no bucket in question has; the signal's reason
 */
export async function rebuildVariants(
  { db }: { readonly db: Database },
  options: RebuildOptions = {},
): Promise<RebuildReport> {
  const buckets = await bucketsOf(db, options);
  let report: RebuildReport = { buckets: 0, examined: 0, images: 0, wanted: 0, enqueued: 0, next: null };
  for (const { id } of buckets) {
    report = { ...report, buckets: report.buckets + 1, next: { bucket: id, after: options.after ?? '' } };
    while (report.next !== null) {
      options.signal?.throwIfAborted();
      report = added(report, id, await pageOf(db, id, report.next.after, options));
      options.onPage?.(report);
    }
  }
  return report;
}

async function bucketsOf(db: Database, { bucket, preset, after }: RebuildOptions): Promise<readonly BucketToRebuild[]> {
  if (after !== undefined && bucket === undefined) {
    throw new RowlockError('invalid_request', 'To go on after a name, say in which bucket');
  }
  const found = await db.run<BucketToRebuild>(bucketPresets, [bucket ?? null]);
  if (bucket !== undefined && found.length === 0) throw new RowlockError('bucket_not_found', 'Bucket not found');
  const meant = found.filter(({ presets }) => (preset === undefined ? presets.length > 0 : presets.includes(preset)));
  if (preset !== undefined && meant.length === 0) {
    throw new RowlockError('invalid_request', `No bucket in question has a preset ${preset}`);
  }
  return meant;
}

async function pageOf(db: Database, bucket: string, after: string, options: RebuildOptions): Promise<RebuiltPage> {
  const [row] = await db.run<RebuiltPage & Record<string, unknown>>(variantsRebuild, [
    bucket,
    after,
    options.pageSize ?? pageSizeDefault,
    options.preset ?? null,
    options.onlyMissing ?? false,
    options.dryRun ?? false,
  ]);
  if (row === undefined) throw new Error('a function with OUT parameters answered no row');
  return row;
}

/** Counts are bigints, which arrive as text. */
function added(report: RebuildReport, bucket: string, page: RebuiltPage): RebuildReport {
  return {
    buckets: report.buckets,
    examined: report.examined + Number(page.examined),
    images: report.images + Number(page.images),
    wanted: report.wanted + Number(page.wanted),
    enqueued: report.enqueued + Number(page.enqueued),
    next: page.last_name === null ? null : { bucket, after: page.last_name },
  };
}

/**
 * Every figure that has a floor and a goal, one after the other, in one run and one table: the other benchmarks in a
 * short form that still measures. It measures nothing itself, and what one of them cannot measure costs only its rows.
 */
import { requires } from '@rowlock/test-harness';
import { bytes } from './bytes.ts';
import { listing } from './listing.ts';
import type { BenchContext, Benchmark, BenchResult } from './measure/benchmark.ts';
import { goals } from './measure/targets.ts';
import { memory } from './memory.ts';
import { move } from './move.ts';
import { presign } from './presign.ts';
import { signer } from './signer.ts';
import { signing } from './signing.ts';
import { slowUploads } from './slow-uploads.ts';
import { sqlPresign } from './sql-presign.ts';

/** A benchmark, and the figures of it that are run. */
export interface Part {
  readonly benchmark: Benchmark;
  readonly ids: readonly string[];
}

const rowsOfListing = 10_000_000;

/** The quick ones first, so that a run which is ended early has said most. */
export const partsOfFloors: readonly Part[] = [
  { benchmark: signing, ids: ['sign_per_second', 'info_per_second', 'sign_batch_names_per_second'] },
  { benchmark: slowUploads, ids: ['info_beside_uploads_p99_ms'] },
  { benchmark: listing, ids: ['list_100_per_second'] },
  { benchmark: presign, ids: ['presign_p95_ms', 'presign_jobs_per_second'] },
  { benchmark: sqlPresign, ids: ['sql_presign_10k_batch_ms', 'sql_presign_10k_column_ms'] },
  {
    benchmark: signer,
    ids: [
      'signer_jobs_per_second',
      'signer_s3_jobs_per_second',
      'signer_first_claim_ms',
      'signer_s3_first_claim_ms',
      'signer_started_rss_mib',
      'signer_s3_started_rss_mib',
      'signer_worked_rss_mib',
      'signer_s3_worked_rss_mib',
      'crowd_1000_url_p99_ms',
    ],
  },
  {
    benchmark: bytes,
    ids: [
      'upload_10k_per_second',
      'download_10k_per_second',
      'upload_64m_mib_per_second',
      'download_64m_mib_per_second',
    ],
  },
  { benchmark: move, ids: ['rename_5g_p95_ms', 'move_5g_p95_ms', 'copy_5g_p95_ms'] },
  { benchmark: listing, ids: ['metadata_query_p99_ms', 'list_100_deep_p95_ms'] },
  { benchmark: memory, ids: ['clients_16_upload_1g_rss_mib', 'clients_16_download_1g_rss_mib'] },
];

/** Ids of a part that were asked for. */
function wantedOf({ only }: BenchContext, { ids }: Part): readonly string[] {
  return only === undefined ? ids : ids.filter((id) => only.some((text) => id.includes(text)));
}

/** Runs one part; a benchmark that was asked for nothing is not started. */
async function measurePart(context: BenchContext, part: Part, only: readonly string[]): Promise<BenchResult> {
  const missing = requires(...part.benchmark.needs);
  if (missing !== false) throw new Error(String(missing));
  // What is not timed takes minutes each time.
  const length = part.benchmark.untimed ? { brief: true, rounds: 1 } : {};
  return await part.benchmark.run({ ...context, ...length, only, rows: rowsOf(context) });
}

function rowsOf({ short, rows }: BenchContext): number | undefined {
  return short ? undefined : (rows ?? rowsOfListing);
}

async function run(context: BenchContext): Promise<BenchResult> {
  const results: BenchResult[] = [];
  const failures: string[] = [];
  const took: Record<string, number> = {};
  for (const part of partsOfFloors) {
    const only = wantedOf(context, part);
    if (only.length === 0) continue;
    const begun = performance.now();
    try {
      results.push(await measurePart(context, part, only));
    } catch (error) {
      failures.push(`${only.join(', ')}: ${String(error)}`);
      context.say(`floors: ${failures.at(-1)}`);
    }
    took[only.join(' ')] = (performance.now() - begun) / 1000;
  }
  const order = Object.keys(goals);
  const figures = results
    .flatMap((result) => result.figures)
    .sort((one, other) => order.indexOf(one.id) - order.indexOf(other.id));
  return {
    figures,
    failures,
    programs: Object.assign({}, ...results.map(({ programs }) => programs)),
    details: { seconds_of_parts: took, parts: results.map(({ details }) => details ?? {}) },
  };
}

export const floors: Benchmark = {
  name: 'floors',
  summary: 'every figure that has a floor and a goal, in one table; fifteen minutes',
  needs: [],
  defaults: { seconds: 3, rounds: 2 },
  run,
};

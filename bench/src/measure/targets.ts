/**
 * What the figures have to reach: the floors that we set ourselves, the figures that users were promised elsewhere, and
 * the goals beyond, in two tables. A figure without an entry is only compared with what was measured beside it.
 */
export interface Target {
  /** In the unit of the figure: at least this where more is better, at most this where less is. */
  readonly value: number;
  readonly from: string;
}

const floor = (value: number): Target => ({ value, from: 'floor' });
const asked = (value: number, from: string): Target => ({ value, from });

/** By the id of a figure. The first entry is the one that is judged by, the others are shown beside it. */
export const targets: Readonly<Record<string, readonly Target[]>> = {
  upload_10k_per_second: [floor(900)],
  download_10k_per_second: [floor(3000)],
  upload_64m_mib_per_second: [floor(300), asked(48, 'requirements 5: upload above 50 MB/s')],
  download_64m_mib_per_second: [floor(400), asked(96, 'requirements 5: download above 100 MB/s')],
  lookup_p99_ms: [asked(10, 'requirements 5: metadata p99 below 10 ms')],
  sign_p50_ms: [asked(5, 'requirements 5: signed URL below 5 ms')],
  sign_per_second: [floor(6000)],
  info_per_second: [floor(4000)],
  sign_batch_names_per_second: [floor(120_000)],
  list_1000_p50_ms: [asked(50, 'requirements 5: a list of 1,000 below 50 ms')],
  list_100_per_second: [floor(1600)],
  list_100_deep_p95_ms: [floor(15)],
  metadata_query_p99_ms: [floor(10), asked(10, 'requirements R37: metadata query p99 below 10 ms')],
  rename_5g_p95_ms: [floor(10)],
  move_5g_p95_ms: [floor(10)],
  copy_5g_p95_ms: [floor(10)],
  info_beside_uploads_p99_ms: [floor(50)],
  worked_jobs_per_second: [asked(100, 'requirements 5: above 100 jobs/s for one signer')],
  engines_finalised_at_300_p95_ms: [floor(15)],
  presign_jobs_per_second: [floor(2000)],
  sql_presign_10k_batch_ms: [floor(250), asked(1000, 'requirements R120: 10,000 URLs in one call below 1 s')],
  sql_presign_10k_column_ms: [floor(400)],
  presign_p95_ms: [floor(15), asked(100, 'requirements 5: presign p95 below 100 ms')],
  signer_jobs_per_second: [floor(2000), asked(100, 'requirements 5: above 100 jobs/s for one signer')],
  signer_s3_jobs_per_second: [floor(2000)],
  signer_first_claim_ms: [floor(400)],
  signer_s3_first_claim_ms: [floor(400)],
  signer_started_rss_mib: [floor(120)],
  signer_s3_started_rss_mib: [floor(120)],
  signer_worked_rss_mib: [floor(120)],
  signer_s3_worked_rss_mib: [floor(120)],
  crowd_1000_url_p99_ms: [floor(500)],
  images_per_minute: [floor(1200), asked(40, 'requirements R72: about 40 a minute for one worker')],
  images_rss_mib: [floor(350), asked(500, 'requirements R73: below 500 MB for one worker')],
  image_readable_p95_ms: [floor(250)],
  thumbnails_2_megapixels_ms: [floor(40), asked(450, 'requirements 5: all three sizes of 2 MP in 450 ms')],
  thumbnails_5_megapixels_ms: [floor(60), asked(750, 'requirements 5: all three sizes of 5 MP in 750 ms')],
  thumbnails_20_megapixels_ms: [floor(110), asked(3000, 'requirements 5: all three sizes of 20 MP in 3 s')],
  thumbnails_12_megapixels_ms: [floor(100), asked(1600, 'requirements 5: all three sizes of 12 MP in 1.6 s')],
  render_cached_p50_ms: [floor(2)],
  render_first_ms: [floor(60)],
  upload_1g_rss_mib: [floor(200)],
  download_1g_rss_mib: [floor(200)],
  clients_16_upload_1g_rss_mib: [floor(300)],
  clients_16_download_1g_rss_mib: [floor(300)],
  first_start_seconds: [floor(60)],
  second_start_seconds: [floor(5)],
};

/** What is wanted beyond the floor: a value in the unit of the figure, or a share of what was measured beside it. */
export type Goal = { readonly value: number } | { readonly ratio: number; readonly beside: string };

const bare = 'bare select as a caller';

/** By the id of a figure: exactly those that `floors` runs. */
export const goals: Readonly<Record<string, Goal>> = {
  upload_10k_per_second: { value: 1500 },
  download_10k_per_second: { value: 5000 },
  info_per_second: { ratio: 0.6, beside: bare },
  sign_per_second: { ratio: 0.6, beside: bare },
  list_100_per_second: { value: 3000 },
  sign_batch_names_per_second: { value: 300_000 },
  upload_64m_mib_per_second: { ratio: 0.6, beside: 'nginx' },
  download_64m_mib_per_second: { ratio: 0.8, beside: 'nginx' },
  list_100_deep_p95_ms: { value: 5 },
  metadata_query_p99_ms: { value: 3 },
  rename_5g_p95_ms: { value: 5 },
  move_5g_p95_ms: { value: 5 },
  copy_5g_p95_ms: { value: 5 },
  info_beside_uploads_p99_ms: { value: 10 },
  clients_16_upload_1g_rss_mib: { value: 200 },
  clients_16_download_1g_rss_mib: { value: 200 },
  presign_p95_ms: { value: 6 },
  presign_jobs_per_second: { value: 4000 },
  signer_jobs_per_second: { value: 4000 },
  signer_s3_jobs_per_second: { value: 4000 },
  sql_presign_10k_batch_ms: { value: 150 },
  sql_presign_10k_column_ms: { value: 300 },
  signer_first_claim_ms: { value: 250 },
  signer_s3_first_claim_ms: { value: 250 },
  signer_started_rss_mib: { value: 90 },
  signer_s3_started_rss_mib: { value: 90 },
  signer_worked_rss_mib: { value: 90 },
  signer_s3_worked_rss_mib: { value: 90 },
  crowd_1000_url_p99_ms: { value: 150 },
};

/**
 * The oracle: compares rows with bytes, both ways. A stored version must have its bytes, of its size; every key must
 * belong to a version, whatever its state. With `repair` it removes bytes that no row names; it never removes a row.
 */
import type { Backend } from '../backend/backend.ts';
import type { Database } from '../metadata/database.ts';
import { type QuotaDrift, quotaDrift, quotaRepair } from '../metadata/quotas.ts';
import { versionPage, versionsByKey } from '../metadata/upkeep.ts';

export interface FsckReport {
  readonly versions: number;
  readonly keys: number;
  /** Stored versions without bytes or with bytes of another size, and those that a row names though they are being purged. */
  readonly rows_without_bytes: readonly string[];
  /** Keys that no version names. */
  readonly bytes_without_row: readonly string[];
  /** Versions that a sweep should have taken: their time is over and their bytes are still there. */
  readonly overdue: readonly string[];
  /** Temporary files of uploads that never ended. */
  readonly unfinished: number;
  /** Quotas that do not say what the rows say. */
  readonly quota_drift: readonly string[];
  /** Keys that were removed, and quotas that were set. */
  readonly repaired: number;
}

interface VersionState extends Record<string, unknown> {
  readonly id: string;
  readonly key: string;
  readonly backend: string;
  readonly state: string;
  readonly size: string | null;
  readonly expired: boolean;
  readonly doomed: boolean;
}

const pageSize = 500;

/** Checks everything. Reads sizes and names, not bytes. */
export async function fsck(
  context: { readonly db: Database; readonly backend: Backend },
  options: { readonly repair?: boolean } = {},
): Promise<FsckReport> {
  const rows = await checkRows(context);
  const bytes = await checkKeys(context);
  let repaired = 0;
  if (options.repair) {
    for (const key of bytes.orphans) {
      repaired += (await context.backend.delete(key)) ? 1 : 0;
    }
  }
  const drift = await context.db.run<QuotaDrift & Record<string, unknown>>(quotaDrift, []);
  if (options.repair && drift.length > 0) {
    const [row] = await context.db.run<{ repaired: string }>(quotaRepair, []);
    repaired += Number(row?.repaired ?? 0);
  }
  let unfinished = 0;
  for await (const _ of context.backend.listUnfinished()) {
    unfinished += 1;
  }
  return {
    versions: rows.count,
    keys: bytes.count,
    rows_without_bytes: rows.without,
    bytes_without_row: bytes.orphans,
    overdue: rows.overdue,
    unfinished,
    quota_drift: drift.map(
      ({ bucket_id, owner_id, bytes, objects }) =>
        `${bucket_id ?? 'all buckets'}${owner_id === '' ? '' : ` of ${owner_id}`}: ${bytes} bytes, ${objects} objects`,
    ),
    repaired,
  };
}

async function checkRows({ db, backend }: { readonly db: Database; readonly backend: Backend }) {
  const without: string[] = [];
  const overdue: string[] = [];
  let count = 0;
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const page = await db.run<VersionState>(versionPage, [after, pageSize]);
    for (const version of page.filter((each) => each.backend === backend.name)) {
      const found = version.state === 'gone' ? undefined : await backend.head(version.key);
      if (version.doomed || (version.state === 'stored' && String(found?.size) !== version.size)) {
        without.push(`${version.id} (${version.key})`);
      }
      if (found !== undefined && (version.expired || version.state === 'purging')) {
        overdue.push(`${version.id} (${version.key})`);
      }
    }
    count += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) {
      return { count, without, overdue };
    }
    after = last.id;
  }
}

async function checkKeys({ db, backend }: { readonly db: Database; readonly backend: Backend }) {
  const orphans: string[] = [];
  let count = 0;
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    const known = new Set((await db.run<{ key: string }>(versionsByKey, [backend.name, batch])).map((row) => row.key));
    orphans.push(...batch.filter((key) => !known.has(key)));
    batch = [];
  };
  for await (const { key } of backend.list()) {
    count += 1;
    batch.push(key);
    if (batch.length >= pageSize) {
      await flush();
    }
  }
  await flush();
  return { count, orphans };
}

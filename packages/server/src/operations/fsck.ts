/**
 * Compares rows with bytes, both ways: every stored version must have its bytes, of its size and with `scrub` of its
 * digest; every key must belong to a version, whatever its state. It changes nothing but its own record unless `repair` is
 * asked for, holds a page of each side in memory, and goes on where a killed one was.
 */
import { BytePace } from '../domain/byte-pace.ts';
import { versionsElsewhere } from '../metadata/fsck.ts';
import { type QuotaDrift, quotaDrift } from '../metadata/quotas.ts';
import { compareRowsWithBytes } from './fsck-compare.ts';
import { repairFindings } from './fsck-repair.ts';
import {
  type Finding,
  type FsckParts,
  type FsckPhase,
  type FsckProgress,
  RecordedRun,
  type WrongKind,
  wrongKinds,
} from './fsck-run.ts';
import { scrubBytes } from './fsck-scrub.ts';

export interface FsckOptions {
  /** Reads all bytes and compares them with their sha256. */
  readonly scrub?: boolean;
  /** Most bytes a second that a scrub reads; none unless given. */
  readonly bytesPerSecond?: number;
  /** Goes on with the last run of this kind that did not end, where there is one. */
  readonly resume?: boolean;
  /** Removes bytes without a row that are old enough, and sets quotas that drifted. */
  readonly repair?: boolean;
  /** With `repair`: how long bytes without a row stay, counted from when they were written. Default a day. */
  readonly graceSeconds?: number;
  /** With `repair`: drops objects whose bytes are missing. */
  readonly dropLost?: boolean;
  /** With `repair`: acts although more than a tenth is wrong. */
  readonly force?: boolean;
  /** Rows and keys that are held at once. Default 1,000. */
  readonly pageSize?: number;
  /** Ends the run at the next page; it can be resumed. */
  readonly signal?: AbortSignal;
  /** Called after each page. */
  readonly onPage?: (at: {
    readonly phase: FsckPhase;
    readonly progress: FsckProgress;
    /** Faults that this process found so far. */
    readonly found: number;
  }) => void;
}

export interface FsckReport {
  /** The row of `storage.fsck_runs`; all findings stand in `storage.fsck_findings`. */
  readonly run_id: string;
  /** The name of the backend. */
  readonly backend: string;
  /** Whether it went on with an earlier run. */
  readonly resumed: boolean;
  readonly versions: number;
  readonly keys: number;
  /** Versions that were read and their bytes; zero without `scrub`. */
  readonly scrubbed: number;
  readonly scrubbed_bytes: number;
  /** Of these, versions whose sha256 nobody knows. */
  readonly without_digest: number;
  /** Stored versions that nothing points at; the sweep takes them. */
  readonly unreferenced: number;
  /** Versions of backends that nobody compares. */
  readonly elsewhere: number;
  /** Temporary files of uploads that never ended or are under way. */
  readonly unfinished: number;
  /** How many of each kind were found, repaired ones included. */
  readonly counts: Readonly<Record<WrongKind, number>>;
  /** Faults that were repaired, and those that are left. */
  readonly repaired: number;
  readonly left: number;
  /** What a repair did not do because it looked like the wrong folder or database. */
  readonly held_back: readonly string[];
  /** The first thousand of each kind; `overdue` are no faults. */
  readonly findings: readonly Finding[];
  /** The first of them in short: versions without their bytes, and those named although they are being purged. */
  readonly rows_without_bytes: readonly string[];
  /** Keys that no version names. */
  readonly bytes_without_row: readonly string[];
  /** Versions that a sweep should have taken: their time is over and their bytes are still there. */
  readonly overdue: readonly string[];
  /** Quotas that do not say what the rows say. */
  readonly quota_drift: readonly string[];
}

const shownMax = 1000;
const daySeconds = 86_400;

/**
 * Checks everything.
 *
 * @throws the signal's reason when it was ended; RowlockError `precondition_failed` when another process went on with this
 *   run; what database or store say where they cannot be read. What was recorded until then stays and can be resumed
 */
export async function fsck(parts: FsckParts, options: FsckOptions = {}): Promise<FsckReport> {
  const { scrub = false, resume = false, pageSize = 1000, signal = new AbortController().signal } = options;
  const run = await RecordedRun.open(parts, { scrub, resume, onPage: options.onPage ?? (() => undefined) });
  if (run.phase === 'compare') {
    const next = scrub ? 'scrub' : 'count';
    await compareRowsWithBytes(parts, run, { pageSize, withSizes: !scrub, next, signal });
  }
  if (run.phase === 'scrub') {
    const pace = new BytePace(options.bytesPerSecond ?? Number.POSITIVE_INFINITY);
    await scrubBytes(parts, run, { pageSize, pace, signal });
    await run.advance('count', '');
  }
  if (run.phase === 'count') await run.advance('repair', '', await driftedQuotas(parts));
  const heldBack = options.repair
    ? await repairFindings(parts, run, {
        graceSeconds: options.graceSeconds ?? daySeconds,
        dropLost: options.dropLost ?? false,
        force: options.force ?? false,
        signal,
      })
    : [];
  await run.advance('done', '');
  return await reportOf(parts, run, heldBack);
}

async function driftedQuotas({ db }: FsckParts): Promise<readonly Finding[]> {
  const drift = await db.run<QuotaDrift & Record<string, unknown>>(quotaDrift, []);
  return drift.map(({ account_id, bucket_id, owner_id, bytes, objects }) => ({
    kind: 'quota_drift',
    key: `${bucket_id ?? 'all buckets'}${owner_id === '' ? '' : ` of ${owner_id}`}`.slice(0, 500),
    version_id: null,
    detail: { account_id, bytes: Number(bytes), objects: Number(objects) },
  }));
}

async function reportOf(parts: FsckParts, run: RecordedRun, heldBack: readonly string[]): Promise<FsckReport> {
  const all = await run.counts();
  const findings = await run.findings(shownMax);
  const [elsewhere] = await parts.db.run<{ count: string }>(versionsElsewhere, [
    [parts.backend.name, ...(parts.others ?? [])],
  ]);
  const total = (of: 'found' | 'repaired'): number =>
    wrongKinds.reduce((sum, kind) => sum + (all.get(kind)?.[of] ?? 0), 0);
  return {
    run_id: run.id,
    backend: parts.backend.name,
    resumed: run.resumed,
    ...run.progress,
    elsewhere: Number(elsewhere?.count ?? 0),
    unfinished: await unfinishedOf(parts),
    counts: Object.fromEntries(wrongKinds.map((kind) => [kind, all.get(kind)?.found ?? 0])) as Record<
      WrongKind,
      number
    >,
    repaired: total('repaired'),
    left: total('found') - total('repaired'),
    held_back: heldBack,
    findings,
    ...inShort(findings),
  };
}

async function unfinishedOf({ backend }: FsckParts): Promise<number> {
  let unfinished = 0;
  for await (const _ of backend.listUnfinished()) {
    unfinished += 1;
  }
  return unfinished;
}

function inShort(
  findings: readonly Finding[],
): Pick<FsckReport, 'rows_without_bytes' | 'bytes_without_row' | 'overdue' | 'quota_drift'> {
  const lines = (kinds: readonly Finding['kind'][], line: (finding: Finding) => string): readonly string[] =>
    findings.filter(({ kind }) => kinds.includes(kind)).map(line);
  const version = ({ key, version_id }: Finding): string => `${version_id} (${key})`;
  return {
    rows_without_bytes: lines(['missing', 'wrong_size', 'damaged', 'unreadable', 'purged_but_named'], version),
    bytes_without_row: lines(['bytes_without_row'], ({ key }) => key),
    overdue: lines(['overdue'], version),
    quota_drift: lines(
      ['quota_drift'],
      ({ key, detail }) => `${key}: ${detail['bytes']} bytes, ${detail['objects']} objects`,
    ),
  };
}

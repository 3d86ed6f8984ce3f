/**
 * Kinds of jobs that an application registers: code of its own that looks at files, or does whatever else its jobs ask for. It
 * runs inside a worker and is trusted. Invariant: it never takes the place of a kind of ours, but for the two that look at
 * files, `file_scan` and `file_classify`.
 */
import type { JobAttempt, JobContext, JobKind } from './job-kind.ts';
import { uuidArgument } from './job-kind.ts';
import { jobKinds } from './job-kinds.ts';
import { type CheckedFile, type CheckResult, checkedFile, performCheck } from './perform-check.ts';

/** One attempt of a registered kind. */
export interface OwnJob {
  /** The job's arguments, as they were enqueued. */
  readonly args: Readonly<Record<string, unknown>>;
  /** From 1 on. */
  readonly attempt: number;
  readonly max_attempts: number;
  /** Aborted when the time is up, the job is cancelled or the worker stops. */
  readonly signal: AbortSignal;
  /** The file that `version_id` of the arguments names; undefined for a job that names none. */
  readonly file: CheckedFile | undefined;
}

/** A kind of job of the application's own. */
export interface OwnKind {
  /** Words with underscores between them, such as `damage_estimate`. */
  readonly kind: string;
  /** How long an attempt may take, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
  /**
   * Does the work, maybe more than once for one job. What it returns for a file is kept in `storage.version_checks`; the status
   * `infected` puts the file into quarantine. What it throws fails the attempt, which is tried again; a `JobCancel` of
   * `@rowlock/queue` ends the job, a `JobSnooze` runs it again after a while.
   */
  perform(job: OwnJob): Promise<CheckResult | undefined> | CheckResult | undefined;
}

const replaceable: ReadonlySet<string> = new Set(['file_scan', 'file_classify']);

/**
 * Every kind that a worker performs: ours, and those that are registered.
 *
 * @throws TypeError for what is no kind, and for one that is there already
 */
export function withOwnKinds(own: readonly OwnKind[]): readonly JobKind[] {
  const taken = new Set<string>();
  for (const { kind, perform } of own) {
    if (typeof kind !== 'string' || !/^[a-z][a-z0-9]*(_[a-z0-9]+)+$/.test(kind) || kind.length > 63) {
      throw new TypeError(`A kind is words with underscores between them, at most 63 characters, not ${String(kind)}`);
    }
    if (typeof perform !== 'function') throw new TypeError(`The kind ${kind} has no perform`);
    if (taken.has(kind) || (jobKinds.some((ours) => ours.kind === kind) && !replaceable.has(kind))) {
      throw new TypeError(`There is a kind ${kind} already`);
    }
    taken.add(kind);
  }
  return [...jobKinds.filter(({ kind }) => !taken.has(kind)), ...own.map(jobKindOf)];
}

function jobKindOf(own: OwnKind): JobKind {
  return {
    kind: own.kind,
    timeoutMs: own.timeoutMs ?? 60_000,
    async perform(context: JobContext, job: JobAttempt): Promise<void> {
      const { args, attempt, max_attempts, signal } = job;
      const asked = { args, attempt, max_attempts, signal };
      if (uuidArgument(job, 'version_id') === undefined) {
        await own.perform({ ...asked, file: undefined });
        return;
      }
      await performCheck(context, job, own.kind, async (version) =>
        own.perform({ ...asked, file: checkedFile(context, version) }),
      );
    },
  };
}

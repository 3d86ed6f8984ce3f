/**
 * What may be inserted as a job: River's own rules, which are stricter than the constraints of its table, so that no
 * client has to meet a job that another would have refused. It writes nothing.
 */
import { jsonbSafe } from './jsonb-text.ts';
import { QueueError } from './queue-error.ts';
import { goJson } from './unique/go-json.ts';
import { scheduledMs } from './unique/period.ts';
import { type Unique, type UniqueOptions, uniqueOf } from './unique/unique-key.ts';

/** How a job is inserted. What is left out is what its kind says, else the client's defaults, else River's. */
export interface InsertOptions {
  /** Where it is to be done. River's default: `default`. */
  readonly queue?: string;
  /** 1, the highest, to 4. River's default: 1. */
  readonly priority?: number;
  /** 1 to 32767. River's default: 25. */
  readonly maxAttempts?: number;
  /** Not before this time. A text is anything that PostgreSQL reads as a timestamptz. Default: now, by its clock. */
  readonly scheduledAt?: Date | string;
  /** Each three to 255 word characters and hyphens. */
  readonly tags?: readonly string[];
  /** Keys that start with `river:` are River's own. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Inserted as `pending`: nobody works it until somebody retries it. */
  readonly pending?: boolean;
  /** By what it is the same as another job, of which there is then one. */
  readonly unique?: UniqueOptions;
}

/** A job to insert. */
export interface JobInsertOptions extends InsertOptions {
  /** What is to be done; two to 127 characters. */
  readonly kind: string;
  /**
   * Anything that JSON can say, and bigints, dates, bytes and Maps in it, encoded as Go encodes its like. jsonb has no
   * room for a NUL: U+FFFD is stored for it.
   */
  readonly args: unknown;
}

/** A job that may be inserted, with every default filled in. */
export interface CheckedInsert {
  readonly kind: string;
  readonly args: string;
  readonly queue: string;
  readonly priority: number;
  readonly max_attempts: number;
  readonly scheduled_at: string | null;
  readonly tags: readonly string[];
  readonly metadata: string;
  readonly is_pending: boolean;
  readonly unique: Unique | undefined;
}

const smallintMax = 32_767;

/**
 * Checks a job and fills in River's defaults. `now` is in milliseconds since 1970; only a unique period is reckoned by
 * it.
 *
 * @throws QueueError `invalid_job`
 */
export function checkInsert(options: JobInsertOptions, now: number = Date.now()): CheckedInsert {
  const { kind, args, queue = 'default', priority = 1, maxAttempts = 25, tags = [], metadata = {} } = options;
  assertKind(kind);
  assertQueueName(queue);
  expect(isWhole(priority, 1, 4), `The priority ${priority} is not 1, 2, 3 or 4`);
  expect(isWhole(maxAttempts, 1, smallintMax), `The number of attempts ${maxAttempts} is not from 1 to ${smallintMax}`);
  for (const tag of tags) {
    expect(/^\w[\w-]+\w$/.test(tag) && tag.length <= 255, `${shown(tag)} is no tag`);
  }
  expect(typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata), 'Metadata is not an object');
  return {
    kind,
    args: jsonbSafe(goJson(args)),
    queue,
    priority,
    max_attempts: maxAttempts,
    scheduled_at: timeText(options.scheduledAt),
    tags,
    metadata: jsonbSafe(goJson(metadata)),
    is_pending: options.pending ?? false,
    unique: options.unique && uniqueOf(options.unique, { kind, args, queue, at: uniqueTime(options, now) }),
  };
}

/**
 * Checks the name of a queue: lower-case letters and digits, with single separators `_`, `-` or `|` between them.
 *
 * @throws QueueError `invalid_job`
 */
export function assertQueueName(queue: string): void {
  expect(/^[a-z0-9]+(?:[_|-][a-z0-9]+)*$/.test(queue) && queue.length <= 64, `${shown(queue)} is no name of a queue`);
}

/**
 * Checks the kind of a job: letters, digits and some punctuation, none of which can start it.
 *
 * @throws QueueError `invalid_job`
 */
export function assertKind(kind: string): void {
  expect(/^\w[\w\-[\]<>/.·:+]+$/.test(kind) && kind.length <= 127, `${shown(kind)} is no kind of job`);
}

/** As newer versions of Go's client have it, a job that is scheduled counts in the period in which it is to run. */
function uniqueTime({ scheduledAt, unique }: InsertOptions, now: number): number {
  return unique?.byPeriodSeconds === undefined || scheduledAt === undefined ? now : scheduledMs(scheduledAt);
}

function timeText(time: Date | string | undefined): string | null {
  if (time === undefined) return null;
  if (typeof time === 'string') return time;
  expect(!Number.isNaN(time.getTime()), 'The time to run the job at is no date');
  return time.toISOString();
}

function expect(isTrue: boolean, message: string): void {
  if (!isTrue) throw new QueueError('invalid_job', message);
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function shown(value: string): string {
  return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
}

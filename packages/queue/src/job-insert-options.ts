/**
 * What may be inserted as a job: River's own rules, which are stricter than the constraints of its table, so that no
 * client has to meet a job that another would have refused. It writes nothing.
 */
import { jsonbText } from './jsonb-text.ts';
import { QueueError } from './queue-error.ts';

/** A job to insert. */
export interface JobInsertOptions {
  /** What is to be done; two to 127 characters. */
  readonly kind: string;
  /** Anything that JSON can say. */
  readonly args: unknown;
  /** Where it is to be done. Default `default`. */
  readonly queue?: string;
  /** 1, the highest, to 4. Default 1. */
  readonly priority?: number;
  /** 1 to 32767. Default 25. */
  readonly maxAttempts?: number;
  /** Not before this time. A text is anything that PostgreSQL reads as a timestamptz. Default: now, by its clock. */
  readonly scheduledAt?: Date | string;
  /** Each three to 255 word characters and hyphens. */
  readonly tags?: readonly string[];
  /** Keys that start with `river:` are River's own. */
  readonly metadata?: Readonly<Record<string, unknown>>;
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
}

const smallintMax = 32_767;

/**
 * Checks a job and fills in River's defaults.
 *
 * @throws QueueError `invalid_job`
 */
export function checkInsert(options: JobInsertOptions): CheckedInsert {
  const { queue = 'default', priority = 1, maxAttempts = 25, tags = [], metadata = {} } = options;
  assertKind(options.kind);
  assertQueueName(queue);
  expect(isWhole(priority, 1, 4), `The priority ${priority} is not 1, 2, 3 or 4`);
  expect(isWhole(maxAttempts, 1, smallintMax), `The number of attempts ${maxAttempts} is not from 1 to ${smallintMax}`);
  for (const tag of tags) {
    expect(/^\w[\w-]+\w$/.test(tag) && tag.length <= 255, `${shown(tag)} is no tag`);
  }
  expect(typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata), 'Metadata is not an object');
  return {
    kind: options.kind,
    args: jsonbText(options.args),
    queue,
    priority,
    max_attempts: maxAttempts,
    scheduled_at: timeText(options.scheduledAt),
    tags,
    metadata: jsonbText(metadata),
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

/**
 * What a test asks of the jobs that its code has inserted. It only reads, and sees what the connection sees that it is
 * given: in a transaction also what is not committed.
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { decodeJobDetails, type JobDetails, type JobState } from '../job.ts';
import { jsonbSafe, jsonbText } from '../jsonb-text.ts';
import { schemaName } from '../schema-name.ts';
import { jobList } from '../statements/job-list.ts';
import type { Queryable } from '../statements/statement.ts';
import { goJson } from '../unique/go-json.ts';

/** A job as it is expected. What is left out does not matter. */
export interface ExpectedJob {
  readonly schema: string;
  readonly kind: string;
  /** All of them, as the client writes them. */
  readonly args?: unknown;
  readonly queue?: string;
  readonly priority?: number;
  readonly maxAttempts?: number;
  readonly state?: JobState;
  /** At this time, to the millisecond. */
  readonly scheduledAt?: Date;
  /** All of them, in order. */
  readonly tags?: readonly string[];
  /** Keys that the metadata have, with these values; there may be others. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const listedMax = 10_000;
const shownMax = 20;

/** Returns the jobs of a kind, or all, in the order of their insertion; at most 10,000. */
export async function insertedJobs(
  on: Queryable,
  { schema, kind }: { readonly schema: string; readonly kind?: string },
): Promise<readonly JobDetails[]> {
  const filter = kind === undefined ? {} : { kinds: [kind] };
  const listing = { filter, time: undefined, is_descending: false, after: undefined, limit: listedMax };
  return (await jobList(on, schemaName(schema), listing)).map(decodeJobDetails);
}

/**
 * Fails unless such a job was inserted, or, with a count, exactly so many; returns the last one.
 *
 * @throws AssertionError, whose message lists the jobs of the kind that are there
 */
export async function assertInserted(
  on: Queryable,
  expected: ExpectedJob & { readonly count?: number },
): Promise<JobDetails> {
  const { count, ...job } = expected;
  const { fitting, there } = await find(on, job);
  const wanted = count === undefined ? 'one or more' : `${count}`;
  const isRight = count === undefined ? fitting.length > 0 : fitting.length === count;
  const last = fitting.at(-1);
  if (isRight && last !== undefined) return last;
  assert.fail(`Expected ${wanted} of ${shown(job)}, found ${fitting.length}. There are:\n${listed(there)}`);
}

/**
 * Fails if such a job was inserted.
 *
 * @throws AssertionError, whose message lists those that were
 */
export async function assertNotInserted(on: Queryable, expected: ExpectedJob): Promise<void> {
  const { fitting } = await find(on, expected);
  if (fitting.length > 0) assert.fail(`Expected none of ${shown(expected)}, found:\n${listed(fitting)}`);
}

interface Found {
  readonly fitting: readonly JobDetails[];
  /** All of the kind. */
  readonly there: readonly JobDetails[];
}

async function find(on: Queryable, expected: ExpectedJob): Promise<Found> {
  const there = await insertedJobs(on, expected);
  return { fitting: there.filter((job) => isSuch(job, expected)), there };
}

function isSuch(job: JobDetails, expected: ExpectedJob): boolean {
  const { queue, priority, maxAttempts, state, scheduledAt, args, tags, metadata = {} } = expected;
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [queue, job.queue],
    [priority, job.priority],
    [maxAttempts, job.max_attempts],
    [state, job.state],
    [scheduledAt?.getTime(), Date.parse(job.scheduled_at)],
    [tags, job.tags],
    ...Object.entries(metadata).map(([key, value]) => [value, job.metadata[key]] as const),
  ];
  const isSame = pairs.every(([wanted, had]) => wanted === undefined || isDeepStrictEqual(asJson(wanted), had));
  return isSame && (args === undefined || isDeepStrictEqual(JSON.parse(jsonbSafe(goJson(args))), job.args));
}

/** What the value is in the table. */
function asJson(value: unknown): unknown {
  return JSON.parse(jsonbText(value));
}

function shown({ schema: _, ...expected }: ExpectedJob): string {
  return JSON.stringify(expected);
}

function listed(jobs: readonly JobDetails[]): string {
  if (jobs.length === 0) return '  none';
  const lines = jobs.slice(0, shownMax).map(({ id, kind, queue, state, args, priority, scheduled_at }) => {
    return `  ${JSON.stringify({ id, kind, queue, state, priority, scheduled_at, args })}`;
  });
  return [...lines, ...(jobs.length > shownMax ? [`  and ${jobs.length - shownMax} more`] : [])].join('\n');
}

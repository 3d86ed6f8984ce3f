/**
 * What a client does to jobs that are there: each one statement, and the refusals of the table in words. It opens no
 * transaction; what fails in one of the caller's has ended that one.
 */
import { decodeJobDetails, type Job, type JobDetails, type JobDetailsRow } from '../job.ts';
import { jsonbText } from '../jsonb-text.ts';
import { outputText } from '../output-text.ts';
import { QueueError } from '../queue-error.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobCancel } from '../statements/job-cancel.ts';
import { jobCompleteClaimed } from '../statements/job-complete-claimed.ts';
import { jobDelete } from '../statements/job-delete.ts';
import { jobGet } from '../statements/job-get.ts';
import { jobDeleteMany, jobList } from '../statements/job-list.ts';
import { jobRetry } from '../statements/job-retry.ts';
import { jobUpdate } from '../statements/job-update.ts';
import type { Queryable } from '../statements/statement.ts';
import { sqlState } from '../worker/sql-failure.ts';
import { type JobListOptions, type JobPage, jobListing, jobPage } from './job-listing.ts';

/** What to change of a job. */
export interface JobUpdate {
  /** What came of it, up to 32 MB of JSON: `output` in its metadata. */
  readonly output?: unknown;
  /** Keys to set in its metadata; the value of a key is replaced as a whole. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Which jobs to delete. */
export interface JobDeleteOptions extends JobListOptions {
  /** Must be set where no filter is given. */
  readonly all?: true;
}

/** Where an operation acts. */
export interface Scene {
  readonly on: Queryable;
  readonly schema: SchemaName;
}

/** Reads a job. */
export async function getJob({ on, schema }: Scene, id: string): Promise<JobDetails> {
  return found(id, await jobGet(on, schema, checkedId(id)));
}

/** Cancels a job, or asks its worker to. */
export async function cancelJob({ on, schema }: Scene, id: string): Promise<JobDetails> {
  return found(id, await jobCancel(on, schema, checkedId(id)));
}

/** Makes a job available again. */
export async function retryJob({ on, schema }: Scene, id: string): Promise<JobDetails> {
  try {
    return found(id, await jobRetry(on, schema, checkedId(id)));
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new QueueError('unique_conflict', `Another job holds the unique key of job ${id}`);
  }
}

/** Deletes a job that is not running. */
export async function deleteJob({ on, schema }: Scene, id: string): Promise<JobDetails> {
  const row = await jobDelete(on, schema, checkedId(id));
  const job = found(id, row);
  if (row?.is_deleted !== 't') throw new QueueError('job_running', `Job ${id} is running, and cannot be deleted`);
  return job;
}

/** Merges output and keys into the metadata of a job. */
export async function updateJob({ on, schema }: Scene, id: string, update: JobUpdate): Promise<JobDetails> {
  const metadata = mergeText(update);
  return found(id, await jobUpdate(on, schema, checkedId(id), metadata ?? '{}'));
}

/** Completes the claim of a job. */
export async function completeJob({ on, schema }: Scene, job: Job, update: JobUpdate): Promise<JobDetails> {
  const { id, attempt, attempted_at } = job;
  const row = await jobCompleteClaimed(on, schema, { id, attempt, attempted_at, metadata: mergeText(update) });
  if (row !== undefined) return decodeJobDetails(row);
  throw new QueueError('job_not_running', `Attempt ${attempt} at job ${id} is over`);
}

/** Lists jobs. */
export async function listJobs({ on, schema }: Scene, options: JobListOptions): Promise<JobPage> {
  const rows = await jobList(on, schema, jobListing(options));
  return jobPage(rows.map(decodeJobDetails), options);
}

/** Deletes jobs that are not running. */
export async function deleteJobs(
  { on, schema }: Scene,
  { all = undefined, ...options }: JobDeleteOptions,
): Promise<readonly JobDetails[]> {
  const listing = jobListing(options);
  const hasFilter = Object.values(listing.filter).some((values) => values !== undefined);
  if (!hasFilter && all !== true) throw new QueueError('invalid_option', 'To delete any job, set all to true');
  return (await jobDeleteMany(on, schema, listing)).map(decodeJobDetails);
}

function found(id: string, row: JobDetailsRow | undefined): JobDetails {
  if (row === undefined) throw new QueueError('not_found', `There is no job ${id}`);
  return decodeJobDetails(row);
}

function checkedId(id: string): string {
  if (/^\d{1,19}$/.test(id) && BigInt(id) < 2n ** 63n) return id;
  throw new QueueError('invalid_option', `No id of a job: ${JSON.stringify(String(id).slice(0, 100))}`);
}

/** The output is checked by itself, and put in front: what the metadata say of it counts less. */
function mergeText({ output, metadata = {} }: JobUpdate): string | null {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new QueueError('invalid_option', 'Metadata is not an object');
  }
  const given = Object.entries(metadata).filter(([, value]) => value !== undefined);
  const texts = new Map(given.map(([key, value]) => [key, jsonbText(value)]));
  if (output !== undefined) texts.set('output', outputText(output));
  if (texts.size === 0) return null;
  return `{${[...texts].map(([key, text]) => `${jsonbText(key)}:${text}`).join(',')}}`;
}

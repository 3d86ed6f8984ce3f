/**
 * Inserts a job in a transaction of the caller's: the job is there if and only if that transaction commits, and only
 * then is anybody told. It never opens a transaction and never retries.
 */
import { decodeJob, type Job } from './job.ts';
import { checkInsert, type JobInsertOptions } from './job-insert-options.ts';
import { schemaName } from './schema-name.ts';
import { jobInsert } from './statements/job-insert.ts';
import type { Queryable } from './statements/statement.ts';

/** A job to insert, and the schema of the table that it goes to. */
export interface InsertJobOptions extends JobInsertOptions {
  readonly schema: string;
}

/**
 * Inserts a job and returns it.
 *
 * `client` is a connection, in a transaction or not; a pool inserts at once. A job that is due within five seconds is
 * `available` at once and held back by its time; a later one is `scheduled`.
 *
 * @throws QueueError `invalid_job`, `invalid_schema_name`
 */
export async function insertJob(client: Queryable, options: InsertJobOptions): Promise<Job> {
  const job = checkInsert(options);
  return decodeJob(await jobInsert(client, schemaName(options.schema), job));
}

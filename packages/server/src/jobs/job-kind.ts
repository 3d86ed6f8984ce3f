/** What a job kind is: where it runs, how often it is tried, and one call into the domain. */
import type { Backends } from '../backend/backends.ts';
import type { Observe } from '../domain/observation.ts';
import type { DecoderPool } from '../imaging/processes/decoder-pool.ts';
import type { Database } from '../metadata/database.ts';
import type { Scanner } from '../scanning/clamd.ts';
import type { HttpClassifier } from '../scanning/http-classifier.ts';

/** Who is asked what is in files. */
export interface Checkers {
  readonly scanner?: Scanner | undefined;
  readonly classifier?: HttpClassifier | undefined;
}

/** What jobs are given: the worker's own role, not a caller's. */
export interface JobContext {
  readonly db: Database;
  readonly backends: Backends;
  /** Where images are decoded: not in this process. */
  readonly decoders: DecoderPool;
  readonly observe: Observe;
  /** The canned ACL that presigned PUTs must send; none when undefined. */
  readonly upload_acl?: string | undefined;
  readonly checks?: Checkers;
}

/** One attempt. */
export interface JobAttempt {
  readonly args: Readonly<Record<string, unknown>>;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly signal: AbortSignal;
}

export interface JobKind {
  readonly kind: string;
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs: number;
  perform(context: JobContext, job: JobAttempt): Promise<void>;
}

/** An argument that must be a UUID, or `undefined`: jobs trust ids only, and take everything else from rows. */
export function uuidArgument(job: JobAttempt, name: string): string | undefined {
  const value = Object.hasOwn(job.args, name) ? job.args[name] : undefined;
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? value : undefined;
}

/** The same where nothing can be done without it. @throws TypeError: the attempt fails, and says why */
export function requiredUuid(job: JobAttempt, name: string): string {
  const value = uuidArgument(job, name);
  if (value === undefined) {
    throw new TypeError(`The arguments have no UUID ${name}`);
  }
  return value;
}

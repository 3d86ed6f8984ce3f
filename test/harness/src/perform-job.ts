/**
 * Performs one job by hand, as a worker would: for tests that want to know exactly which statement is which. It claims
 * nothing and records nothing in the queue.
 */
import { DecoderPool } from '../../../packages/server/dist/imaging/decoder-pool.js';
import { type Backend, Backends, type Database, type Observe } from '../../../packages/server/dist/index.js';
import { jobKinds } from '../../../packages/server/dist/jobs/job-kinds.js';

/** What a job works with; both as the worker has them. */
export interface JobParts {
  readonly db: Database;
  readonly backend: Backend;
  /** All of them, where there are several. */
  readonly backends?: Backends;
  readonly observe?: Observe;
  /** The ACL that presigned PUTs must send. */
  readonly upload_acl?: string;
}

/** Kept warm between jobs; its process ends by itself soon after the last image. */
const decoders = new DecoderPool({ size: 1, idleMs: 2000 });

/** Performs a job of a kind; `attempt` is 1 of 25 unless given. */
export async function performJob(
  { db, backend, backends = new Backends(backend), observe = () => undefined, upload_acl }: JobParts,
  kind: string,
  args: Readonly<Record<string, unknown>>,
  attempt = 1,
): Promise<void> {
  const found = jobKinds.find((each) => each.kind === kind);
  if (found === undefined) throw new TypeError(`There is no job kind ${kind}`);
  const { signal } = new AbortController();
  await found.perform({ db, backends, decoders, observe, upload_acl }, { args, attempt, max_attempts: 25, signal });
}

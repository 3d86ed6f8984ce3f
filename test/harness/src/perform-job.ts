/**
 * Performs one job by hand, as a worker would: for tests that want to know exactly which statement is which. It claims
 * nothing and records nothing in the queue.
 */
import type { Backend, Backends, Database, Observe } from '../../../packages/server/dist/index.js';

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

/** The parts of the server, loaded with the first job; the decoder is kept warm between jobs and ends soon after the last. */
let loaded: ReturnType<typeof load> | undefined;

async function load() {
  const [{ Backends: Opened }, { DecoderPool }, { jobKinds }] = await Promise.all([
    import('../../../packages/server/dist/index.js'),
    import('../../../packages/server/dist/imaging/processes/decoder-pool.js'),
    import('../../../packages/server/dist/jobs/job-kinds.js'),
  ]);
  return { Opened, jobKinds, decoders: new DecoderPool({ size: 1, idleMs: 2000 }) };
}

/** Performs a job of a kind; `attempt` is 1 of 25 unless given. */
export async function performJob(
  { db, backend, backends, observe = () => undefined, upload_acl }: JobParts,
  kind: string,
  args: Readonly<Record<string, unknown>>,
  attempt = 1,
): Promise<void> {
  loaded ??= load();
  const { Opened, jobKinds, decoders } = await loaded;
  const found = jobKinds.find((each) => each.kind === kind);
  if (found === undefined) throw new TypeError(`There is no job kind ${kind}`);
  const { signal } = new AbortController();
  const context = { db, backends: backends ?? new Opened(backend), decoders, observe, upload_acl };
  await found.perform(context, { args, attempt, max_attempts: 25, signal });
}

/**
 * Clients that write, overwrite, read, list and delete at random until they are told to stop, whatever happens to the
 * service meanwhile, and record what they were answered. They judge nothing. Invariant: what they do depends on the seed
 * and on the answers only.
 */
import { ask, bucket, deleteObject, type FaultySite, readObject, writeObject } from './faulty-site.ts';

export interface Clients {
  /** How many answers were successes since the start. */
  readonly successes: number;
  /** Every status that was answered. */
  readonly statuses: ReadonlySet<number | 'lost'>;
  /** Resolves when every client has had its last answer. */
  stop(): Promise<void>;
}

/** What clients may be told while anything may fail. */
export const ordinaryStatuses: ReadonlySet<number | 'lost'> = new Set(['lost', 200, 201, 404, 409, 503]);

/** Starts clients on a few shared names of the bucket. */
export function startClients(site: FaultySite, options: { readonly count: number; readonly prefix: string }): Clients {
  const statuses = new Set<number | 'lost'>();
  let successes = 0;
  let isStopping = false;
  const run = async (): Promise<void> => {
    while (!isStopping) {
      const status = await actOnce(site, options.prefix);
      statuses.add(status);
      if (typeof status === 'number' && status < 300) successes += 1;
      // Lets others have a turn where every answer is an immediate refusal.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const running = Promise.all(Array.from({ length: options.count }, run));
  running.catch(() => undefined); // told by stop
  return {
    get successes() {
      return successes;
    },
    statuses,
    async stop() {
      isStopping = true;
      await running;
    },
  };
}

async function actOnce(site: FaultySite, prefix: string): Promise<number | 'lost'> {
  const { random } = site;
  const name = `${prefix}-${random.integer(8)}`;
  const length = random.pick([0, 10, 5000, 300_000]);
  const body = Buffer.alloc(length, String(random.integer(2 ** 32)));
  switch (random.integer(7)) {
    case 0:
      return await writeObject(site, `${name}-${random.integer(1000)}`, body, 'create');
    case 1:
    case 2:
      return await writeObject(site, name, body);
    case 3:
      return await writeObject(site, `${name}-photo`, site.photo);
    case 4:
      return await deleteObject(site, random.pick([name, `${name}-photo`]));
    case 5: {
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: '{"prefix":""}' };
      return (await ask(site.service, `/storage/v1/object/list/${bucket}`, init)).status;
    }
    default:
      return await readObject(site, name);
  }
}

/**
 * A service whose database can fail under it, for all tests of faults: the API and a worker's parts behind a proxy, and
 * a history of what was asked. It injects nothing by itself. Invariant: what tests arrange goes to the database directly
 * or before a fault is armed.
 */
import { Database, openBackend } from '@rowlock/server';
import {
  contentOf,
  createMigratedDatabase,
  type FaultProxy,
  History,
  type JobParts,
  type Outcome,
  outcomeOf,
  type SeededRandom,
  type ServiceOptions,
  seededRandom,
  startFaultProxy,
  startService,
  type TestService,
} from '@rowlock/test-harness';
import sharp from 'sharp';

export interface FaultySite {
  readonly service: TestService;
  readonly proxy: FaultProxy;
  readonly history: History;
  readonly random: SeededRandom;
  /** What a job works with, its database through the proxy. */
  readonly parts: JobParts;
  /** A small JPEG. */
  readonly photo: Buffer;
  /** What the service could not explain to its caller. */
  readonly internalErrors: unknown[];
  stop(): Promise<void>;
}

/** The bucket of all tests of faults. */
export const bucket = 'faults';
/** Larger than what is read at once, so that downloads are streams. */
export const largeBytes: number = 600 * 1024;

/** Starts the service with its bucket; without workers unless they are asked for. */
export async function startFaultySite(
  options: Pick<ServiceOptions, 'config' | 'workers' | 'database'> = {},
): Promise<FaultySite> {
  const database = options.database ?? (await createMigratedDatabase());
  const proxy = await startFaultProxy({ url: database.apiUrl, adminUrl: database.url });
  const internalErrors: unknown[] = [];
  const service = await startService({
    workers: false,
    ...options,
    database: { ...database, workerUrl: proxy.through(database.workerUrl) },
    config: {
      ...options.config,
      database: {
        connections_max: 4,
        statement_timeout_ms: 10_000,
        ...options.config?.database,
        url: proxy.through(database.apiUrl),
      },
    },
    observe: (observation: { readonly type: string; readonly error?: unknown }) => {
      if (observation.type === 'internal_error') internalErrors.push(observation.error);
    },
  });
  await database.query(`INSERT INTO storage.buckets (id, owner_id) VALUES ('${bucket}', 'ann') ON CONFLICT DO NOTHING`);
  const db = new Database({
    url: proxy.through(database.workerUrl),
    connectionsMax: 2,
    statementTimeoutMs: 10_000,
    applicationName: 'rowlock worker',
  });
  const backend = await openBackend(service.config.backend);
  const background = { r: 20, g: 120, b: 200 };
  return {
    service: { ...service, database },
    proxy,
    history: new History(),
    random: seededRandom(),
    parts: { db, backend },
    photo: await sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .jpeg()
      .toBuffer(),
    internalErrors,
    async stop() {
      await db.close();
      await backend.close();
      await service.stop();
      await proxy.close();
      if (options.database === undefined) await database.drop();
    },
  };
}

/** The path of an object's route. */
export const pathOf = (name: string): string => `/storage/v1/object/${bucket}/${name}`;

/** A request of the bucket's owner whose answer may never come: its status, or `lost`; the body is read to its end. */
export async function ask(
  service: TestService,
  path: string,
  init: RequestInit & { readonly as?: string | undefined } = {},
): Promise<{ readonly status: number | 'lost'; readonly body: Buffer; readonly headers: Headers }> {
  try {
    const response = await service.fetch(path, { as: 'ann', ...init });
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()), headers: response.headers };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what fetch raises when a connection ends
    return { status: 'lost', body: Buffer.alloc(0), headers: new Headers() };
  }
}

/** What a status means for the history. */
export function asOutcome(status: number | 'lost'): Outcome {
  return status === 'lost' ? 'unknown' : outcomeOf(status);
}

/** Writes an object and records it; `create` must not replace. Answers the status. */
export async function writeObject(
  { service, history }: Pick<FaultySite, 'service' | 'history'>,
  name: string,
  body: string | Buffer,
  kind: 'write' | 'create' = 'write',
): Promise<number | 'lost'> {
  let status: number | 'lost' = 'lost';
  const headers = { 'x-upsert': String(kind === 'write'), 'content-type': 'application/octet-stream' };
  await history.write(
    `${bucket}/${name}`,
    contentOf(body),
    async () => {
      ({ status } = await ask(service, pathOf(name), { method: 'POST', body, headers }));
      return asOutcome(status);
    },
    kind,
  );
  return status;
}

/** Deletes an object and records it. Answers the status. */
export async function deleteObject(
  { service, history }: Pick<FaultySite, 'service' | 'history'>,
  name: string,
): Promise<number | 'lost'> {
  let status: number | 'lost' = 'lost';
  await history.delete(`${bucket}/${name}`, async () => {
    ({ status } = await ask(service, pathOf(name), { method: 'DELETE' }));
    return asOutcome(status);
  });
  return status;
}

/** Reads an object and records what came. Answers the status. */
export async function readObject(
  { service, history }: Pick<FaultySite, 'service' | 'history'>,
  name: string,
): Promise<number | 'lost'> {
  let status: number | 'lost' = 'lost';
  await history.read(`${bucket}/${name}`, async () => {
    const answer = await ask(service, pathOf(name));
    ({ status } = answer);
    if (status === 404) return 'absent';
    return status === 200 ? contentOf(answer.body) : undefined;
  });
  return status;
}

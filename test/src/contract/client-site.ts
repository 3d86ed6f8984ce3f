/**
 * What contract tests of the client share: one service whose bytes are on a disk, in PostgreSQL and, where there is one, in a real
 * S3 store, behind gateways that can harm single requests; and a client of Ann's that goes through them. It judges nothing.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createClient, type PendingUpload, type PendingUploads, type StorageClient } from '@rowlock/client';
import {
  assertInvariants,
  freePort,
  requires,
  signToken,
  startService,
  type TestService,
  temporaryFolder,
  until,
} from '@rowlock/test-harness';
import { cephConfig } from '../backends/ceph-backend.ts';
import { type FaultyGateway, startFaultyGateway } from './faulty-gateway.ts';

export type BackendName = 'disk' | 'postgres' | 's3';

export const noCeph: false | string = requires('ceph');
export const backendNames: readonly BackendName[] = ['disk', 'postgres', 's3'];

/** Why there are no tests of a backend here. */
export const skipOf = (backend: BackendName): false | string => (backend === 's3' ? noCeph : false);

/** A bucket of Ann's. */
export const bucketOn = (backend: BackendName): string => `on-${backend}`;

export interface ClientSite {
  readonly service: TestService;
  /** As Ann, through the gateway. */
  readonly client: StorageClient;
  /** In front of the service, and of the disk and the rows, whose URLs it answers. */
  readonly gateway: FaultyGateway;
  /** In front of what answers the presigned URLs of a backend. */
  gatewayOf(backend: BackendName): FaultyGateway;
  as(sub: string): Promise<StorageClient>;
  /** Has what is uploaded for entities go to a backend from now on. */
  keepFilesOn(backend: BackendName): Promise<void>;
  /** The checksum of an object, as Ann reads it. */
  sha256Of(bucket: string, name: string): Promise<string>;
  /** Asserts every invariant, then stops. */
  stop(): Promise<void>;
}

/** Starts it, with a bucket of Ann's on each backend. */
export async function startClientSite(): Promise<ClientSite> {
  const port = await freePort();
  const gateway = await startFaultyGateway(`http://127.0.0.1:${port}`);
  const ceph = noCeph === false ? await cephConfig() : undefined;
  const store = ceph === undefined ? undefined : await startFaultyGateway(ceph.endpoint);
  const s3 = ceph === undefined ? [] : [{ ...ceph, kind: 's3' as const, endpoint: store?.url ?? '' }];
  const service = await startService({ blobs: true, config: configOf(port, gateway.url, s3) });
  const as = async (sub: string): Promise<StorageClient> =>
    createClient({ url: gateway.url, token: await signToken({ sub, role: 'authenticated' }) });
  const client = await as('ann');
  for (const name of backendNames.filter((each) => skipOf(each) === false)) {
    await client.createBucket({ name: bucketOn(name) });
    await service.database.query('SELECT storage.set_bucket_backend($1, $2)', [bucketOn(name), name]);
  }
  const backends = backendNames.filter((each) => skipOf(each) === false).length;
  const keys = 'SELECT count(DISTINCT backend)::integer AS count FROM storage.s3_signing_keys';
  const hasKeys = async () => (await service.database.query<{ count: number }>(keys))[0]?.count === backends;
  await until(hasKeys, { timeoutMs: 30_000, what: 'a worker has derived the keys that the database signs with' });
  return {
    service,
    client,
    gateway,
    gatewayOf: (backend) => (backend === 's3' ? (store ?? gateway) : gateway),
    as,
    keepFilesOn: async (backend) => {
      await service.database.query("SELECT storage.set_bucket_backend('files', $1)", [backend]);
    },
    sha256Of: async (bucket, name) => sha256(new Uint8Array(await (await client.download(bucket, name)).arrayBuffer())),
    stop: async () => {
      await assertInvariants(service);
      await service.stop();
      await gateway.close();
      await store?.close();
    },
  };
}

type Others = NonNullable<TestService['config']['other_backends']>;

function configOf(port: number, gatewayUrl: string, others: Others): Partial<TestService['config']> {
  return {
    port,
    public_url: gatewayUrl,
    other_backends: others,
    change_feed: { idle_poll_ms: 200 },
    backend: {
      kind: 'disk',
      root: join(temporaryFolder(), 'blobs'),
      endpoint: gatewayUrl,
      region: 'us-east-1',
      bucket: 'civic-os-files',
      access_key_id: 'TESTKEY',
      secret_access_key: 'test-secret-access-key-of-forty-bytes...',
    },
  };
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const bytesOf = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(size));
export const aName = (): string => `${randomUUID()}.bin`;

/** Begun uploads as a browser keeps them, for looking at. */
export function rememberingUploads(): PendingUploads & { readonly kept: Map<string, PendingUpload> } {
  const kept = new Map<string, PendingUpload>();
  return {
    kept,
    get: async (key) => kept.get(key),
    set: async (key, upload) => {
      kept.set(key, upload);
    },
    delete: async (key) => {
      kept.delete(key);
    },
  };
}

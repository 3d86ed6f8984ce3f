/**
 * From configuration to the stores of bytes, joined with what they need of the rest: the rows of the database, and the door
 * that answers presigned URLs for stores without HTTP of their own. A kind that is not built is refused by its type.
 */
import type { Backend } from './backend/backend.ts';
import { Backends } from './backend/backends.ts';
import { openDiskBackend } from './backend/disk/disk-backend.ts';
import { PostgresBackend } from './backend/postgres/postgres-backend.ts';
import { openS3Backend } from './backend/s3/s3-backend.ts';
import { ObservedBackend } from './backend/wrapping/observed-backend.ts';
import type { BackendConfig, DiskBackendConfig, PostgresBackendConfig } from './config.ts';
import { fault } from './domain/fault.ts';
import type { Observe } from './domain/observation.ts';
import { StoredBlobs } from './metadata/blobs.ts';
import type { BlobDoor } from './operations/blob-door.ts';

/** Default of `bytes_max`: what a row's worth of bytes costs a database grows with them. */
const blobBytesMax: number = 16 * 2 ** 20;

/** Opens one store. */
export async function openBackend(config: BackendConfig): Promise<Backend> {
  switch (config.kind) {
    case 'disk': {
      const { name, root, endpoint, region, bucket } = config;
      return await openDiskBackend({ name, root, endpoint, region, bucket, credentials: credentialsOf(config), fault });
    }
    case 'postgres':
      return openPostgresBackend(config);
    case 's3':
      return await openS3Backend(config);
  }
}

/**
 * Opens the stores of a process; the first is where new bytes go. Calls to stores behind a network are reported.
 *
 * @throws TypeError for two of one name
 */
export async function openBackends(
  config: { readonly backend: BackendConfig; readonly other_backends?: readonly BackendConfig[] | undefined },
  observe?: Observe,
): Promise<Backends> {
  const opened: Backend[] = [];
  try {
    for (const each of [config.backend, ...(config.other_backends ?? [])]) {
      const backend = await openBackend(each);
      opened.push(each.kind === 's3' && observe !== undefined ? observed(backend, observe) : backend);
    }
    const [first, ...others] = opened as [Backend, ...Backend[]];
    return new Backends(first, ...others);
  } catch (error) {
    await Promise.allSettled(opened.map((backend) => backend.close()));
    throw error;
  }
}

function observed(backend: Backend, observe: Observe): Backend {
  return new ObservedBackend(backend, (call) => observe({ type: 'backend_call', ...call }));
}

function openPostgresBackend(config: PostgresBackendConfig): Backend {
  const { name = 'postgres', database, bytes_max = blobBytesMax, bucket, endpoint, region } = config;
  const rows = new StoredBlobs({
    url: database.url,
    connectionsMax: database.connections_max,
    statementTimeoutMs: database.statement_timeout_ms,
    applicationName: 'rowlock blobs',
  });
  return new PostgresBackend(rows, { name, bytes_max, bucket, endpoint, region, credentials: credentialsOf(config) });
}

function credentialsOf({ access_key_id, secret_access_key }: DiskBackendConfig | PostgresBackendConfig): {
  readonly access_key_id: string;
  readonly secret_access_key: string;
} {
  return { access_key_id, secret_access_key };
}

/**
 * The doors of stores that have no HTTP of their own.
 *
 * @throws TypeError where two would answer below the same path
 */
export function doorsOf(config: {
  readonly backend: BackendConfig;
  readonly other_backends?: readonly BackendConfig[] | undefined;
}): readonly BlobDoor[] {
  const doors = [config.backend, ...(config.other_backends ?? [])].flatMap((each) => {
    if (each.kind === 's3') return [];
    const { kind, name = kind, bucket, region, access_key_id, secret_access_key } = each;
    return [{ backend: name, bucket, region, access_key_id, secret_access_key }];
  });
  const buckets = doors.map(({ bucket }) => bucket);
  if (new Set(buckets).size < buckets.length) {
    throw new TypeError(`Two backends answer presigned URLs below the same bucket: ${buckets.join(', ')}`);
  }
  return doors;
}

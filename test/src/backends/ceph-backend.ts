/**
 * S3 backends on the run's Ceph: one bucket for each test file, and for each backend a prefix of its own. It decides
 * nothing about what is tested. Invariant: no backend sees what another one keeps.
 */
import { randomUUID } from 'node:crypto';
import { type CephStore, cephStore } from '@rowlock/test-harness';
import {
  openS3Backend,
  type S3Backend,
  type S3BackendConfig,
} from '../../../packages/server/dist/backend/s3/s3-backend.js';

let bucket: Promise<string> | undefined;

/** The configuration of a backend that is empty. */
export async function cephConfig(): Promise<S3BackendConfig & { readonly endpoint: string }> {
  const store: CephStore = await cephStore();
  bucket ??= store.newBucket();
  const { endpoint, region, credentials } = store;
  return {
    endpoint,
    region,
    credentials,
    bucket: await bucket,
    flavour: 'ceph',
    key_prefix: `${randomUUID()}/`,
  };
}

/** Opens an empty backend. */
export async function cephBackend(options: Partial<S3BackendConfig> = {}): Promise<S3Backend> {
  return await openS3Backend({ ...(await cephConfig()), ...options });
}

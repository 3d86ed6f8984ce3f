/** From configuration to a backend. A kind that is not built yet is refused by its type. */
import { fault } from '../domain/fault.ts';
import type { Backend } from './backend.ts';
import { type DiskBackendConfig, openDiskBackend } from './disk/disk-backend.ts';

export interface DiskSettings extends Omit<DiskBackendConfig, 'credentials' | 'fault'> {
  readonly kind: 'disk';
  readonly access_key_id: string;
  readonly secret_access_key: string;
}

/** Opens the backend of a deployment. */
export function openBackend(settings: DiskSettings): Promise<Backend> {
  const { root, endpoint, region, bucket, access_key_id, secret_access_key } = settings;
  return openDiskBackend({ root, endpoint, region, bucket, credentials: { access_key_id, secret_access_key }, fault });
}

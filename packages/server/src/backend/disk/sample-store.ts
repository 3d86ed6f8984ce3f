/**
 * Disk stores in temporary folders for the tests of this folder. It is not part of the service. Invariant: a
 * store is removed with the test that made it.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type DiskBackend, type DiskBackendConfig, openDiskBackend } from './disk-backend.ts';

export const credentials = { access_key_id: 'rowlock', secret_access_key: 'a-secret-of-thirty-two-characters' };

/** Makes a temporary folder. */
export async function newRoot(t: TestContext): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'rowlock-disk-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

/** The configuration of a store in a folder. */
export function configOf(root: string): DiskBackendConfig {
  return { root, bucket: 'files', endpoint: 'http://127.0.0.1:8000', region: 'us-east-1', credentials };
}

/** Opens a store in a new folder. */
export async function newStore(
  t: TestContext,
  options: Partial<DiskBackendConfig> = {},
): Promise<{ backend: DiskBackend; root: string }> {
  const root = await newRoot(t);
  return { backend: await openDiskBackend({ ...configOf(root), ...options }), root };
}

/** A source of the given chunks. */
export async function* bytesOf(...chunks: (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

/** Every file and folder below a folder, links as such. */
export async function tree(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).sort();
}

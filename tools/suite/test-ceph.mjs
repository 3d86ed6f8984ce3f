/**
 * Gives a run of tests one place for its S3 store, a Ceph that the first test
 * to need it starts. It starts nothing itself, and stops what was started.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { importHarness } from './test-database.mjs';

/** Tells test processes by their environment where the store is to be, and returns how to stop it. */
export async function provideCeph(folder) {
  const { stopCeph } = await importHarness();
  const place = join(folder, 'ceph');
  mkdirSync(place);
  chmodSync(place, 0o755);
  process.env.ROWLOCK_TEST_CEPH_FOLDER = place;
  process.env.ROWLOCK_TEST_CEPH_OWNER = String(process.pid);
  return () => stopCeph(place);
}

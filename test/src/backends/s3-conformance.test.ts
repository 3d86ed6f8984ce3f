/** The S3 backend keeps what every backend promises, at a real S3 store. */
import { requires } from '@rowlock/test-harness';
import { backendConformance } from '../../../packages/server/dist/backend/conformance.js';
import { cephBackend } from './ceph-backend.js';

/** What fits into one part is in memory until all of it is there. */
const options = { unfinishedFromBytes: 9 * 1024 ** 2, listedKeys: 110, roundsInFolder: 3 };

if (requires('ceph') === false) {
  backendConformance('s3 on ceph', async () => await cephBackend({ page_keys: 50 }), options);
}

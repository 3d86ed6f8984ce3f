/** The S3 backend keeps what every backend promises, at a real S3 store. */
import { requires } from '@rowlock/test-harness';
import { partsConformance } from '../../../packages/server/dist/backend/conformance/parts.js';
import { backendConformance } from '../../../packages/server/dist/backend/conformance.js';
import { cephBackend } from './ceph-backend.js';

/** What fits into one part is in memory until all of it is there. */
const options = { unfinishedFromBytes: 9 * 1024 ** 2, listedKeys: 110, roundsInFolder: 3 };

if (requires('ceph') === false) {
  backendConformance('s3 on ceph', async () => await cephBackend({ page_keys: 50 }), options);
  partsConformance(
    's3 on ceph',
    async () => await cephBackend(),
    async ({ parts }, place, part_number, bytes) => {
      const options = { part_number, contentLength: bytes.byteLength, expirySeconds: 60 };
      const url = await parts?.presignPart(place, options);
      const answer = await fetch(url ?? '', { method: 'PUT', body: Uint8Array.from(bytes) });
      if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`);
    },
  );
}

/**
 * A program that puts one large object into the S3 store that it is told of, and is killed by its plan of faults on the
 * way. It prints nothing. Invariant: it ends with 0 only where the put has succeeded.
 */
import { enableFaults, planFault } from '@rowlock/server';
import { openS3Backend, type S3BackendConfig } from '../../../packages/server/dist/backend/s3/s3-backend.js';
import { madeBytes } from './made-bytes.js';

const [config = '', key = '', size = '', plan = ''] = process.argv.slice(2);

enableFaults(planFault(plan));
const backend = await openS3Backend(JSON.parse(config) as S3BackendConfig);
await backend.put(key, madeBytes(Number(size)));
await backend.close();

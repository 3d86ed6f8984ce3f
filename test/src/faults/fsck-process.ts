/** The process that the tests kill: one run of fsck with small pages, with a fault armed; prints the report. */

import { enableFaults } from '../../../packages/server/dist/domain/fault.js';
import { planFault } from '../../../packages/server/dist/domain/fault-plan.js';
import { Database } from '../../../packages/server/dist/metadata/database.js';
import { openBackend } from '../../../packages/server/dist/open-backends.js';
import { fsck } from '../../../packages/server/dist/operations/fsck.js';

const env = (name: string): string => process.env[name] ?? '';

if (env('FSCK_FAULT') !== '') enableFaults(planFault(env('FSCK_FAULT')));

const db = new Database({
  url: env('FSCK_URL'),
  connectionsMax: 2,
  statementTimeoutMs: 10_000,
  applicationName: 'fsck process',
});
const backend = await openBackend({
  kind: 'disk',
  root: env('FSCK_ROOT'),
  endpoint: 'http://127.0.0.1',
  region: 'us-east-1',
  bucket: 'civic-os-files',
  access_key_id: 'k',
  secret_access_key: 's',
});
const report = await fsck({ db, backend }, { scrub: true, resume: true, repair: true, graceSeconds: 0, pageSize: 2 });
process.stdout.write(JSON.stringify(report));
await db.close();

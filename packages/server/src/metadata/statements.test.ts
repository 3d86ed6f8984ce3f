/** Every statement is prepared by name, against the migrated schema, as the role that runs it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';
import * as audit from './audit.ts';
import * as backendCopies from './backend-copies.ts';
import * as blobs from './blobs.ts';
import * as buckets from './buckets.ts';
import * as changes from './changes.ts';
import type { Statement } from './database.ts';
import * as explainAccess from './explain-access.ts';
import * as fileChecks from './file-checks.ts';
import * as fsck from './fsck.ts';
import * as gateway from './gateway.ts';
import * as history from './history.ts';
import * as imageFacts from './image-facts.ts';
import * as jobAdmin from './job-admin.ts';
import * as listing from './listing.ts';
import * as moves from './moves.ts';
import * as multipart from './multipart.ts';
import * as objects from './objects.ts';
import * as placedBuckets from './placed-buckets.ts';
import * as policies from './policies.ts';
import * as preparedUploads from './prepared-uploads.ts';
import * as putGuards from './put-guards.ts';
import * as quotas from './quotas.ts';
import * as renders from './renders.ts';
import * as signedUrls from './signed-urls.ts';
import * as signingKeys from './signing-keys.ts';
import * as storageHealth from './storage-health.ts';
import * as storageUsage from './storage-usage.ts';
import * as storeEvents from './store-events.ts';
import * as tickets from './tickets.ts';
import * as upkeep from './upkeep.ts';
import * as uploads from './uploads.ts';
import * as variants from './variants.ts';

let database: MigratedDatabase;

before(async () => {
  database = await createMigratedDatabase();
});
after(() => database.drop());

const isStatement = (value: unknown): value is Statement =>
  typeof value === 'object' && value !== null && 'name' in value && 'text' in value;
const statementsOf = (module: object): Statement[] => Object.values(module).filter(isStatement);

async function prepareAll(url: string, role: string | undefined, statements: readonly Statement[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    if (role !== undefined) {
      await client.query(`SET ROLE ${role}`);
    }
    for (const { name, text } of statements) {
      await assert.doesNotReject(client.query(`PREPARE ${name} AS ${text}`), `${name} as ${role ?? 'the login role'}`);
    }
  } finally {
    await client.end();
  }
}

/** What becomes the caller by itself, or opens what somebody signed. */
const isOfLoginRole = ({ text }: Statement): boolean => text.includes('storage_internal.');
/** What removes bytes that are rows. */
const isOfWorkerAlone = (statement: Statement): boolean =>
  [blobs.blobDelete, blobs.blobsUnfinished, blobs.blobsRemoveUnfinished].includes(statement);
const isOfTheWorkersParts = (statement: Statement): boolean =>
  [multipart.multipartToBegin, multipart.multipartFail, multipart.partsListed, multipart.openStoreUploads].includes(
    statement,
  );
const ofCallers = [
  explainAccess,
  buckets,
  changes,
  history,
  imageFacts,
  jobAdmin,
  listing,
  moves,
  objects,
  policies,
  quotas,
  signedUrls,
  storageHealth,
].flatMap(statementsOf);
ofCallers.push(fileChecks.whyUnread, fileChecks.checkList);

test('statements of callers are prepared as each application role', async () => {
  const all = ofCallers.filter((statement) => !isOfLoginRole(statement));

  assert.ok(all.length >= 7);
  for (const role of ['authenticated', 'service_role']) {
    await prepareAll(database.apiUrl, role, all);
  }
});

test("statements of uploads, downloads and signed URLs are prepared as the API's login role", async () => {
  const all = [
    ...statementsOf(uploads),
    ...statementsOf(preparedUploads),
    ...statementsOf(multipart).filter((statement) => !isOfTheWorkersParts(statement)),
    upkeep.uploadToComplete,
    ...statementsOf(storeEvents),
    ...statementsOf(tickets),
    ...statementsOf(gateway),
    ...statementsOf(renders),
    audit.auditTell,
    fileChecks.keyInQuarantine,
    placedBuckets.placedBuckets,
    ...statementsOf(blobs).filter((statement) => !isOfWorkerAlone(statement)),
    ...ofCallers.filter(isOfLoginRole),
  ];

  assert.ok(all.length >= 6);
  await prepareAll(database.apiUrl, undefined, all);
});

test("statements of the workers are prepared as the worker's login role", async () => {
  const all = [
    ...statementsOf(backendCopies),
    ...statementsOf(blobs),
    ...statementsOf(fileChecks).filter(({ name }) => name !== 'why_unread' && name !== 'check_list'),
    ...statementsOf(fsck),
    ...statementsOf(multipart),
    ...statementsOf(placedBuckets),
    ...statementsOf(putGuards),
    ...statementsOf(upkeep),
    ...statementsOf(quotas),
    ...statementsOf(signingKeys),
    ...statementsOf(storageUsage),
    ...statementsOf(variants),
    audit.auditList,
    uploads.uploadCommit,
    uploads.uploadAbandon,
  ];

  assert.ok(all.length >= 20);
  await prepareAll(database.workerUrl, undefined, all);
});

test('names of statements are unique: a name is prepared once a connection', () => {
  const names = [
    audit,
    backendCopies,
    blobs,
    buckets,
    changes,
    fileChecks,
    fsck,
    gateway,
    history,
    imageFacts,
    jobAdmin,
    listing,
    moves,
    multipart,
    objects,
    placedBuckets,
    policies,
    preparedUploads,
    putGuards,
    quotas,
    signedUrls,
    signingKeys,
    storageHealth,
    storageUsage,
    storeEvents,
    tickets,
    uploads,
    upkeep,
    variants,
  ]
    .flatMap(statementsOf)
    .map(({ name }) => name);

  assert.equal(new Set(names).size, names.length);
});

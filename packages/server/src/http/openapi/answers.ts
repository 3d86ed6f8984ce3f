/**
 * What each route answers where it succeeds, beside what its schema says of the request. A route that is missing here, or
 * that is here and does not exist, fails a test.
 */

export interface Answer {
  /** 200 unless given. */
  readonly status?: number;
  readonly description: string;
  /** A name of the schemas, or a schema; no body without one. */
  readonly schema?: string | Readonly<Record<string, unknown>>;
  readonly content?: string;
  /** Further answers that are no errors. */
  readonly also?: Readonly<Record<string, string>>;
}

const binary = { type: 'string', format: 'binary' };
const anyJson = {};
const anyObject = { type: 'object' };
const anyList = { type: 'array', items: anyObject };
const minimal = { '204': 'the same with `Prefer: return=minimal`' };

const download: Answer = {
  description: 'The bytes',
  schema: binary,
  content: '*/*',
  also: { '206': 'The range that was asked for', '304': 'What the client has is still good' },
};
const variant: Answer = {
  ...download,
  content: 'image/*',
  also: { ...download.also, '202': 'The variant is being made; `Retry-After` says when to ask again' },
};
const info: Answer = { description: 'The object', schema: 'ObjectInfo' };
const zip: Answer = { description: 'A ZIP of the files, as it is made', schema: binary, content: 'application/zip' };
const done: Answer = { description: 'Done', schema: 'Message' };

const v1 = '/storage/v1';

function onBoth(path: string, answer: Answer): Record<string, Answer> {
  return { [`GET ${v1}${path}`]: answer, [`HEAD ${v1}${path}`]: answer };
}

export const answers: Readonly<Record<string, Answer>> = {
  [`POST ${v1}/bucket`]: { status: 201, description: 'The bucket', schema: 'Bucket' },
  [`GET ${v1}/bucket`]: { description: 'The buckets, by name', schema: 'Buckets' },
  [`GET ${v1}/bucket/{id}`]: { description: 'The bucket', schema: 'Bucket' },
  [`PUT ${v1}/bucket/{id}`]: { description: 'The bucket as it is now', schema: 'Bucket' },
  [`PATCH ${v1}/bucket/{id}`]: { description: 'The bucket as it is now', schema: 'Bucket' },
  [`POST ${v1}/bucket/{id}/empty`]: { ...done, also: { '202': 'Objects are left; call it again' } },
  [`DELETE ${v1}/bucket/{id}`]: { ...done, also: minimal },
  [`GET ${v1}/quota`]: { description: 'What is used, reserved and allowed, by scope', schema: anyList },
  [`PUT ${v1}/quota`]: done,
  [`POST ${v1}/object/{bucket}/{*}`]: {
    status: 201,
    description: 'The new object',
    schema: 'UploadedObject',
    also: { '200': 'The object that was overwritten' },
  },
  [`PUT ${v1}/object/{bucket}/{*}`]: {
    description: 'The object that was overwritten',
    schema: 'UploadedObject',
    also: { '201': 'The new object' },
  },
  ...onBoth('/object/{bucket}/{*}', download),
  ...onBoth('/object/authenticated/{bucket}/{*}', download),
  ...onBoth('/object/public/{bucket}/{*}', download),
  ...onBoth('/object/sign/{bucket}/{*}', download),
  ...onBoth('/render/image/authenticated/{bucket}/{*}', variant),
  ...onBoth('/render/image/public/{bucket}/{*}', variant),
  ...onBoth('/render/image/sign/{bucket}/{*}', variant),
  [`GET ${v1}/object/info/{bucket}/{*}`]: info,
  [`GET ${v1}/object/info/authenticated/{bucket}/{*}`]: info,
  [`GET ${v1}/object/info/public/{bucket}/{*}`]: info,
  [`PATCH ${v1}/object/info/{bucket}/{*}`]: { ...info, description: 'The object as it is said to be now' },
  [`GET ${v1}/object/facts/{bucket}/{*}`]: { description: 'What is known of the image', schema: 'ImageFacts' },
  [`POST ${v1}/object/count/{bucket}`]: { description: 'How many entries there are', schema: 'EntryCount' },
  [`GET ${v1}/object/checks/{bucket}/{*}`]: { description: 'What was found, by kind', schema: anyList },
  [`POST ${v1}/object/info/{bucket}`]: {
    description: 'An entry for each name, in the same order; with an error where it is not found',
    schema: anyList,
  },
  [`DELETE ${v1}/object/{bucket}/{*}`]: { ...done, also: minimal },
  [`DELETE ${v1}/object/{bucket}`]: { description: 'The objects that were deleted', schema: anyList },
  [`POST ${v1}/object/list/{bucket}`]: { description: 'Objects and folders', schema: 'Entries' },
  [`POST ${v1}/object/sign/{bucket}/{*}`]: { description: 'The signed URL', schema: 'SignedUrl' },
  [`POST ${v1}/object/sign/{bucket}`]: {
    description: 'An entry for each path, in the same order',
    schema: 'SignedUrls',
  },
  [`DELETE ${v1}/object/sign/{bucket}/{*}`]: done,
  [`POST ${v1}/signed-urls/revoke`]: done,
  [`GET ${v1}/signed-urls`]: { description: 'Signed URLs that can be used now', schema: anyList },
  [`POST ${v1}/object/upload/sign/{bucket}/{*}`]: { description: 'Where to PUT the bytes', schema: 'SignedUpload' },
  [`PUT ${v1}/object/upload/sign/{bucket}/{*}`]: {
    description: 'The object that was overwritten',
    schema: 'UploadedObject',
    also: { '201': 'The new object' },
  },
  [`POST ${v1}/upload/multipart`]: { status: 201, description: 'The upload and its parts to come', schema: anyObject },
  [`GET ${v1}/upload/multipart/{upload_id}`]: {
    description: 'The upload, and parts that have arrived',
    schema: anyObject,
  },
  [`POST ${v1}/upload/multipart/{upload_id}/sign`]: { description: 'A URL for each part', schema: anyObject },
  [`POST ${v1}/upload/multipart/{upload_id}/complete`]: {
    status: 201,
    description: 'The new object',
    schema: 'UploadedObject',
    also: { '200': 'The object that was overwritten, or completed before' },
  },
  [`DELETE ${v1}/upload/multipart/{upload_id}`]: done,
  [`POST ${v1}/object/list-v2/{bucket}`]: { description: 'A page of objects and folders', schema: 'Page' },
  [`POST ${v1}/object/move`]: { description: 'The object where it is now', schema: 'RelocatedObject' },
  [`POST ${v1}/object/copy`]: { description: 'The copy', schema: 'RelocatedObject' },
  [`POST ${v1}/object/move-prefix`]: { description: 'How many were moved, and how many were not', schema: anyObject },
  [`POST ${v1}/object/copy-prefix`]: { description: 'How many were copied', schema: anyObject },
  [`POST ${v1}/object/delete-prefix`]: {
    description: 'How many were deleted, and how many were not',
    schema: anyObject,
  },
  [`GET ${v1}/object/versions/{bucket}/{*}`]: { description: 'Versions, the latest first', schema: 'Versions' },
  [`GET ${v1}/object/versions/{bucket}`]: { description: 'What can be restored', schema: 'Versions' },
  [`POST ${v1}/object/restore/{bucket}/{*}`]: {
    description: 'The object that is there again',
    schema: 'UploadedObject',
  },
  [`GET ${v1}/object/zip/{bucket}/{*}`]: zip,
  [`GET ${v1}/object/zip/{bucket}`]: zip,
  [`POST ${v1}/object/zip/{bucket}`]: zip,
  [`GET ${v1}/changes`]: { description: 'The next changes', schema: 'ChangePage' },
  [`GET ${v1}/changes/stream`]: {
    description: 'An event for each change, whose id is its cursor; ends with the token, and says so',
    schema: { type: 'string' },
    content: 'text/event-stream',
  },
  [`GET ${v1}/changes/ws`]: { status: 101, description: 'A WebSocket with a message for each change' },
  [`POST ${v1}/access/explain`]: { description: 'What was tried, and what each policy says', schema: anyObject },
  [`GET ${v1}/access/policies`]: { description: 'Roles of callers, and the policies as SQL', schema: anyObject },
  [`GET ${v1}/caller`]: { description: 'Role, subject and end of the caller', schema: anyObject },
  [`GET ${v1}/jobs/overview`]: { description: 'Queues, states, kinds, workers and the leader', schema: anyObject },
  [`GET ${v1}/jobs`]: { description: 'A page of jobs, and `next_cursor`', schema: anyObject },
  [`GET ${v1}/jobs/count`]: { description: 'How many, and whether that is exact', schema: anyObject },
  [`GET ${v1}/jobs/{id}`]: { description: 'The job, without secrets', schema: anyObject },
  [`POST ${v1}/jobs/retry`]: { description: 'What was retried, and what not', schema: anyObject },
  [`POST ${v1}/jobs/cancel`]: { description: 'What was cancelled, and what not', schema: anyObject },
  [`POST ${v1}/jobs/delete`]: { description: 'What was deleted, and what not', schema: anyObject },
  [`PUT ${v1}/jobs/queues/{queue}`]: { description: 'How many queues that is', schema: anyObject },
  [`GET ${v1}/health`]: { description: 'The report', schema: anyObject },
  'GET /rpc/{name}': { description: 'What the function returns', schema: anyJson },
  'POST /rpc/{name}': {
    description: 'What the function returns',
    schema: anyJson,
    also: { '204': 'It returns nothing' },
  },
  'GET /healthz': { description: 'It is', schema: { type: 'object' } },
  'GET /readyz': { description: 'It can', schema: { type: 'object' } },
  'GET /metrics': { description: 'Metrics', schema: { type: 'string' }, content: 'text/plain' },
};

/** Routes whose body is bytes of any type. */
export const streamedBodies: ReadonlySet<string> = new Set([
  `POST ${v1}/object/{bucket}/{*}`,
  `PUT ${v1}/object/{bucket}/{*}`,
  `PUT ${v1}/object/upload/sign/{bucket}/{*}`,
]);

/** What a signed URL opens. */
export const signedRoutes: RegExp =
  /^(GET|HEAD) \/storage\/v1\/(object|render\/image)\/sign\/|^PUT \/storage\/v1\/object\/upload\/sign\//;
/** Where no token is looked at. */
export const noTokenRoutes: RegExp =
  /^GET \/(healthz|readyz)$|^(GET|HEAD) \/storage\/v1\/(object|object\/info|render\/image)\/public\//;

/** Section 2: how refusals are spelled, with their own statuses and in the dialect of old clients. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createMigratedDatabase,
  type MigratedDatabase,
  signToken,
  temporaryFolder,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';
import { type Answer, ContractSite, jsonOf, type Question } from './contract-site.ts';

let database: MigratedDatabase;
let site: ContractSite;
/** The same database and bytes, with the statuses of old clients. */
let legacy: ContractSite;

before(async () => {
  database = await createMigratedDatabase();
  const root = temporaryFolder();
  const config = {
    database: { url: database.apiUrl, connections_max: 4, statement_timeout_ms: 1000 },
    rate_limits: { subject: { signs: 1 } },
  };
  site = await ContractSite.start({ database, root, config });
  legacy = await ContractSite.start({ database, root, config: { ...config, errors_status: 'legacy' } });
  await site.make('bucket', { name: 'box' });
  await site.make('bucket', { name: 'open', public: true });
  await site.make('bucket', { name: 'small', file_size_limit: 3 });
  await site.make('bucket', { name: 'pictures', allowed_mime_types: ['image/*'] });
  await site.put('box/there', 'bytes');
  await site.put('open/there', 'bytes');
});
after(async () => {
  await legacy.stop();
  await site.stop();
  await database.drop();
});

interface Refusal {
  readonly ask: readonly [method: string, path: string, question?: Question];
  readonly status: number;
  readonly code: string;
  readonly error: string;
  readonly message?: string | RegExp;
  /** What HTTP says to old clients; 400 unless it says otherwise. */
  readonly legacyStatus?: number;
}

const plain = { 'content-type': 'text/plain' };

const refusals: Readonly<Record<string, Refusal>> = {
  '2.3 a bucket that is not there': {
    ask: ['GET', 'bucket/nowhere'],
    status: 404,
    code: 'NoSuchBucket',
    error: 'Bucket not found',
    message: 'Bucket not found',
  },
  '2.4 an object that is not there': {
    ask: ['GET', 'object/box/nothing'],
    status: 404,
    code: 'NoSuchKey',
    error: 'not_found',
    message: 'Object not found',
  },
  '2.5 what the policies do not allow': {
    ask: ['PUT', 'object/open/there', { as: 'bob', body: 'x' }],
    status: 403,
    code: 'STORAGE_UNAUTHORIZED',
    error: 'Unauthorized',
  },
  '2.6 a bucket that is there already': {
    ask: ['POST', 'bucket', { json: { name: 'box' } }],
    status: 409,
    code: 'BucketAlreadyExists',
    error: 'Duplicate',
    message: 'The resource already exists',
  },
  '2.7 an object that is there already': {
    ask: ['POST', 'object/box/there', { body: 'x', headers: { 'x-upsert': 'false' } }],
    status: 409,
    code: 'KeyAlreadyExists',
    error: 'Duplicate',
    message: 'The resource already exists',
  },
  '2.8 a bucket that is not empty': {
    ask: ['DELETE', 'bucket/box', { json: {} }],
    status: 409,
    code: 'BUCKET_NOT_EMPTY',
    error: 'ResourceNotEmpty',
    message: 'The bucket you tried to delete is not empty',
  },
  '2.9 bytes beyond the limit': {
    ask: ['POST', 'object/small/a', { body: 'four' }],
    status: 413,
    code: 'EntityTooLarge',
    error: 'Payload too large',
    message: /4 bytes.* 3 /,
  },
  '2.10 a type that is not on the list': {
    ask: ['POST', 'object/pictures/a', { body: 'x', headers: plain }],
    status: 415,
    code: 'InvalidMimeType',
    error: 'invalid_mime_type',
    message: 'mime type text/plain is not supported',
  },
  '2.11 a name that is none': {
    ask: ['GET', 'object/box/a%00b'],
    status: 400,
    code: 'InvalidKey',
    error: 'InvalidKey',
    message: /^Invalid key: /,
  },
  '2.12 a bucket name that is none': {
    ask: ['POST', 'bucket', { json: { name: 'no name' } }],
    status: 400,
    code: 'InvalidBucketName',
    error: 'Invalid Input',
  },
  '2.13 a token that is none': {
    ask: ['GET', 'bucket', { as: 'nobody', headers: { authorization: 'Bearer a.b.c' } }],
    status: 401,
    code: 'InvalidJWT',
    error: 'Unauthorized',
  },
  '2.14 no token': {
    ask: ['GET', 'object/box/there', { as: 'nobody' }],
    status: 401,
    code: 'AUTH_REQUIRED',
    error: 'Unauthorized',
  },
  '2.15 a signature that is none': {
    ask: ['GET', 'object/sign/box/there?token=a.b.c', { as: 'nobody' }],
    status: 403,
    code: 'INVALID_SIGNATURE',
    error: 'Unauthorized',
  },
  '2.17 a range behind the end': {
    ask: ['GET', 'object/box/there', { headers: { range: 'bytes=9-' } }],
    status: 416,
    code: 'InvalidRange',
    error: 'invalid_range',
    legacyStatus: 416,
  },
  '2.24 a value that is none of a few': {
    ask: ['GET', 'bucket?sortOrder=up'],
    status: 400,
    code: 'InvalidRequest',
    error: 'Bad Request',
    message: 'querystring/sortOrder must be one of "asc", "desc"',
  },
  '2.18 a route that is not there': {
    ask: ['GET', 'nonesuch'],
    status: 404,
    code: 'NoSuchRoute',
    error: 'not_found',
    legacyStatus: 404,
  },
};

for (const [what, { ask, status, code, error, message }] of Object.entries(refusals)) {
  test(`${what} is told by its status, and in the words that clients compare`, async () => {
    const answer = await site.ask(...ask);

    const body = jsonOf(answer);
    assert.deepEqual([answer.status, body['code'], body['error']], [status, code, error]);
    assert.equal(answer.headers.get('x-rowlock-reason'), body['reason']);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    if (message !== undefined) assert.match(String(body['message']), asPattern(message));
  });
}

test('2.1 every refusal has the same members, and its own status in them as a text', async () => {
  for (const [what, { ask, status }] of Object.entries(refusals)) {
    const body = jsonOf(await site.ask(...ask));

    assert.deepEqual(Object.keys(body).sort(), ['code', 'error', 'message', 'reason', 'statusCode'], what);
    assert.equal(body['statusCode'], String(status), what);
  }
});

test('2.2 old clients are told 400, and all else in a body that is the same', async () => {
  for (const [what, { ask, legacyStatus = 400 }] of Object.entries(refusals)) {
    const [own, old] = await both(...ask);

    assert.equal(old.status, legacyStatus, what);
    assert.equal(old.text, own.text, what);
  }
  const elsewhere = [site, legacy].map(({ service }) =>
    service.fetch('/rpc/get_file_storage_stats', { headers: { authorization: 'Bearer a.b.c' } }),
  );
  const statuses = (await Promise.all(elsewhere)).map(({ status }) => status);
  assert.deepEqual(statuses, [401, 401], 'nothing changes outside of the prefix');
});

/** A whole text, or what is given. */
function asPattern(message: string | RegExp): RegExp {
  return typeof message === 'string' ? new RegExp(`^${message.replace(/[^\w ]/g, '\\$&')}$`) : message;
}

const both = async (...ask: Parameters<ContractSite['ask']>): Promise<readonly [Answer, Answer]> => [
  await site.ask(...ask),
  await legacy.ask(...ask),
];

test('2.19 a role that is not allowed is 403 in both dialects', async () => {
  const token = await signToken({ sub: 'ann', role: 'postgres' });

  const answers = await both('GET', 'bucket', { as: 'nobody', headers: { authorization: `Bearer ${token}` } });

  assert.deepEqual(
    answers.map(({ status }) => status),
    [403, 403],
  );
});

test('2.20 a statement that takes too long is 503, to old clients 544, and worth another try', async () => {
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE storage.buckets IN ACCESS EXCLUSIVE MODE');

  const [own, old] = await both('GET', 'bucket');

  await holder.query('ROLLBACK');
  await holder.end();
  assert.deepEqual([own.status, old.status], [503, 544]);
  assert.deepEqual([jsonOf(own)['statusCode'], jsonOf(old)['statusCode']], ['503', '503']);
  assert.match(own.headers.get('retry-after') ?? '', /^\d+$/);
});

test('2.21 too many requests are 429 in both dialects, with when to come back', async () => {
  const sign: Question = { as: 'carl', json: { expiresIn: 60 } };
  await both('POST', 'object/sign/open/there', sign);

  const answers = await both('POST', 'object/sign/open/there', sign);

  for (const answer of answers) {
    assert.equal(answer.status, 429);
    assert.equal(jsonOf(answer)['code'], 'TooManyRequests');
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
  }
});

test('2.16 a URL that expired is 410, to old clients 400 with 410 in the body', async () => {
  const { url } = await site.make('object/sign/open/there', { expiresIn: 1 }, { as: 'dora' });
  await until(async () => (await site.ask('GET', String(url), { as: 'nobody' })).status !== 200, {
    what: 'the URL is over',
  });

  const own = await site.ask('GET', String(url), { as: 'nobody' });
  const old = await legacy.ask('GET', String(url).replace(site.service.url, legacy.service.url), { as: 'nobody' });

  assert.deepEqual([own.status, old.status], [410, 400]);
  assert.deepEqual([jsonOf(old)['statusCode'], jsonOf(old)['error']], ['410', 'ExpiredToken']);
});

test('2.24 a list of values is told of the body too, and of nothing else', async () => {
  const told = async (json: object): Promise<unknown> =>
    jsonOf(await site.ask('POST', 'object/list/open', { json }))['message'];

  assert.match(
    String(await told({ sortBy: { column: 'size' } })),
    /^body\/sortBy\/column must be one of "name", .*"last_/,
  );
  assert.equal(await told({ limit: 0 }), 'body/limit must be >= 1');
  assert.equal(
    await told({ prefix: 5 }),
    'body/prefix must be string, body/prefix must be null, body/prefix must match a schema in anyOf',
  );
});

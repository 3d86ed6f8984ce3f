/**
 * Other ways to ask for upload URLs, each from the wish to the bytes: the HTTP signer for pg_net and pgsql-http, LISTEN
 * instead of jobs, a signer at the edge, and public buckets whose names nobody guesses.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  createWorker,
  defaultQueues,
  defaultSchemaNames,
  installAlternative,
  type Observation,
  type RunningWorker,
  removeAlternative,
} from '@rowlock/server';
import { assertInvariants, until } from '@rowlock/test-harness';
import pg from 'pg';
import { type Application, ann, bob, putBytes, startApplication } from '../contract-metadata/application.ts';
import { relayRequests, standInForHttp, standInForPgNet } from './asking-database.ts';
import { edgeAtPostgrest } from './edge-at-postgrest.ts';

const secret = 'the-secret-between-database-and-signer-0123';
const asked = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'note.txt', p_file_type: 'text/plain' };
/** Not s3_signer: no job comes first. */
const noSigner = { thumbnails: 1 };

let app: Application;
let signer: RunningWorker;

function startWorker(
  changes: object,
  observe: (observation: Observation) => void = () => undefined,
): Promise<RunningWorker> {
  const { config, database } = app.service;
  return createWorker(
    {
      database: { ...config.database, url: database.workerUrl },
      backend: config.backend,
      names: defaultSchemaNames,
      queues: noSigner,
      sweep_interval_seconds: 3600,
      stop_timeout_ms: 10_000,
      ...changes,
    },
    { observe },
  );
}

before(async () => {
  app = await startApplication({ workers: false });
  signer = await startWorker({ http_signer: { host: '127.0.0.1', port: 0, secret } });
});
after(async () => {
  await signer.stop();
  await app.stop();
});

const signerUrl = (): string => signer.signerUrl ?? '';

function askSigner(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${signerUrl()}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function stateOf(id: string): Promise<{ readonly status: string; readonly url: string | null }> {
  const answer = await app.postgrest.ask({
    method: 'GET',
    path: '/rpc/get_upload_url',
    query: { p_request_id: id },
    as: ann,
  });
  return answer.json<{ status: string; url: string | null }[]>()[0] ?? { status: 'not there', url: null };
}

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

/** `rowlock …`, as operators run it. */
async function rowlock(...args: readonly string[]): Promise<string> {
  const { url, workerUrl } = app.service.database;
  const env = { MIGRATE_DATABASE_URL: url, WORKER_DATABASE_URL: workerUrl };
  return (await promisify(execFile)(process.execPath, [program, ...args], { env })).stdout;
}

async function install(name: 'pg_net' | 'http' | 'notify'): Promise<void> {
  await installAlternative({ url: app.service.database.url, name, signer: { url: signerUrl(), secret } });
  await app.postgrest.reload();
}

test('R115 the signer answers whoever has its secret, and nobody else', async () => {
  const id = (await app.call('request_upload_url', asked)).json<string>();

  const health = await fetch(`${signerUrl()}/health`);
  const refused = [
    await askSigner('/sign-upload', { requestId: id }, { authorization: '' }),
    await askSigner('/sign-upload', { requestId: id }, { authorization: `Bearer ${secret}x` }),
    await askSigner('/sign', {}, { authorization: 'Bearer ' }),
  ];
  const before = await stateOf(id);
  const signed = await askSigner('/sign-upload', { requestId: id.toUpperCase(), fileName: 'lie', entityType: 1 });
  const first = await stateOf(id);
  const again = await askSigner('/sign-upload', { requestId: id });
  const second = await stateOf(id);

  assert.deepEqual(await health.json(), { status: 'healthy' });
  for (const { status } of refused) assert.equal(status, 401);
  assert.equal(before.status, 'pending');
  assert.deepEqual([signed.status, await signed.json()], [200, { success: true }]);
  assert.equal(first.status, 'completed');
  assert.equal((await putBytes(String(first.url), 'x')).status, 200);
  assert.equal(again.status, 200);
  assert.deepEqual(second, first, 'the client may hold the first URL');
});

test('what the signer is asked wrongly it refuses, and it signs keys of upload requests only', async () => {
  const file = '0190a5a0-0000-7000-8000-000000000000';
  const order = { key: `issue/7/${file}/original.txt`, backend: 'disk', fileType: 'text/plain', expiresIn: 60 };

  const right = await askSigner('/sign', order);
  const wrong = [
    ['/sign-upload', {}],
    ['/sign-upload', { requestId: '7' }],
    ['/sign-upload', '[]'],
    ['/sign-upload', '{'],
    ['/sign', { ...order, key: 'versions/somebody-elses' }],
    ['/sign', { ...order, key: `../7/${file}/original.txt` }],
    ['/sign', { ...order, key: `issue/7/${file}/original.txt\n` }],
    ['/sign', { ...order, expiresIn: 3601 }],
    ['/sign', { ...order, expiresIn: 0 }],
    ['/sign', { ...order, fileType: 'a/b\r\nx: y' }],
    ['/sign', { ...order, fileSize: -1 }],
    ['/sign', { ...order, sha256: 'x' }],
    ['/sign', { ...order, backend: '../x' }],
  ] as const;

  assert.equal(right.status, 200);
  for (const [path, body] of wrong) assert.equal((await askSigner(path, body)).status, 400, JSON.stringify(body));
  assert.equal((await askSigner('/sign', { ...order, backend: 'elsewhere' })).status, 503);
  assert.equal((await askSigner('/sign', { ...order, key: `incoming/${file}`, onlyNew: true })).status, 200);
  assert.equal((await askSigner('/sign-upload', { requestId: file })).status, 410);
  assert.equal((await askSigner('/sign', `"${'x'.repeat(20_000)}"`)).status, 413);
  assert.equal((await askSigner('/else', {})).status, 404);
});

test('an alternative whose extension is missing is not installed, and says what to do', async () => {
  await assert.rejects(install('pg_net'), /shared_preload_libraries/);
  await assert.rejects(install('http'), /CREATE EXTENSION http/);
});

test('R115 with pg_net the signer hears of a request when it is committed, and not before', async () => {
  await standInForPgNet(app.service.database);
  await install('pg_net');

  const id = (await app.call('request_upload_url_pg_net', asked)).json<string>();
  const pending = await stateOf(id);
  const statuses = await relayRequests(app.service.database);
  const signed = await stateOf(id);

  assert.equal(pending.status, 'pending');
  assert.deepEqual(statuses, [200]);
  assert.equal(signed.status, 'completed');
  assert.equal((await putBytes(String(signed.url), 'by pg_net')).status, 200);
  const [{ answer } = { answer: '' }] = await app.service.database.query<{ answer: string }>(
    'SELECT content AS answer FROM net._http_response',
  );
  assert.deepEqual(JSON.parse(answer), { success: true });
});

test('R117 with pgsql-http one call answers the URL, and a signer that does not leaves nothing behind', async () => {
  await standInForHttp(app.service.database);
  await install('http');
  const requests = async (): Promise<unknown> =>
    (await app.service.database.query('SELECT count(*)::integer AS count FROM metadata.file_upload_requests'))[0];

  const answer = await app.call('get_upload_url_http', asked);
  const url = answer.json<string>();
  const stored = await putBytes(url, 'by http');
  const before = await requests();
  await app.service.database.query("UPDATE storage.settings SET value = 'wrong' WHERE name = 'signer_secret'");
  const refused = await app.call('get_upload_url_http', asked);
  const after = await requests();

  assert.equal(answer.status, 200, answer.bytes.toString());
  assert.equal(stored.status, 200);
  assert.notEqual(refused.status, 200);
  assert.match(refused.bytes.toString(), /the signer answered 401/);
  assert.doesNotMatch(refused.bytes.toString(), /wrong|0123/);
  assert.deepEqual(after, before);
});

test('R125 the ways have names of their own: both are there while clients change over, and each goes alone', async () => {
  const names = async (): Promise<readonly string[]> =>
    (
      await app.service.database.query<{ name: string }>(
        "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname ~ '_upload_url' ORDER BY 1",
      )
    ).map(({ name }) => name);
  const remove = (name: 'pg_net' | 'http'): Promise<void> => removeAlternative({ url: app.service.database.url, name });

  const both = await names();
  await remove('http');
  await remove('http');
  const one = await names();
  await remove('pg_net');
  const none = await names();

  const own = ['get_upload_url', 'get_upload_url_sync', 'request_upload_url'];
  assert.deepEqual(none, own);
  assert.deepEqual(one, [...own, 'request_upload_url_pg_net']);
  assert.deepEqual(both, [...own, 'get_upload_url_http', 'request_upload_url_pg_net'].sort());
});

test('only those who may call the ways, and what is behind them nobody', async () => {
  await install('pg_net');
  const id = '0190a5a0-0000-7000-8000-000000000000';

  const anonymous = await app.call('request_upload_url_pg_net', { ...asked, p_entity_type: '../x' });
  const client = new pg.Client({ connectionString: app.service.database.url });
  await client.connect();
  await client.query('SET ROLE authenticated');
  const direct = client.query('SELECT storage_internal.post_request($1)', [id]);

  assert.equal(anonymous.status, 400);
  await assert.rejects(direct, { code: '42501' });
  await client.end();
});

test('R118 listeners claim each request once, find what waited, and listen again after their connection is lost', async () => {
  assert.equal(await rowlock('alternatives', 'install', 'notify'), 'installed notify\n');
  await app.service.database.query('DELETE FROM metadata.river_job'); // of the tests before
  const heard: string[] = [];
  const outside = new pg.Client({ connectionString: app.service.database.url });
  await outside.connect();
  outside.on('notification', ({ channel, payload }) => heard.push(`${channel} ${payload}`));
  await outside.query('LISTEN upload_url_request; LISTEN file_uploaded');
  const waited = (await app.call('request_upload_url', asked)).json<string>();

  const seen: Observation[] = [];
  const workers = await Promise.all(
    [1, 2].map(() => startWorker({ source: 'notify', queues: defaultQueues }, (each) => seen.push(each))),
  );
  await until(async () => (await stateOf(waited)).status === 'completed', { what: 'the backlog is signed' });
  const ids = await Promise.all(
    Array.from({ length: 40 }, async () => (await app.call('request_upload_url', asked)).json<string>()),
  );
  await until(async () => (await Promise.all(ids.map(stateOf))).every(({ url }) => url !== null), {
    what: 'all are signed',
  });
  const signed = seen.filter((each) => each.type === 'job' && each.kind === 's3_presign');
  const [cut] = await app.service.database.query<{ count: number }>(
    `SELECT count(pg_terminate_backend(pid))::integer AS count FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'rowlock listener'`,
  );
  const late = (await app.call('request_upload_url', asked)).json<string>();
  const { url } = await until(async () => {
    const state = await stateOf(late);
    return state.url === null ? undefined : state;
  });
  const [row] = await app.service.database.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM metadata.river_job WHERE kind = 's3_presign' AND args ->> 'request_id' = ANY ($1)`,
    [[waited, late, ...ids]],
  );
  const [{ file_id } = { file_id: '' }] = (await app.call('get_upload_url', { p_request_id: late })).json<
    { file_id: string }[]
  >();
  await putBytes(String(url), 'heard');
  await app.call('create_file_record', app.recordOf({ file_id, url: String(url) }));
  await until(() => heard.some((each) => each.startsWith('file_uploaded')), { what: 'the file is told of' });
  await Promise.all(workers.map((worker) => worker.stop()));
  await outside.end();

  assert.equal(signed.length, 41, 'each was signed once');
  assert.equal(cut?.count, 2);
  assert.equal(row?.count, 0, 'no job was enqueued');
  assert.ok(
    heard.some((each) => each.startsWith('upload_url_request') && each.includes(`"requestId" : "${late}"`)),
    heard[0],
  );
  assert.ok(heard.some((each) => each.startsWith('file_uploaded') && each.includes(file_id)));
});

test('R118 a claim whose signer died is another’s after a while, and jobs come back with what waits', async () => {
  const id = (await app.call('request_upload_url', asked)).json<string>();
  const claim = 'SELECT storage_internal.claim_requests(10, make_interval(secs => 30)) AS id';

  const first = await app.service.database.query<{ id: string }>(claim);
  const second = await app.service.database.query(claim);
  await app.service.database.query(
    "UPDATE metadata.file_upload_requests SET updated_at = now() - interval '31 seconds' WHERE id = $1",
    [id],
  );
  const third = await app.service.database.query<{ id: string }>(claim);
  await removeAlternative({ url: app.service.database.url, name: 'notify' });
  const jobs = await app.service.database.query(
    "SELECT FROM metadata.river_job WHERE kind = 's3_presign' AND args ->> 'request_id' = $1",
    [id],
  );

  assert.deepEqual([first, second, third], [[{ id }], [], [{ id }]]);
  assert.equal(jobs.length, 1);
});

test('R119 R113 a signer at the edge asks PostgREST as the caller: what they may not, it does not sign', async () => {
  const ask = await edgeAtPostgrest(app, [ann, bob]);
  const file = { fileName: 'note.txt', fileType: 'text/plain', entityType: 'issue', entityId: '7', fileSize: 4 };

  const upload = await ask('/presign', file, ann);
  const headers = upload['headers'] as Record<string, string>;
  const wrongLength = await putBytes(String(upload['url']), 'longer', headers);
  const stored = await putBytes(String(upload['url']), 'edge', headers);
  await app.call(
    'create_file_record',
    app.recordOf({ file_id: String(upload['file_id']), url: String(upload['url']) }),
  );
  const early = await ask('/presign/batch', { keys: [upload['key']] }, ann);
  const worker = await startWorker({ queues: defaultQueues });
  await app.committed(String(upload['file_id']));
  const own = await ask('/presign/batch', { keys: [upload['key'], 'issue/7/other'] }, ann);
  const others = await ask('/presign/batch', { keys: [upload['key']] }, bob);
  const refused = await ask('/presign', { ...file, entityType: '../x' }, ann);
  await worker.stop();
  const [url] = (own['urls'] ?? []) as string[];

  assert.equal(stored.status, 200, JSON.stringify(upload));
  assert.ok(Array.isArray(own['urls']), JSON.stringify(own));
  assert.notEqual(wrongLength.status, 200);
  assert.deepEqual(early['urls'], [null], 'it is not there yet');
  assert.equal(await (await fetch(String(url))).text(), 'edge');
  assert.deepEqual((own['urls'] as unknown[])[1], null);
  assert.deepEqual(others['urls'], [null], 'it is not theirs');
  assert.equal(refused['reason'], 'invalid_request');
});

test('R114 a public object is read by whoever knows its name, cached as it says, until the name is rotated', async () => {
  const { service } = app;
  const json = { 'content-type': 'application/json' };
  await service.fetch('/storage/v1/bucket', {
    method: 'POST',
    as: 'ann',
    headers: json,
    body: JSON.stringify({ name: 'avatars', public: true }),
  });
  const name = `ann/${crypto.randomUUID()}.PNG`;
  const headers = { 'content-type': 'image/png', 'cache-control': 'public, max-age=300' };
  await service.fetch(`/storage/v1/object/avatars/${name}`, { method: 'POST', as: 'ann', headers, body: 'pixels' });
  const rotate = (as: string | undefined): Promise<Response> =>
    service.fetch('/rpc/rotate_object_name', {
      method: 'POST',
      as,
      headers: json,
      body: JSON.stringify({ p_bucket: 'avatars', p_name: name }),
    });
  const read = (of: string): Promise<Response> => service.fetch(`/storage/v1/object/public/avatars/${of}`);

  const before = await read(name);
  const stranger = await rotate('bob');
  const nobody = await rotate(undefined);
  const rotated = (await (await rotate('ann')).json()) as string;
  const after = await read(name);
  const fresh = await read(rotated);
  const again = await rotate('ann');

  assert.deepEqual([before.status, before.headers.get('cache-control')], [200, 'public, max-age=300']);
  assert.ok(stranger.status >= 400 && nobody.status >= 400, `${stranger.status} ${nobody.status}`);
  assert.match(rotated, /^ann\/[0-9a-f-]{36}\.png$/);
  assert.notEqual(rotated, name.toLowerCase());
  assert.equal(after.status, 404);
  assert.equal(await fresh.text(), 'pixels');
  assert.equal(again.status, 404);
});

test('R166 what is stored is counted once, and priced at each place', async () => {
  const [stored] = await app.service.database.query<{ bytes: number; versions: number }>(
    "SELECT sum(size)::integer AS bytes, count(*)::integer AS versions FROM storage.versions WHERE state IN ('stored', 'purging')",
  );

  const report = JSON.parse(await rowlock('cost', '--egress-gb', '500', '--json')) as {
    readonly bytes: number;
    readonly usage: readonly { readonly backend: string; readonly bucket_id: string; readonly versions: number }[];
    readonly costs: readonly { readonly name: string; readonly egress: number; readonly total: number }[];
  };

  assert.equal(report.bytes, stored?.bytes);
  assert.equal(
    report.usage.reduce((sum, { versions }) => sum + versions, 0),
    stored?.versions,
  );
  assert.ok(report.usage.some(({ backend, bucket_id }) => backend === 'disk' && bucket_id === 'avatars'));
  assert.equal(report.costs.find(({ name }) => name === 's3')?.egress, 42.5);
});

test('what was written by all of this is whole', async () => {
  await assertInvariants(app.service);
});

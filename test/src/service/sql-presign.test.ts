/**
 * URLs that are signed inside of the database, used: bytes come and go through the service's own door by nothing but
 * functions and columns that PostgREST shows, and the keys behind them follow the stores that they are of.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Database } from '@rowlock/server';
import {
  assertInvariants,
  createMigratedDatabase,
  type MigratedDatabase,
  type Postgrest,
  performJob,
  startPostgrest,
  startService,
  type TestService,
  until,
} from '@rowlock/test-harness';
import { Backends } from '../../../packages/server/dist/backend/backends.js';
import { openDiskBackend } from '../../../packages/server/dist/backend/disk/disk-backend.js';
import { type DayKey, dayKeys } from '../../../packages/server/dist/backend/s3/day-keys.js';
import { verifyPresigned } from '../../../packages/server/dist/backend/s3/verify-presigned.js';
import { daysOf, plainStore, signedAt, storeKeys } from '../database/presign-stores.ts';

let service: TestService;
let postgrest: Postgrest;
let objectId = '';

const ann = { sub: 'ann', role: 'authenticated' };

const keyRows = (database: MigratedDatabase): Promise<{ day: string; inner_pad: Buffer }[]> =>
  database.query("SELECT to_char(day, 'YYYYMMDD') AS day, inner_pad FROM storage.s3_signing_keys ORDER BY day");

before(async () => {
  service = await startService();
  postgrest = await startPostgrest(service.database);
  const json = { 'content-type': 'application/json' };
  await service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers: json, body: '{"name":"box"}' });
  const put = { as: 'ann', method: 'POST', body: 'hello', headers: { 'content-type': 'text/plain' } };
  const { Id } = (await (await service.fetch('/storage/v1/object/box/a/héllo wörld.txt', put)).json()) as {
    Id: string;
  };
  objectId = Id;
  await until(async () => (await keyRows(service.database)).length === 2, { what: 'a worker has derived the keys' });
});
after(async () => {
  await postgrest.stop();
  await assertInvariants(service);
  await service.stop();
});

/** Calls a function as PostgREST does, with GET, in a transaction that only reads. */
async function asked<T>(path: string, query: Record<string, string>, as: typeof ann | undefined = ann): Promise<T> {
  const answer = await postgrest.ask({ method: 'GET', path, query, as });
  assert.equal(answer.status, 200, answer.bytes.toString());
  return answer.json<T>();
}

describe('downloads', () => {
  test('a URL of one function, of many and of a column answers the bytes with their type', async () => {
    const one = await asked<string>('/rpc/get_download_url', { p_id: objectId });
    const [many] = await asked<{ id: string; url: string }[]>('/rpc/get_download_urls', { p_ids: `{${objectId}}` });
    const [column] = await asked<{ download_url: string }[]>('/storage_objects', {
      select: 'name,download_url',
      id: `eq.${objectId}`,
    });

    for (const url of [one, many?.url ?? '', column?.download_url ?? '']) {
      const answer = await fetch(url);
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), 'hello');
      assert.equal(answer.headers.get('content-type'), 'text/plain');
      assert.equal(answer.headers.get('content-disposition'), null);
    }
  });

  test('the name to save it under is the one that is asked for, or its own', async () => {
    const named = await asked<string>('/rpc/get_download_url', { p_id: objectId, p_download: 'Brief (1) “ä” 😀.txt' });
    const own = await asked<string>('/rpc/get_download_url', { p_id: objectId, p_download: '' });
    const [many] = await asked<{ url: string }[]>('/rpc/get_download_urls', {
      p_ids: `{${objectId}}`,
      p_download: 'true',
    });
    const said = async (url: string): Promise<string | null> => (await fetch(url)).headers.get('content-disposition');

    assert.equal(
      await said(named),
      `attachment; filename="Brief (1) ___ __.txt"; filename*=UTF-8''Brief%20%281%29%20%E2%80%9C%C3%A4%E2%80%9D%20%F0%9F%98%80.txt`,
    );
    const ofItself = `attachment; filename="h_llo w_rld.txt"; filename*=UTF-8''h%C3%A9llo%20w%C3%B6rld.txt`;
    assert.equal(await said(own), ofItself);
    assert.equal(await said(many?.url ?? ''), ofItself);
  });

  test('a URL is good for its method, its object and its time only', async () => {
    const url = await asked<string>('/rpc/get_download_url', { p_id: objectId, p_expires_in: '1' });

    assert.equal((await fetch(url, { method: 'PUT', body: 'x' })).status, 403);
    assert.equal((await fetch(url.replace('X-Amz-Expires=1', 'X-Amz-Expires=60'))).status, 403);
    assert.equal((await fetch(url.replace(/[0-9a-f](?=\?)/, (c) => (c === '0' ? '1' : '0')))).status, 403);
    await until(async () => (await fetch(url)).status === 403, { what: 'the URL has expired' });
  });

  test('through /rpc of the service the same functions answer, arrays included', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ p_ids: [objectId, '00000000-0000-0000-0000-000000000000'], p_expires_in: 60 });
    const answer = await service.fetch('/rpc/get_download_urls', { as: 'ann', method: 'POST', headers, body });
    const [first, second] = (await answer.json()) as { id: string; url: string | null }[];
    const one = await service.fetch(`/rpc/get_download_url?p_id=${objectId}`, { as: 'ann' });
    const refused = await service.fetch(`/rpc/get_download_url?p_id=${objectId}&p_expires_in=3601`, { as: 'ann' });
    const odd = await service.fetch('/rpc/file_urls', {
      as: 'ann',
      method: 'POST',
      headers,
      body: '{"p_ids":["},{"]}',
    });

    assert.equal(await (await fetch(first?.url ?? '')).text(), 'hello');
    assert.equal(second?.url, null);
    assert.equal(await (await fetch((await one.json()) as string)).text(), 'hello');
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /1 to 3600 seconds/);
    assert.equal(odd.status, 400);
  });
});

describe('uploads', () => {
  test('one call answers the URL, the bytes become a file, and its URLs are columns', async () => {
    const request = { p_entity_type: 'issue', p_entity_id: '1', p_file_name: 'notes.txt', p_file_type: 'text/plain' };
    const answer = await postgrest.ask({ method: 'POST', path: '/rpc/get_upload_url_sync', body: request, as: ann });
    const url = answer.json<string>();
    const [row] = await service.database.query<{ id: string; file_id: string; presigned_url: string }>(
      'SELECT id, file_id, presigned_url FROM metadata.file_upload_requests ORDER BY created_at DESC LIMIT 1',
    );
    const again = await asked<string>('/rpc/get_upload_url', { p_request_id: row?.id ?? '' });
    const wrong = await fetch(url, { method: 'PUT', body: 'other', headers: { 'content-type': 'text/html' } });
    const put = await fetch(url, { method: 'PUT', body: 'notes', headers: { 'content-type': 'text/plain' } });
    const second = await fetch(url, { method: 'PUT', body: 'again', headers: { 'content-type': 'text/plain' } });

    assert.equal(answer.status, 200);
    assert.deepEqual([wrong.status, put.status, second.status], [403, 200, 412]);
    assert.deepEqual(again, [{ status: 'completed', url, file_id: row?.file_id, error: null }]);

    const [, bucket, ...key] = new URL(url).pathname.split('/');
    const recorded = await postgrest.ask({
      method: 'POST',
      path: '/rpc/create_file_record',
      body: { ...request, p_id: row?.file_id, p_file_size: 5, p_s3_bucket: bucket, p_s3_original_key: key.join('/') },
      as: ann,
    });
    assert.equal(recorded.status, 200, recorded.bytes.toString());
    await until(
      async () =>
        (
          await service.database.query('SELECT FROM metadata.files WHERE id = $1 AND object_id IS NOT NULL', [
            row?.file_id,
          ])
        ).length === 1,
      { what: 'the upload is completed' },
    );

    const [file] = await asked<Record<string, string | null>[]>('/files', {
      select: 'id,original_url,thumbnail_small_url',
      id: `eq.${row?.file_id}`,
    });
    const [urls] = await asked<Record<string, string | null>[]>('/rpc/file_urls', { p_ids: `{${row?.file_id}}` });
    const one = await asked<string>('/rpc/get_download_url', { p_id: row?.file_id ?? '', p_download: '' });
    const bob = await asked<string | null>(
      '/rpc/get_download_url',
      { p_id: row?.file_id ?? '' },
      { ...ann, sub: 'bob' },
    );

    for (const each of [file?.['original_url'], urls?.['original_url'], one]) {
      assert.equal(await (await fetch(each ?? '')).text(), 'notes');
    }
    assert.match((await fetch(one)).headers.get('content-disposition') ?? '', /filename="notes\.txt"/);
    assert.equal(file?.['thumbnail_small_url'], null);
    assert.equal(bob, null);
  });

  test('a request that was made before is signed by its id, and the job that signs it too changes nothing', async () => {
    const body = { p_entity_type: 'issue', p_entity_id: '2', p_file_name: 'b.txt', p_file_type: 'text/plain' };
    const made = await postgrest.ask({ method: 'POST', path: '/rpc/request_upload_url', body, as: ann });
    const db = new Database({
      url: service.database.apiUrl,
      connectionsMax: 1,
      statementTimeoutMs: 5000,
      applicationName: 'sql presign test',
    });
    const rows = await db.asCaller<{ url: string; other: string | null }>(
      { role: 'authenticated', claims: JSON.stringify(ann) } as unknown as Parameters<Database['asCaller']>[0],
      { operation: 'test', readOnly: true },
      {
        name: 'presign_put',
        text: 'SELECT storage.presign_put($1, 60) AS url, storage.presign_put(gen_random_uuid()) AS other',
      },
      [made.json<string>()],
    );
    await db.close();
    const put = await fetch(rows[0]?.url ?? '', {
      method: 'PUT',
      body: 'b',
      headers: { 'content-type': 'text/plain' },
    });

    assert.equal(put.status, 200);
    assert.equal(rows[0]?.other, null);
  });

  test('a function that writes is refused by GET', async () => {
    const query = { p_entity_type: 'issue', p_entity_id: '1', p_file_name: 'a.txt', p_file_type: 'text/plain' };

    const answer = await postgrest.ask({ method: 'GET', path: '/rpc/get_upload_url_sync', query, as: ann });

    assert.equal(answer.status, 405);
  });
});

test('the time in a URL is that of the database, and a clock that is fifteen minutes off is borne', async () => {
  const clock = (): Promise<{ now: Date }[]> =>
    service.database.query("SELECT date_trunc('second', clock_timestamp()) AS now");
  const [before] = await clock();
  const url = await asked<string>('/rpc/get_download_url', { p_id: objectId, p_expires_in: '60' });
  const [after] = await clock();
  const { host, pathname: rawPath, search } = new URL(url);
  const at = (seconds: number): string => {
    const verified = verifyPresigned({
      method: 'GET',
      host,
      rawPath,
      rawQuery: search.slice(1),
      headers: {},
      credentials: {
        access_key_id: service.config.backend.access_key_id,
        secret_access_key: service.config.backend.secret_access_key,
      },
      region: service.config.backend.region,
      now: new Date(signedAt(url).getTime() + seconds * 1000),
    });
    return verified.ok ? 'ok' : verified.reason;
  };

  assert.ok(before !== undefined && after !== undefined && before.now <= signedAt(url) && signedAt(url) <= after.now);
  assert.deepEqual([-901, -899, 0, 60, 61].map(at), ['not_yet_valid', 'ok', 'ok', 'ok', 'expired']);
});

describe('signing keys', () => {
  let database: MigratedDatabase;
  let db: Database;
  before(async () => {
    database = await createMigratedDatabase();
    db = new Database({
      url: database.workerUrl,
      connectionsMax: 2,
      statementTimeoutMs: 5000,
      applicationName: 'signing keys test',
    });
    await database.query(
      `INSERT INTO storage.versions (id, backend, key, state, size, stored_at)
       VALUES ('00000000-0000-7000-8000-000000000001', 'disk', 'a', 'stored', 1, now())`,
    );
  });
  after(async () => {
    await db.close();
    await database.drop();
  });

  const sign = async (): Promise<string> => {
    const [row] = await database.query<{ url: string }>(
      "SELECT storage_sign.sign('00000000-0000-7000-8000-000000000001'::uuid, 60) AS url",
    );
    return row?.url ?? '';
  };
  const backendOf = (secret: string) =>
    openDiskBackend({
      ...plainStore,
      root: service.root,
      credentials: { access_key_id: 'TESTKEY', secret_access_key: secret },
    });

  test('without one nothing is signed, and the error says what must run', async () => {
    await assert.rejects(sign(), { code: '55000', hint: /queue maintenance/ });
  });

  test('the job derives those of today and tomorrow, again only what changed, and follows another secret', async () => {
    const backend = await backendOf('first');
    await performJob({ db, backend }, 'signing_keys_rotate', {});
    const first = await keyRows(database);
    const [before] = await database.query<{ xmin: string }>(
      'SELECT max(xmin::text) AS xmin FROM storage.s3_signing_keys',
    );
    await performJob({ db, backend }, 'signing_keys_rotate', {});
    const [unchanged] = await database.query<{ xmin: string }>(
      'SELECT max(xmin::text) AS xmin FROM storage.s3_signing_keys',
    );
    const url = await sign();
    await performJob({ db, backend: await backendOf('second') }, 'signing_keys_rotate', {});
    const second = await keyRows(database);

    assert.deepEqual(
      first.map(({ day }) => day),
      await daysOf(database),
    );
    assert.deepEqual(unchanged, before);
    assert.deepEqual(
      second.map(({ day }) => day),
      first.map(({ day }) => day),
    );
    assert.notDeepEqual(second, first);
    assert.notEqual(await sign(), url);
  });

  test('keys of past days go, but one that a statement before midnight may still need', async () => {
    const days = await daysOf(database, [-3, -2, -1, 0, 1]);
    await storeKeys(database, plainStore, dayKeys(plainStore, days));
    const [clock] = await database.query<{ hour: number }>(
      "SELECT extract(hour FROM now() AT TIME ZONE 'UTC')::int AS hour",
    );

    await storeKeys(database, plainStore, []);

    const left = (await keyRows(database)).map(({ day }) => day);
    assert.deepEqual(left, clock?.hour === 0 ? days.slice(2) : days.slice(3));
  });

  test('a key of another day signs nothing', async () => {
    await database.query('DELETE FROM storage.s3_signing_keys');
    await storeKeys(database, plainStore, dayKeys(plainStore, await daysOf(database, [1])));

    await assert.rejects(sign(), { code: '55000' });
  });

  test('one whose credential ends within five minutes signs nothing, and its successor takes its place', async () => {
    const days = await daysOf(database);
    const endsIn = (seconds: number): readonly DayKey[] =>
      dayKeys(
        { ...plainStore, credentials: { ...plainStore.credentials, session_token: `token ${seconds}` } },
        days,
        new Date(Date.now() + seconds * 1000),
      );
    await database.query('DELETE FROM storage.s3_signing_keys');

    await storeKeys(database, plainStore, endsIn(240));
    const ending = await sign().catch((error: { code: string }) => error.code);
    await storeKeys(database, plainStore, endsIn(3600));

    assert.equal(ending, '55000');
    assert.equal(new URL(await sign()).searchParams.get('X-Amz-Security-Token'), 'token 3600');
  });

  test('a store whose credentials cannot be had keeps no other from its keys', async () => {
    await database.query('DELETE FROM storage.s3_signing_keys');
    const backend = await backendOf('first');
    const broken = Object.create(backend, {
      name: { value: 'broken' },
      signingKeys: { value: () => Promise.reject(new Error('no credentials')) },
    });

    const rotation = performJob({ db, backend, backends: new Backends(broken, backend) }, 'signing_keys_rotate', {});

    await assert.rejects(rotation, /no credentials/);
    assert.equal((await keyRows(database)).length, 2);
  });
});

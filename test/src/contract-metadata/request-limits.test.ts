/** R143: how many uploads one user may ask for in a minute, and how many may wait for their bytes; both exact. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { assertInvariants, type PostgrestAnswer, until } from '@rowlock/test-harness';
import pg from 'pg';
import { type Application, ann, bob, putBytes, startApplication } from './application.ts';

let app: Application;

before(async () => {
  app = await startApplication();
});
afterEach(async () => {
  await app.service.database.query('DELETE FROM metadata.file_upload_requests');
  await limit(600, 1000);
});
after(() => app.stop());

const request = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'note.txt', p_file_type: 'text/plain' };

async function limit(perMinute: number, openMax: number): Promise<void> {
  const set = 'UPDATE storage.settings SET value = $2 WHERE name = $1';
  await app.service.database.query(set, ['upload_requests_per_minute', String(perMinute)]);
  await app.service.database.query(set, ['upload_requests_open_max', String(openMax)]);
}

/** How many of several requests at once were answered with each status. */
async function tally(asks: readonly Promise<PostgrestAnswer>[]): Promise<Readonly<Record<string, number>>> {
  const counted: Record<string, number> = {};
  for (const { status } of await Promise.all(asks)) counted[status] = (counted[status] ?? 0) + 1;
  return counted;
}

const times = <T>(count: number, make: (n: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, n) => make(n));

test('of many requests at once exactly as many as are allowed a minute are taken, of each user', async () => {
  await limit(7, 0);

  const both = times(40, (n) => app.call(n % 2 === 0 ? 'request_upload' : 'request_upload_url', request));
  const others = times(3, () => app.call('request_upload', request, bob));

  assert.deepEqual(await tally(both), { 200: 7, 429: 33 });
  assert.deepEqual(await tally(others), { 200: 3 }, 'what ann asks for is not bob’s');
});

test('a refusal has PostgREST’s form, says when to come back, and wrote nothing', async () => {
  await limit(1, 0);
  await app.call('request_upload', request);

  const refused = await app.call('request_upload', request);
  const [rows] = await app.service.database.query('SELECT count(*)::int AS n FROM metadata.file_upload_requests');

  assert.equal(refused.status, 429);
  const body = refused.json<Readonly<Record<string, string>>>();
  assert.equal(body['code'], 'PT429');
  assert.match(String(body['message']), /at most 1 uploads a minute/);
  assert.match(String(body['hint']), /^Ask again in ([1-9]|[1-5]\d|60) seconds\.$/);
  assert.deepEqual(rows, { n: 1 });
});

test('over our own HTTP the refusal is 429 with Retry-After', async () => {
  await limit(1, 0);
  const ask = (): Promise<Response> =>
    app.service.fetch('/rpc/request_upload', {
      as: 'ann',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });

  const first = await ask();
  const second = await ask();

  assert.equal(first.status, 200);
  assert.equal(second.status, 429);
  assert.match(String(second.headers.get('retry-after')), /^([1-9]|[1-5]\d|60)$/);
  assert.equal(((await second.json()) as { code: string }).code, 'PT429');
});

test('a minute is any sixty seconds: what is older leaves room, one by one', async () => {
  await limit(2, 0);
  const age = (seconds: number): Promise<unknown> =>
    app.service.database.query(
      'UPDATE metadata.file_upload_requests SET created_at = created_at - make_interval(secs => $1)',
      [seconds],
    );
  await app.call('request_upload', request);
  await age(40);
  await app.call('request_upload', request);

  const full = await app.call('request_upload', request);
  await age(21);
  const room = await app.call('request_upload', request);
  const fullAgain = await app.call('request_upload', request);

  assert.deepEqual([full.status, room.status, fullAgain.status], [429, 200, 429]);
});

test('of many requests at once exactly as many are taken as may wait for their bytes', async () => {
  await limit(0, 5);

  const counted = await tally(times(30, () => app.call('request_upload', request)));
  const refused = await app.call('request_upload', request);

  assert.deepEqual(counted, { 200: 5, 429: 25 });
  assert.match(refused.json<{ message: string }>().message, /5 uploads wait for their bytes/);
});

test('what has its bytes waits no more, and neither does what expired', async () => {
  await limit(0, 2);
  const done = await app.requestUpload();
  const lost = await app.requestUpload();
  const before = await app.call('request_upload', request);

  await putBytes(done.url, 'here');
  await app.call('create_file_record', app.recordOf(done));
  await app.committed(done.file_id);
  const afterBytes = await app.call('request_upload', request);
  const fullAgain = await app.call('request_upload', request);
  await app.service.database.query(
    "UPDATE storage.uploads SET expires_at = now() - interval '1 second' WHERE name = $1",
    [lost.key],
  );
  await app.service.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
  const afterSweep = await until(
    async () => {
      const answer = await app.call('request_upload', request);
      return answer.status === 200 ? answer : undefined;
    },
    { what: 'the sweep has closed what expired' },
  );

  assert.deepEqual([before.status, afterBytes.status, fullAgain.status, afterSweep.status], [429, 200, 429, 200]);
});

test('a request whose signer never came is failed when it expires, with a message for people', async () => {
  const { request_id } = await app.requestUpload();
  const { database } = app.service;
  await database.query(
    "UPDATE metadata.file_upload_requests SET status = 'pending', presigned_url = NULL WHERE id = $1",
    [request_id],
  );
  await database.query("UPDATE storage.uploads SET expires_at = now() - interval '1 second'");

  await database.query('SELECT storage_internal.close_requests(100)');
  const poll = { method: 'GET', path: '/rpc/get_upload_url', query: { p_request_id: request_id }, as: ann } as const;
  const [row] = (await app.postgrest.ask(poll)).json<{ status: string; error: string }[]>();

  assert.equal(row?.status, 'failed');
  assert.equal(row.error, 'the upload expired before its URL was signed; ask again');
});

test('the service asks for everybody and is not counted, and 0 is no limit', async () => {
  await limit(1, 1);
  const service = { role: 'service_role' };

  const served = await tally(times(4, () => app.call('request_upload', request, service)));
  await limit(0, 0);
  const unlimited = await tally(times(4, () => app.call('request_upload', request)));

  assert.deepEqual([served, unlimited], [{ 200: 4 }, { 200: 4 }]);
});

test('a transaction that looks at the database as it was counts what came since, or fails', async () => {
  await limit(1, 0);
  const client = new pg.Client({ connectionString: app.service.database.apiUrl });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query(
    "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{\"sub\":\"ann\"}', true)",
  );
  await app.call('request_upload', request);

  const late = client.query("SELECT public.request_upload_url('issue', '7', 'a.txt', 'text/plain')");

  await assert.rejects(late, (error: { code?: string }) => error.code === '40001' || error.code === 'PT429');
  await client.end();
});

test('counting reads an index, however many requests there were', async () => {
  const { database } = app.service;
  await database.query(
    `INSERT INTO metadata.file_upload_requests (entity_type, entity_id, file_name, file_type, status, requested_by, created_at, is_open)
     SELECT 'issue', '7', 'a', '', 'completed', 'user-' || n % 100, now() - make_interval(secs => n), n < 200
     FROM generate_series(1, 20000) AS n`,
  );
  await database.query('ANALYZE metadata.file_upload_requests');
  const plans = [
    "SELECT FROM metadata.file_upload_requests WHERE requested_by = 'user-7' AND created_at > now() - interval '60 seconds' ORDER BY created_at DESC OFFSET 599 LIMIT 1",
    "SELECT FROM metadata.file_upload_requests WHERE is_open AND requested_by = 'user-7' LIMIT 1000",
  ];

  for (const plan of plans) {
    const text = (await database.query<Record<string, string>>(`EXPLAIN ${plan}`))
      .map((row) => row['QUERY PLAN'])
      .join('\n');
    assert.match(text, /file_upload_requests_(requester|open)_idx/);
    assert.doesNotMatch(text, /Seq Scan/);
  }
});

test('what was written by all of this is whole', async () => {
  await assertInvariants(app.service);
});

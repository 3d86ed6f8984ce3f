/** Rows 70 and 98 of the list of attacks: upload requests in floods, and uploads that are begun and abandoned. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { type Attacked, assertRefusedByDoor, attacked } from './standing.ts';

let attack: Attacked;

before(async () => {
  attack = await attacked();
});
afterEach(async () => {
  await limit(600, 1000);
  await attack.database.query('UPDATE storage.uploads SET expires_at = now()');
  await attack.database.query("UPDATE storage.versions SET expires_at = now() WHERE state = 'writing'");
  await attack.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
  await attack.settle();
  await attack.database.query('DELETE FROM metadata.file_upload_requests');
  await attack.database.query("DELETE FROM storage.versions WHERE state = 'gone'");
  await attack.assertUnharmed();
});
after(() => attack.stop());

const request = { p_entity_type: 'issue', p_entity_id: '1', p_file_name: 'a.txt', p_file_type: 'text/plain' };

const ask = (as: string | undefined, name = 'request_upload_url', changes: object = {}): Promise<Response> =>
  attack.send('POST', `/rpc/${name}`, { ...request, ...changes }, as);

async function limit(perMinute: number, openMax: number): Promise<void> {
  const set = 'UPDATE storage.settings SET value = $2 WHERE name = $1';
  await attack.database.query(set, ['upload_requests_per_minute', String(perMinute)]);
  await attack.database.query(set, ['upload_requests_open_max', String(openMax)]);
}

async function statuses(asks: readonly Promise<Response>[]): Promise<Readonly<Record<string, number>>> {
  const counted: Record<string, number> = {};
  for (const answer of await Promise.all(asks)) {
    await answer.arrayBuffer();
    counted[answer.status] = (counted[answer.status] ?? 0) + 1;
  }
  return counted;
}

const rowsOf = async (): Promise<unknown> =>
  (
    await attack.database.query(
      `SELECT (SELECT count(*)::int FROM metadata.file_upload_requests) AS requests,
         (SELECT count(*)::int FROM storage.uploads) AS uploads,
         (SELECT count(*)::int FROM metadata.river_job AS j WHERE j.kind = 's3_presign' AND NOT EXISTS (
           SELECT FROM metadata.file_upload_requests AS r WHERE r.id::text = j.args ->> 'request_id')) AS jobs_without`,
    )
  )[0];

test('70 of a flood of upload requests the limit is taken, the rest writes nothing, and others go on', async () => {
  await limit(5, 0);

  const flood = Array.from({ length: 150 }, (_, n) =>
    ask('mallory', n % 2 === 0 ? 'request_upload_url' : 'request_upload'),
  );
  const others = [ask('olivia'), ask('victor')];
  const [taken, served] = [await statuses(flood), await statuses(others)];

  assert.deepEqual(taken, { 200: 5, 429: 145 });
  assert.deepEqual(served, { 200: 2 });
  assert.deepEqual(await rowsOf(), { requests: 7, uploads: 7, jobs_without: 0 });
});

test('70 a flood without a token, or for what nobody may have, writes nothing at all', async () => {
  await limit(5, 5);
  const before = await rowsOf();

  const anonymous = await statuses(Array.from({ length: 50 }, () => ask(undefined)));
  const hostile = await statuses(
    Array.from({ length: 50 }, () => ask('mallory', 'request_upload', { p_entity_id: '../../1' })),
  );
  const afterwards = await ask('mallory');

  assert.deepEqual([anonymous, hostile], [{ 401: 50 }, { 400: 50 }]);
  assert.equal(afterwards.status, 200, 'what was refused for another reason is not counted');
  const { requests } = (await rowsOf()) as { readonly requests: number };
  assert.equal(requests, (before as { readonly requests: number }).requests + 1);
});

test('70 a subject cannot count as somebody else, however it is spelled', async () => {
  await limit(1, 0);

  const answers = [];
  for (const as of ['mallory', 'mallory', ' mallory', 'MALLORY', "mallory' OR true --", 'mallory%', 'mallory\u200b']) {
    answers.push((await ask(as)).status);
  }

  assert.deepEqual(answers, [200, 429, 200, 200, 200, 200, 200]);
});

test('98 uploads that are asked for and abandoned are bounded for each user, expire, and make room again', async () => {
  await limit(0, 5);
  const taken = await statuses(Array.from({ length: 40 }, () => ask('mallory')));
  const urls = await until(
    async () => {
      const rows = await attack.database.query<{ presigned_url: string | null }>(
        'SELECT presigned_url FROM metadata.file_upload_requests',
      );
      return rows.every(({ presigned_url }) => presigned_url !== null) ? rows : undefined;
    },
    { what: 'all are signed' },
  );

  await attack.database.query('UPDATE storage.uploads SET expires_at = now()');
  await attack.database.query("UPDATE storage.versions SET expires_at = now() WHERE state = 'writing'");
  for (const { presigned_url } of urls) {
    const late = await fetch(String(presigned_url), {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body: 'x',
    });
    await assertRefusedByDoor(late, 410, 'NoSuchUpload');
  }
  await attack.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
  await attack.settle();
  const [left] = await attack.database.query(
    "SELECT (SELECT count(*)::int FROM storage.uploads) AS uploads, (SELECT count(*)::int FROM storage.versions WHERE state = 'writing') AS versions",
  );
  const again = await ask('mallory');

  assert.deepEqual(taken, { 200: 5, 429: 35 });
  assert.deepEqual(left, { uploads: 0, versions: 0 });
  assert.equal(again.status, 200);
});

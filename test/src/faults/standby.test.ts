/** Reads from a hot standby: fresh, behind, gone and back. A real one, streaming from a real primary. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createMigratedDatabase,
  type MigratedDatabase,
  startService,
  type TestService,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';
import { type StreamingPair, startStreamingPair } from './streaming-pair.ts';

let pair: StreamingPair;
let database: MigratedDatabase;
let service: TestService;
let onStandby: pg.Client;
const said: string[] = [];
const failures: unknown[] = [];
const lag_ms_max = 2000;
const strong = { 'x-rowlock-consistency': 'strong' };

before(async () => {
  pair = await startStreamingPair(async (url) => {
    process.env['ROWLOCK_TEST_DATABASE_URL'] = url;
    database = await createMigratedDatabase();
    await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'ann')");
  });
  const url = new URL(database.apiUrl);
  url.port = String(pair.standby.port);
  const superuser = new URL(pair.standby.url);
  superuser.pathname = url.pathname;
  onStandby = new pg.Client({ connectionString: superuser.href });
  onStandby.on('error', () => undefined);
  await onStandby.connect();
  service = await startService({
    database,
    config: { standby: { url: url.href, lag_ms_max } },
    observe: (observation) => {
      const { type, message, error } = observation as { type: string; message?: string; error?: unknown };
      if (type === 'lifecycle') said.push(message ?? '');
      if (type === 'internal_error') failures.push(error);
    },
  });
});
after(async () => {
  await service.stop();
  await onStandby.end();
  await database.drop();
  await pair.stop();
});

const put = async (name: string, body: string): Promise<void> => {
  const answer = await service.fetch(`/storage/v1/object/box/${name}`, { as: 'ann', method: 'PUT', body });
  assert.ok(answer.ok, await answer.text());
};
const get = (name: string, headers: Record<string, string> = {}): Promise<Response> =>
  service.fetch(`/storage/v1/object/box/${name}`, { as: 'ann', headers });
const names = async (headers: Record<string, string> = {}): Promise<string[]> => {
  const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' };
  const answer = await service.fetch('/storage/v1/object/list-v2/box', { as: 'ann', ...init });
  assert.equal(answer.status, 200);
  return ((await answer.json()) as { objects: { name: string }[] }).objects.map(({ name }) => name);
};
const lastSaid = (): string => said.at(-1) ?? '';
const replays = (how: 'pause' | 'resume'): Promise<unknown> => onStandby.query(`SELECT pg_wal_replay_${how}()`);

/** Until the standby answers and knows an object. */
async function untilOnStandby(name: string): Promise<void> {
  const known = async (): Promise<boolean> => {
    const { rows } = await onStandby.query('SELECT FROM storage.objects WHERE name = $1', [name]);
    return rows.length === 1 && lastSaid().startsWith('reads go to the standby');
  };
  await until(known, { timeoutMs: 20_000, what: `reads go to a standby that knows ${name}` });
}

test('while it keeps up, a standby answers listings, info and downloads, and writes nothing', async () => {
  await put('a', 'first');
  await untilOnStandby('a');
  await replays('pause');

  await put('b', 'second');
  const seen = await names();
  const strongly = await names(strong);
  const old = await get('a');
  const info = await service.fetch('/storage/v1/object/info/box/a', { as: 'ann' });
  await replays('resume');

  assert.deepEqual(seen, ['a'], 'the listing is of the standby, which does not know the second');
  assert.deepEqual(strongly, ['a', 'b'], 'who asks for the primary gets the primary');
  assert.equal(await old.text(), 'first');
  assert.equal(info.status, 200);
  assert.deepEqual(failures, []);
});

test('what the standby does not know yet is found on the primary', async () => {
  await put('known', 'by both');
  await untilOnStandby('known');
  await replays('pause');
  await put('new', 'just now');

  const read = await get('new');
  const info = await service.fetch('/storage/v1/object/info/box/new', { as: 'ann' });
  const missing = await get('never');
  await replays('resume');

  assert.equal(await read.text(), 'just now');
  assert.equal(info.status, 200);
  assert.equal(missing.status, 404);
});

test('an object whose bytes are purged is not found, although the standby still shows it', async () => {
  await put('gone', 'bytes');
  await untilOnStandby('gone');
  await replays('pause');
  const deleted = await service.fetch('/storage/v1/object/box/gone', { as: 'ann', method: 'DELETE' });
  assert.equal(deleted.status, 200);
  await until(
    async () =>
      (
        await database.query(
          'SELECT FROM storage.versions AS v WHERE NOT EXISTS (SELECT FROM storage.objects AS o WHERE o.version_id = v.id)',
        )
      ).length === 0,
    { what: 'the bytes are purged' },
  );

  const read = await get('gone');
  await replays('resume');

  assert.equal(read.status, 404);
});

test('a standby that is too far behind is not asked, and is asked again when it has caught up', async () => {
  await put('c', 'third');
  await untilOnStandby('c');
  await replays('pause');
  await put('d', 'fourth');

  await until(async () => (await names()).includes('d'), { timeoutMs: lag_ms_max * 5, what: 'the primary is asked' });
  assert.match(lastSaid(), /^reads go to the primary/);
  await replays('resume');
  await untilOnStandby('d');

  assert.ok((await names()).includes('d'));
});

test('a standby that is gone costs nobody an answer', async () => {
  await put('e', 'fifth');
  await untilOnStandby('e');

  const asked = Array.from({ length: 60 }, async (_, i) => {
    if (i === 20) await pair.standby.stop('immediate');
    const answer = await get('e');
    await answer.arrayBuffer();
    return answer.status;
  });
  const statuses = await Promise.all(asked);
  const later = await names();

  assert.deepEqual([...new Set(statuses)], [200]);
  assert.ok(later.includes('e'));
  assert.match(lastSaid(), /^reads go to the primary/);
  assert.deepEqual(failures, []);
});

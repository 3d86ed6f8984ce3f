/**
 * Many clients that hardly move, under the limits of production: the others do not notice. Fault test F11 and row 87.
 * ROWLOCK_ROUNDS makes it five hundred each way and five thousand idle ones; the short form has fewer.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '@rowlock/test-harness';
import { noUploadIsOpen } from './no-upload-is-open.ts';
import { RawSocket, rawRequest } from './raw-socket.ts';
import { type Attacked, attacked } from './standing.ts';

const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;
const slowClients = isLong ? 500 : 100;
const idleClients = isLong ? 5000 : 1000;
const large = 2 ** 25;

let service: Attacked;
let authorization: string;

before(async () => {
  // Each upload writes an intent of its own, so that they can be counted.
  service = await attacked({ config: { uploads_prepared_from: 1_000_000 } });
  authorization = `Bearer ${service.tokens.olivia}`;
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  await service.service.fetch('/storage/v1/object/box/large', {
    as: 'olivia',
    method: 'POST',
    body: new Uint8Array(large),
  });
  await service.remember();
});
afterEach(async () => {
  await noUploadIsOpen(service);
  await service.assertUnharmed();
});
after(() => service.stop());

/** What the API's connections to its database do now. */
async function apiSessions(): Promise<readonly { readonly state: string }[]> {
  return await service.database.query<{ state: string }>(
    "SELECT state FROM pg_stat_activity WHERE application_name = 'rowlock api' AND datname = current_database()",
  );
}

/** Twenty others, each with one upload, one list, one download and one delete. */
async function othersWork(): Promise<void> {
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const path = `/storage/v1/object/box/other-${i}`;
      const as = 'olivia';
      const put = await service.service.fetch(path, { as, method: 'POST', body: path });
      assert.equal(put.status, 201, await put.text());
      const listed = await service.send('POST', '/storage/v1/object/list/box', { prefix: '' }, as);
      assert.equal(listed.status, 200, await listed.text());
      assert.equal(await (await service.service.fetch(path, { as })).text(), path);
      assert.equal((await service.service.fetch(path, { as, method: 'DELETE' })).status, 200);
    }),
  );
}

async function assertNoConnectionIsHeld(): Promise<void> {
  await until(async () => (await apiSessions()).every(({ state }) => state === 'idle'), {
    what: 'no connection of the API is in a transaction',
  });
  assert.ok((await apiSessions()).length <= service.service.config.database.connections_max);
}

/** Begins uploads and downloads that then move a byte a second; returns what ends them. */
async function beginSlowOnes(connections: readonly RawSocket[]): Promise<NodeJS.Timeout> {
  const uploads = connections.slice(0, slowClients);
  const downloads = connections.slice(slowClients);
  for (const [i, raw] of uploads.entries()) {
    raw.write(rawRequest(`POST /storage/v1/object/box/slow-${i}`, { authorization, 'content-length': 60 }, 'x'));
  }
  for (const raw of downloads) {
    raw.socket.once('data', () => raw.socket.pause());
    raw.write(rawRequest('GET /storage/v1/object/box/large', { authorization }));
  }
  await until(() => downloads.every(({ received }) => received.length > 0), { what: 'all downloads have begun' });
  await until(async () => (await service.database.query('SELECT FROM storage.uploads')).length === slowClients, {
    what: 'all uploads have begun',
  });
  return setInterval(() => {
    for (const raw of uploads) raw.write('x');
    for (const raw of downloads) raw.socket.read(1);
  }, 1000);
}

test('F11 uploads and downloads of a byte a second hold no database connection and disturb nobody', async () => {
  const connections = await Promise.all(
    Array.from({ length: slowClients * 2 }, () => RawSocket.to(service.service.url)),
  );
  let dripping: NodeJS.Timeout | undefined;
  try {
    dripping = await beginSlowOnes(connections);

    await assertNoConnectionIsHeld();
    await othersWork();
    await assertNoConnectionIsHeld();

    assert.equal(connections.filter(({ ended }) => ended).length, 0, 'and they go on');
  } finally {
    clearInterval(dripping);
    for (const raw of connections) raw.destroy();
  }
});

/** Holds idle connections in a process of its own, since both ends of so many would not fit into one. */
async function holdIdle(count: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./hold-idle.js', import.meta.url))], {
    env: { ...process.env, HOLD_URL: service.service.url, HOLD_COUNT: String(count) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  assert.ok(child.stdout);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(said.toString().trim(), 'held');
  return child;
}

test('87 thousands of idle connections disturb nobody', async () => {
  const child = await holdIdle(idleClients);
  const exited = once(child, 'exit');
  try {
    await othersWork();

    assert.equal(child.exitCode, null, 'and they are there');
  } finally {
    child.stdin?.end();
    await exited;
  }
});

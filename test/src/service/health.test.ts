/** The look at database and store when the service starts: what it finds, what it says to whom, and that it ends. */
import assert from 'node:assert/strict';
import { renameSync, rmSync, truncateSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  createServer,
  createWorker,
  defaultQueues,
  defaultSchemaNames,
  type Observation,
  type RunningServer,
} from '@rowlock/server';
import { freePort, startFaultProxy } from '@rowlock/test-harness';
import { entriesBelow, type FsckSite, startFsckSite } from './fsck-site.ts';

type Health = Awaited<ReturnType<RunningServer['health']>>;

let site: FsckSite;
let observed: Observation[];
const stops: (() => Promise<void>)[] = [];

async function startServer(databaseUrl = site.service.database.apiUrl): Promise<RunningServer> {
  const { config } = site.service;
  const server = await createServer(
    { ...config, port: await freePort(), database: { ...config.database, url: databaseUrl } },
    { observe: (observation) => observed.push(observation) },
  );
  stops.push(() => server.stop());
  return server;
}

const concerns = (found: Health): string[] =>
  found.filter(({ state }) => state !== 'ok').map(({ check, state }) => `${state} ${check}`);

describe('health at the start', () => {
  beforeEach(async () => {
    observed = [];
    site = await startFsckSite();
    await site.put('a', 'bytes');
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    await site.stop();
  });

  test('is good where nothing is wrong, and says so in the log', async () => {
    const server = await startServer();

    const found = await server.health();

    assert.deepEqual(concerns(found), []);
    assert.deepEqual(
      observed.flatMap((each) => (each.type === 'health' ? each.check : [])),
      found.map(({ check }) => check),
    );
    const answer = await fetch(`${server.url}/readyz`);
    assert.deepEqual([answer.status, await answer.json()], [200, { status: 'ready' }]);
  });

  test('tells the folder of a volume that is not there, and what to do, without a path', async () => {
    const { root } = site.service;
    renameSync(root, `${root}-away`);
    const server = await startServer();

    const found = await server.health();

    assert.deepEqual(concerns(found), ['fail store']);
    const answer = await fetch(`${server.url}/readyz`);
    const body = await answer.text();
    assert.equal(answer.status, 200);
    assert.match(body, /"check":"store","state":"fail","fix":"look at STORAGE_ROOT.*rowlock fsck/);
    assert.ok(!body.includes(root));
  });

  test('tells steps of the schema that are missing, and those that it does not know', async () => {
    const { database } = site.service;
    await database.query("INSERT INTO storage.migrations (name, checksum) VALUES ('migrations/9999_later', '')");
    const server = await startServer();

    const newer = await server.health();
    await database.query("DELETE FROM storage.migrations WHERE name = 'migrations/0001_storage'");
    const older = await server.health();

    assert.deepEqual(concerns(newer), ['warn schema']);
    assert.deepEqual(concerns(older), ['fail schema']);
    assert.match(JSON.stringify(older), /lacks migrations\/0001_storage.*rowlock migrate/);
  });

  test('tells of intents that nobody swept, without their number to the public', async () => {
    await site.service.database.query(
      "UPDATE storage.versions SET state = 'purging', expires_at = now() - interval '2 hours'",
    );
    const server = await startServer();

    const found = await server.health();

    assert.deepEqual(concerns(found), ['warn sweep']);
    assert.match(JSON.stringify(found), /1 uploads and purges are overdue/);
    assert.doesNotMatch(await (await fetch(`${server.url}/readyz`)).text(), /overdue|\d/);
  });

  test('tells a role that row-level security does not bind', async () => {
    const server = await startServer(site.service.database.url);

    assert.deepEqual(concerns(await server.health()), ['fail login role']);
  });

  test('of a worker looks for the bytes of some versions', async () => {
    const { database, config } = site.service;
    const worker = await createWorker({
      database: { ...config.database, url: database.workerUrl },
      backend: config.backend,
      names: defaultSchemaNames,
      queues: defaultQueues,
      sweep_interval_seconds: 3600,
      stop_timeout_ms: 5000,
    });
    stops.push(() => worker.stop());

    const whole = await worker.health();
    truncateSync(await site.fileOf('a'), 2);
    const short = await worker.health();

    assert.deepEqual(concerns(whole), []);
    assert.deepEqual(concerns(short), ['fail sample']);
    assert.match(JSON.stringify(short), /1 of 1 versions.*rowlock fsck/);
  });

  test('ends where the database says nothing any more', async () => {
    const proxy = await startFaultProxy({ url: site.service.database.apiUrl });
    stops.push(() => proxy.close());
    const server = await startServer(proxy.through(site.service.database.apiUrl));
    proxy.mute();

    const found = await server.health();

    assert.deepEqual(concerns(found), ['fail database']);
  });

  test('reads nothing of the store but names, and leaves nothing there', async () => {
    const before = entriesBelow(site.service.root);
    const server = await startServer();

    await server.health();

    assert.deepEqual(entriesBelow(site.service.root), before);
    rmSync(await site.fileOf('a'));
  });
});

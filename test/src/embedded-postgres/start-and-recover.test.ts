import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { temporaryFolder, until } from '@rowlock/test-harness';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import { isRunning, killWatchdogOf } from './processes.ts';
import { ChildStartError, careless, spawnServer, sql, startServer } from './server-in-child.ts';

function newDataDir(): string {
  return join(temporaryFolder({ mode: 0o711 }), 'state', 'postgres');
}

let made: Promise<string> | undefined;

/** A folder with the cluster that a stopped server has left: to make one takes longer than most of what is tested here. */
async function usedDataDir(): Promise<string> {
  made ??= makeCluster();
  const state = join(temporaryFolder({ mode: 0o711 }), 'state');
  execFileSync('cp', ['-a', await made, state]);
  return join(state, 'postgres');
}

async function makeCluster(): Promise<string> {
  const dataDir = newDataDir();
  const server = await startServer({ dataDir, settings: careless });
  await server.stop();
  return join(dataDir, '..');
}

test('a new server demands its password, listens on loopback alone and checks its pages', async () => {
  const dataDir = newDataDir();
  const settings = { ...careless, listen_addresses: '*', unix_socket_directories: '/tmp' };

  const server = await startServer({ dataDir, settings });

  const [facts] = await sql(
    server.url,
    `SELECT current_setting('listen_addresses') AS listens, current_setting('unix_socket_directories') AS sockets,
            current_setting('data_checksums') AS checksums, current_setting('server_version_num')::int / 10000 AS major,
            pg_encoding_to_char(encoding) AS encoding, datlocale AS locale, current_user AS role
       FROM pg_database WHERE datname = current_database()`,
  );
  assert.deepEqual(facts, {
    listens: '127.0.0.1',
    sockets: '',
    checksums: 'on',
    major: 18,
    encoding: 'UTF8',
    locale: 'C.UTF-8',
    role: 'postgres',
  });
  const rules = await sql(server.url, 'SELECT DISTINCT auth_method FROM pg_hba_file_rules');
  assert.deepEqual(rules, [{ auth_method: 'scram-sha-256' }]);
  await assert.rejects(sql(server.url.replace(server.password, 'wrong')), { code: '28P01' });
  assert.equal(statSync(`${dataDir}.password`).mode & 0o777, 0o600);
  await server.stop();
});

test('a server that was stopped leaves no process and starts again with its data', async () => {
  const dataDir = newDataDir();
  const first = await startServer({ dataDir, settings: careless });
  await sql(first.url, 'CREATE TABLE kept AS SELECT 42 AS value');
  await first.stop();
  assert.equal(isRunning(first.pid), false);

  const second = await startServer({ dataDir, settings: careless });

  assert.deepEqual(await sql(second.url, 'SELECT value FROM kept'), [{ value: 42 }]);
  assert.equal(second.password, first.password);
  await second.stop();
});

test('a second start on the same folder is refused and leaves the first alone', async () => {
  const dataDir = await usedDataDir();
  const first = await startServer({ dataDir, settings: careless });

  const second = startServer({ dataDir });

  await assert.rejects(second, (error: unknown) => {
    assert.ok(error instanceof ChildStartError);
    assert.equal(error.reason, 'data_folder_in_use');
    assert.match(error.message, new RegExp(`Process ${first.process.pid} already uses`));
    return true;
  });
  assert.deepEqual(await sql(first.url, 'SELECT 1 AS alive'), [{ alive: 1 }]);
  await first.stop();
});

test('after kill -9 of its parent a server ends by itself, and committed data is there at the next start', async () => {
  const dataDir = await usedDataDir();
  const first = await startServer({ dataDir });
  await sql(first.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS value');

  await first.kill();

  await until(() => !isRunning(first.pid), { what: 'the watchdog has stopped the server' });
  const second = await startServer({ dataDir });
  assert.deepEqual(await sql(second.url, 'SELECT count(*)::int FROM kept'), [{ count: 1000 }]);
  await second.stop();
});

test('a server that survived its parent is ended by the next start, which has its committed data', async () => {
  const dataDir = await usedDataDir();
  const first = await startServer({ dataDir });
  await sql(first.url, 'CREATE TABLE kept AS SELECT 7 AS value');
  const open = new pg.Client({ connectionString: first.url });
  open.on('error', () => 'the server goes away under this connection');
  await open.connect();
  await killWatchdogOf(first.process);
  await first.kill();
  assert.equal(isRunning(first.pid), true);

  const second = await startServer({ dataDir });

  assert.equal(isRunning(first.pid), false);
  assert.deepEqual(await sql(second.url, 'SELECT value FROM kept'), [{ value: 7 }]);
  await second.stop();
});

test('after kill -9 of the server itself the next start recovers', async () => {
  const dataDir = await usedDataDir();
  const first = await startServer({ dataDir });
  await sql(first.url, 'CREATE TABLE kept AS SELECT 7 AS value');
  process.kill(first.pid, 'SIGKILL');
  await first.kill();

  const second = await startServer({ dataDir });

  assert.deepEqual(await sql(second.url, 'SELECT value FROM kept'), [{ value: 7 }]);
  await second.stop();
});

for (const moment of ['data/PG_VERSION', 'data/base/1', 'data/base/5']) {
  test(`kill -9 in the middle of initdb, once ${moment} exists, is made good by the next start`, async () => {
    const dataDir = newDataDir();
    const folder = join(dataDir, '..');
    const drafts = (): string[] => (existsSync(folder) ? readdirSync(folder) : []).filter((name) => /draft/.test(name));
    const first = spawnServer({ dataDir });
    await until(() => drafts().some((name) => existsSync(join(folder, name, moment))), { intervalMs: 1 });
    first.kill('SIGKILL');
    await once(first, 'exit');
    assert.equal(existsSync(dataDir), false);

    const second = await startServer({ dataDir, settings: careless });

    assert.deepEqual(await sql(second.url, 'SELECT 1 AS alive'), [{ alive: 1 }]);
    assert.deepEqual(drafts(), []);
    await second.stop();
  });
}

test('no content of a postmaster.pid that a killed server left keeps the next one from starting', async () => {
  const dataDir = await usedDataDir();
  const contents = [
    () => '',
    (pid: number) => String(pid).slice(0, -1),
    () => 'postmaster\n\n',
    () => `${process.pid}\n/elsewhere\n1\n1\n\n127.0.0.1\n  1 1\nready   \n`,
    (_pid: number, original: string) => original,
  ];
  for (const content of contents) {
    const killed = await startServer({ dataDir, settings: careless });
    const pidFile = join(killed.dataDir, 'postmaster.pid');
    const original = readFileSync(pidFile, 'utf8');
    await killWatchdogOf(killed.process);
    process.kill(killed.pid, 'SIGKILL');
    await killed.kill();
    writeFileSync(pidFile, content(killed.pid, original));

    const next = await startServer({ dataDir, settings: careless });

    assert.deepEqual(await sql(next.url, 'SELECT 1 AS alive'), [{ alive: 1 }], `after ${content}`);
    await next.stop();
  }
});

test('a half-written postmaster.pid does not hide a server that still runs', async () => {
  const dataDir = await usedDataDir();
  const first = await startServer({ dataDir, settings: careless });
  await killWatchdogOf(first.process);
  await first.kill();
  writeFileSync(join(first.dataDir, 'postmaster.pid'), String(first.pid).slice(0, -1));

  const second = await startServer({ dataDir, settings: careless });

  assert.equal(isRunning(first.pid), false);
  await second.stop();
});

test('a given port that is taken is refused, and the folder stays free', async () => {
  const dataDir = await usedDataDir();
  const occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const address = occupant.address();
  assert.ok(typeof address === 'object' && address !== null);

  const attempt = startServer({ dataDir, port: address.port });

  await assert.rejects(attempt, { reason: 'port_taken', message: new RegExp(`Port ${address.port} .* is taken`) });
  occupant.close();
  const second = await startServer({ dataDir, port: address.port, settings: careless });
  assert.equal(second.port, address.port);
  await second.stop();
});

test('a server stops within 5 s while a connection is open and a query runs', async () => {
  const dataDir = await usedDataDir();
  const server = await startServer({ dataDir });
  const clients = [new pg.Client(server.url), new pg.Client(server.url)];
  for (const client of clients) {
    client.on('error', () => 'the server goes away under this connection');
    await client.connect();
  }
  await clients[0]?.query('BEGIN; CREATE TABLE unfinished (i int)');
  const interrupted = assert.rejects(clients[1]?.query('SELECT pg_sleep(60)') ?? Promise.resolve(), { code: '57P01' });

  await untilStopped(server.stop(), 5_000);

  await interrupted;
  assert.equal(isRunning(server.pid), false);
});

async function untilStopped(stopped: Promise<void>, withinMs: number): Promise<void> {
  const late = new AbortController();
  const deadline = delay(withinMs, 'late', { signal: late.signal, ref: false }).catch(() => 'in time');
  const outcome = await Promise.race([stopped.then(() => 'in time'), deadline]);
  late.abort();
  assert.equal(outcome, 'in time');
}

test('a lost password is replaced, and the old one is no longer accepted', async () => {
  const dataDir = await usedDataDir();
  const first = await startServer({ dataDir, settings: careless });
  await first.stop();
  rmSync(`${dataDir}.password`);

  const second = await startServer({ dataDir, settings: careless });

  assert.notEqual(second.password, first.password);
  assert.deepEqual(await sql(second.url, 'SELECT 1 AS alive'), [{ alive: 1 }]);
  await assert.rejects(sql(second.url.replace(second.password, first.password)), { code: '28P01' });
  await second.stop();
});

test('a password file that was changed becomes the password', async () => {
  const dataDir = await usedDataDir();
  const first = await startServer({ dataDir, settings: careless });
  await first.stop();
  writeFileSync(`${dataDir}.password`, 'another-password\n');

  const second = await startServer({ dataDir, settings: careless });

  assert.equal(second.password, 'another-password');
  assert.deepEqual(await sql(second.url, 'SELECT 1 AS alive'), [{ alive: 1 }]);
  await second.stop();
});

test('a start that is given up while initdb runs leaves nothing behind', async () => {
  const dataDir = newDataDir();
  const folder = join(dataDir, '..');
  const giveUp = new AbortController();
  const attempt = startEmbeddedPostgres({ dataDir, signal: giveUp.signal });
  const refused = assert.rejects(attempt, { name: 'AbortError' });
  const drafts = (): string[] => (existsSync(folder) ? readdirSync(folder) : []).filter((name) => /draft/.test(name));
  await until(() => drafts().some((name) => existsSync(join(folder, name, 'data/base/1'))), { intervalMs: 1 });

  giveUp.abort();

  await refused;
  assert.deepEqual(readdirSync(folder), ['postgres.password']);
});

test('an ephemeral server leaves nothing behind, stopped or killed', async () => {
  const [stopped, killed] = [newDataDir(), newDataDir()];
  const servers = await Promise.all(
    [stopped, killed].map((dataDir) => startServer({ dataDir, settings: careless, ephemeral: true })),
  );

  await Promise.all([servers[0]?.stop(), servers[1]?.kill()]);

  for (const dataDir of [stopped, killed]) {
    const folder = join(dataDir, '..');
    await until(() => readdirSync(folder).length === 0, { what: `${folder} is empty` });
  }
  for (const server of servers) assert.equal(isRunning(server.pid), false);
});

for (const [what, prepare, expected] of [
  ['a file', (path: string) => writeFileSync(path, ''), /is not a folder/],
  ['a folder with other files', (path: string) => writeFileSync(join(path, 'notes.txt'), ''), /holds files but no/],
] as const) {
  test(`${what} in place of the data folder is refused and kept`, async () => {
    const folder = temporaryFolder({ mode: 0o711 });
    const dataDir = what === 'a file' ? join(folder, 'file') : folder;
    prepare(dataDir);

    const attempt = startServer({ dataDir });

    await assert.rejects(attempt, { reason: 'data_folder_invalid', message: expected });
    assert.ok(existsSync(what === 'a file' ? dataDir : join(dataDir, 'notes.txt')));
  });
}

test('a database of another major version is refused and kept', async () => {
  const dataDir = await usedDataDir();
  const first = await startServer({ dataDir, settings: careless });
  await first.stop();
  const versionFile = join(first.dataDir, 'PG_VERSION');
  writeFileSync(versionFile, '16\n');

  const attempt = startServer({ dataDir });

  await assert.rejects(attempt, { reason: 'other_version', message: /made by PostgreSQL 16/ });
  writeFileSync(versionFile, '18\n');
  const again = await startServer({ dataDir, settings: careless });
  await again.stop();
});

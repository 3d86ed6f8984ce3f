/**
 * Kills the server at every named step of an upload, an overwrite and a delete, three times each; then restarts,
 * sweeps, and asks fsck: no row without bytes, no bytes without a row.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Backend, Backends, Database, fsck, openBackend, sweep } from '@rowlock/server';
import {
  createMigratedDatabase,
  freePort,
  type MigratedDatabase,
  signToken,
  temporaryFolder,
  until,
} from '@rowlock/test-harness';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 2);
const uploadSteps = [
  'upload.before_intent',
  'upload.after_intent',
  'disk.bytes',
  'disk.before_fsync',
  'disk.after_fsync',
  'disk.after_rename',
  'upload.before_commit',
  'upload.after_commit',
] as const;
const deleteSteps = [
  'delete.before_commit',
  'delete.after_commit',
  'purge.after_begin',
  'purge.after_bytes',
  'purge.after_end',
] as const;

let database: MigratedDatabase;
let root: string;
let port: number;
let token: string;
let server: ChildProcess | undefined;

const program = fileURLToPath(new URL('./crash-server.js', import.meta.url));

let starts = 0;
let startedAt: Date;

/**
 * Starts a server process; it runs until it is killed, by a test or by a fault. Every second one writes the intents of
 * its uploads ahead of them.
 */
async function start(): Promise<void> {
  starts += 1;
  startedAt = new Date();
  server = spawn(process.execPath, [program], {
    env: {
      ...process.env,
      CRASH_API_URL: database.apiUrl,
      CRASH_WORKER_URL: database.workerUrl,
      CRASH_ROOT: root,
      CRASH_PORT: String(port),
      CRASH_FAULT: '',
      CRASH_PREPARES: starts % 2 === 0 ? 'yes' : '',
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  assert.ok(server.stdout);
  await once(server.stdout, 'data');
}

/** Lets the running process die at a step. */
async function arm(fault: string): Promise<void> {
  assert.ok(server);
  const armed = once(server, 'message');
  server.send(fault);
  await armed;
}

async function stop(): Promise<void> {
  if (server !== undefined && server.exitCode === null && server.signalCode === null) {
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  }
  server = undefined;
}

/** Starts another server when the armed fault has killed the one that ran. */
async function startAgain(): Promise<void> {
  await until(() => server?.signalCode === 'SIGKILL', { what: 'the fault was reached' });
  await start();
}

/** A request whose server may die under it: the status, or `dead`. */
async function request(method: string, name: string, body?: string): Promise<number | 'dead'> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/storage/v1/object/crash/${name}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 'dead';
  }
}

async function read(name: string): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/storage/v1/object/crash/${name}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return response.ok ? response.text() : undefined;
}

/** Database and bytes as a worker has them, here. */
async function openedStores(): Promise<{ readonly db: Database; readonly backend: Backend }> {
  const db = new Database({
    url: database.workerUrl,
    connectionsMax: 2,
    statementTimeoutMs: 10_000,
    applicationName: 'crash test',
  });
  const backend = await openBackend({
    kind: 'disk',
    root,
    endpoint: 'http://127.0.0.1',
    region: 'us-east-1',
    bucket: 'civic-os-files',
    access_key_id: 'k',
    secret_access_key: 's',
  });
  return { db, backend };
}

/** Lets every intent expire, sweeps until nothing is left to purge, and asks fsck. */
async function assertWhole(): Promise<void> {
  await database.query(
    "UPDATE storage.versions SET expires_at = now() - interval '1 second' WHERE state <> 'stored' AND state <> 'gone'",
  );
  await database.query("UPDATE storage.uploads SET expires_at = now() - interval '1 second'");
  const { db, backend } = await openedStores();
  await sweep({ db, backends: new Backends(backend) }, { graceSeconds: 0, limit: 1000 });
  const isDone = async (): Promise<boolean> => {
    const { overdue, unfinished } = await fsck({ db, backend });
    // Jobs of a worker that was killed seem to run until they are rescued.
    const jobs = await database.query(
      `SELECT id FROM metadata.river_job WHERE kind = 'version_purge'
       AND (state = 'available' OR (state = 'running' AND attempted_at > '${startedAt.toISOString()}'))`,
    );
    return overdue.length === 0 && unfinished === 0 && jobs.length === 0;
  };
  await until(isDone, { what: 'the purges are done' });

  const report = await fsck({ db, backend });

  assert.deepEqual(report.rows_without_bytes, []);
  assert.deepEqual(report.bytes_without_row, []);
  assert.equal(report.unfinished, 0);
  await db.close();
  await backend.close();
}

before(async () => {
  database = await createMigratedDatabase();
  root = `${temporaryFolder()}/blobs`;
  port = await freePort();
  token = await signToken({ sub: 'ann', role: 'authenticated' });
  await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('crash', 'ann')");
  await start();
});
after(async () => {
  await stop();
  await database.drop();
});

const body = (text: string): string => `${text} ${'x'.repeat(200_000)}`;

describe('kill -9 during a create', () => {
  for (const step of uploadSteps) {
    test(`at ${step}`, async () => {
      for (let round = 1; round <= rounds; round += 1) {
        const name = `create-${step}-${round}`;
        await arm(step);

        const status = await request('POST', name, body('new'));
        await startAgain();

        assert.equal(status, 'dead');
        assert.equal(await read(name), step === 'upload.after_commit' ? body('new') : undefined);
        await assertWhole();
      }
    });
  }
});

describe('kill -9 during an overwrite', () => {
  for (const step of uploadSteps) {
    test(`at ${step}`, async () => {
      for (let round = 1; round <= rounds; round += 1) {
        const name = `overwrite-${step}-${round}`;
        assert.equal(await request('POST', name, body('old')), 201);
        await arm(step);

        const status = await request('PUT', name, body('new'));
        await startAgain();

        assert.equal(status, 'dead');
        assert.equal(await read(name), body(step === 'upload.after_commit' ? 'new' : 'old'));
        await assertWhole();
      }
    });
  }
});

describe('kill -9 during a delete and its purge', () => {
  for (const step of deleteSteps) {
    test(`at ${step}`, async () => {
      for (let round = 1; round <= rounds; round += 1) {
        const name = `delete-${step}-${round}`;
        assert.equal(await request('POST', name, body('old')), 201);
        await arm(step);

        await request('DELETE', name);
        await startAgain();

        assert.equal(await read(name), step === 'delete.before_commit' ? body('old') : undefined);
        await assertWhole();
      }
    });
  }
});

describe('kill -9 while parts become an object', () => {
  const ask = async <T>(path: string, json: object): Promise<T> => {
    const url = `http://127.0.0.1:${port}/storage/v1/upload/multipart${path}`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return (await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(json) })).json()) as T;
  };
  const content = body('in parts');
  const begin = (name: string) => ask<{ upload_id: string }>('', { bucket: 'crash', name, size: content.length });

  test('at parts.after_complete: all of it had arrived, and the sweep does what its client asked for', async () => {
    const { upload_id } = await begin('parts-completed');
    const { urls } = await ask<{ urls: { url: string }[] }>(`/${upload_id}/sign`, { parts: [1] });
    await fetch(urls[0]?.url ?? '', { method: 'PUT', body: content });
    await arm('parts.after_complete');

    await assert.rejects(ask(`/${upload_id}/complete`, {}));
    await startAgain();
    const before = await read('parts-completed');
    const { db, backend } = await openedStores();
    await sweep({ db, backends: new Backends(backend) }, { graceSeconds: 0, limit: 1000 });
    await Promise.all([db.close(), backend.close()]);
    const after = await read('parts-completed');
    await assertWhole();

    assert.equal(before, undefined);
    assert.equal(after, content);
    assert.equal(await read('parts-completed'), content);
  });
});

/**
 * F3, F4 with the real thing: a file system that is full, one that became read-only, and a process that may open no more
 * files. Errors are clean, nothing half is left, and all is well again when the fault is over.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { assertInvariants, contentOf, History, requires, startService, until } from '@rowlock/test-harness';
import { childService } from './child-service.ts';
import {
  ask,
  asOutcome,
  bucket,
  deleteObject,
  type FaultySite,
  pathOf,
  readObject,
  writeObject,
} from './faulty-site.ts';
import { type MountedFolder, mountFolder } from './mounted-folder.ts';

const skip = requires('mount');
const megabyte = 2 ** 20;

type Stored = Pick<FaultySite, 'service' | 'history'>;

/** A service with workers that keeps its bytes on a file system of eight megabytes. */
async function startOn(t: TestContext): Promise<Stored & { readonly folder: MountedFolder }> {
  const folder = mountFolder(t, '8m');
  const service = await startService({ root: folder.path });
  t.after(() => service.stop());
  await service.database.query(`INSERT INTO storage.buckets (id, owner_id) VALUES ('${bucket}', 'ann')`);
  return { service, history: new History(), folder };
}

/** Writes objects of a megabyte until one is refused: how many went, and the answer to the next. */
async function fill(site: Stored): Promise<{ readonly written: number; readonly status: number | 'lost' }> {
  for (let i = 0; i < 20; i += 1) {
    const status = await writeObject(site, `fill-${i}`, Buffer.alloc(megabyte, i));
    if (status !== 201) return { written: i, status };
  }
  return assert.fail('twenty megabytes went into eight');
}

test('a full disk answers 507, keeps what it has, and takes bytes again when there is room', { skip }, async (t) => {
  const site = await startOn(t);
  const { service, history } = site;

  const { written, status } = await fill(site);
  const chunked = await ask(service, pathOf('chunked'), {
    method: 'POST',
    body: new Blob([Buffer.alloc(megabyte)]).stream(),
    duplex: 'half',
  } as RequestInit);
  const alive = await ask(service, '/healthz');
  const kept = await readObject(site, 'fill-0');
  await assertInvariants(service, { history, lives: false });
  for (const i of [0, 1]) assert.equal(await deleteObject(site, `fill-${i}`), 200);
  const purged = until(async () => (await writeObject(site, 'after', Buffer.alloc(megabyte))) === 201, {
    what: 'there is room again',
  });

  assert.ok(written >= 5, `${written} megabytes of eight`);
  assert.equal(status, 507);
  assert.equal(chunked.status, 507);
  assert.deepEqual(JSON.parse(chunked.body.toString()), {
    statusCode: '507',
    error: 'InsufficientStorage',
    message: 'The disk is full.',
    code: 'InsufficientStorage',
    reason: 'out_of_space',
  });
  assert.equal(alive.status, 200, 'the server lives');
  assert.equal(kept, 200);
  assert.ok(await purged);
  await assertInvariants(service, { history });
});

test('a disk that became read-only answers 503, still reads, and is written again later', { skip }, async (t) => {
  const site = await startOn(t);
  const { service, history, folder } = site;
  assert.equal(await writeObject(site, 'before', 'before'), 201);

  folder.remount('ro');
  const refused = await ask(service, pathOf('refused'), { method: 'POST', body: 'x' });
  const written = await writeObject(site, 'meanwhile', 'meanwhile');
  const overwritten = await writeObject(site, 'before', 'other');
  const read = await readObject(site, 'before');
  folder.remount('rw');

  assert.equal(refused.status, 503);
  assert.equal((JSON.parse(refused.body.toString()) as { reason: string }).reason, 'unavailable');
  assert.equal(written, 503);
  assert.equal(overwritten, 503);
  assert.equal(read, 200);
  assert.equal(await writeObject(site, 'after', 'after'), 201);
  await assertInvariants(service, { history });
});

/** Lets a process open a few files more than it has now, or none until it has closed some. */
function limitFiles(pid: number, more: number): void {
  const limit = readdirSync(`/proc/${pid}/fd`).length + more;
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);
}

test('a process that may open no more files refuses some uploads, loses none and recovers', {
  skip: requires('prlimit'),
}, async (t) => {
  const service = await childService();
  t.after(() => service.stop());
  await service.database.query(`INSERT INTO storage.buckets (id, owner_id) VALUES ('${bucket}', 'ann')`);
  const history = new History();
  await service.start();
  limitFiles(service.pid, 8);
  const write = async (name: string): Promise<number | 'lost'> => {
    const body = Buffer.alloc(300_000, name);
    let status: number | 'lost' = 'lost';
    await history.write(`${bucket}/${name}`, contentOf(body), async () => {
      ({ status } = await ask(service, pathOf(name), { method: 'POST', body }));
      return asOutcome(status);
    });
    return status;
  };

  const statuses = await Promise.all(Array.from({ length: 80 }, (_, i) => write(`many-${i}`)));
  const alive = !service.isDead;

  assert.ok(alive, 'the process lives');
  const strange = statuses.filter((status) => status !== 201 && status !== 503 && status !== 'lost');
  assert.deepEqual(strange, []);
  // By relief soon, and at the latest when what waits has timed out.
  const timeoutMs = 60_000;
  const read = async (): Promise<unknown> => await readObject({ service, history }, 'after');
  await until(async () => (await write('after')) === 201, { what: 'uploads work again', timeoutMs });
  await until(async () => (await read()) === 200, { what: 'downloads work again', timeoutMs });
  limitFiles(service.pid, 64); // the check opens connections of its own
  await assertInvariants(service, { history });
});

test('connections that only wait are given up when an upload finds no file descriptor', {
  skip: requires('prlimit'),
}, async (t) => {
  const service = await childService();
  t.after(() => service.stop());
  await service.database.query(`INSERT INTO storage.buckets (id, owner_id) VALUES ('${bucket}', 'ann')`);
  await service.start();
  const site = { service, history: new History() };
  assert.equal(await writeObject(site, 'before', 'x'), 201, 'connections of the database and of this client are open');
  const idle = await Promise.all(Array.from({ length: 8 }, () => waitingConnection(service.config.port)));
  t.after(() => {
    for (const socket of idle) socket.destroy();
  });
  limitFiles(service.pid, -2);

  const refused = await writeObject(site, 'refused', 'x');
  const isClosed = await until(() => idle.every((socket) => socket.destroyed), { what: 'they are closed' });

  assert.equal(refused, 503);
  assert.ok(isClosed);
  assert.equal(await writeObject(site, 'after', 'x'), 201);
  await assertInvariants(service, { history: site.history });
});

/** A connection that has had an answer and waits for another request. */
async function waitingConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  return socket.resume();
}

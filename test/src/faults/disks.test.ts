/**
 * F3, F4 with the real thing: a file system that is full, one that became read-only, and a process that may open no more
 * files. Errors are clean, nothing half is left, and all is well again when the fault is over.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
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

/** Lets a process open a few files more than it has now. */
function limitFiles(pid: number, more: number): void {
  const limit = readdirSync(`/proc/${pid}/fd`).length + more;
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:${limit}`]);
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
  await until(async () => (await write('after')) === 201, { what: 'uploads work again' });
  await assertInvariants(service, { history });
});

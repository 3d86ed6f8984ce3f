/**
 * Rows 46 and 48 of the list of attacks: what happens to a job, its object and the service when the process that
 * decodes crashes, hangs or grows, and when the object goes meanwhile. The images are slow, not broken: the test does
 * to their decoder what a broken one could make it do to itself.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createWorker, defaultQueues, defaultSchemaNames, type RunningWorker } from '@rowlock/server';
import {
  createMigratedDatabase,
  freePort,
  type MigratedDatabase,
  signToken,
  temporaryFolder,
  until,
} from '@rowlock/test-harness';
import sharp from 'sharp';
import { drawn, scene } from '../../../packages/server/dist/imaging/sample-images.js';
import { type Attacked, attacked } from './standing.ts';
import { decoderPids, ended, type Outcome, outcomeOf, photoPath, upload } from './thumbnail-outcome.ts';

const skip = process.platform === 'linux' ? false : 'processes are looked at in /proc';
const mib = 2 ** 20;

/** A small file that takes a second and some hundred megabytes to decode. */
const slow = await sharp({ create: { width: 8000, height: 6000, channels: 3, background: 'teal' } })
  .gif({ effort: 1 })
  .toBuffer();
const photo = await drawn(scene(300, 200)).jpeg().toBuffer();

function factOf(pid: number, file: 'status' | 'stat', pattern: RegExp): number {
  try {
    const [, ...found] = pattern.exec(readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? [];
    return found.reduce((sum, each) => sum + Number(each), 0);
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error, 'it may be gone by now');
    return 0;
  }
}

const residentOf = (pid: number): number => factOf(pid, 'status', /^VmRSS:\s+(\d+)/m) * 1024;
/** User and system time of all of its threads, in ticks. */
const ticksOf = (pid: number): number => factOf(pid, 'stat', /\) (?:\S+ ){11}(\d+) (\d+)/);

/** Waits until a decoder is in the middle of the slow file. */
async function decoding(parent?: number): Promise<number> {
  const before = new Map<number, number>();
  const isAtWork = (pid: number): boolean => {
    const [ticks, last] = [ticksOf(pid), before.get(pid)];
    before.set(pid, ticks);
    return last !== undefined && ticks > last && residentOf(pid) > 160 * mib;
  };
  return await until(() => decoderPids(parent).find(isAtWork), {
    timeoutMs: 30_000,
    intervalMs: 10,
    what: 'a decoder is at work',
  });
}

describe('with the limits of every service', { skip }, () => {
  let attack: Attacked;
  before(async () => {
    attack = await attacked();
    await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('photos', 'olivia')");
  });
  after(() => attack.stop());

  /** Waits until so many attempts at an object have failed, and makes the next one due. */
  const failed = (name: string, attempts: number) =>
    until(
      async () =>
        (
          await attack.database.query(
            `UPDATE metadata.river_job AS j SET state = 'available', scheduled_at = now() FROM storage.objects AS o
             WHERE o.name = $1 AND j.args ->> 'version_id' = o.version_id::text AND cardinality(j.errors) = $2
               AND j.state IN ('available', 'retryable') RETURNING j.id`,
            [name, attempts],
          )
        ).length > 0,
      { what: `attempt ${attempts} at ${name} has failed`, intervalMs: 5 },
    );
  const unharmed = async (): Promise<void> => {
    await attack.remember();
    await attack.assertUnharmed();
  };

  test('46 a decoder that crashes once costs its attempt: the next one makes the thumbnails', async () => {
    await upload(attack, 'once.gif', slow, 'image/gif');
    process.kill(await decoding(), 'SIGSEGV');
    await failed('once.gif', 1);

    const outcome = await until(() => ended(attack, 'once.gif'), { timeoutMs: 30_000 });

    assert.deepEqual(outcome, { thumbnails: 'made', job: 'completed', attempts: 2, size: [8000, 6000] });
    await unharmed();
  });

  test('46 a file that crashes its decoder is tried three times and then has a reason; others go on', async () => {
    await upload(attack, 'crash.gif', slow, 'image/gif');
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      process.kill(await decoding(), 'SIGSEGV');
      if (attempt < 3) await failed('crash.gif', attempt);
    }

    const outcome = await until(() => ended(attack, 'crash.gif'));
    const next = await outcomeOf(attack, 'next.jpg', photo);

    const reason = 'the process that decoded the image ended';
    assert.deepEqual(outcome, { thumbnails: reason, job: 'cancelled', attempts: 3, size: null });
    assert.equal(next.thumbnails, 'made');
    const again = await attack.service.fetch(photoPath('crash.gif'), { as: 'olivia' });
    assert.ok(Buffer.from(await again.arrayBuffer()).equals(slow));
    await unharmed();
  });

  test('48 an object that was deleted or overwritten while it was decoded keeps nothing of the old one', async () => {
    for (const [name, change] of [
      ['deleted.gif', () => attack.service.fetch(photoPath('deleted.gif'), { as: 'olivia', method: 'DELETE' })],
      ['overwritten.gif', () => upload(attack, 'overwritten.gif', photo)],
    ] as const) {
      await upload(attack, name, slow, 'image/gif');
      const pid = await decoding();
      process.kill(pid, 'SIGSTOP');
      await change();
      process.kill(pid, 'SIGCONT');
      await attack.settle();
    }

    const after = await until(() => ended(attack, 'overwritten.gif'));
    const left = await attack.database.query(
      `SELECT v.id FROM storage.variants AS v
       WHERE NOT EXISTS (SELECT FROM storage.objects AS o WHERE o.version_id = v.source_version_id)`,
    );

    assert.deepEqual([after.thumbnails, after.size, left], ['made', [300, 200], []]);
    await unharmed();
  });
});

test('46 decoders are gone when the workers have stopped', { skip }, async () => {
  const attack = await attacked();
  await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('photos', 'olivia')");
  await upload(attack, 'last.gif', slow, 'image/gif');
  await decoding();

  await attack.stop();

  assert.deepEqual(decoderPids(), []);
});

describe('with small limits', { skip }, () => {
  let attack: Attacked;
  let worker: RunningWorker;
  before(async () => {
    attack = await attacked({ workers: false });
    await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('photos', 'olivia')");
    const { config, database } = attack.service;
    worker = await createWorker({
      database: { ...config.database, url: database.workerUrl },
      backend: config.backend,
      names: defaultSchemaNames,
      queues: defaultQueues,
      sweep_interval_seconds: 3600,
      stop_timeout_ms: 10_000,
      decoder_limits: { timeout_ms: 1000, memory_bytes_max: 250 * mib },
    });
  });
  after(async () => {
    await worker.stop();
    await attack.stop();
  });

  /** Lets every attempt fail until there is none left. */
  async function atLast(name: string): Promise<Outcome> {
    return await until(
      async () => {
        await attack.database.query(
          "UPDATE metadata.river_job SET state = 'available', scheduled_at = now() WHERE state = 'retryable'",
        );
        return await ended(attack, name);
      },
      { timeoutMs: 60_000, what: `every attempt at ${name} has failed` },
    );
  }

  test('46 a file that hangs its decoder is tried three times and then has a reason', async () => {
    const held = new Set<number>();
    await upload(attack, 'hang.gif', slow, 'image/gif');

    const outcome = await until(
      async () => {
        const pid = decoderPids().find((each) => !held.has(each) && residentOf(each) > 120 * mib);
        if (pid !== undefined) process.kill(held.add(pid) && pid, 'SIGSTOP');
        await attack.database.query(
          "UPDATE metadata.river_job SET state = 'available', scheduled_at = now() WHERE state = 'retryable'",
        );
        return await ended(attack, 'hang.gif');
      },
      { timeoutMs: 60_000, intervalMs: 2 },
    );

    assert.deepEqual([outcome.job, outcome.attempts], ['cancelled', 3]);
    assert.match(outcome.thumbnails, /took too long|too much memory/);
    assert.deepEqual(
      [...held].filter((pid) => decoderPids().includes(pid)),
      [],
    );
    assert.deepEqual((await attack.fsck()).rows_without_bytes, []);
  });

  test('46 a small file that takes more memory than it may has a reason, and the service is not larger', async () => {
    const avif = await sharp({ create: { width: 5000, height: 4000, channels: 3, background: 'teal' } })
      .avif({ effort: 0, quality: 40 })
      .toBuffer();
    await upload(attack, 'dense.avif', avif, 'image/avif');

    const outcome = await atLast('dense.avif');

    assert.ok(avif.length < 2000);
    assert.deepEqual(outcome, {
      thumbnails: 'decoding the image takes too much memory',
      job: 'cancelled',
      attempts: 3,
      size: null,
    });
    assert.equal((await outcomeOf(attack, 'after.jpg', photo)).thumbnails, 'made');
  });
});

test('46 decoders are gone when the service was killed, and its next start makes the thumbnails', {
  skip,
}, async () => {
  const database = await createMigratedDatabase();
  await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('photos', 'olivia')");
  const port = await freePort();
  const environment = serverEnvironment(database, port);
  const first = await startServer(environment);
  const answer = await fetch(`http://127.0.0.1:${port}${photoPath('slow.gif')}`, {
    method: 'PUT',
    body: new Uint8Array(slow),
    headers: {
      authorization: `Bearer ${await signToken({ sub: 'olivia', role: 'authenticated' })}`,
      'content-type': 'image/gif',
    },
  });
  const pid = await decoding(first.pid);

  first.kill('SIGKILL');
  await once(first, 'exit');

  assert.equal(answer.status, 201);
  await until(() => residentOf(pid) === 0, { what: 'the decoder is gone' });
  await database.query(
    "UPDATE metadata.river_job SET state = 'available', scheduled_at = now() WHERE state = 'running'",
  );
  const second = await startServer(environment);
  const isMade = async (): Promise<boolean> =>
    (await database.query("SELECT FROM storage.variants WHERE status = 'completed'")).length === 3;
  await until(isMade, { timeoutMs: 30_000, what: 'the thumbnails are made' });
  second.kill('SIGKILL');
  await once(second, 'exit');
  await database.drop();
});

function serverEnvironment(database: MigratedDatabase, port: number): Record<string, string> {
  return {
    CRASH_API_URL: database.apiUrl,
    CRASH_WORKER_URL: database.workerUrl,
    CRASH_ROOT: `${temporaryFolder()}/blobs`,
    CRASH_PORT: String(port),
  };
}

async function startServer(environment: Record<string, string>) {
  const program = fileURLToPath(new URL('../service/crash-server.js', import.meta.url));
  const server = spawn(process.execPath, [program], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data');
  return server;
}

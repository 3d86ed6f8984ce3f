/**
 * F9: a process whose clock is two hours ahead or behind. What expires is judged by the database's clock, uploads in
 * progress are not taken for old, and somebody is told that the clock is wrong. Without faketime the clock that is
 * shifted is the one that our code asks.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  assertInvariants,
  freePort,
  jwtSecret,
  requires,
  signToken,
  temporaryFolder,
  toolPath,
  until,
} from '@rowlock/test-harness';
import { type ChildOptions, type ChildService, childService } from './child-service.ts';
import { ask } from './faulty-site.ts';

const hoursMs = 3_600_000;
const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
const preload = new URL('./shifted-clock.js', import.meta.url).href;

let service: ChildService;
let token: string;

before(async () => {
  service = await childService();
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('clock', 'ann')");
  // Small uploads expire within the hour, so that a clock that is two hours ahead matters.
  await service.database.query("UPDATE storage.buckets SET file_size_limit = 1048576 WHERE id = 'files'");
  // Good for both clocks: what is judged here is not the token.
  token = await signToken({ sub: 'ann', role: 'authenticated', exp: Math.floor(Date.now() / 1000) + 36_000 });
});
afterEach(() => service.kill());
after(() => service.stop());

const shifted = (ms: number): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${preload}`,
  ROWLOCK_TEST_CLOCK_SHIFT_MS: String(ms),
});

const call = (path: string, init: RequestInit = {}) =>
  ask(service, path, { as: undefined, ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
const rpc = (name: string, body: object) =>
  call(`/rpc/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

interface RequestRow extends Record<string, unknown> {
  readonly file_id: string;
  readonly url: string;
  readonly key: string;
}

const namesOf = (entity: string) => ({
  p_entity_type: 'issue',
  p_entity_id: entity,
  p_file_name: 'a.txt',
  p_file_type: 'text/plain',
});

/** A direct upload that was reported before its bytes came; its job has looked for them once. */
async function reportedTooEarly(entity: string): Promise<RequestRow> {
  const id = JSON.parse((await rpc('request_upload_url', namesOf(entity))).body.toString()) as string;
  const row = await until(
    async () =>
      (
        await service.database.query<RequestRow>(
          `SELECT file_id, presigned_url AS url, s3_key AS key FROM metadata.file_upload_requests
           WHERE id = $1 AND presigned_url IS NOT NULL`,
          [id],
        )
      )[0],
    { what: 'the URL is signed' },
  );
  const recorded = await rpc('create_file_record', {
    ...namesOf(entity),
    p_id: row.file_id,
    p_file_size: 5,
    p_s3_bucket: 'civic-os-files',
    p_s3_original_key: row.key,
  });
  assert.equal(recorded.status, 200, recorded.body.toString());
  const tried = () =>
    service.database.query("SELECT FROM metadata.river_job WHERE kind = 'upload_complete' AND cardinality(errors) > 0");
  await until(async () => (await tried()).length > 0, { what: 'the job has looked for the bytes' });
  return row;
}

async function worksUnder(options: ChildOptions, entity: string): Promise<void> {
  await service.start(options);
  const { url, key, file_id } = await reportedTooEarly(entity);
  const put = { as: undefined, method: 'PUT', body: 'bytes', headers: { 'content-type': 'text/plain' } };

  const arrived = await ask(service, url, put);
  await service.database.query(
    "UPDATE metadata.river_job SET state = 'available', scheduled_at = now() WHERE kind = 'upload_complete' AND state = 'retryable'",
  );
  await until(
    async () =>
      (await service.database.query('SELECT FROM metadata.files WHERE id = $1 AND object_id IS NOT NULL', [file_id]))
        .length === 1,
    { timeoutMs: 20_000, what: 'the upload is completed' },
  );
  const body = await call(`/storage/v1/object/files/${key}`);
  const written = await call(`/storage/v1/object/clock/${entity}`, { method: 'POST', body: 'x' });

  assert.equal(arrived.status, 200, arrived.body.toString());
  assert.equal(body.body.toString(), 'bytes');
  assert.equal(written.status, 201);
  await startInTime();
  await assertInvariants(service);
}

/** Starts again, by the right clock; what the process before was working at is free, as when its lease has run out. */
async function startInTime(): Promise<void> {
  await service.kill();
  await service.database.query("UPDATE metadata.rowlock_worker_lease SET expires_at = now() - interval '1 second'");
  await service.start();
}

describe('a process whose clock is wrong', () => {
  for (const [name, ms] of [
    ['two hours ahead', 2 * hoursMs],
    ['two hours behind', -2 * hoursMs],
  ] as const) {
    test(`by ${name} completes uploads that its database knows to be open`, async () => {
      await worksUnder({ env: shifted(ms) }, `shifted${ms}`);
    });

    test(`by ${name} sweeps nothing of an upload that is under way`, async () => {
      await service.start({ env: shifted(ms) });
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(Buffer.alloc(300_000));
          await untilSwept();
          controller.enqueue(Buffer.from('end'));
          controller.close();
        },
      });

      const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
      const { status } = await call(`/storage/v1/object/clock/slow${ms}`, init);

      assert.equal(status, 201);
    });
  }

  test('under faketime, by two hours ahead, completes uploads too', { skip: requires('faketime') }, async () => {
    await worksUnder({ under: [toolPath('faketime'), '-f', '+2h'] }, 'fake');
  });
});

/** Asks for a sweep, once the upload has a file, and waits for its end. */
async function untilSwept(): Promise<void> {
  const { database } = service;
  const open = () => database.query("SELECT FROM storage.uploads WHERE name LIKE 'slow%' AND state = 'open'");
  await until(async () => (await open()).length > 0, { what: 'the upload has begun' });
  const ended = async (): Promise<number> =>
    (await database.query("SELECT FROM metadata.river_job WHERE kind = 'upload_sweep' AND state = 'completed'")).length;
  const before = await ended();
  await until(
    async () => {
      await database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
      return (await ended()) > before + 1;
    },
    { timeoutMs: 20_000, what: 'a sweep that began after the upload has ended' },
  );
}

/** Runs the command line under a shifted clock until it ends or says what is waited for: everything it said. */
async function rowlock(args: readonly string[], ms: number, awaited?: RegExp): Promise<string> {
  const { database } = service;
  const child = spawn(process.execPath, [program, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...shifted(ms),
      API_DATABASE_URL: database.apiUrl,
      WORKER_DATABASE_URL: database.workerUrl,
      STORAGE_ROOT: temporaryFolder(),
      JWT_SECRET: jwtSecret,
      SIGNED_URL_SECRET: 'a-signed-url-secret-for-tests-only-of-32-bytes',
      S3_ACCESS_KEY_ID: 'test',
      S3_SECRET_ACCESS_KEY: 'a-secret-key-for-tests-only-of-forty-bytes',
      PORT: String(await freePort()),
    },
  });
  let said = '';
  const ended = once(child, 'exit');
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (awaited?.test(said)) child.kill('SIGTERM');
    });
  }
  await ended;
  return said;
}

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly says: string;
}

async function clockFindings(ms: number): Promise<readonly Finding[]> {
  const findings = JSON.parse(await rowlock(['doctor', '--json'], ms)) as readonly Finding[];
  return findings.filter(({ check }) => check.endsWith(' clock'));
}

test('doctor says ok, warns, and from a quarter of an hour on fails', async () => {
  const states = async (ms: number): Promise<readonly string[]> => (await clockFindings(ms)).map(({ state }) => state);

  assert.deepEqual(await states(0), ['ok', 'ok']);
  assert.deepEqual(await states(5 * 60_000), ['warn', 'warn']);
  const [ahead] = await clockFindings(2 * hoursMs);
  const [behind] = await clockFindings(-16 * 60_000);
  assert.equal(ahead?.state, 'fail');
  assert.match(ahead?.says ?? '', /^this machine's clock is 7\d{3} s ahead of the database's/);
  assert.equal(behind?.state, 'fail');
  assert.match(behind?.says ?? '', /^this machine's clock is 9\d\d s behind the database's/);
});

test('serve and work say at their start that the clock is wrong', async () => {
  const served = await rowlock(['serve'], 2 * hoursMs, /^ready/m);
  const worked = await rowlock(['work'], 2 * hoursMs, /^ready/m);

  assert.match(served, /rowlock serve: warning: api-database clock: this machine's clock is \d+ s ahead/);
  assert.match(worked, /rowlock work: warning: worker-database clock: this machine's clock is \d+ s ahead/);
});

/**
 * F1 for what workers and the door do: the process is killed at each named step of a direct upload, from the signing of
 * its URL to its thumbnails, and of a sweep; started again, it brings everything to its end.
 */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { assertInvariants, contentOf, History, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { type ChildService, childService } from './child-service.ts';
import { ask, asOutcome } from './faulty-site.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const directSteps = [
  'presign.before_record',
  'presign.after_record',
  'disk.bytes',
  'disk.after_rename',
  'complete.before_commit',
  'complete.after_commit',
  'variant.after_intent',
  'variant.before_commit',
] as const;
const sweepSteps = ['sweep.after_completions', 'sweep.after_enqueue', 'sweep.after_late_bytes'] as const;

let photo: Buffer;

before(async () => {
  photo = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer();
});

/** A process for one test: they wait for leases most of the time, so several run at once. */
async function ownService(t: TestContext): Promise<ChildService> {
  const service = await childService();
  t.after(() => service.stop());
  return service;
}

const rpc = (service: ChildService, name: string, body: object) =>
  ask(service, `/rpc/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Starts again without a fault; what the dead one held is free, as when its lease has run out. */
async function startAgain(service: ChildService): Promise<void> {
  await service.kill();
  await service.database.query("UPDATE metadata.rowlock_worker_lease SET expires_at = now() - interval '1 second'");
  await service.start();
}

/** The rows of a direct upload, whatever state they are in. */
interface Progress extends Record<string, unknown> {
  readonly file_id: string;
  readonly url: string | null;
  readonly key: string;
  readonly thumbnails: string | null;
}

async function progressOf(service: ChildService, entity: string): Promise<Progress> {
  const [row] = await service.database.query<Progress>(
    `SELECT r.file_id, r.presigned_url AS url, r.s3_key AS key, f.thumbnail_status AS thumbnails
     FROM metadata.file_upload_requests AS r LEFT JOIN metadata.files AS f ON f.id = r.file_id WHERE r.entity_id = $1`,
    [entity],
  );
  assert.ok(row, 'the request is there');
  return row;
}

/** Waits for a state of the upload; a process that died on the way is started again. */
async function untilProgress(
  service: ChildService,
  entity: string,
  what: string,
  isThere: (row: Progress) => boolean,
): Promise<Progress> {
  return await until(
    async () => {
      if (service.isDead) await startAgain(service);
      const row = await progressOf(service, entity);
      return isThere(row) ? row : undefined;
    },
    { timeoutMs: 30_000, what },
  );
}

/** One direct upload from its request to its thumbnails, done again wherever an answer was lost. */
async function uploadDirectly(service: ChildService, entity: string, history: History): Promise<void> {
  const names = { p_entity_type: 'issue', p_entity_id: entity, p_file_name: 'a.jpg', p_file_type: 'image/jpeg' };
  assert.equal((await rpc(service, 'request_upload_url', names)).status, 200);
  const signed = await untilProgress(service, entity, 'the URL is signed', ({ url }) => url !== null);
  const put = () =>
    ask(service, signed.url ?? '', {
      as: undefined,
      method: 'PUT',
      body: photo,
      headers: { 'content-type': 'image/jpeg' },
    });
  await history.write(`files/${signed.key}`, contentOf(photo), async () => {
    let { status } = await put();
    if (status === 'lost') {
      await startAgain(service);
      ({ status } = await put());
    }
    assert.ok(status === 200 || status === 412, `the bytes arrive: ${status}`);
    return status === 412 ? 'acknowledged' : asOutcome(status);
  });
  const record = { ...names, p_id: signed.file_id, p_file_size: photo.length, p_s3_bucket: 'civic-os-files' };
  const recorded = () => rpc(service, 'create_file_record', { ...record, p_s3_original_key: signed.key });
  if ((await recorded()).status === 'lost') {
    await startAgain(service);
    assert.equal((await recorded()).status, 200);
  }
  await untilProgress(service, entity, 'the thumbnails are there', ({ thumbnails }) => thumbnails === 'completed');
}

describe('kill -9 during a direct upload', { concurrency: 4 }, () => {
  for (const step of directSteps) {
    test(`at ${step}`, async (t) => {
      const service = await ownService(t);
      for (let round = 1; round <= rounds; round += 1) {
        const history = new History();
        await service.start({ fault: `${step}@1=kill` });

        await uploadDirectly(service, `${step}-${round}`, history);

        await assertInvariants(service, { history });
      }
    });
  }
});

describe('kill -9 during a sweep', { concurrency: 3 }, () => {
  for (const step of sweepSteps) {
    test(`at ${step}`, async (t) => {
      const service = await ownService(t);
      const { database } = service;
      const key = `objects/ff/late-${step.replace(/\W/g, '-')}`;
      await database.query(
        `INSERT INTO storage.versions (id, backend, key, state, expires_at)
         VALUES (gen_random_uuid(), 'disk', $1, 'gone', now() - interval '1 second')`,
        [key],
      );

      await service.start({ fault: `${step}=kill` });
      await until(() => service.isDead, { what: 'the fault was reached' });
      await startAgain(service);

      await until(
        async () => (await database.query('SELECT FROM storage.versions WHERE key = $1', [key])).length === 0,
        { timeoutMs: 30_000, what: 'a later sweep did what this one began' },
      );
      await assertInvariants(service);
    });
  }
});

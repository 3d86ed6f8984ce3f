import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { JobCancel, JobSnooze, QueueError } from '@rowlock/queue';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import { Database } from '../metadata/database.ts';
import type { JobAttempt, JobContext } from './job-kind.ts';
import { type OwnKind, withOwnKinds } from './own-kinds.ts';
import { CheckerAway } from './perform-check.ts';

const kind = 'damage_estimate';
const attemptsMax = 25;

let migrated: MigratedDatabase;
let db: Database;

before(async () => {
  migrated = await createMigratedDatabase();
  const { workerUrl: url } = migrated;
  db = new Database({ url, connectionsMax: 1, statementTimeoutMs: 5000, applicationName: 'test' });
});
after(async () => {
  await db.close();
  await migrated.drop();
});

interface Seen extends Record<string, unknown> {
  readonly status: string;
  readonly detail: unknown;
  /** Whether the sweep gives it another job. */
  readonly requeued: boolean;
}

/** One attempt at a version whose check was asked for ten minutes ago, by a kind of the application that throws. */
async function attempted(thrown: unknown, { attempt = 1, signal = new AbortController().signal }: Partial<JobAttempt>) {
  const id = randomUUID();
  await migrated.query(
    `INSERT INTO storage.versions (id, backend, key, state, size, stored_at, content_type)
     VALUES ($1::uuid, 'disk', concat('objects/', $1::uuid), 'stored', 1, now(), 'text/plain')`,
    [id],
  );
  await migrated.query(
    `INSERT INTO storage.version_checks (version_id, kind, requested_at) VALUES ($1, $2, now() - interval '10 minutes')`,
    [id, kind],
  );
  const own: OwnKind = { kind, perform: () => Promise.reject(thrown) };
  const found = withOwnKinds([own]).find((each) => each.kind === kind);
  const context = { db, backends: { of: () => undefined } } as unknown as JobContext;
  const rose = await Promise.resolve(
    found?.perform(context, { args: { version_id: id }, attempt, max_attempts: attemptsMax, signal }),
  ).then(
    () => undefined,
    (error: unknown) => error,
  );
  await migrated.query('SELECT storage_internal.requeue_checks(100)');
  const [seen] = await migrated.query<Seen>(
    `SELECT c.status, c.detail, EXISTS (
       SELECT FROM metadata.river_job AS j WHERE j.args ->> 'version_id' = c.version_id::text) AS requeued
     FROM storage.version_checks AS c WHERE c.version_id = $1`,
    [id],
  );
  assert.ok(seen !== undefined);
  return { rose, seen };
}

test('a kind that cancels its job has looked for the last time, and the owner reads why', async () => {
  const cancel = new JobCancel(`no estimate for text\u0000${'.'.repeat(1000)}`);

  const { rose, seen } = await attempted(cancel, {});

  const detail = seen.detail as { error: string; final: boolean };
  assert.equal(rose, cancel, 'the queue is told');
  assert.deepEqual([seen.status, seen.requeued, detail.final], ['error', false, true]);
  assert.match(detail.error, /^no estimate for text\ufffd\.{479}$/);
});

test('a kind that snoozes its job waits on, in its last attempt too', async () => {
  const snooze = new JobSnooze(60_000);

  const { rose, seen } = await attempted(snooze, { attempt: attemptsMax });

  assert.equal(rose, snooze);
  assert.deepEqual([seen.status, seen.detail], ['pending', null]);
});

test('a worker that stops takes no word from a check, which runs again elsewhere', async () => {
  const stopping = AbortSignal.abort(new QueueError('worker_stopping', 'The worker stops'));

  const { seen } = await attempted(stopping.reason, { attempt: attemptsMax, signal: stopping });

  assert.equal(seen.status, 'pending');
});

test('a check whose job somebody cancels while it runs is over', async () => {
  const cancelled = AbortSignal.abort(new QueueError('job_cancelled', 'The job was cancelled'));

  // A call that the signal ended may say so in words of its own.
  for (const thrown of [cancelled.reason, new CheckerAway('nobody answers'), new JobSnooze(1000)]) {
    const { rose, seen } = await attempted(thrown, { signal: cancelled });

    assert.equal(rose, thrown);
    assert.deepEqual(seen, { status: 'error', detail: { error: 'its job was cancelled' }, requeued: false });
  }
});

test('the reason why a check waits may be any text', async () => {
  const away = new CheckerAway(`nobody\u0000 there \ud800${'.'.repeat(1000)}`);

  const { rose, seen } = await attempted(away, {});

  assert.ok(rose instanceof JobSnooze, String(rose));
  assert.equal(seen.status, 'pending');
  assert.match((seen.detail as { waits: string }).waits, /^nobody\ufffd there \ufffd\.+$/);
});

test('a failure says nothing before the last attempt, and then not what failed', async () => {
  const failure = new Error('password of the classifier');

  const early = await attempted(failure, { attempt: attemptsMax - 1 });
  const last = await attempted(failure, { attempt: attemptsMax });

  assert.deepEqual([early.rose, early.seen.status], [failure, 'pending']);
  assert.deepEqual(last.seen, { status: 'error', detail: { error: 'nobody could look at it' }, requeued: false });
});

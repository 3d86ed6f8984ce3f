/** River UI shows the jobs of our engine, and what it is told to do reaches our workers. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Observation } from '@rowlock/queue';
import { type RiverUi, requires, startRiverUi, until } from '@rowlock/test-harness';
import { type BesideGo, GoDatabase } from './beside-go.ts';

interface Listed {
  readonly id: number | string;
  readonly state: string;
  readonly kind: string;
  readonly tags: readonly string[];
  readonly attempted_by: readonly string[];
  readonly errors?: readonly { readonly error: string; readonly trace: string; readonly attempt: number }[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const fails = { script: [[{ do: 'fail', text: 'two is refused' }]], retry_ms: 600_000 };
const sleeps = { script: [[{ do: 'sleep', ms: 60_000 }]] };

describe('River UI', { skip: requires('go') }, () => {
  let database: GoDatabase;
  let place: BesideGo;
  let ui: RiverUi;
  let observations: readonly Observation[];

  before(async () => {
    database = await GoDatabase.create();
    place = await database.place();
    ui = await startRiverUi({ url: database.url, schema: place.schema });
    ({ observations } = await place.startOurs({ queues: { default: { maxWorkers: 10 } }, clientId: 'ts-ui' }));
  });
  after(async () => {
    await ui.stop();
    await database.drop();
  });

  const ask = async (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<Response> =>
    await fetch(`${ui.url}/api/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  const listed = async (query: string): Promise<readonly Listed[]> =>
    ((await (await ask(`jobs?${query}`)).json()) as { readonly data: readonly Listed[] }).data;
  const insert = async (args: unknown, over: object = {}): Promise<string> => await place.insertOurs({ args, ...over });

  test('it is well on a schema that we migrated, and serves its page', async () => {
    const health = await Promise.all(
      ['minimal', 'complete'].map(async (name) => (await ask(`health-checks/${name}`)).status),
    );
    const page = await fetch(ui.url);

    assert.deepEqual(health, [200, 200]);
    assert.match(await page.text(), /<html/i);
  });

  test('it lists our jobs in every state, with errors, clients and tags', async () => {
    const done = await insert({}, { tags: ['from-ts'] });
    const failed = await insert(fails);
    const cancelled = await insert({ script: [[{ do: 'cancel', text: 'no' }]] });
    const discarded = await insert({ script: [[{ do: 'fail', text: 'no' }]] }, { maxAttempts: 1 });
    const running = await insert(sleeps);
    const snoozed = await insert({ script: [[{ do: 'snooze', ms: 600_000 }]] });
    const waiting = await insert({}, { queue: 'nobodys' });
    const pending = await place.insertGo({ pending: true });
    const expected = {
      completed: done,
      retryable: failed,
      cancelled,
      discarded,
      running,
      scheduled: snoozed,
      available: waiting,
      pending,
    };
    for (const [state, id] of Object.entries(expected)) await place.jobIn(id, state);

    const found = await Promise.all(Object.keys(expected).map(async (state) => await listed(`state=${state}`)));
    const one = (await (await ask(`jobs/${failed}`)).json()) as Listed;

    assert.deepEqual(
      found.map((jobs) => jobs.map(({ id }) => String(id))),
      Object.values(expected).map((id) => [id]),
    );
    assert.deepEqual(found[0]?.[0]?.tags, ['from-ts']);
    assert.equal(one.errors?.[0]?.error, 'two is refused');
    assert.match(one.errors?.[0]?.trace ?? '', /scripted-handler/);
    assert.deepEqual(one.attempted_by, ['ts-ui']);
    assert.deepEqual(
      (await listed('state=available&queues=nobodys&kinds=scripted')).map(({ id }) => String(id)),
      [waiting],
    );
  });

  test('cancel, retry and delete reach a hundred of our jobs at once', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 100; n += 1) ids.push(await insert(fails, { queue: 'many' }));
    const { worker } = await place.startOurs({ queues: { many: { maxWorkers: 20 } } });
    await until(async () => (await countOf('retryable')) === 100, { what: 'all have failed', timeoutMs: 30_000 });

    const retried = await ask('jobs/retry', { ids });
    await until(async () => (await countOf('retryable', 2)) === 100, {
      what: 'all have failed again',
      timeoutMs: 30_000,
    });
    const cancelled = await ask('jobs/cancel', { ids });
    const afterCancel = await countOf('cancelled');
    const deleted = await ask('jobs/delete', { ids });

    assert.deepEqual([retried.status, cancelled.status, deleted.status], [200, 200, 200]);
    assert.equal(afterCancel, 100);
    assert.equal((await place.sql(`SELECT FROM S.river_job WHERE queue = 'many'`)).length, 0);
    await worker.stop();
  });

  test('a cancel aborts a job that runs here', async () => {
    const id = await insert(sleeps);
    await place.jobIn(id, 'running');

    await ask('jobs/cancel', { ids: [id] });

    assert.equal((await place.jobIn(id, 'cancelled')).errors?.[0]?.error, 'JobCancelError: job cancelled remotely');
  });

  test('a pause holds our queue until it is resumed', async () => {
    const paused = await ask('queues/default/pause', undefined, 'PUT');
    await until(() => observations.some(({ event }) => event === 'queue_paused'), { what: 'our worker heard of it' });
    const held = await insert({});
    const queue = (await (await ask('queues/default')).json()) as { readonly paused_at: string | null };
    const stateWhilePaused = (await place.job(held)).state;
    const resumed = await ask('queues/default/resume', undefined, 'PUT');
    await place.jobIn(held, 'completed');

    assert.deepEqual([paused.status, resumed.status], [200, 200]);
    assert.notEqual(queue.paused_at, null);
    assert.equal(stateWhilePaused, 'available');
  });

  test('a retry that meets the key of another job is refused, and nothing has changed', async () => {
    const unique = { queue: 'nobodys', unique: { by_queue: true } };
    const first = await place.insertGo(unique);
    await place.go.ask('cancel', { id: first });
    const second = await place.insertGo(unique);

    const answer = await ask('jobs/retry', { ids: [first] });

    assert.equal(answer.status, 409);
    assert.deepEqual([(await place.job(first)).state, (await place.job(second)).state], ['cancelled', 'available']);
  });

  async function countOf(state: string, errors = 1): Promise<number> {
    const [row] = await place.sql(
      `SELECT count(*)::int AS n FROM S.river_job
       WHERE queue = 'many' AND state::text = $1 AND cardinality(errors) >= $2`,
      [state, errors],
    );
    return Number(row?.['n']);
  }
});

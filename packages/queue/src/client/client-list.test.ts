import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, test } from 'node:test';
import type { JobState } from '../job.ts';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { JobListOptions } from './job-listing.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

/** Jobs in three states, with times that are equal in pairs and some that are missing. */
async function variedJobs(queue: QueueSchema): Promise<void> {
  await queue.client.insertMany(
    Array.from({ length: 24 }, (_, n) => ({
      kind: n % 2 === 0 ? 'even' : 'odd',
      queue: `q${n % 3}`,
      args: { n },
      priority: (n % 4) + 1,
      tags: n % 5 === 0 ? ['fives', 'all'] : ['all'],
      metadata: { n, parity: n % 2 },
    })),
  );
  await queue.sql(`UPDATE S.river_job SET
    scheduled_at = '2026-01-01T00:00:00.000001Z'::timestamptz + interval '1 microsecond' * ((args->>'n')::int / 2),
    state = CASE (args->>'n')::int % 3 WHEN 0 THEN 'available' WHEN 1 THEN 'running' ELSE 'completed' END::S.river_job_state,
    attempted_at = CASE WHEN (args->>'n')::int % 4 <> 0 THEN now() - interval '1 second' * ((args->>'n')::int / 4) END,
    finalized_at = CASE WHEN (args->>'n')::int % 3 = 2 THEN now() - interval '1 microsecond' * (args->>'n')::int END`);
}

async function idsOf(queue: QueueSchema, options: JobListOptions): Promise<readonly string[]> {
  return (await queue.client.list({ limit: 1000, ...options })).jobs.map(({ id }) => id);
}

async function idsOfPages(queue: QueueSchema, options: JobListOptions): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await queue.client.list({ limit: 5, ...options, ...(after === undefined ? {} : { after }) });
    ids.push(...page.jobs.map(({ id }) => id));
    after = page.cursor;
  }
  return ids;
}

test('a filter finds what fits all of it', async () => {
  const queue = await database.schema();
  await variedJobs(queue);
  const filters: readonly [JobListOptions, string][] = [
    [{}, 'true'],
    [{ kinds: ['even'] }, `kind = 'even'`],
    [{ queues: ['q0', 'q2'] }, `queue IN ('q0', 'q2')`],
    [{ states: ['running'] }, `state = 'running'`],
    [{ states: ['running', 'completed'] }, `state IN ('running', 'completed')`],
    [{ priorities: [1, 4] }, 'priority IN (1, 4)'],
    [{ tags: ['all', 'fives'] }, `'fives' = ANY (tags)`],
    [{ metadata: { parity: 1 } }, `metadata->>'parity' = '1'`],
    [
      { kinds: ['odd'], states: ['available'], priorities: [2] },
      `kind = 'odd' AND state = 'available' AND priority = 2`,
    ],
    [{ kinds: [] }, 'false'],
  ];

  for (const [options, condition] of filters) {
    const expected = await queue.sql(`SELECT id FROM S.river_job WHERE ${condition} ORDER BY id`);

    assert.deepEqual(
      await idsOf(queue, options),
      expected.map((row) => row['id']),
      condition,
    );
  }
  assert.deepEqual(await idsOf(queue, { ids: ['3', '1'] }), ['1', '3']);
});

test('pages of any order, joined, are the whole list, with equal and missing times too', async () => {
  const queue = await database.schema();
  await variedJobs(queue);
  const states: readonly (readonly JobState[] | undefined)[] = [
    undefined,
    ['available'],
    ['running'],
    ['running', 'completed'],
    ['completed'],
  ];

  for (const order of ['asc', 'desc'] as const) {
    for (const some of states) {
      const options = { order, ...(some === undefined ? {} : { states: some }) };
      const orders = ['id', 'time', 'scheduled_at', ...(some?.[0] === 'completed' ? ['finalized_at' as const] : [])];
      for (const orderBy of orders as readonly ('id' | 'time')[]) {
        const whole = await idsOf(queue, { ...options, orderBy });

        assert.deepEqual(
          await idsOfPages(queue, { ...options, orderBy }),
          whole,
          JSON.stringify({ ...options, orderBy }),
        );
        assert.ok(whole.length >= 8);
      }
    }
  }
});

test('a list by time goes by the time of the first state', async () => {
  const queue = await database.schema();
  await variedJobs(queue);
  const columns: readonly [readonly JobState[], string][] = [
    [['available', 'running'], 'scheduled_at'],
    [['running', 'available'], 'attempted_at'],
    [['completed', 'running'], 'finalized_at'],
  ];

  for (const [states, column] of columns) {
    const expected = await queue.sql(
      `SELECT id FROM S.river_job WHERE state::text = ANY ($1) ORDER BY ${column} DESC, id DESC`,
      [states],
    );

    assert.deepEqual(
      await idsOf(queue, { states, orderBy: 'time', order: 'desc' }),
      expected.map((row) => row['id']),
      column,
    );
  }
});

test('a cursor is that of Go’s client, to the byte, and has microseconds', async () => {
  const queue = await database.schema();
  await queue.insert({ kind: 'send_email', queue: 'mail' });
  await queue.sql(`UPDATE S.river_job SET scheduled_at = '2026-01-02T03:04:05.123450Z'`);

  const byId = await queue.client.list();
  const byTime = await queue.client.list({ orderBy: 'scheduled_at' });

  const json = (cursor: string | null): string => Buffer.from(cursor ?? '', 'base64url').toString();
  const head = '{"id":1,"kind":"send_email","queue":"mail"';
  assert.equal(json(byId.cursor), `${head},"sort_field":"id","time":"0001-01-01T00:00:00Z"}`);
  assert.equal(json(byTime.cursor), `${head},"sort_field":"scheduled_at","time":"2026-01-02T03:04:05.12345Z"}`);
  assert.equal((byTime.cursor?.length ?? 1) % 4, 0, 'padded');
});

test('everything about a job is shown, whatever is in its columns', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const error = { at: '2026-01-02T03:04:05Z', attempt: 1, error: 'it failed', trace: '' };
  await queue.sql(
    `UPDATE S.river_job SET errors = ARRAY[$1::jsonb], attempted_by = array_fill('client'::text, ARRAY[100]),
       finalized_at = '2026-01-02T03:04:05.000001Z', state = 'discarded', attempted_at = 'infinity',
       unique_key = '\\x00ff', scheduled_at = '-infinity', metadata = '[]'`,
    [error],
  );

  const job = await queue.client.get(id);
  const page = await queue.client.list({ orderBy: 'scheduled_at' });

  assert.deepEqual(job.errors, [error]);
  assert.equal(job.attempted_by.length, 100);
  assert.deepEqual(
    [job.finalized_at, job.attempted_at, job.scheduled_at, job.unique_key, job.metadata],
    ['2026-01-02T03:04:05.000001Z', 'infinity', '-infinity', '00ff', {}],
  );
  assert.deepEqual(page.jobs, [job]);
});

test('limits, orders and cursors that cannot be are refused', async () => {
  const queue = await database.schema();
  await queue.insert();
  const { cursor } = await queue.client.list();
  const refused: readonly JobListOptions[] = [
    { limit: 0 },
    { limit: 10_001 },
    { limit: 1.5 },
    { orderBy: 'finalized_at' },
    { orderBy: 'finalized_at', states: ['completed', 'running'] },
    { after: '' },
    { after: 'nonsense' },
    { after: Buffer.from('{"id":"1","sort_field":"id","time":""}').toString('base64url') },
    { after: Buffer.from('[]').toString('base64url') },
    { after: cursor ?? '', orderBy: 'time' },
  ];

  for (const options of refused) {
    await assert.rejects(queue.client.list(options), { reason: 'invalid_option' }, JSON.stringify(options));
  }
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { QueueDatabase } from '../queue-fixture.test.ts';
import { Client } from './client.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

test('a job has the defaults of River where nothing else is said', async () => {
  const queue = await database.schema();

  const job = await queue.insert();

  const { id, created_at, scheduled_at, ...rest } = job;
  assert.match(id, /^\d+$/);
  assert.equal(created_at, scheduled_at);
  assert.deepEqual(rest, {
    kind: 'work',
    queue: 'default',
    state: 'available',
    args: {},
    attempt: 0,
    max_attempts: 25,
    priority: 1,
    metadata: {},
    tags: [],
    error_count: 0,
    attempted_at: null,
  });
});

test('what a call says comes before what its kind says, then the defaults of the client, then those of River', async () => {
  const queue = await database.schema();
  const client = new Client({
    database: queue.pool,
    schema: queue.name,
    kinds: { work: { queue: 'of_kind', priority: 2, tags: ['kind'] } },
    defaults: { queue: 'of_client', priority: 3, maxAttempts: 7 },
  });

  const { job: called } = await client.insert({ kind: 'work', args: {}, priority: 4, tags: ['call'] });
  const { job: ofKind } = await client.insert({ kind: 'work', args: {} });
  const { job: other } = await client.insert({ kind: 'toString', args: {} });

  const seen = [called, ofKind, other].map((job) => [job.queue, job.priority, job.max_attempts, job.tags]);
  assert.deepEqual(seen, [
    ['of_kind', 4, 7, ['call']],
    ['of_kind', 2, 7, ['kind']],
    ['of_client', 3, 7, []],
  ]);
});

test('many jobs keep their order and are what a lone one would be', async () => {
  const queue = await database.schema();
  const at = '2999-01-02T03:04:05.678901Z';
  const inserts = [
    {
      kind: 'work',
      args: {
        text: `quotes " ' \\ {a,b} NULL`,
        big: 2n ** 60n,
        map: new Map([
          ['2', 1],
          ['1', 2],
        ]),
      },
    },
    { kind: 'work', args: null, metadata: { 'storage:a': [1, '"'] }, tags: ['a-b', 'A_9', 'abc'] },
    { kind: 'other', args: [], queue: 'q', priority: 4, maxAttempts: 1, scheduledAt: at },
    { kind: 'held', args: 'text', pending: true },
  ];

  const results = await queue.client.insertMany(inserts);
  const alone = [];
  for (const insert of inserts) alone.push(await queue.client.insert(insert));

  const without = ({ job }: (typeof results)[number]): object => {
    const { id, created_at, scheduled_at, ...rest } = job;
    return rest;
  };
  assert.deepEqual(results.map(without), alone.map(without));
  assert.deepEqual(
    results.map(({ job }) => job.state),
    ['available', 'available', 'scheduled', 'pending'],
  );
  assert.equal(results[2]?.job.scheduled_at, at);
  const ids = results.map(({ job }) => BigInt(job.id));
  assert.deepEqual(
    ids,
    ids.toSorted((one, other) => Number(one - other)),
  );
  const [stored] = await queue.sql(`SELECT args::text FROM S.river_job ORDER BY id LIMIT 1`);
  assert.match(stored?.['args'], /"big": 1152921504606846976/);
});

test('a job with a key that is held is not inserted, and the one that holds it is returned', async () => {
  const queue = await database.schema();
  const unique = { byArgs: ['id'], byQueue: true };
  const first = await queue.client.insert({ kind: 'work', args: { id: 1, note: 'first' }, unique });

  const again = await queue.client.insert({ kind: 'work', args: { id: 1, note: 'second' }, unique, priority: 4 });
  const other = await queue.client.insert({ kind: 'work', args: { id: 2 }, unique });
  const elsewhere = await queue.client.insert({ kind: 'work', args: { id: 1 }, unique, queue: 'q' });

  assert.deepEqual(
    [first, again, other, elsewhere].map((result) => result.is_duplicate),
    [false, true, false, false],
  );
  assert.deepEqual(again.job, first.job);
  const [row] = await queue.sql(
    `SELECT octet_length(unique_key) AS bytes, unique_states::text AS states FROM S.river_job ORDER BY id LIMIT 1`,
  );
  assert.deepEqual(row, { bytes: 32, states: '11110101' });
});

test('states that were chosen are stored bit by bit, and hold the key only in them', async () => {
  const queue = await database.schema();
  const byState = ['available', 'pending', 'running', 'scheduled', 'completed'] as const;
  const job = { kind: 'work', args: {}, unique: { byArgs: true, byState } };
  const { job: first } = await queue.client.insert(job);

  await queue.sql(`UPDATE S.river_job SET state = 'completed', finalized_at = now() WHERE id = $1`, [first.id]);
  const whileCompleted = await queue.client.insert(job);
  await queue.sql(`UPDATE S.river_job SET state = 'discarded' WHERE id = $1`, [first.id]);
  const whileDiscarded = await queue.client.insert(job);

  assert.deepEqual([whileCompleted.is_duplicate, whileDiscarded.is_duplicate], [true, false]);
  const rows = await queue.sql(`SELECT DISTINCT unique_states::text AS states FROM S.river_job`);
  assert.deepEqual(rows, [{ states: '11010101' }]);
});

test('a duplicate of another kind leaves the kind of the job that is there', async () => {
  const queue = await database.schema();
  const unique = { byArgs: true, excludeKind: true };
  const { job } = await queue.client.insert({ kind: 'work', args: { id: 1 }, unique });

  const duplicate = await queue.client.insert({ kind: 'other', args: { id: 1 }, unique });

  assert.deepEqual([duplicate.is_duplicate, duplicate.job.id, duplicate.job.kind], [true, job.id, 'work']);
  assert.equal((await queue.client.get(job.id)).kind, 'work');
});

test('of a batch with repeated keys the first is inserted and the others are its duplicates', async () => {
  const queue = await database.schema();
  const unique = { byArgs: true };
  await queue.client.insert({ kind: 'work', args: { n: 3 }, unique });

  const results = await queue.client.insertMany(
    [1, 3, 2, 1, 0, 3].map((n) => ({ kind: 'work', args: { n }, ...(n === 0 ? {} : { unique }) })),
  );

  assert.deepEqual(
    results.map(({ job, is_duplicate }) => [(job.args as { n: number }).n, is_duplicate]),
    [
      [1, false],
      [3, true],
      [2, false],
      [1, true],
      [0, false],
      [3, true],
    ],
  );
  assert.equal(results[3]?.job.id, results[0]?.job.id);
  assert.equal((await queue.sql('SELECT FROM S.river_job')).length, 4);
});

test('a period makes one job of many, by the clock of the client or by the time of the job', async () => {
  const queue = await database.schema();
  let now = Date.parse('2026-01-02T03:59:59Z');
  const clock = { now: () => now, monotonic: () => now, after: () => () => undefined };
  const client = new Client({ database: queue.pool, schema: queue.name, clock });
  const hourly = { kind: 'report', args: {}, unique: { byPeriodSeconds: 3600 } };

  const first = await client.insert(hourly);
  now += 1000;
  const next = await client.insert(hourly);
  const planned = await client.insert({ ...hourly, scheduledAt: '2026-01-02T03:30:00Z' });

  assert.deepEqual(
    [first, next, planned].map((result) => result.is_duplicate),
    [false, false, true],
  );
  assert.equal(planned.job.id, first.job.id);
});

test('many inserters of the same keys in any order insert each once and never block each other for good', async () => {
  const queue = await database.schema();
  const unique = { byArgs: true };
  const keys = Array.from({ length: 200 }, (_, n) => n);

  const results = await Promise.all(
    Array.from({ length: 8 }, async (_, inserter) => {
      const order = inserter % 2 === 0 ? keys : keys.toReversed();
      return await queue.client.insertMany(order.map((n) => ({ kind: 'work', args: { n }, unique })));
    }),
  );

  const inserted = results.flat().filter(({ is_duplicate }) => !is_duplicate);
  assert.equal(inserted.length, keys.length);
  assert.equal((await queue.sql('SELECT FROM S.river_job')).length, keys.length);
});

test('ten thousand jobs are one statement, more are one transaction, and each queue is woken once', async () => {
  const queue = await database.schema();
  const listener = await queue.listen();
  const jobs = Array.from({ length: 10_001 }, (_, n) => ({ kind: 'work', args: { n }, queue: `q${n % 2}` }));

  const results = await queue.client.insertMany(jobs.slice(1));
  const told = await listener.told();
  const bad = queue.client.insertMany([...jobs, { kind: 'work', args: {}, scheduledAt: 'no time' }]);
  await assert.rejects(bad, { code: '22007' });

  assert.deepEqual(told.map((payload) => JSON.parse(payload).queue).toSorted(), ['q0', 'q1']);
  assert.deepEqual(
    results.map(({ job }) => (job.args as { n: number }).n),
    jobs.slice(1).map(({ args }) => args.n),
  );
  assert.equal((await queue.sql('SELECT FROM S.river_job')).length, 10_000, 'of the second call nothing is there');
  const all = await queue.client.insertMany(jobs);
  assert.deepEqual(
    all.map(({ job }) => (job.args as { n: number }).n),
    jobs.map(({ args }) => args.n),
  );
  await listener.end();
});

test('nobody is told of jobs that are pending, far away or duplicates', async () => {
  const queue = await database.schema();
  const unique = { byArgs: true };
  await queue.client.insert({ kind: 'work', args: {}, queue: 'q', unique });
  const listener = await queue.listen();

  await queue.client.insertMany([
    { kind: 'work', args: {}, queue: 'a', pending: true },
    { kind: 'work', args: {}, queue: 'b', scheduledAt: '2999-01-01T00:00:00Z' },
    { kind: 'work', args: {}, queue: 'q', unique },
  ]);

  assert.deepEqual(await listener.told(), []);
  await listener.end();
});

test('what may not be inserted is refused before anything is sent', async () => {
  const queue = await database.schema();
  const bad = { kind: 'work', args: {}, tags: ['a,b'] };

  await assert.rejects(queue.client.insert(bad), { reason: 'invalid_job' });
  await assert.rejects(queue.client.insertMany([{ kind: 'work', args: {} }, bad]), { reason: 'invalid_job' });

  assert.deepEqual(await queue.client.insertMany([]), []);
  assert.deepEqual(await queue.sql('SELECT FROM S.river_job'), []);
});

test('a connection and a connection string serve as well as a pool, and without any there are only transactions', async () => {
  const queue = await database.schema();
  const connection = await queue.pool.connect();
  const job = { kind: 'work', args: {} };
  const bound = new Client({ database: connection, schema: queue.name });
  const own = new Client({ database: database.url, schema: queue.name });
  const unbound = new Client({ schema: queue.name });

  await connection.query('BEGIN');
  const { job: rolledBack } = await bound.insert(job);
  const { job: alsoRolledBack } = await unbound.insertTx(connection, job);
  await connection.query('ROLLBACK');
  const { job: kept } = await own.insert(job);

  await assert.rejects(unbound.insert(job), { reason: 'invalid_option' });
  for (const id of [rolledBack.id, alsoRolledBack.id]) await assert.rejects(own.get(id), { reason: 'not_found' });
  assert.equal((await own.get(kept.id)).kind, 'work');
  await own.close();
  connection.release();
});

test('a role that may only insert and read inserts unique jobs, and a session with a search path of its own too', async () => {
  const queue = await database.schema();
  const role = `queue_inserter_${process.pid}`;
  await queue.sql(`CREATE ROLE ${role} NOLOGIN`);
  await queue.sql(`GRANT USAGE ON SCHEMA ${queue.schema.quoted} TO ${role}`);
  await queue.sql(`GRANT SELECT, INSERT ON S.river_job TO ${role}`);
  await queue.sql(`GRANT UPDATE (kind) ON S.river_job TO ${role}`);
  await queue.sql(`GRANT SELECT ON S.rowlock_worker_lease, S.river_leader TO ${role}`);
  await queue.sql(`GRANT USAGE ON SEQUENCE S.river_job_id_seq TO ${role}`);
  await queue.sql(`GRANT EXECUTE ON FUNCTION S.rowlock_wake_queue TO ${role}`);
  await queue.sql(`CREATE FUNCTION S.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'epoch'::timestamptz $$`);
  const connection = new pg.Client({ connectionString: database.url });
  await connection.connect();
  await connection.query(`SET ROLE ${role}`);
  await connection.query(`SET search_path = ${queue.schema.quoted}, pg_catalog`);
  const unique = { byArgs: true };

  const results = await queue.client.insertManyTx(
    connection,
    [1, 2, 1].map((n) => ({ kind: 'work', args: { n }, unique })),
  );
  const again = await queue.client.insertTx(connection, { kind: 'work', args: { n: 1 }, unique });
  const alone = await queue.client.insertTx(connection, { kind: 'work', args: { n: 1 } });

  assert.deepEqual(
    [...results, again].map(({ is_duplicate }) => is_duplicate),
    [false, false, true, true],
  );
  assert.ok([...results, again, alone].every(({ job }) => !job.scheduled_at.startsWith('1970')));
  await connection.end();
  await queue.sql(`DROP OWNED BY ${role}`);
  await queue.sql(`DROP ROLE ${role}`);
});

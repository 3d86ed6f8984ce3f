import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase, type QueueSchema } from './queue-fixture.test.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

async function lease(queue: QueueSchema, over: string = ''): Promise<void> {
  await queue.sql(`INSERT INTO S.rowlock_worker_lease (client_id, token, queues, expires_at)
    VALUES ('worker', gen_random_uuid(), '{default}', now() + interval '1 minute')`);
  if (over !== '') await queue.sql(`UPDATE S.rowlock_worker_lease SET ${over}`);
}

test('a job is there if and only if its transaction commits, and only then is anybody told', async () => {
  const queue = await database.schema();
  const listener = await queue.listen();
  const client = await database.pool.connect();

  await client.query('BEGIN');
  await queue.client.insertTx(client, { kind: 'work', args: {} });
  await client.query(queue.inSchema(`SELECT S.enqueue_job('work', '{}', 'default')`));
  await client.query('ROLLBACK');
  const afterRollback = [await queue.sql('SELECT FROM S.river_job'), await listener.told()];
  await client.query('BEGIN');
  await queue.client.insertTx(client, { kind: 'work', args: {} });
  const beforeCommit = await listener.told();
  await client.query('COMMIT');

  assert.deepEqual(afterRollback, [[], []]);
  assert.deepEqual(beforeCommit, []);
  assert.equal((await queue.sql('SELECT FROM S.river_job')).length, 1);
  assert.deepEqual(
    (await listener.told()).map((payload) => JSON.parse(payload)),
    [{ queue: 'default' }],
  );
  client.release();
  await listener.end();
});

test('the SQL function inserts what it is given, and the defaults else', async () => {
  const queue = await database.schema();

  await queue.sql(`SELECT S.enqueue_job('version_purge', '{"a": 1}', 'maintenance', 3::smallint, 5::smallint,
    '2999-01-02T03:04:05.678901Z')`);
  await queue.sql(`SELECT S.enqueue_job(kind => 'work', args => '[]', queue => 'default')`);

  const rows = await queue.sql(`SELECT kind, args, queue, priority, max_attempts, state,
    scheduled_at = '2999-01-02T03:04:05.678901Z' AS is_given, scheduled_at = created_at AS is_now
    FROM S.river_job ORDER BY id`);
  assert.deepEqual(rows, [
    {
      kind: 'version_purge',
      args: { a: 1 },
      queue: 'maintenance',
      priority: 3,
      max_attempts: 5,
      state: 'scheduled',
      is_given: true,
      is_now: false,
    },
    {
      kind: 'work',
      args: [],
      queue: 'default',
      priority: 1,
      max_attempts: 25,
      state: 'available',
      is_given: false,
      is_now: true,
    },
  ]);
});

test('both ways make a job available that is due within five seconds or was due before, and schedule a later one', async () => {
  const queue = await database.schema();
  const times = ['-1 hour', '4 seconds', '10 seconds'];

  const states = [];
  for (const time of times) {
    const [row] = await queue.sql(
      `SELECT S.enqueue_job('work', '{}', 'default', scheduled_at => now() + $1::interval) AS id, now() + $1::interval AS at`,
      [time],
    );
    const { state } = await queue.insert({ scheduledAt: row?.['at'] });
    states.push([(await queue.job(row?.['id'])).state, state]);
  }

  assert.deepEqual(states, [
    ['available', 'available'],
    ['available', 'available'],
    ['scheduled', 'scheduled'],
  ]);
});

test('the SQL function refuses kinds, queues and numbers that no client of River would insert', async () => {
  const queue = await database.schema();
  const bad = [
    `'x', '{}', 'default'`,
    `'-work', '{}', 'default'`,
    `'work', '{}', 'Default'`,
    `'work', '{}', 'a__b'`,
    `'work', '{}', ''`,
    `'work', '{}', repeat('q', 65)`,
    `'work', '{}', 'default', 5::smallint`,
    `'work', '{}', 'default', 1::smallint, 0::smallint`,
  ];

  for (const values of bad) {
    await assert.rejects(queue.sql(`SELECT S.enqueue_job(${values})`), { code: '23514' }, values);
  }
  for (const values of [`NULL, '{}', 'default'`, `'work', NULL, 'default'`, `'work', '{}', NULL`]) {
    await assert.rejects(queue.sql(`SELECT S.enqueue_job(${values})`), { code: '23502' }, values);
  }
});

test('nobody is notified as long as every worker of ours that serves the queue is busy', async () => {
  const queue = await database.schema();
  const listener = await queue.listen();
  await lease(queue);

  await queue.insert();
  const whileBusy = await listener.told();
  await queue.sql(`UPDATE S.rowlock_worker_lease SET waiting_queues = '{other}'`);
  await queue.insert();
  const whileWaitingForAnother = await listener.told();
  await queue.sql(`UPDATE S.rowlock_worker_lease SET waiting_queues = '{other,default}'`);
  await queue.insert();
  const whileWaiting = await listener.told();

  assert.deepEqual([whileBusy, whileWaitingForAnother], [[], []]);
  assert.equal(whileWaiting.length, 1);
  await listener.end();
});

test('Go workers are notified: no lease for the queue, an expired one, a leader that is not ours, or a lease that says so', async () => {
  const queue = await database.schema();
  const listener = await queue.listen();
  const counts: Record<string, number> = {};
  const count = async (name: string): Promise<void> => {
    await queue.insert();
    counts[name] = (await listener.told()).length;
  };

  await count('no lease');
  await lease(queue);
  await count('busy');
  await queue.sql(`UPDATE S.rowlock_worker_lease SET queues = '{other}'`);
  await count('serves another queue');
  await queue.sql(`UPDATE S.rowlock_worker_lease SET queues = '{default}', expires_at = now()`);
  await count('expired');
  await queue.sql(`UPDATE S.rowlock_worker_lease SET expires_at = 'infinity'`);
  await queue.sql(`INSERT INTO S.river_leader VALUES (now(), now() + interval '1 minute', 'worker')`);
  await count('leads itself');
  await queue.sql(`UPDATE S.river_leader SET leader_id = 'go_client'`);
  await count('Go leads');
  await queue.sql(`UPDATE S.river_leader SET expires_at = now()`);
  await count('Go has led');
  await queue.sql(`UPDATE S.rowlock_worker_lease SET notify_always = true`);
  await count('says so');

  assert.deepEqual(counts, {
    'no lease': 1,
    busy: 0,
    'serves another queue': 1,
    expired: 1,
    'leads itself': 0,
    'Go leads': 1,
    'Go has led': 0,
    'says so': 1,
  });
  await listener.end();
});

test('a transaction with an old snapshot notifies, since it may not see who went to sleep', async () => {
  const queue = await database.schema();
  const listener = await queue.listen();
  await lease(queue);
  const client = await database.pool.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');

  await client.query(queue.inSchema(`SELECT S.enqueue_job('work', '{}', 'default')`));
  await client.query('COMMIT');

  assert.equal((await listener.told()).length, 1);
  client.release();
  await listener.end();
});

test('many jobs in one transaction are one notification for each queue, and scheduled ones are none', async () => {
  const queue = await database.schema();
  const listener = await queue.listen();

  await queue.sql(`SELECT S.enqueue_job('work', '{}', 'q' || n % 2) FROM generate_series(1, 50) AS n`);
  await queue.sql(`SELECT S.enqueue_job('work', '{}', 'q3', scheduled_at => now() + interval '1 hour')`);

  const queues = (await listener.told()).map((payload) => JSON.parse(payload).queue);
  assert.deepEqual(queues.toSorted(), ['q0', 'q1']);
  await listener.end();
});

test('a set of jobs is one statement with one notification, in the order of its arguments', async () => {
  const queue = await database.schema();
  const listener = await queue.listen();
  await queue.sql('CREATE TABLE S.events (n integer)');
  await queue.sql(`CREATE FUNCTION S.inserted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM S.enqueue_jobs('work', array_agg(to_jsonb(n) ORDER BY n DESC), 'default', 3::smallint, 5::smallint)
    FROM new_rows;
    RETURN NULL;
  END $$`);
  await queue.sql(`CREATE TRIGGER inserted AFTER INSERT ON S.events REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION S.inserted()`);

  await queue.sql('INSERT INTO S.events SELECT n FROM generate_series(1, 3) AS n');
  await queue.sql('INSERT INTO S.events SELECT 1 WHERE false');

  const rows = await queue.sql('SELECT args, kind, queue, priority, max_attempts, state FROM S.river_job ORDER BY id');
  const expected = [3, 2, 1].map((args) => ({
    args,
    kind: 'work',
    queue: 'default',
    priority: 3,
    max_attempts: 5,
    state: 'available',
  }));
  assert.deepEqual(rows, expected);
  assert.deepEqual(
    (await listener.told()).map((payload) => JSON.parse(payload)),
    [{ queue: 'default' }],
  );
  await listener.end();
});

test('a set of jobs says how many it has, schedules those that are far away, and refuses what one job may not be', async () => {
  const queue = await database.schema();
  const listener = await queue.listen();
  const count = async (values: string): Promise<number> =>
    Number((await queue.sql(`SELECT S.enqueue_jobs(${values}) AS count`))[0]?.['count']);

  const counts = [
    await count(`'work', ARRAY['1', '2']::jsonb[], 'default', scheduled_at => now() + interval '1 hour'`),
    await count(`'work', '{}', 'default'`),
    await count(`'work', NULL, 'default'`),
  ];
  const told = await listener.told();

  assert.deepEqual([counts, told], [[2, 0, 0], []]);
  assert.deepEqual(await queue.sql('SELECT DISTINCT state FROM S.river_job'), [{ state: 'scheduled' }]);
  for (const [values, code] of [
    [`'x', ARRAY['1']::jsonb[], 'default'`, '23514'],
    [`'work', ARRAY['1']::jsonb[], 'Default'`, '23514'],
    [`'work', ARRAY['1', NULL]::jsonb[], 'default'`, '23502'],
    [`'work', ARRAY['1']::jsonb[], NULL`, '23502'],
  ] as const) {
    await assert.rejects(count(values), { code }, values);
  }
  await listener.end();
});

test('the SQL functions are nobody’s but the owner’s until they are granted', async () => {
  const queue = await database.schema();
  const role = `queue_caller_${process.pid}`;
  await queue.sql(`CREATE ROLE ${role}`);
  await queue.sql(`GRANT USAGE ON SCHEMA ${queue.schema.quoted} TO ${role}`);
  const client = await database.pool.connect();
  await client.query(`SET ROLE ${role}`);

  const calls = [`enqueue_job('work', '{}', 'default')`, `enqueue_jobs('work', '{}', 'default')`];
  for (const call of calls) {
    const message = new RegExp(`for function ${call.split('(')[0]}`);
    await assert.rejects(client.query(queue.inSchema(`SELECT S.${call}`)), { code: '42501', message });
  }

  await client.query('RESET ROLE');
  client.release();
  await queue.sql(`DROP OWNED BY ${role}`);
  await queue.sql(`DROP ROLE ${role}`);
});

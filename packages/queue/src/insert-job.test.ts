import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { insertJob } from './insert-job.ts';
import { QueueDatabase, type QueueSchema } from './queue-fixture.test.ts';
import { listenTo } from './statements/listen.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

/** Listens like a Go worker; `told` returns the payloads that have come before an own mark that is sent last. */
async function listen(queue: QueueSchema): Promise<{ told(): Promise<string[]>; end(): Promise<void> }> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await listenTo(client, queue.schema, 'river_insert');
  const payloads: string[] = [];
  client.on('notification', ({ payload = '' }) => {
    payloads.push(payload);
    if (payload === 'mark') client.emit('marked');
  });
  return {
    told: async () => {
      const marked = once(client, 'marked');
      await client.query('SELECT pg_notify($1, $2)', [`${queue.name}.river_insert`, 'mark']);
      await marked;
      return payloads.splice(0).filter((payload) => payload !== 'mark');
    },
    end: async () => await client.end(),
  };
}

async function lease(queue: QueueSchema, over: string = ''): Promise<void> {
  await queue.sql(`INSERT INTO S.rowlock_worker_lease (client_id, token, queues, expires_at)
    VALUES ('worker', gen_random_uuid(), '{default}', now() + interval '1 minute')`);
  if (over !== '') await queue.sql(`UPDATE S.rowlock_worker_lease SET ${over}`);
}

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

test('a job is there if and only if its transaction commits, and only then is anybody told', async () => {
  const queue = await database.schema();
  const listener = await listen(queue);
  const client = await database.pool.connect();

  await client.query('BEGIN');
  await insertJob(client, { schema: queue.name, kind: 'work', args: {} });
  await client.query(queue.inSchema(`SELECT S.enqueue_job('work', '{}', 'default')`));
  await client.query('ROLLBACK');
  const afterRollback = [await queue.sql('SELECT FROM S.river_job'), await listener.told()];
  await client.query('BEGIN');
  await insertJob(client, { schema: queue.name, kind: 'work', args: {} });
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
  const listener = await listen(queue);
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
  const listener = await listen(queue);
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
  const listener = await listen(queue);
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
  const listener = await listen(queue);

  await queue.sql(`SELECT S.enqueue_job('work', '{}', 'q' || n % 2) FROM generate_series(1, 50) AS n`);
  await queue.sql(`SELECT S.enqueue_job('work', '{}', 'q3', scheduled_at => now() + interval '1 hour')`);

  const queues = (await listener.told()).map((payload) => JSON.parse(payload).queue);
  assert.deepEqual(queues.toSorted(), ['q0', 'q1']);
  await listener.end();
});

test('the SQL function is nobody’s but the owner’s until it is granted', async () => {
  const queue = await database.schema();
  const role = `queue_caller_${process.pid}`;
  await queue.sql(`CREATE ROLE ${role}`);
  await queue.sql(`GRANT USAGE ON SCHEMA ${queue.schema.quoted} TO ${role}`);
  const client = await database.pool.connect();
  await client.query(`SET ROLE ${role}`);

  const call = client.query(queue.inSchema(`SELECT S.enqueue_job('work', '{}', 'default')`));

  await assert.rejects(call, { code: '42501', message: /for function enqueue_job/ });
  await client.query('RESET ROLE');
  client.release();
  await queue.sql(`DROP OWNED BY ${role}`);
  await queue.sql(`DROP ROLE ${role}`);
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { Observation } from '../worker/observation.ts';
import type { DutyContext } from './duty-context.ts';
import { FleetRescuer } from './fleet-rescuer.ts';
import { dutyContext } from './leader-fixture.test.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const hourMs = 3_600_000;
const kinds = {
  timeouts: new Map([
    ['work', 60_000],
    ['long', 3 * hourMs],
    ['endless', null],
  ]),
  retrySeconds: (): undefined => undefined,
};

function rescuerOf(context: DutyContext): FleetRescuer {
  return new FleetRescuer(context, kinds, hourMs);
}

/** A job that a client of Go has been running for a while. */
async function running(
  queue: QueueSchema,
  { kind = 'work', since = '2 hours', over = '', by = 'go' },
): Promise<string> {
  const { id } = await queue.insert({ kind });
  await queue.sql(
    `UPDATE S.river_job SET state = 'running', attempt = 1, attempted_at = now() - $2::interval,
       attempted_by = ARRAY[$3::text] ${over} WHERE id = $1`,
    [id, since, by],
  );
  return id;
}

const lastAttempt = ', max_attempts = 1';
const cancelAsked = `, metadata = '{"cancel_attempted_at": "2026-01-02T03:04:05Z"}'`;

test('what a dead client of Go left is rescued after an hour, and not before', async () => {
  const queue = await database.schema();
  const old = await running(queue, {});
  const young = await running(queue, { since: '59 minutes' });

  const count = await rescuerOf(dutyContext(queue)).rescue();

  assert.equal(count, 1);
  const job = await queue.job(old);
  assert.equal(job.state, 'available'); // due in a second, and held back until then by its time
  assert.equal(job.errors[0]?.error, 'Stuck job rescued by JobRescuer');
  assert.deepEqual(job.metadata, { 'river:rescue_count': 1 });
  assert.equal((await queue.job(young)).state, 'running');
});

test('the jobs of a worker whose lease lives are left alone, however long they take', async () => {
  const queue = await database.schema();
  await queue.sql(
    `INSERT INTO S.rowlock_worker_lease (client_id, token, queues, expires_at)
     VALUES ('alive', gen_random_uuid(), '{default}', now() + interval '1 minute')`,
  );
  const id = await running(queue, { by: 'alive', since: '2 days' });

  const count = await rescuerOf(dutyContext(queue)).rescue();

  assert.equal(count, 0);
  assert.equal((await queue.job(id)).state, 'running');
});

test('a kind with a longer time limit is left alone until that is over, and one without a limit for ever', async () => {
  const queue = await database.schema();
  const within = await running(queue, { kind: 'long', since: '2 hours' });
  const beyond = await running(queue, { kind: 'long', since: '4 hours' });
  const endless = await running(queue, { kind: 'endless', since: '1 year' });

  await rescuerOf(dutyContext(queue)).rescue();

  assert.equal((await queue.job(within)).state, 'running');
  assert.equal((await queue.job(beyond)).state, 'available');
  assert.equal((await queue.job(endless)).state, 'running');
});

test('an unknown kind runs again while it has attempts left, and is never discarded', async () => {
  const queue = await database.schema();
  const observations: Observation[] = [];
  const left = await running(queue, { kind: 'go_only' });
  const last = await running(queue, { kind: 'go_only', over: lastAttempt });
  const rescuer = rescuerOf(dutyContext(queue, { observe: (observation) => observations.push(observation) }));

  await rescuer.rescue();
  await rescuer.rescue();

  assert.equal((await queue.job(left)).state, 'available');
  assert.equal((await queue.job(last)).state, 'running');
  const told = observations.filter(({ event }) => event === 'job_left_running');
  assert.deepEqual(told, [{ event: 'job_left_running', id: last, kind: 'go_only', client_id: 'go' }]);
});

test('a known kind without attempts left is discarded', async () => {
  const queue = await database.schema();
  const id = await running(queue, { over: lastAttempt });

  await rescuerOf(dutyContext(queue)).rescue();

  const job = await queue.job(id);
  assert.equal(job.state, 'discarded');
  assert.notEqual(job.finalized_at, null);
});

test('a stuck job whose cancellation was asked for is cancelled, whatever its kind, limit and attempts', async () => {
  const queue = await database.schema();
  const ids = [
    await running(queue, { over: cancelAsked }),
    await running(queue, { over: cancelAsked + lastAttempt }),
    await running(queue, { kind: 'go_only', over: cancelAsked + lastAttempt }),
    await running(queue, { kind: 'endless', over: cancelAsked }),
  ];

  await rescuerOf(dutyContext(queue)).rescue();

  for (const id of ids) assert.equal((await queue.job(id)).state, 'cancelled');
});

test('a job that is finished or claimed again while it is being rescued keeps what it became', async () => {
  const queue = await database.schema();
  const [finished, claimed] = [await running(queue, {}), await running(queue, {})];
  const pool = new Proxy(queue.pool, {
    get: (target, key) => {
      if (key !== 'connect') return Reflect.get(target, key, target).bind(target);
      return async () => {
        await queue.sql(`UPDATE S.river_job SET state = 'completed', finalized_at = now() WHERE id = $1`, [finished]);
        await queue.sql(`UPDATE S.river_job SET attempt = 2, attempted_by = '{go,other}' WHERE id = $1`, [claimed]);
        return await target.connect();
      };
    },
  });

  const count = await rescuerOf(dutyContext(queue, { pool })).rescue();

  assert.equal(count, 0);
  assert.equal((await queue.job(finished)).state, 'completed');
  const job = await queue.job(claimed);
  assert.equal(job.state, 'running');
  assert.deepEqual(job.errors, []);
});

test('more jobs than a page holds are rescued, past a page of jobs that have to be left', async () => {
  const queue = await database.schema();
  await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts, attempt, state, attempted_at, attempted_by)
     SELECT CASE WHEN number <= 1200 THEN 'go_only' ELSE 'work' END, '{}', 1 + 24 * (number / 1201), 1, 'running',
       now() - interval '2 hours', '{go}' FROM generate_series(1, 2400) AS number`,
  );

  const count = await rescuerOf(dutyContext(queue)).rescue();

  assert.equal(count, 1200);
});

test('a rescuer whose term has ended does nothing', async () => {
  const queue = await database.schema();
  const id = await running(queue, {});
  const context = dutyContext(queue);
  context.term.end();

  const count = await rescuerOf(context).rescue();

  assert.equal(count, 0);
  assert.equal((await queue.job(id)).state, 'running');
});

import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { QueueDatabase } from '../queue-fixture.test.ts';
import { systemClock } from '../worker/clock.ts';
import { Duties } from './duties.ts';
import { maintenanceTerms } from './maintenance-options.ts';
import { PeriodicJobs } from './periodic-jobs.ts';
import { Term } from './term.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

test('duties end though more of them are under way than there are connections for them', async () => {
  const queue = await database.schema();
  const table = queue.inSchema('S.river_job');
  const term = new Term(systemClock, { client_id: 'me', elected_at: '2026-01-02' }, Number.POSITIVE_INFINITY);
  const other = await database.pool.connect();
  await other.query('BEGIN');
  await other.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  // All begin at the same moment; a third one has no connection by then.
  const duties = new Duties(queue.context({ random: () => 0 }), term, {
    maintenance: maintenanceTerms({}, null),
    periodicJobs: new PeriodicJobs(),
    timeouts: new Map(),
    retrySeconds: () => undefined,
  });
  const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = '${table}'::regclass`;
  await until(async () => (await database.pool.query(waiting)).rowCount === 2, {
    what: 'two duties wait for the lock',
  });

  let isEnded = false;
  const ended = duties.ended().then(() => {
    isEnded = true;
  });

  await until(() => isEnded, { what: 'the duties have ended' }).finally(async () => {
    await other.query('COMMIT');
    other.release();
  });
  await ended;
});

/** What one engine inserts the other works: options, order, transactions, triggers, and kinds that nobody knows. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { JobInsertOptions } from '@rowlock/queue';
import { GoRiverError, goRiverNewest, requires, until } from '@rowlock/test-harness';
import { type BesideGo, GoDatabase, type JobRecord, versions } from './beside-go.ts';

const tagChars = ['abc', 'A-z_9', '0__0', `${'x'.repeat(254)}y`];
/** The same jobs as each engine is told of them. */
const sameJobs: readonly (readonly [Partial<JobInsertOptions>, Readonly<Record<string, unknown>>])[] = [
  [{}, {}],
  [
    { args: { html: '<é>\u2028', n: 1.5 }, metadata: { a: { b: [1] } } },
    { args: { html: '<é>\u2028', n: 1.5 }, metadata: { a: { b: [1] } } },
  ],
  [
    { queue: 'q', priority: 4, maxAttempts: 3, tags: tagChars },
    { queue: 'q', priority: 4, max_attempts: 3, tags: tagChars },
  ],
  [{ scheduledAt: '2100-01-01T00:00:00.123456Z' }, { scheduled_at: '2100-01-01T00:00:00.123456Z' }],
  [{ pending: true }, { pending: true }],
  [
    { pending: true, scheduledAt: '2100-01-01T00:00:00Z' },
    { pending: true, scheduled_at: '2100-01-01T00:00:00Z' },
  ],
  [
    { args: { n: 1 }, unique: { byArgs: true } },
    { args: { n: 1 }, unique: { by_args: true } },
  ],
  [
    { unique: { byQueue: true, byState: ['available', 'pending', 'running', 'scheduled'] } },
    { unique: { by_queue: true, states: ['available', 'pending', 'running', 'scheduled'] } },
  ],
];
const trigger = (body: string): string => `
  CREATE TABLE S.events (n integer);
  CREATE FUNCTION S.on_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NULL; END $$;
  CREATE TRIGGER on_event AFTER INSERT ON S.events FOR EACH ROW EXECUTE FUNCTION S.on_event()`;

for (const version of versions) {
  describe(`inserting and working beside River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;
    let place: BesideGo;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    test('what Go inserts, alone, as many and fast, is worked here', async () => {
      place = await database.place(version);
      const { observations } = await place.startOurs({ queues: { ts: { maxWorkers: 4 } } });

      const id = await place.insertGo({ queue: 'ts', args: { n: 1 }, tags: tagChars, metadata: { from: 'go' } });
      const jobs = Array.from({ length: 20 }, (_, n) => ({ kind: 'scripted', queue: 'ts', args: { n } }));
      const many = await place.go.ask<readonly { readonly id: string }[]>('insert_many', { jobs });
      const fast = await place.go.ask<{ readonly count: number }>('insert_fast', { jobs });
      await until(async () => (await unfinished(place)) === 0, { what: 'every job is completed', timeoutMs: 30_000 });

      const job = await place.job(id);
      assert.equal(many.length + fast.count, 40);
      assert.deepEqual(job.tags, tagChars);
      assert.deepEqual(job.metadata, { from: 'go' });
      assert.equal(job.state, 'completed');
      assert.equal(observations.filter(({ event }) => event === 'job_settled').length, 41);
    });

    test('what is inserted here is worked by Go, with every option', async () => {
      place = await database.place(version);
      await place.startGo({ queues: { go: 4 } });
      const options = { queue: 'go', args: { text: '<é>\u2028', big: 2 ** 40 } };
      const rest = { priority: 4, maxAttempts: 3, tags: tagChars, metadata: { a: 1 } };

      const id = await place.insertOurs({ ...options, ...rest });
      const later = await place.insertOurs({ ...options, scheduledAt: new Date(Date.now() + 1500) });
      await place.jobIn(id, 'completed');
      const { attempted_at, scheduled_at } = await place.jobIn(later, 'completed');

      const seen = await place.go.ask<Record<string, unknown>>('get', { id });
      assert.deepEqual(seen['args'], options.args);
      assert.deepEqual(seen['tags'], tagChars);
      assert.deepEqual([seen['priority'], seen['max_attempts'], seen['attempt']], [4, 3, 1]);
      assert.ok((attempted_at ?? '') >= scheduled_at, 'not before its time');
    });

    test('a job inserted here has the row that Go writes for it', async () => {
      place = await database.place(version);

      for (const [ours, theirs] of sameJobs) {
        const [here, there] = [await place.insertOurs(ours), await place.insertGo(theirs)];
        assert.deepEqual(asInserted(await place.job(here)), asInserted(await place.job(there)));
        await place.sql('DELETE FROM S.river_job'); // for those that are unique
      }
    });

    test('tags that the statement of Go could not carry are refused by both before anything is written', async () => {
      place = await database.place(version);

      for (const tag of ['a,b', 'ab', '-ab', 'a b c', 'é1é', 'x'.repeat(256)]) {
        await assert.rejects(place.insertGo({ tags: [tag] }), GoRiverError, tag);
        await assert.rejects(place.insertOurs({ tags: [tag] }), { reason: 'invalid_job' }, tag);
      }
      assert.equal((await place.sql('SELECT FROM S.river_job')).length, 0);
    });

    test('jobs are done and told of only when the transaction that inserted them has been committed', async () => {
      place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 4 } } });
      await place.startGo({ queues: { go: 4 }, fetch_poll_ms: 60_000 });
      await place.go.ask('listen');
      const client = await place.pool.connect();

      await place.go.ask('begin', { tx: 'kept' });
      const kept = await place.insertGo({ queue: 'ts', tx: 'kept' });
      await place.go.ask('execute', { tx: 'kept', sql: 'SAVEPOINT before_it' });
      const undone = await place.insertGo({ queue: 'ts', tx: 'kept' });
      await place.go.ask('execute', { tx: 'kept', sql: 'ROLLBACK TO SAVEPOINT before_it' });
      await place.go.ask('begin', { tx: 'dropped' });
      const dropped = await place.insertGo({ queue: 'ts', tx: 'dropped' });
      await client.query('BEGIN');
      const ours = (await place.client.insertTx(client, { kind: 'scripted', queue: 'go', args: {} })).job.id;
      const toldBefore = place.go.events.filter(({ event }) => event === 'notification').length;
      await place.go.ask('rollback', { tx: 'dropped' });
      await place.go.ask('commit', { tx: 'kept' });
      await client.query('COMMIT');
      client.release();

      await place.jobIn(kept, 'completed');
      await place.jobIn(ours, 'completed');
      const rows = await place.sql('SELECT id::text FROM S.river_job ORDER BY id');
      assert.deepEqual(
        rows.map(({ id }) => id),
        [kept, ours].sort((a, b) => Number(a) - Number(b)),
      );
      assert.ok(![undone, dropped].includes(kept));
      assert.equal(toldBefore, 0);
    });

    test('a bare INSERT of a trigger, and our function, are worked by both engines', async () => {
      place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 4 } } });
      await place.startGo({ queues: { go: 4 } });
      await place.sql(
        trigger(`
          INSERT INTO S.river_job (args, kind, max_attempts, priority, queue, scheduled_at, state)
          SELECT jsonb_build_object('n', NEW.n), 'scripted', 25, 1, queue, now(), 'available' FROM unnest('{ts,go}'::text[]) AS queue;
          PERFORM S.enqueue_job('scripted', jsonb_build_object('n', NEW.n), queue) FROM unnest('{ts,go}'::text[]) AS queue;`),
      );

      await place.sql('INSERT INTO S.events SELECT generate_series(1, 5)');

      await until(async () => (await unfinished(place)) === 0, { what: 'every job is completed', timeoutMs: 30_000 });
      assert.equal((await place.sql('SELECT count(*)::int FROM S.river_job'))[0]?.['count'], 20);
    });

    test('one slot takes jobs by priority, then by time, then by id, in either engine', async () => {
      for (const engine of ['ts', 'go'] as const) {
        place = await database.place(version);
        const expected: string[] = [];
        for (const [priority, ago] of [
          [1, 60],
          [1, 30],
          [1, 30],
          [2, 300],
          [3, 10],
          [4, 900],
        ] as const) {
          const at = `now() - interval '${ago} s'`;
          const [row] = await place.sql(
            `INSERT INTO S.river_job (args, kind, max_attempts, priority, queue, scheduled_at, state)
             VALUES ('{}', 'scripted', 25, ${priority}, 'q', date_trunc('minute', now()) - interval '${ago} s', 'available')
             RETURNING id::text, ${at} AS at`,
          );
          expected.push(String(row?.['id']));
        }
        if (engine === 'ts') await place.startOurs({ queues: { q: { maxWorkers: 1 } } });
        else await place.startGo({ queues: { q: 1 } });

        await until(async () => (await unfinished(place)) === 0, { what: 'every job is completed', timeoutMs: 30_000 });
        const order = await place.sql('SELECT id::text FROM S.river_job ORDER BY attempted_at');
        assert.deepEqual(
          order.map(({ id }) => id),
          expected,
          engine,
        );
      }
    });

    test('a worker of known kinds only leaves the others available, in either engine', {
      skip: version !== goRiverNewest,
    }, async () => {
      place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 1 } }, fetchOnlyKnownKinds: true });
      await place.startGo({ queues: { go: 1 }, known_kinds_only: true });
      const strange = [
        await place.insertGo({ kind: 'nobodys', queue: 'ts' }),
        await place.insertGo({ kind: 'nobodys', queue: 'go' }),
      ];
      const known = [
        await place.insertGo({ queue: 'ts', priority: 4 }),
        await place.insertGo({ queue: 'go', priority: 4 }),
      ];

      for (const id of known) await place.jobIn(id, 'completed');

      for (const id of strange) {
        const { state, attempt } = await place.job(id);
        assert.deepEqual([state, attempt], ['available', 0]);
      }
    });

    test('a job of a kind that is unknown fails with the same words in either engine', async () => {
      place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 1 } } });
      await place.startGo({ queues: { go: 1 } });

      const here = await place.insertGo({ kind: 'nobodys', queue: 'ts' });
      const there = await place.insertOurs({ kind: 'nobodys', queue: 'go' });

      const [ours, theirs] = [await place.failed(here), await place.failed(there)];
      assert.equal(ours.errors?.[0]?.error, "job kind is not registered in the client's Workers bundle: nobodys");
      assert.equal(ours.errors?.[0]?.error, theirs.errors?.[0]?.error);
      assert.deepEqual([ours.state, ours.attempt], [theirs.state, theirs.attempt]);
    });
  });
}

/** A row that nobody has worked yet, without what no two inserts share. */
function asInserted({ id: _, created_at, due_in, scheduled_at, ...row }: JobRecord): unknown {
  const isNow = Math.abs(Date.parse(created_at) - Date.now()) < 60_000;
  return { ...row, created: isNow, scheduled: due_in > 60 ? scheduled_at : 'now' };
}

async function unfinished(place: BesideGo): Promise<number> {
  const [row] = await place.sql(`SELECT count(*)::int AS n FROM S.river_job WHERE state <> 'completed'`);
  return Number(row?.['n']);
}

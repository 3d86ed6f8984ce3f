/** In which order changes are read, from when on, how long cursors are good, and who is woken. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Change, ChangePage } from '@rowlock/client/contract';
import { createMigratedDatabase, until } from '@rowlock/test-harness';
import { ChangedDatabase, putObject, service, told, user } from './changed-database.ts';

let site: ChangedDatabase;

before(async () => {
  site = await ChangedDatabase.create();
});
after(() => site.drop());

describe('the order of changes', () => {
  test('what committed is withheld while an older transaction runs, and then comes in its place', async () => {
    const [first, second] = [await site.connect(), await site.connect()];
    const since = await site.now();
    await first.query('BEGIN');
    await putObject(first, 'vault/order-long', 'olivia');
    await putObject(second, 'vault/order-short', 'olivia');

    const during = await site.pageNow(service, since);
    await first.query('COMMIT');
    const afterwards = await site.page(service, since);

    assert.deepEqual(during.changes, [], 'neither the one that is not committed nor the one behind it');
    assert.deepEqual(
      afterwards.changes.map(({ path }) => path),
      ['order-long', 'order-short'],
    );
    assert.deepEqual((await site.page(service, during.cursor)).changes, afterwards.changes, 'the cursor lost neither');
  });

  test('what is rolled back was never there', async () => {
    const client = await site.connect();
    const since = await site.now();
    await client.query('BEGIN');
    await putObject(client, 'vault/undone', 'olivia');
    await client.query('SAVEPOINT kept');
    await client.query('ROLLBACK');

    assert.deepEqual(await site.read(service, since), []);
  });

  test('pages of every size tell the same, and a cursor is as good as the page that it came with', async () => {
    const client = await site.connect();
    const since = await site.now();
    for (let i = 0; i < 7; i += 1) await putObject(client, `vault/paged-${i % 3}`, 'olivia');
    const whole = await site.read(service, since);

    for (const rows of [1, 2, 3, 7, 8]) {
      const found: Change[] = [];
      let page = await site.page(service, since, { rows });
      for (;;) {
        found.push(...page.changes);
        if (!page.more) break;
        page = await site.page(service, page.cursor, { rows });
      }
      assert.deepEqual(found, whole, `${rows} at a time`);
    }
    for (const [place, { cursor }] of whole.entries()) {
      assert.deepEqual(await site.read(service, cursor), whole.slice(place + 1));
    }
    assert.equal(whole.length, 7);
  });
});

describe('cursors', () => {
  const reasonOf = async (since: string): Promise<unknown> => {
    const refusal: unknown = await site.page(service, since).catch((error: unknown) => error);
    return (refusal as { readonly message?: string }).message;
  };

  test('what is no cursor is refused', async () => {
    for (const since of ['', 'x', 'now', '00000000:1', "'; --", '0000000g:1:1', ' oldest', 'latest']) {
      assert.equal(await reasonOf(since), 'invalid_request', since);
    }
  });

  test('a cursor of another database, or ahead of this one, is refused as one that has expired', async () => {
    const [epoch, xid, seq] = (await site.now()).split(':');

    assert.equal(await reasonOf(`00000000:${xid}:${seq}`), 'cursor_expired');
    assert.equal(await reasonOf(`${epoch}:${Number(xid) + 1_000_000}:${seq}`), 'cursor_expired');
    assert.notEqual(await reasonOf(`${epoch}:${xid}:${seq}`), 'cursor_expired');
  });

  test('a cursor of a copy of the database has expired here, and the other way round', async () => {
    const copy = await createMigratedDatabase();
    const [row] = await copy.query<{ page: ChangePage }>('SELECT storage.changes_since() AS page');
    const own = await site.now();

    const refusal = copy.query('SELECT storage.changes_since($1)', [own]);

    await assert.rejects(refusal, { code: 'RWLCK', message: 'cursor_expired' });
    assert.equal(await reasonOf(row?.page.cursor ?? ''), 'cursor_expired');
    await copy.drop();
  });

  test('old changes are forgotten in order, and a cursor before them has expired', async () => {
    const client = await site.connect();
    const before = await site.now();
    await putObject(client, 'vault/old-1', 'olivia');
    await putObject(client, 'vault/old-2', 'olivia');
    const [first, second] = await site.read(service, before);
    await site.database.query(
      "UPDATE storage.changes SET occurred_at = now() - interval '8 days' WHERE name = 'old-2'",
    );
    await site.settle();
    const keptForTheFirst = await site.database.query('SELECT storage_internal.changes_expire(1000) AS deleted');
    await site.database.query("UPDATE storage.changes SET occurred_at = now() - interval '8 days'");
    await putObject(client, 'vault/young', 'olivia');
    await site.settle();

    let deleted = 0;
    for (let batch = 1; batch !== 0; deleted += batch) {
      const [row] = await site.database.query<{ deleted: string }>(
        'SELECT storage_internal.changes_expire(1) AS deleted',
      );
      batch = Number(row?.deleted);
    }

    assert.deepEqual(keptForTheFirst, [{ deleted: '0' }], 'nothing is deleted from the middle');
    assert.ok(deleted >= 2, `${deleted} were deleted`);
    assert.equal(await reasonOf(before), 'cursor_expired');
    assert.equal(await reasonOf(first?.cursor ?? ''), 'cursor_expired');
    assert.deepEqual(
      (await site.read(service, second?.cursor ?? '')).map(({ path }) => path),
      ['young'],
      'who had read all that was forgotten has missed nothing',
    );
    assert.deepEqual(told(await site.read(service, 'oldest')), [['object.created', 'vault', 'young', 1]]);
  });

  test('changes that came with a dump of another cluster are forgotten before they could appear out of turn', async () => {
    await site.database.query(
      `INSERT INTO storage.changes (xid, type, object_id, revision, bucket_id, name)
       VALUES ('9000000000000', 'storage.object.created', gen_random_uuid(), 1, 'vault', 'restored')`,
    );

    await site.database.query('SELECT storage_internal.changes_expire(10)');

    assert.deepEqual(await site.database.query("SELECT FROM storage.changes WHERE name = 'restored'"), []);
  });

  test('a quiet reader whose changes are all hidden moves on, and does not expire', async () => {
    const client = await site.connect();
    const { cursor } = await site.page(user('mallory'), null);
    await putObject(client, 'vault/hidden', 'olivia');
    const page = await site.page(user('mallory'), cursor);
    await site.database.query("UPDATE storage.changes SET occurred_at = now() - interval '8 days'");
    await site.database.query('SELECT storage_internal.changes_expire(1000)');

    assert.deepEqual([page.changes, page.more], [[], false]);
    assert.deepEqual((await site.page(user('mallory'), page.cursor)).changes, []);
  });
});

test('SQL listeners are notified when they said that they listen, and only by who polls', async () => {
  const [listener, client] = [await site.connect(), await site.connect()];
  const notified: string[] = [];
  listener.on('notification', ({ channel }) => notified.push(channel));
  await listener.query('LISTEN rowlock_changes');
  const since = await site.now();
  const poll = async (): Promise<{ newest: string; has_listeners: boolean }> => {
    const [row] = await site.database.query<{ newest: string; has_listeners: boolean }>(
      'SELECT newest, has_listeners FROM storage_internal.changes_poll($1)',
      [since],
    );
    return row ?? assert.fail('no poll');
  };
  const notify = async (newest: string): Promise<unknown> =>
    (await site.database.query<{ done: boolean }>('SELECT storage_internal.changes_notify($1) AS done', [newest]))[0]
      ?.done;
  await putObject(client, 'vault/announced', 'olivia');

  const before = await poll();
  const unheard = await notify(before.newest);
  await site.database.query('SELECT storage.listen_for_changes(60)');
  const heard = await poll();
  const answers = [await notify(heard.newest), await notify(heard.newest)];
  await until(() => notified.length > 0, { what: 'the listener is notified' });

  assert.deepEqual([before.has_listeners, unheard, heard.has_listeners], [false, false, true]);
  assert.deepEqual(answers, [true, false], 'once, however many processes polled');
  assert.deepEqual(notified, ['rowlock_changes']);
});

/** What each caller is told of changes: as much as they could read now, and of what is gone what its owners may know. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { anonymous, ChangedDatabase, type Claims, putObject, service, told, user } from './changed-database.ts';

let site: ChangedDatabase;

before(async () => {
  site = await ChangedDatabase.create();
});
after(() => site.drop());

describe('what a caller is told', () => {
  test('objects of a private bucket are told to whoever can read them, and to nobody else', async () => {
    const client = await site.connect();
    const since = await site.now();
    await putObject(client, 'vault/private', 'olivia');

    for (const claims of [user('olivia'), user('bertha'), service]) {
      assert.deepEqual(
        told(await site.read(claims, since)),
        [['object.created', 'vault', 'private', 1]],
        JSON.stringify(claims),
      );
    }
    for (const claims of [user('mallory'), anonymous, user('')]) {
      assert.deepEqual(await site.read(claims, since), [], JSON.stringify(claims));
    }
  });

  test('a right that is given or taken counts from the next page on, also for what happened before', async () => {
    const client = await site.connect();
    const since = await site.now();
    await putObject(client, 'vault/opened', 'olivia');

    const before = await site.read(anonymous, since);
    await site.database.query("UPDATE storage.buckets SET policy = 'public' WHERE id = 'vault'");
    const opened = await site.read(anonymous, since);
    await site.database.query("UPDATE storage.buckets SET policy = 'private' WHERE id = 'vault'");
    const closed = await site.read(anonymous, since);

    assert.deepEqual([before, told(opened), closed], [[], [['object.created', 'vault', 'opened', 1]], []]);
  });

  test('a deletion tells its id and its bucket, to the owners and the service only', async () => {
    const client = await site.connect();
    const id = await putObject(client, 'plaza/gone', 'olivia');
    const since = await site.now();
    await client.query("DELETE FROM storage.objects WHERE name = 'gone'");

    for (const claims of [user('olivia'), user('bertha'), service]) {
      const [change] = await site.read(claims, since);
      const { timestamp, cursor, ...rest } = change ?? assert.fail('nothing told');
      assert.deepEqual(rest, {
        type: 'storage.object.deleted',
        object_id: id,
        bucket: 'plaza',
        path: null,
        previous_bucket: null,
        size: null,
        content_type: null,
        owner_id: null,
        revision: 2,
      });
    }
    assert.deepEqual(await site.read(anonymous, since), [], 'who could read it is not told');
    assert.deepEqual(await site.read(user('mallory'), since), []);
  });

  test('who sees removals is for the application to say', async () => {
    const client = await site.connect();
    await putObject(client, 'plaza/replaced', 'olivia');
    const since = await site.now();
    await client.query("DELETE FROM storage.objects WHERE name = 'replaced'");
    const { rows } = await client.query<{ text: string }>(
      "SELECT pg_get_functiondef('storage.can_see_removed'::regproc) AS text",
    );

    await site.database.query(`CREATE OR REPLACE FUNCTION storage.can_see_removed(change storage.changes) RETURNS boolean
      LANGUAGE sql STABLE AS $$ SELECT change.bucket_id = 'plaza' $$`);
    const shown = await site.read(anonymous, since);
    await site.database.query(rows[0]?.text ?? '');

    assert.deepEqual(told(shown), [['object.deleted', 'plaza', null, 2]]);
    assert.deepEqual(await site.read(anonymous, since), []);
  });

  test('a move is an update where the object is now, and a removal to the owner of the bucket that it left', async () => {
    const client = await site.connect();
    await putObject(client, 'vault/before', 'olivia');
    const since = await site.now();
    await client.query("UPDATE storage.objects SET bucket_id = 'annex', name = 'behind' WHERE name = 'before'");

    const [own] = await site.read(user('olivia'), since);
    const [left] = await site.read(user('bertha'), since);
    const [arrived] = await site.read(user('arthur'), since);

    assert.deepEqual(told([own ?? assert.fail()]), [['object.updated', 'annex', 'behind', 2]]);
    assert.equal(own?.previous_bucket, 'vault');
    assert.deepEqual(told([left ?? assert.fail()]), [['object.deleted', 'vault', null, 2]], 'not where it went');
    assert.deepEqual(told([arrived ?? assert.fail()]), [['object.updated', 'annex', 'behind', 2]]);
    assert.equal(arrived?.previous_bucket, null, 'not where it came from');
    assert.deepEqual(await site.read(user('mallory'), since), []);
  });

  test('a name that an object no longer has is told to nobody', async () => {
    const client = await site.connect();
    const since = await site.now();
    const id = await putObject(client, 'vault/secret-plan', 'olivia');
    await client.query("UPDATE storage.objects SET bucket_id = 'plaza', name = 'brochure' WHERE id = $1", [id]);

    const shown = await site.read(anonymous, since);
    const everybody = JSON.stringify([shown, await site.read(service, since), await site.read(user('olivia'), since)]);

    assert.deepEqual(told(shown), [['object.updated', 'plaza', 'brochure', 2]]);
    assert.doesNotMatch(everybody, /secret-plan/);
    assert.doesNotMatch(JSON.stringify(shown), /vault/);
  });

  test('of a version that was overwritten, only the owners are told size and type', async () => {
    const client = await site.connect();
    const since = await site.now();
    await putObject(client, 'plaza/twice', 'olivia');
    await putObject(client, 'plaza/twice', 'olivia');

    const sizes = async (claims: Claims): Promise<unknown> =>
      (await site.read(claims, since)).map(({ size, content_type }) => [size, content_type]);

    assert.deepEqual(await sizes(anonymous), [
      [null, null],
      [10, 'text/plain'],
    ]);
    assert.deepEqual(await sizes(user('olivia')), [
      [10, 'text/plain'],
      [10, 'text/plain'],
    ]);
  });

  test('buckets are told to whoever can see them, and a later one of the same name tells nothing of the first', async () => {
    const since = await site.now();
    await site.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('brief', 'bertha')");
    const created = await site.read(user('bertha'), since);
    await site.database.query("DELETE FROM storage.buckets WHERE id = 'brief'");
    const afterDeletion = await site.now();
    await site.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('brief', 'arthur')");

    assert.deepEqual(told(created), [['bucket.created', 'brief', null, null]]);
    assert.deepEqual(told(await site.read(user('bertha'), since)), [
      ['bucket.created', 'brief', null, null],
      ['bucket.deleted', 'brief', null, null],
    ]);
    assert.deepEqual(told(await site.read(user('arthur'), since)), [['bucket.created', 'brief', null, null]]);
    assert.deepEqual(told(await site.read(user('arthur'), afterDeletion)), [['bucket.created', 'brief', null, null]]);
    assert.deepEqual(await site.read(user('mallory'), since), []);
  });

  test('a filter lets through what arrives in a place and what leaves it', async () => {
    const client = await site.connect();
    await putObject(client, 'vault/in-1', 'olivia');
    const since = await site.now();
    await putObject(client, 'vault/out-1', 'olivia');
    await client.query("UPDATE storage.objects SET name = 'out-2' WHERE name = 'in-1'");
    await putObject(client, 'vault/in_2', 'olivia');
    await putObject(client, 'plaza/in-3', 'olivia');

    const found = async (filter: { bucket?: string; prefix?: string }): Promise<unknown> =>
      told((await site.page(user('olivia'), since, filter)).changes);

    assert.deepEqual(await found({ bucket: 'vault', prefix: 'in-' }), [['object.deleted', 'vault', null, 2]]);
    assert.deepEqual(await found({ prefix: 'out-' }), [
      ['object.created', 'vault', 'out-1', 1],
      ['object.updated', 'vault', 'out-2', 2],
    ]);
    assert.deepEqual(await found({ bucket: 'plaza' }), [['object.created', 'plaza', 'in-3', 1]]);
    assert.deepEqual(await found({ bucket: 'plaza', prefix: 'i_' }), [], 'a prefix is literal');
  });

  test('callers reach the rows of the feed by no other way', async () => {
    for (const role of ['anon', 'authenticated', 'service_role']) {
      for (const statement of [
        'SELECT * FROM storage.changes',
        'SELECT * FROM storage.change_feed',
        "SELECT * FROM storage_internal.changes_examined('oldest', 10, NULL, NULL)",
        "SELECT storage_internal.changes_as('service_role', '{}', 'oldest', 10, NULL, NULL)",
        'SELECT storage_internal.changes_expire(10)',
        ...(role === 'service_role' ? [] : ['SELECT storage.listen_for_changes()']),
      ]) {
        const client = await site.connect(site.database.apiUrl);
        await client.query(`SET ROLE ${role}`);
        await assert.rejects(client.query(statement), { code: '42501' }, `${role}: ${statement}`);
      }
    }
  });
});

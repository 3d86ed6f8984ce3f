/**
 * Rows 59, 60 and 103 of the list of attacks, for moves and copies: names and objects of others are neither touched nor
 * told from missing ones, over HTTP and in SQL, and one call works on no more than it may.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type Attacked, assertRefused, attacked } from './standing.ts';

let open: Attacked;

const mallory = { role: 'authenticated', sub: 'mallory' } as const;

before(async () => {
  open = await attacked();
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await open.send('POST', '/storage/v1/bucket', { name: 'plaza', policy: 'public' }, 'olivia');
  await open.send('POST', '/storage/v1/bucket', { name: 'own' }, 'mallory');
  for (const [path, as] of [
    ['files/hidden', 'olivia'],
    ['files/mine', 'mallory'],
    ['vault/hidden', 'olivia'],
    ['plaza/shown', 'olivia'],
    ['own/mine', 'mallory'],
  ] as const) {
    const { status } = await open.service.fetch(`/storage/v1/object/${path}`, { as, method: 'POST', body: path });
    assert.equal(status, 201);
  }
  await open.remember();
});
after(() => open.stop());
afterEach(() => open.assertUnharmed());

const relocate = (what: 'move' | 'copy', from: string, to: string, headers: Record<string, string> = {}) => {
  const [bucketId, sourceKey] = from.split('/');
  const [destinationBucket, destinationKey] = to.split('/');
  return open.service.fetch(`/storage/v1/object/${what}`, {
    as: 'mallory',
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ bucketId, sourceKey, destinationBucket, destinationKey }),
  });
};

test('59 what is known of many objects says the same of hidden and missing ones', async () => {
  const ask = async (bucket: string, name: string): Promise<string> => {
    const answer = await open.send('POST', `/storage/v1/object/info/${bucket}`, { names: [name, name] }, 'mallory');
    return `${answer.status} ${(await answer.text()).replaceAll(name, 'NAME')}`;
  };

  assert.equal(await ask('files', 'hidden'), await ask('files', 'absent'));
  assert.equal(await ask('vault', 'hidden'), await ask('nihil', 'hidden'));
  assert.match(await ask('files', 'mine'), /"content_type"/);
  for (const names of [[], Array.from({ length: 1001 }, () => 'x'), ['../x'], [1]]) {
    assert.equal((await open.send('POST', '/storage/v1/object/info/own', { names }, 'mallory')).status, 400);
  }
});

test('59 signing an upload says the same of hidden and missing buckets and names', async () => {
  const sign = (path: string) => open.send('POST', `/storage/v1/object/upload/sign/${path}`, {}, 'mallory');

  await assertRefused(await sign('vault/hidden'), 404, 'bucket_not_found');
  await assertRefused(await sign('nihil/hidden'), 404, 'bucket_not_found');
  await assertRefused(await sign('plaza/shown'), 409, 'object_exists');
  await assertRefused(await sign('plaza/new'), 403, 'not_allowed');
  for (const name of ['hidden', 'absent']) {
    assert.equal((await sign(`files/${name}`)).status, 200, name);
  }
});

test('59 an info of a public bucket only is of nothing else', async () => {
  const info = (path: string, as?: string) => open.service.fetch(`/storage/v1/object/info/public/${path}`, { as });

  assert.equal((await info('plaza/shown')).status, 200);
  assert.equal((await info('own/mine', 'mallory')).status, 404);
  assert.equal((await info('vault/hidden', 'mallory')).status, 404);
  assert.equal((await info('vault/hidden')).status, 401);
});

test('60 a move or a copy onto a name that is hidden is refused like one onto any taken name', async () => {
  for (const what of ['move', 'copy'] as const) {
    for (const upsert of ['true', 'false']) {
      await assertRefused(
        await relocate(what, 'files/mine', 'files/hidden', { 'x-upsert': upsert }),
        409,
        'object_exists',
      );
      await assertRefused(
        await relocate(what, 'own/mine', 'vault/hidden', { 'x-upsert': upsert }),
        404,
        'bucket_not_found',
      );
      await assertRefused(
        await relocate(what, 'own/mine', 'nihil/hidden', { 'x-upsert': upsert }),
        404,
        'bucket_not_found',
      );
      await assertRefused(await relocate(what, 'own/mine', 'plaza/new', { 'x-upsert': upsert }), 403, 'not_allowed');
    }
    await assertRefused(await relocate(what, 'own/mine', 'plaza/shown', { 'x-upsert': 'true' }), 403, 'not_allowed');
  }
});

test('60 in SQL a move and a copy are judged by the same policies', async () => {
  for (const text of [
    "SELECT storage.move_object('vault', 'hidden', 'own', 'taken')",
    "SELECT storage.copy_object('vault', 'hidden', 'own', 'taken')",
    "SELECT storage.move_object('own', 'mine', 'plaza', 'new')",
    "SELECT storage.move_object('plaza', 'shown', 'own', 'taken')",
    "SELECT storage.copy_object('own', 'mine', 'plaza', 'shown', true)",
    "SELECT storage.move_prefix('vault', '', 'own', 'all/')",
    "SELECT storage.move_prefix('own', '', 'plaza', 'all/')",
    "SELECT storage.copy_prefix('own', '', 'plaza', 'all/')",
    "SELECT storage.delete_prefix('vault', '')",
  ]) {
    await assert.rejects(open.sql(mallory, text), /not_allowed|not_found|policy|only the owner/, text);
  }
  const kept = await open.sql<{ deleted: string; withheld: string }>(
    mallory,
    "SELECT deleted, withheld FROM storage.delete_prefix('plaza', '')",
  );
  assert.deepEqual(kept, [{ deleted: '0', withheld: '1' }]);
});

test('103 one call works on no more objects than it may, and says how many that are', async () => {
  const own = { role: 'authenticated', sub: 'olivia' } as const;
  for (const name of ['many/1', 'many/2', 'many/3']) {
    const { status } = await open.service.fetch(`/storage/v1/object/vault/${name}`, {
      as: 'olivia',
      method: 'POST',
      body: 'x',
    });
    assert.equal(status, 201);
  }
  await open.remember();

  for (const text of [
    "SELECT storage.move_prefix('vault', 'many/', 'vault', 'more/', 2)",
    "SELECT storage.copy_prefix('vault', 'many/', 'vault', 'more/', 2)",
    "SELECT storage.delete_prefix('vault', 'many/', 2)",
  ]) {
    await assert.rejects(open.sql(own, text), /invalid_request/, text);
  }
  const [limits] = await open.database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_proc
     WHERE proname IN ('move_prefix', 'copy_prefix', 'delete_prefix')
       AND pg_get_function_arguments(oid) LIKE '%count_max integer DEFAULT 100000%'`,
  );
  assert.equal(limits?.n, 3);
});

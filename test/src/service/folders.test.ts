/** Whole folders in one call: moved, copied, deleted; atomic, as the caller, and with what is withheld counted. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';

/** Ten thousand and more in a campaign. */
const many = process.env['ROWLOCK_ROUNDS'] === undefined ? 1000 : 10_000;

let service: TestService;

const json = { 'content-type': 'application/json' };

before(async () => {
  service = await startService({ workers: false });
  for (const bucket of [
    { name: 'box' },
    { name: 'other' },
    { name: 'pictures', allowed_mime_types: ['image/*'] },
    { name: 'team', policy: 'authenticated' },
    { name: 'open', public: true },
  ]) {
    assert.equal((await post('bucket', bucket)).status, 201);
  }
});
after(() => service.stop());

const post = (path: string, body: object, as = 'ann') =>
  service.fetch(`/storage/v1/${path}`, { as, method: 'POST', headers: json, body: JSON.stringify(body) });

async function write(bucket: string, names: readonly string[], as = 'ann'): Promise<void> {
  for (const name of names) {
    const path = name.split('/').map(encodeURIComponent).join('/');
    const { status } = await service.fetch(`/storage/v1/object/${bucket}/${path}`, { as, method: 'PUT', body: name });
    assert.ok(status === 201 || status === 200);
  }
}

const namesIn = async (bucket: string): Promise<readonly string[]> =>
  (
    await service.database.query<{ name: string }>(
      'SELECT name FROM storage.objects WHERE bucket_id = $1 ORDER BY name',
      [bucket],
    )
  ).map(({ name }) => name);

const clear = (): Promise<unknown> => service.database.query('DELETE FROM storage.objects');

const folders = (bucketId: string, sourcePrefix: string, destinationBucket: string, destinationPrefix: string) => ({
  bucketId,
  sourcePrefix,
  destinationBucket,
  destinationPrefix,
});

test('a folder moves with everything below it, and nothing that only begins alike', async () => {
  await write('box', ['a/1', 'a/b/2', 'a/%_/3', 'ab', 'a.txt', 'A/1', 'a-/4']);

  const renamed = await post('object/move-prefix', folders('box', 'a/', 'box', 'été/new'));
  const moved = await post('object/move-prefix', folders('box', 'été/new/', 'other', ''));

  assert.deepEqual(await renamed.json(), { moved: 3, withheld: 0 });
  assert.deepEqual(await moved.json(), { moved: 3, withheld: 0 });
  assert.deepEqual(await namesIn('box'), ['A/1', 'a-/4', 'a.txt', 'ab']);
  assert.deepEqual(await namesIn('other'), ['%_/3', '1', 'b/2']);
  await clear();
});

test('where one name is taken nothing happens at all', async () => {
  await write('box', ['from/1', 'from/2', 'to/2']);

  assert.equal((await post('object/move-prefix', folders('box', 'from/', 'box', 'to/'))).status, 409);
  assert.equal((await post('object/copy-prefix', folders('box', 'from/', 'box', 'to/'))).status, 409);
  assert.equal((await post('object/copy-prefix', folders('box', 'from/', 'pictures', ''))).status, 415);

  assert.deepEqual(await namesIn('box'), ['from/1', 'from/2', 'to/2']);
  assert.deepEqual(await namesIn('pictures'), []);
  await clear();
});

test('a folder goes up the same path, also where names repeat on the way, and never into itself', async () => {
  await write('box', ['a/b/b/b/x', 'a/b/b/x', 'a/b/x', 'a/b/b/y']);

  const up = await post('object/move-prefix', folders('box', 'a/b/', 'box', 'a/'));
  const into = await post('object/move-prefix', folders('box', 'a/', 'box', 'a/c/'));

  assert.deepEqual(await up.json(), { moved: 4, withheld: 0 });
  assert.equal(into.status, 400);
  assert.deepEqual(await namesIn('box'), ['a/b/b/x', 'a/b/x', 'a/b/y', 'a/x']);
  await clear();
});

test('what the policies withhold stays, is counted, and refuses where it is everything', async () => {
  await write('team', ['shared/ann']);
  await write('team', ['shared/bob'], 'bob');

  const moved = await post('object/move-prefix', folders('team', 'shared/', 'team', 'bobs/'), 'bob');
  const again = await post('object/move-prefix', folders('team', 'shared/', 'team', 'bobs/'), 'bob');
  const deleted = await post('object/delete-prefix', { bucketId: 'team', prefix: 'shared' }, 'bob');

  assert.deepEqual(await moved.json(), { moved: 1, withheld: 1 });
  assert.equal(again.status, 403);
  assert.deepEqual(await deleted.json(), { deleted: 0, withheld: 1 });
  assert.deepEqual(await namesIn('team'), ['bobs/bob', 'shared/ann']);
  await clear();
});

test('hidden and missing folders and buckets are answered alike', async () => {
  await write('box', ['hidden/1']);

  const hidden = await post('object/move-prefix', folders('box', 'hidden/', 'team', 'x/'), 'bob');
  const missing = await post('object/move-prefix', folders('nowhere', 'hidden/', 'team', 'x/'), 'bob');
  const copied = await post('object/copy-prefix', folders('box', 'hidden/', 'team', 'x/'), 'bob');
  const deleted = await post('object/delete-prefix', { bucketId: 'box', prefix: 'hidden/' }, 'bob');

  assert.deepEqual([hidden.status, missing.status, copied.status, deleted.status], [404, 404, 404, 404]);
  assert.deepEqual(await hidden.json(), await missing.json());
  assert.equal((await post('object/move-prefix', folders('box', 'nothing/', 'box', 'x/'))).status, 404);
  assert.equal((await post('object/copy-prefix', folders('open', '', 'box', 'x/'), 'bob')).status, 404);
  assert.deepEqual(await namesIn('box'), ['hidden/1']);
  await clear();
});

test('a copied folder belongs to whoever copied it, and a deleted one is gone with its bytes', async () => {
  await write('open', ['f/1', 'f/2/3']);

  const copied = await post('object/copy-prefix', folders('open', 'f/', 'team', 'g/'), 'bob');
  const deleted = await post('object/delete-prefix', { bucketId: 'open', prefix: 'f/' });
  const again = await post('object/delete-prefix', { bucketId: 'open', prefix: 'f/' });

  assert.deepEqual(await copied.json(), { copied: 2 });
  assert.deepEqual(await deleted.json(), { deleted: 2, withheld: 0 });
  assert.deepEqual(await again.json(), { deleted: 0, withheld: 0 });
  const owners = await service.database.query("SELECT DISTINCT owner_id FROM storage.objects WHERE bucket_id = 'team'");
  assert.deepEqual(owners, [{ owner_id: 'bob' }]);
  assert.equal(await (await service.fetch('/storage/v1/object/team/g/2/3', { as: 'bob' })).text(), 'f/2/3');
  await clear();
  await assertInvariants(service);
});

test('prefixes that are no folders are refused', async () => {
  for (const sourcePrefix of ['/', 'a//', '../', 'a/./', 'x'.repeat(1025), 'a\u0000/']) {
    assert.equal((await post('object/move-prefix', folders('box', sourcePrefix, 'box', 'x/'))).status, 400);
  }
  assert.equal((await post('object/delete-prefix', { bucketId: 'box', prefix: '' })).status, 400);
  assert.equal((await post('object/delete-prefix', { bucketId: 'box' })).status, 400);
});

test('many objects are moved, copied and deleted by one call each', async () => {
  await write('box', ['seed']);
  await service.database.query(
    `INSERT INTO storage.objects (bucket_id, name, version_id)
     SELECT bucket_id, format('many/%s/%s', i % 100, i), version_id
     FROM storage.objects, generate_series(1, $1::integer) AS i WHERE name = 'seed'`,
    [many],
  );
  await service.database.query("UPDATE storage.objects SET owner_id = 'ann' WHERE name LIKE 'many/%'");

  const moved = await post('object/move-prefix', folders('box', 'many/', 'other', 'moved/'));
  const copied = await post('object/copy-prefix', folders('other', 'moved/', 'box', 'copied/'));
  const deleted = await post('object/delete-prefix', { bucketId: 'other', prefix: 'moved/' });

  assert.deepEqual(await moved.json(), { moved: many, withheld: 0 });
  assert.deepEqual(await copied.json(), { copied: many });
  assert.deepEqual(await deleted.json(), { deleted: many, withheld: 0 });
});

/** Every method of storage-js' bucket API, unmodified, by each kind of caller; and with the statuses of old clients. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';
import { byEveryCaller, type Clients, clientsOf, outcome } from './storage-js-clients.ts';

let service: TestService;
let clients: Clients;

before(async () => {
  service = await startService({ workers: false });
  clients = await clientsOf(service);
});
after(() => service.stop());

/** The data of an answer that must be one. */
function dataOf<Data>(answer: { readonly data: Data; readonly error: unknown }): NonNullable<Data> {
  assert.equal(answer.error, null);
  assert.ok(answer.data !== null && answer.data !== undefined);
  return answer.data;
}

test('createBucket and getBucket: limits as sizes, and who may', async () => {
  const created = await byEveryCaller(clients, (client, kind) => client.createBucket(`of-${kind}`, { public: false }));
  assert.deepEqual(created, { anonymous: '401 401', owner: 'ok', other: 'ok', service: 'ok' });

  const made = await clients.owner.createBucket('limited', {
    public: true,
    fileSizeLimit: '1MB',
    allowedMimeTypes: ['image/*'],
  });
  const bucket = dataOf(await clients.anonymous.getBucket('limited'));

  assert.equal(dataOf(made).name, 'limited');
  assert.deepEqual(
    [bucket.id, bucket.public, bucket.file_size_limit, bucket.allowed_mime_types, bucket.owner],
    ['limited', true, 1e6, ['image/*'], 'olga'],
  );
  assert.equal(outcome(await clients.other.createBucket('limited', { public: false })), '409 409');
  const shown = await byEveryCaller(clients, (client) => client.getBucket('of-owner'));
  assert.deepEqual(shown, { anonymous: '401 401', owner: 'ok', other: '404 404', service: 'ok' });
});

test('listBuckets: sorted, searched, in pages, and only what the caller may see', async () => {
  for (const name of ['list-b', 'list-a', 'list-c']) dataOf(await clients.owner.createBucket(name, { public: false }));
  const names = async (options: Parameters<typeof clients.owner.listBuckets>[0], client = clients.owner) =>
    dataOf(await client.listBuckets(options)).map(({ name }) => name);

  assert.deepEqual(await names({ search: 'LIST-' }), ['list-a', 'list-b', 'list-c']);
  const sorted = await names({ search: 'list-', sortColumn: 'created_at', sortOrder: 'desc' });
  assert.deepEqual(sorted, ['list-c', 'list-a', 'list-b']);
  assert.deepEqual(await names({ search: 'list-', sortColumn: 'id', sortOrder: 'desc', limit: 1, offset: 1 }), [
    'list-b',
  ]);
  assert.deepEqual(await names({ search: 'list-' }, clients.other), []);
  assert.ok((await names(undefined, clients.service)).includes('list-a'));
});

test('updateBucket changes what it names, for its owner and the service', async () => {
  dataOf(
    await clients.owner.createBucket('changed', { public: false, fileSizeLimit: 1000, allowedMimeTypes: ['a/b'] }),
  );

  const updated = dataOf(await clients.owner.updateBucket('changed', { public: true }));
  const after = dataOf(await clients.owner.getBucket('changed'));
  dataOf(await clients.service.updateBucket('changed', { public: false, fileSizeLimit: null, allowedMimeTypes: null }));
  const last = dataOf(await clients.owner.getBucket('changed'));

  assert.equal(updated.message, 'Successfully updated');
  assert.deepEqual([after.public, after.file_size_limit, after.allowed_mime_types], [true, 1000, ['a/b']]);
  assert.deepEqual([last.public, last.file_size_limit, last.allowed_mime_types], [false, null, null]);
  dataOf(await clients.owner.createBucket('seen', { public: true }));
  const changed = await byEveryCaller(clients, (client) => client.updateBucket('seen', { public: true }));
  assert.deepEqual(changed, { anonymous: '401 401', owner: 'ok', other: '403 403', service: 'ok' });
  assert.equal(outcome(await clients.other.updateBucket('changed', { public: true })), '404 404');
});

test('PATCH changes one setting, in either spelling, and a policy of its own stays', async () => {
  const patch = (body: object, name = 'patched') =>
    service.fetch(`/storage/v1/bucket/${name}`, {
      as: 'olga',
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  dataOf(await clients.owner.createBucket('patched', { public: false }));

  assert.equal((await patch({ policy: 'authenticated', max_file_size: 5 })).status, 200);
  const kept = (await (await patch({ public: false, overwrite: 'deny' })).json()) as Record<string, unknown>;

  assert.deepEqual([kept['policy'], kept['file_size_limit'], kept['overwrite']], ['authenticated', 5, 'deny']);
  assert.equal((await patch({ policy: 'private', public: true })).status, 400);
  assert.equal((await patch({ name: 'renamed' })).status, 400);
  assert.equal((await patch({}, 'nowhere')).status, 404);
});

test('emptyBucket and deleteBucket, for the owner and the service', async () => {
  dataOf(await clients.owner.createBucket('full', { public: true }));
  for (const name of ['a', 'b/c']) dataOf(await clients.owner.from('full').upload(name, 'x'));

  assert.equal(outcome(await clients.owner.deleteBucket('full')), '409 409');
  assert.equal(outcome(await clients.other.emptyBucket('full')), '403 403');
  assert.equal(outcome(await clients.anonymous.emptyBucket('full')), '401 401');
  assert.equal(outcome(await clients.other.emptyBucket('nowhere')), '404 404');
  assert.equal(dataOf(await clients.owner.emptyBucket('full')).message, 'Successfully emptied');
  assert.equal(outcome(await clients.service.emptyBucket('full')), 'ok');
  assert.equal(outcome(await clients.other.deleteBucket('full')), '403 403');
  assert.equal(dataOf(await clients.owner.deleteBucket('full')).message, 'Successfully deleted');
  assert.equal(outcome(await clients.owner.getBucket('full')), '404 404');
  await assertInvariants(service);
});

test('the numbers of a bucket are counted when they are asked for, as far as the caller sees', async () => {
  dataOf(await clients.owner.createBucket('counted', { public: false }));
  dataOf(await clients.owner.from('counted').upload('a', 'four'));
  const stats = async (path: string, as: string): Promise<unknown> =>
    (await service.fetch(`/storage/v1/bucket${path}`, { as })).json();

  const one = (await stats('/counted?stats=true', 'olga')) as Record<string, unknown>;
  const all = (await stats('?stats=true&search=counted', 'service')) as Record<string, unknown>[];
  const none = (await stats('/counted', 'olga')) as Record<string, unknown>;

  assert.deepEqual([one['file_count'], one['total_size']], [1, 4]);
  assert.deepEqual([all[0]?.['file_count'], all[0]?.['total_size']], [1, 4]);
  assert.equal('file_count' in none, false);
});

test('with the statuses of old clients every error is 400 and tells its own in its body', async () => {
  const old = await startService({ workers: false, config: { errors_status: 'legacy' } });
  try {
    const callers = await clientsOf(old);
    dataOf(await callers.owner.createBucket('box', { public: true }));
    dataOf(await callers.owner.from('box').upload('a', 'x'));

    assert.equal(outcome(await callers.owner.from('box').upload('a', 'y')), '400 409');
    assert.equal(outcome(await callers.owner.from('box').info('b')), '400 404');
    assert.equal(outcome(await callers.other.from('box').update('a', 'y')), '400 403');
    assert.equal(outcome(await callers.anonymous.createBucket('mine', { public: false })), '400 401');
    assert.equal((await callers.owner.from('box').exists('b')).data, false);
    assert.equal((await old.fetch('/storage/v1/nonesuch')).status, 404);
    assert.equal((await old.fetch('/storage/v1/object/box/a', { headers: { range: 'bytes=9-' } })).status, 416);
  } finally {
    await old.stop();
  }
});

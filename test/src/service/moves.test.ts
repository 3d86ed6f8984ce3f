/** Moves and copies over HTTP: names, buckets, what is in the way, conditions, and many at once. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertInvariants, seededRandom, startService, type TestService } from '@rowlock/test-harness';

/** More of them in a campaign. */
const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);

let service: TestService;

const json = { 'content-type': 'application/json' };

before(async () => {
  service = await startService({ workers: false });
  for (const bucket of [
    { name: 'box' },
    { name: 'other' },
    { name: 'small', file_size_limit: 4 },
    { name: 'pictures', allowed_mime_types: ['image/*'] },
    { name: 'open', public: true },
  ]) {
    const made = await post('bucket', bucket);
    assert.equal(made.status, 201);
  }
});
after(() => service.stop());

/** As `nobody`: without a token. */
const post = (path: string, body: object, headers: Record<string, string> = {}, as = 'ann') =>
  service.fetch(`/storage/v1/${path}`, {
    as: as === 'nobody' ? undefined : as,
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });

const put = async (path: string, body: string, as = 'ann', type = 'text/plain'): Promise<void> => {
  const { status } = await service.fetch(`/storage/v1/object/${path}`, {
    as,
    method: 'PUT',
    body,
    headers: { 'content-type': type },
  });
  assert.ok(status === 200 || status === 201, `upload of ${path}: ${status}`);
};

const read = async (path: string, as = 'ann'): Promise<string | number> => {
  const response = await service.fetch(`/storage/v1/object/${path}`, { as });
  const text = await response.text();
  return response.status === 200 ? text : response.status;
};

const reasonOf = async (response: Response): Promise<string> => ((await response.json()) as { reason: string }).reason;
const etagOf = (body: string): string => `"${createHash('sha256').update(body).digest('hex')}"`;

const move = (source: string, target: string, headers: Record<string, string> = {}, as = 'ann') =>
  post('object/move', relocation(source, target), headers, as);
const copy = (
  source: string,
  target: string,
  headers: Record<string, string> = {},
  { as = 'ann', ...more }: { readonly as?: string } & Readonly<Record<string, unknown>> = {},
) => post('object/copy', { ...relocation(source, target), ...more }, headers, as);

function relocation(source: string, target: string): object {
  const [bucketId = '', ...sourceKey] = source.split('/');
  const [destinationBucket, ...destinationKey] = target.split('/');
  return { bucketId, sourceKey: sourceKey.join('/'), destinationBucket, destinationKey: destinationKey.join('/') };
}

test('a moved object keeps its id, its owner and its bytes, under another name and in another bucket', async () => {
  await put('box/a.txt', 'bytes');
  const [row] = await service.database.query<{ id: string }>("SELECT id FROM storage.objects WHERE name = 'a.txt'");

  const renamed = await move('box/a.txt', 'box/é/b.txt');
  const moved = await move('box/é/b.txt', 'other/c.txt');

  assert.equal(renamed.status, 200);
  const body = (await moved.json()) as Record<string, unknown>;
  assert.equal(body['message'], 'Successfully moved');
  assert.equal(body['Id'], row?.id);
  assert.equal(body['Key'], 'other/c.txt');
  assert.equal(body['owner_id'], 'ann');
  assert.equal(await read('other/c.txt'), 'bytes');
  assert.equal(await read('box/a.txt'), 404);
  assert.equal(await read('box/é/b.txt'), 404);
});

test('what has the name is kept, unless x-upsert says otherwise', async () => {
  await put('box/from', 'new');
  await put('box/to', 'old');

  assert.equal(await reasonOf(await move('box/from', 'box/to')), 'object_exists');
  assert.equal((await move('box/from', 'box/to', { 'if-none-match': '*', 'x-upsert': 'true' })).status, 412);
  assert.deepEqual([await read('box/from'), await read('box/to')], ['new', 'old']);

  assert.equal((await move('box/from', 'box/to', { 'x-upsert': 'true' })).status, 200);
  assert.deepEqual([await read('box/from'), await read('box/to')], [404, 'new']);
});

test('a move to its own name changes nothing', async () => {
  await put('box/self', 'same');
  const before = await service.database.query("SELECT * FROM storage.objects WHERE name = 'self'");

  assert.equal((await move('box/self', 'box/self')).status, 200);

  assert.deepEqual(await service.database.query("SELECT * FROM storage.objects WHERE name = 'self'"), before);
});

test('If-Match moves and copies only the object that was seen', async () => {
  await put('box/seen', 'second');

  assert.equal((await move('box/seen', 'box/not', { 'if-match': etagOf('first') })).status, 412);
  assert.equal((await copy('box/seen', 'box/not', { 'if-match': etagOf('first') })).status, 412);
  assert.equal(await read('box/not'), 404);
  const both = `${etagOf('first')}, ${etagOf('second')}`;
  assert.equal((await copy('box/seen', 'box/copy', { 'if-match': both })).status, 200);
  assert.equal((await move('box/seen', 'box/moved', { 'if-match': both })).status, 200);
  assert.equal(await read('box/moved'), 'second');
});

test('hidden and missing sources and buckets are answered alike, and what may not be moved stays', async () => {
  await put('box/hidden', 'secret');
  await put('open/shown', 'public');

  const hidden = await move('box/hidden', 'box/x', {}, 'bob');
  const missing = await move('box/missing', 'box/x', {}, 'bob');
  const copied = await copy('box/hidden', 'open/x', {}, { as: 'bob' });

  assert.equal(hidden.status, 404);
  assert.deepEqual(await hidden.json(), await missing.json());
  assert.equal(copied.status, 404);
  assert.equal((await move('open/shown', 'open/x', {}, 'bob')).status, 403);
  assert.equal((await move('open/shown', 'open/x', {}, 'nobody')).status, 401);
  assert.equal(await reasonOf(await move('box/hidden', 'nowhere/x')), 'bucket_not_found');
  assert.equal(await reasonOf(await copy('box/hidden', 'nowhere/x')), 'bucket_not_found');
  assert.equal(await reasonOf(await move('box/hidden', 'box/../x')), 'invalid_name');
  assert.equal(await read('box/hidden'), 'secret');
});

test('the size and the types of the bucket that it goes to hold, over HTTP and in SQL', async () => {
  await put('box/long', 'hello');
  await put('box/short', 'hi');

  assert.equal((await move('box/long', 'small/long')).status, 413);
  assert.equal((await copy('box/long', 'small/long')).status, 413);
  assert.equal((await copy('box/short', 'pictures/short')).status, 415);
  assert.equal((await copy('box/short', 'small/short')).status, 200);
  await assert.rejects(
    service.database.query("UPDATE storage.objects SET bucket_id = 'pictures' WHERE name = 'long'"),
    /media_type_not_allowed/,
  );
  await put('small/short', 'ok');
  await assert.rejects(
    service.database.query(
      `UPDATE storage.objects SET version_id = (SELECT version_id FROM storage.objects WHERE bucket_id = 'box' AND name = 'long')
       WHERE bucket_id = 'small' AND name = 'short'`,
    ),
    /too_large/,
  );
});

test('a copy shares the bytes, belongs to whoever copied, and lives on without its source', async () => {
  await put('open/original', 'shared');

  const copied = await copy('open/original', 'box/copy-of');
  const body = (await copied.json()) as Record<string, unknown>;
  await service.fetch('/storage/v1/object/open/original', { as: 'ann', method: 'DELETE' });
  await assertInvariants(service);

  assert.equal(copied.status, 200);
  assert.equal(body['Key'], 'box/copy-of');
  assert.equal(body['created'], true);
  assert.equal(await read('box/copy-of'), 'shared');
});

test('a copy takes the metadata of its source, or what it is given instead', async () => {
  const metadata = (object: object): string => Buffer.from(JSON.stringify(object)).toString('base64');
  await service.fetch('/storage/v1/object/box/with', {
    as: 'ann',
    method: 'PUT',
    body: 'x',
    headers: { 'x-metadata': metadata({ a: 1 }), 'cache-control': 'max-age=60' },
  });

  await copy('box/with', 'box/taken');
  await copy('box/with', 'box/given', { 'x-metadata': metadata({ b: 2 }) }, { copyMetadata: false });
  await copy('box/with', 'box/given2', {}, { copyMetadata: false, metadata: { cacheControl: 'max-age=5' } });

  const rows = await service.database.query(
    `SELECT name, user_metadata, cache_control FROM storage.objects WHERE name IN ('taken', 'given', 'given2') ORDER BY name`,
  );
  assert.deepEqual(rows, [
    { name: 'given', user_metadata: { b: 2 }, cache_control: null },
    { name: 'given2', user_metadata: null, cache_control: 'max-age=5' },
    { name: 'taken', user_metadata: { a: 1 }, cache_control: 'max-age=60' },
  ]);
  const retyped = await copy('box/with', 'box/retyped', {}, { copyMetadata: false, metadata: { mimetype: 'a/b' } });
  assert.equal(retyped.status, 400);
});

test('moves that cross, and uploads and deletes among them, lose no bytes and end', async () => {
  const random = seededRandom();
  const names = ['box/m1', 'box/m2', 'other/m1'];
  const pick = (): string => names[random.integer(names.length)] ?? '';
  const statuses = new Set<number>();

  for (let batch = 0; batch < 5 * rounds; batch += 1) {
    const acts = Array.from({ length: 8 }, async (_, i) => {
      const upsert = { 'x-upsert': String(random.integer(2) === 1) };
      const choice = random.integer(4);
      if (choice === 0) await put(pick(), `${batch} ${i}`);
      else if (choice === 1) statuses.add((await copy(pick(), pick(), upsert)).status);
      else statuses.add((await move(pick(), pick(), upsert)).status);
    });
    await Promise.all(acts);
  }

  assert.deepEqual(
    [...statuses].filter((status) => ![200, 404, 409].includes(status)),
    [],
  );
  await assertInvariants(service);
});

test('an overwrite that crosses a move is never lost: it is under the one name or the other', async () => {
  for (let round = 0; round < 8 * rounds; round += 1) {
    await put('box/w6', `old ${round}`);

    await Promise.all([move('box/w6', 'box/w6-moved', { 'x-upsert': 'true' }), put('box/w6', `new ${round}`)]);

    assert.ok([await read('box/w6'), await read('box/w6-moved')].includes(`new ${round}`), `round ${round}`);
  }
});

test('of many who move one object exactly one does, and the others find nothing', async () => {
  await put('box/one', 'one');

  const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => move('box/one', `box/one-${i}`)));

  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 1);
  assert.equal(statuses.filter((status) => status === 404).length, 15);
});

test('of many who move to one name exactly one does', async () => {
  await Promise.all(Array.from({ length: 8 }, (_, i) => put(`box/many-${i}`, `${i}`)));

  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => move(`box/many-${i}`, 'other/many')));

  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.equal(answers.filter(({ status }) => status === 409).length, 7);
});

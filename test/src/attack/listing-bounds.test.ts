/** Listings that ask for more than there is, hand back cursors that were not given, or look behind policies: row 99. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { handCursors } from './hand-cursors.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

let service: Attacked;
const v2 = '/storage/v1/object/list-v2';

before(async () => {
  service = await attacked();
  await service.database.query(
    "INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia'), ('vault', 'olivia'), ('own', 'mallory')",
  );
  for (const path of ['box/a', 'box/b/c', 'box/d', 'vault/secret/one', 'vault/secret/two', 'own/x', 'own/y']) {
    const as = path.startsWith('own') ? 'mallory' : 'olivia';
    const put = await service.service.fetch(`/storage/v1/object/${path}`, { as, method: 'POST', body: path });
    assert.equal(put.status, 201);
  }
  await service.remember();
});
afterEach(() => service.assertUnharmed());
after(() => service.stop());

const ask = (bucket: string, body: unknown, as: string): Promise<Response> =>
  service.send('POST', `${v2}/${bucket}`, body, as);

test('99 a cursor that this listing did not give is refused, and none opens anything', async () => {
  const first = (await (await ask('box', { limit: 1 }, 'olivia')).json()) as { nextCursor: string };
  const ofVault = (await (await ask('vault', { limit: 1 }, 'olivia')).json()) as { nextCursor: string };

  for (const cursor of [...handCursors(first.nextCursor), ofVault.nextCursor, first.nextCursor.slice(0, -3)]) {
    await assertRefused(await ask('box', { limit: 1, cursor }, 'olivia'), [400, 413], 'invalid_request');
  }
  for (const change of [{ prefix: 'b' }, { with_delimiter: true }, { sortBy: { column: 'name', order: 'desc' } }]) {
    await assertRefused(await ask('box', { limit: 1, cursor: first.nextCursor, ...change }, 'olivia'), 400);
  }
  for (const cursor of [1, true, [], {}]) {
    await assertRefused(await ask('box', { limit: 1, cursor }, 'olivia'), 400);
  }
});

test('99 the cursor of somebody else shows what its new holder may see', async () => {
  const { nextCursor } = (await (await ask('vault', { limit: 1 }, 'olivia')).json()) as { nextCursor: string };

  await assertRefused(await ask('vault', { limit: 1, cursor: nextCursor }, 'mallory'), 404);
  const owner = await ask('vault', { limit: 1, cursor: nextCursor }, 'olivia');

  assert.match(await owner.text(), /secret\/two/);
});

test('99 limits and offsets are cut or refused, whatever they are', async () => {
  for (const limit of [1001, 10 ** 9, 2 ** 53 - 1, 1e300]) {
    assert.equal((await ask('box', { limit }, 'olivia')).status, 200, String(limit));
  }
  for (const limit of [0, -1, 1.5, '10', []]) {
    await assertRefused(await ask('box', { limit }, 'olivia'), 400);
  }
  for (const offset of [10 ** 6 + 1, 10 ** 9, -1, 0.5, '0']) {
    await assertRefused(await service.send('POST', '/storage/v1/object/list/box', { offset }, 'olivia'), 400);
  }
});

test('99 a prefix is literal and bounded, and delimiters are none of the client', async () => {
  await assertRefused(await ask('box', { prefix: 'a'.repeat(1025) }, 'olivia'), 400);
  await assertRefused(await ask('box', { prefix: '\u0000' }, 'olivia'), 400);
  await assertRefused(await ask('box', { prefix: '\u{10FFFF}\u0001' }, 'olivia'), 400);
  await assertRefused(await ask('box', { with_delimiter: 'true' }, 'olivia'), 400);
  for (const delimiter of ['', 'ab', '\u0000', 1, null]) {
    const answer = await ask('box', { delimiter, with_delimiter: true }, 'olivia');
    const { folders } = (await answer.json()) as { folders: { name: string }[] };
    assert.deepEqual(
      folders.map(({ name }) => name),
      ['b/'],
    );
  }
  for (const prefix of ['\u{10FFFF}', '\u{10FFFF}'.repeat(256), '/', '..', "'"]) {
    const answer = await ask('box', { prefix, with_delimiter: true }, 'olivia');
    assert.deepEqual(await answer.json(), { hasNext: false, folders: [], objects: [] }, prefix);
  }
});

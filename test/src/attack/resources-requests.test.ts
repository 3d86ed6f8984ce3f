/** Requests that ask for too much of one thing: rows 99, 100, 103 and 104. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type Attacked, assertRefused, attacked } from './standing.ts';

let service: Attacked;
const list = '/storage/v1/object/list/box';

before(async () => {
  service = await attacked();
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  for (const name of ['a', 'b/c', '%_\\']) {
    const path = `/storage/v1/object/box/${encodeURIComponent(name).replace('%2F', '/')}`;
    const put = await service.service.fetch(path, { as: 'olivia', method: 'POST', body: name });
    assert.equal(put.status, 201, await put.text());
  }
  await service.remember();
});
afterEach(() => service.assertUnharmed());
after(() => service.stop());

test('99 limits and offsets that are none are refused; large ones are cut', async () => {
  const refused: readonly unknown[] = [
    { limit: -1 },
    { limit: 0 },
    { limit: 1.5 },
    { limit: 'x' },
    { limit: '10' },
    { limit: null },
    { limit: [1] },
    { limit: true },
    { offset: -1 },
    { offset: 1_000_001 },
    { offset: 1e9 },
    { offset: 1e300 },
    { offset: 'x' },
    { prefix: 5 },
    { prefix: { a: 1 } },
    { search: 5 },
    { sortBy: { column: 'owner_id; --' } },
    { sortBy: { column: 'version' } },
    { sortBy: { order: 'random()' } },
    { sortBy: 'name' },
  ];
  for (const body of refused) {
    await assertRefused(await service.send('POST', list, body, 'olivia'), 400, 'invalid_request');
  }

  const large = await service.send('POST', list, { limit: 1_000_000_000 }, 'olivia');
  const beyond = await service.send('POST', list, { offset: 999_999 }, 'olivia');

  assert.equal(large.status, 200);
  assert.equal(((await large.json()) as unknown[]).length, 3);
  assert.deepEqual(await beyond.json(), []);
});

test('99 prefixes and searches of any size take no longer than their answer', async () => {
  for (const text of [
    'x'.repeat(1_000_000),
    '%'.repeat(10_000),
    '_'.repeat(10_000),
    '\\'.repeat(10_000),
    '*/'.repeat(10_000),
  ]) {
    for (const body of [{ prefix: text }, { search: text }]) {
      const answer = await service.send('POST', list, body, 'olivia');

      if (answer.status === 200) assert.deepEqual(await answer.json(), []);
      else await assertRefused(answer, 400);
    }
  }
});

test('99 lists of buckets have the same bounds', async () => {
  for (const query of [
    'limit=-1',
    'limit=x',
    'limit=1e3',
    'offset=-1',
    'offset=99999999999999999999',
    'limit=1&limit=2',
  ]) {
    await assertRefused(await service.service.fetch(`/storage/v1/bucket?${query}`, { as: 'olivia' }), 400);
  }
  const answer = await service.service.fetch('/storage/v1/bucket?limit=999999999', { as: 'olivia' });

  assert.ok([200, 400].includes(answer.status));
  await answer.arrayBuffer();
});

test('100 no picture is made of impossible sizes, qualities and formats, nor of what is no image', async () => {
  const path = '/storage/v1/render/image/authenticated/box/a';
  for (const preset of [
    '',
    'huge',
    '../../x',
    'small/../large',
    'SMALL',
    'small%00',
    'x'.repeat(5000),
    '__proto__',
    'constructor',
  ]) {
    const answer = await service.service.fetch(`${path}?preset=${preset}`, { as: 'olivia' });

    await assertRefused(answer, [400, 404]);
  }
  for (const query of [
    'width=1e9&height=1',
    'width=1e3',
    'width=-1',
    'width=NaN',
    'height=99999999999999999999',
    'quality=0',
    'quality=101',
    'format=../../x',
    'format=svg',
    'width=1&width=2',
    'width[]=1',
    'resize=__proto__',
    'preset=small&preset=large',
  ]) {
    await assertRefused(await service.service.fetch(`${path}?${query}`, { as: 'olivia' }), 400, 'invalid_request');
  }
  const before = await service.database.query('SELECT FROM storage.variants');

  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const answer = await service.service.fetch(`${path}?width=${i + 1}`, { as: 'olivia' });
      await assertRefused(answer, 415, 'media_type_not_allowed');
    }),
  );

  const after = await service.database.query('SELECT FROM storage.variants');
  assert.equal(after.length, before.length, 'no request makes a row');
});

test('103 one request deletes a thousand names at most', async () => {
  const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`);
  const remove = (prefixes: unknown) => service.send('DELETE', '/storage/v1/object/box', { prefixes }, 'olivia');

  for (const prefixes of [names(1001), names(50_000), [], 'a', null, [null], [['a']], { length: 1 }]) {
    await assertRefused(await remove(prefixes), 400, 'invalid_request');
  }
  await assertRefused(await remove(names(200_000)), 413, 'too_large');
  const most = await remove(names(1000));

  assert.equal(most.status, 200);
  assert.deepEqual(await most.json(), []);
});

test('104 what callers write into patterns is text, and costs what texts cost', async () => {
  await service.database.query(
    `INSERT INTO storage.buckets (id, owner_id, allowed_mime_types)
     VALUES ('picky', 'olivia', ARRAY['image/*', '(a+)+$/x', '*/*/*', '%/%', '_____/___'])`,
  );
  await service.remember();
  const types = [
    `${'a'.repeat(50)}!/x`,
    'text/plain',
    'a'.repeat(10_000),
    `image${'/'.repeat(5000)}`,
    'imagex/png',
    '*/*',
    '%/%',
  ];

  for (const type of types) {
    const answer = await service.service.fetch('/storage/v1/object/picky/a', {
      as: 'olivia',
      method: 'POST',
      headers: { 'content-type': type },
      body: 'x',
    });

    await assertRefused(answer, [400, 415]);
  }
  for (const search of [`${'(a+)+'.repeat(1000)}$`, `${'a?'.repeat(5000)}${'a'.repeat(5000)}`, '(?:(?:a*)*)*b']) {
    const answer = await service.send('POST', list, { search }, 'olivia');

    if (answer.status === 200) assert.deepEqual(await answer.json(), []);
    else await assertRefused(answer, 400);
  }
});

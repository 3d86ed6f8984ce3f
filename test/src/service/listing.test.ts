/** Listings over HTTP: order, folders, searches, what entries say, and what a caller may see. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startService, type TestService } from '@rowlock/test-harness';
import { allPages, type Entry, type Page, posted, putRows } from './listing-pages.ts';

let service: TestService;

/** Names on both sides of the slash, as users and other stores have them. */
const around = [
  'x',
  'x !',
  'x(1)',
  'x+',
  'x,',
  'x-b',
  'x.txt',
  'x/in',
  'x/in2',
  'x0',
  'x_',
  'xé',
  'y%/a',
  'y_/a',
  'yz/a',
];

before(async () => {
  service = await startService({ workers: false });
  await putRows(
    service,
    'around',
    around.map((name, at) => ({ name, at: 1000 + at })),
  );
});
after(() => service.stop());

const list = (bucket: string, body: object, as = 'ann'): Promise<Entry[]> =>
  posted(service, `/storage/v1/object/list/${bucket}`, body, as);
const page = (bucket: string, body: object, as = 'ann'): Promise<Page> =>
  posted(service, `/storage/v1/object/list-v2/${bucket}`, body, as);
const namesOf = (entries: readonly { readonly name: string }[]): string[] => entries.map(({ name }) => name);

test('names come in the order of their bytes, and a folder stands where its slash puts it', async () => {
  const entries = await list('around', {});

  assert.deepEqual(
    entries.map(({ name, id }) => (id === null ? `${name}/` : name)),
    ['x', 'x !', 'x(1)', 'x+', 'x,', 'x-b', 'x.txt', 'x/', 'x0', 'x_', 'xé', 'y%/', 'y_/', 'yz/'],
  );
});

test('an object and a folder of the same name are both there, at every page boundary', async () => {
  for (const limit of [1, 2, 7, 8]) {
    const pages = await allPages(service, 'around', { with_delimiter: true, limit, prefix: 'x' }, 'ann');

    assert.deepEqual(namesOf(pages.flatMap(({ folders }) => folders)), ['x/']);
    assert.equal(pages.flatMap(({ objects }) => objects).filter(({ name }) => name === 'x').length, 1);
  }
});

test('a prefix of the second protocol is any beginning, of the first one a folder', async () => {
  const any = await page('around', { prefix: 'x', with_delimiter: false });
  const folder = await list('around', { prefix: 'x' });
  const literal = await page('around', { prefix: 'y_', with_delimiter: false });

  assert.equal(any.objects.length, 12);
  assert.deepEqual(namesOf(folder), ['in', 'in2']);
  assert.deepEqual(namesOf(literal.objects), ['y_/a']);
});

test('a recursive listing has everything below and no folder', async () => {
  const entries = await list('around', { prefix: '', recursive: true, limit: 1000 });

  assert.deepEqual(namesOf(entries), around);
});

test('a search finds parts of names in any case, of folders too, and only directly below', async () => {
  assert.deepEqual(namesOf(await list('around', { search: 'Y' })), ['y%', 'y_', 'yz']);
  assert.deepEqual(namesOf(await list('around', { search: 'É' })), ['xé']);
  assert.deepEqual(namesOf(await list('around', { search: 'in' })), []);
  assert.deepEqual(namesOf(await list('around', { search: 'in', recursive: true })), ['x/in', 'x/in2']);
});

test('times sort objects behind their folders, and names decide between equal times', async () => {
  await putRows(service, 'ties', [
    { name: 'late', at: 3 },
    { name: 'b', at: 1 },
    { name: 'a', at: 1 },
    { name: 'z/x', at: 0 },
    { name: 'm/x', at: 9 },
  ]);

  const up = await list('ties', { sortBy: { column: 'created_at', order: 'asc' } });
  const down = await list('ties', { sortBy: { column: 'updated_at', order: 'desc' } });

  assert.deepEqual(namesOf(up), ['m', 'z', 'a', 'b', 'late']);
  assert.deepEqual(namesOf(down), ['m', 'z', 'late', 'b', 'a']);
});

test('an entry says what is known of the object, with its user metadata up to 4 KiB', async () => {
  const small = Buffer.from(JSON.stringify({ owner: 'Zoë "Z"' })).toString('base64');
  const large = Buffer.from(JSON.stringify({ notes: 'n'.repeat(5000) })).toString('base64');
  await service.fetch('/storage/v1/bucket', {
    as: 'ann',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"known"}',
  });
  for (const [name, metadata] of [
    ['a "quoted" \\ name', small],
    ['b', large],
  ] as const) {
    const path = `/storage/v1/object/known/${encodeURIComponent(name)}`;
    const headers = { 'content-type': 'text/plain', 'x-metadata': metadata };
    assert.equal((await service.fetch(path, { as: 'ann', method: 'POST', body: 'hello', headers })).status, 201);
  }

  const [first, second] = await list('known', {});
  const { objects } = await page('known', {});
  const info = (await (await service.fetch('/storage/v1/object/info/known/b', { as: 'ann' })).json()) as {
    id: string;
    created_at: string;
    metadata: unknown;
  };

  assert.equal(first?.name, 'a "quoted" \\ name');
  assert.deepEqual(first?.user_metadata, { owner: 'Zoë "Z"' });
  assert.equal(first?.metadata?.['size'], 5);
  assert.equal(first?.metadata?.['mimetype'], 'text/plain');
  assert.equal(second?.id, info.id);
  assert.equal(second?.user_metadata, null);
  assert.match(second?.created_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  assert.equal(new Date(second?.created_at ?? '').toISOString(), info.created_at);
  assert.deepEqual(namesOf(objects), namesOf([first, second].filter((entry) => entry !== undefined)));
});

test('a row that was loaded with triggers off is listed like any other', async () => {
  await putRows(service, 'loaded', [{ name: 'a', at: 1 }]);
  await service.database.query(`BEGIN; SET LOCAL session_replication_role = replica;
    UPDATE storage.objects SET metadata = NULL WHERE bucket_id = 'loaded'; COMMIT`);

  const [entry] = await list('loaded', {}, 'ann');

  assert.deepEqual([entry?.name, entry?.metadata], ['a', null]);
});

test('a folder is there for whoever may see something below it, and for nobody else', async () => {
  await putRows(
    service,
    'mixed',
    ['anns/1', 'anns/2', 'bobs/1', 'both/1', 'both/2', 'x'].map((name) => ({ name, at: 1 })),
  );
  await service.database.query(`BEGIN; SET LOCAL session_replication_role = replica;
    UPDATE storage.buckets SET owner_id = 'zed' WHERE id = 'mixed';
    UPDATE storage.objects SET owner_id = 'bob' WHERE bucket_id = 'mixed' AND name IN ('bobs/1', 'both/2'); COMMIT`);

  for (const [as, expected] of [
    ['ann', ['anns/', 'both/', 'x']],
    ['bob', ['bobs/', 'both/']],
    ['zed', ['anns/', 'bobs/', 'both/', 'x']],
    ['service', ['anns/', 'bobs/', 'both/', 'x']],
  ] as const) {
    const pages = await allPages(service, 'mixed', { with_delimiter: true, limit: 1 }, as);
    const entries = await list('mixed', {}, as);

    const names = pages.flatMap(({ folders, objects }) => [...namesOf(folders), ...namesOf(objects)]);
    assert.deepEqual(names, expected, as);
    assert.deepEqual(
      entries.map(({ name, id }) => (id === null ? `${name}/` : name)),
      expected,
      as,
    );
  }
});

test('a bucket that is hidden or missing is 404, and one that is empty has an empty listing', async () => {
  const ask = (bucket: string, as: string | undefined, path = 'list-v2'): Promise<Response> =>
    service.fetch(`/storage/v1/object/${path}/${bucket}`, {
      as,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });

  for (const path of ['list', 'list-v2']) {
    const statuses = [
      await ask('around', 'eve', path),
      await ask('nowhere', 'eve', path),
      await ask('around', undefined, path),
    ].map(({ status }) => status);
    assert.deepEqual(statuses, [404, 404, 401], path);
  }
  assert.deepEqual(await page('around', { prefix: 'nothing/' }), { hasNext: false, folders: [], objects: [] });
  assert.deepEqual(await list('around', { prefix: 'nothing' }), []);
});

test('objects that come and go between two pages change nothing of what stays', async () => {
  const stays = Array.from({ length: 30 }, (_, i) => ({ name: `s${String(i).padStart(2, '0')}`, at: i + 1 }));
  await putRows(service, 'moving', stays);
  const seen: string[] = [];

  let cursor: string | undefined;
  for (let round = 0; round === 0 || cursor !== undefined; round += 1) {
    const { objects, nextCursor } = await page('moving', { limit: 7, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...namesOf(objects));
    cursor = nextCursor;
    await putRows(service, 'moving', [{ name: `s00-new${round}`, at: 1 }]);
    await service.database.query("DELETE FROM storage.objects WHERE bucket_id = 'moving' AND name = $1", [
      objects.at(-1)?.name,
    ]);
  }

  assert.deepEqual(seen, namesOf(stays));
});

test('over SQL a page is what the caller may see, one function for PostgREST', async () => {
  const [row] = await service.database.query<{ folders: string; entries: string; more: boolean }>(`
    SELECT p.* FROM (SELECT set_config('request.jwt.claims', '{"sub":"ann","role":"authenticated"}', true)) AS claims,
      LATERAL storage.list_page('around', 'x', true, false, NULL, false, 2, 0, '', true) AS p`);

  assert.equal(row?.more, true);
  assert.deepEqual(
    (JSON.parse(`[${row?.entries}]`) as { name: string }[]).map(({ name }) => name),
    ['x', 'x !'],
  );
});

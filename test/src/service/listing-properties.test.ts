/**
 * Listings beside a model: whatever the names, the size of the pages and the order, all pages together are exactly what
 * is there, in order, each entry once.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom, startService, type TestService } from '@rowlock/test-harness';
import fc from 'fast-check';
import { compareBytes, expectedEntries, type ModelObject } from './listing-model.ts';
import { allOffsets, allPages, putRows } from './listing-pages.ts';

let service: TestService;
let buckets = 0;
const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const { seed } = seededRandom();

before(async () => {
  service = await startService({ workers: false });
});
after(() => service.stop());

/** What sorts around the slash, what patterns are made of, and letters of several bytes. */
const letters = ['a', 'b', ' ', '!', '%', '(', '+', ',', '-', '.', '0', '_', '\\', 'é', '😀', '\u{10FFFF}', '~'];
const segment = fc
  .string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 2 })
  .filter((text) => text !== '.' && text !== '..');
const nameOf = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/').normalize('NFC'));
const objectsOf = fc.uniqueArray(fc.record({ name: nameOf, at: fc.integer({ min: 1, max: 4 }) }), {
  selector: ({ name }) => name,
  minLength: 1,
  maxLength: 25,
});
/** A part of a name that is there, so that prefixes hit: cut between two letters, often behind a slash. */
const prefixOf = fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('none', 'folder', 'any'));

function pick(objects: readonly ModelObject[], [which, where, how]: readonly [number, number, string]): string {
  const characters = [...(objects[which % objects.length]?.name ?? '')];
  if (how === 'none') return '';
  if (how === 'any') return characters.slice(0, where % (characters.length + 1)).join('');
  return characters.slice(0, characters.lastIndexOf('/') + 1).join('');
}

async function stored(objects: readonly ModelObject[]): Promise<string> {
  buckets += 1;
  const bucket = `set-${buckets}`;
  await putRows(service, bucket, objects);
  return bucket;
}

test('pages with cursors are together what is there, for every order and size of page', async () => {
  const asked = fc.record({
    objects: objectsOf,
    prefix: prefixOf,
    delimited: fc.boolean(),
    descending: fc.boolean(),
    column: fc.constantFrom('name', 'created_at', 'updated_at'),
    limit: fc.integer({ min: 1, max: 7 }),
  });

  await fc.assert(
    fc.asyncProperty(asked, async ({ objects, prefix: at, delimited, descending, column, limit }) => {
      const bucket = await stored(objects);
      const prefix = pick(objects, at);
      const order = descending ? 'desc' : 'asc';

      const body = { prefix, with_delimiter: delimited, limit, sortBy: { column, order } };
      const pages = await allPages(service, bucket, body, 'ann');

      const expected = expectedEntries(objects, {
        prefix,
        delimited,
        descending,
        by: column === 'name' ? 'name' : 'time',
      });
      const sizes = pages.map((page) => page.folders.length + page.objects.length);
      assert.deepEqual(
        pages.flatMap((page) => page.folders.map(({ name }) => name)),
        expected.filter((name) => name.endsWith('/')),
      );
      assert.deepEqual(
        pages.flatMap((page) => page.objects.map(({ name }) => name)),
        expected.filter((name) => !name.endsWith('/')),
      );
      assert.ok(
        sizes.slice(0, -1).every((size) => size === limit),
        `pages are full: ${sizes}`,
      );
      // Where a page ends says in which order folders and objects stand among each other.
      let shown = 0;
      for (const [i, page] of pages.entries()) {
        shown += sizes[i] ?? 0;
        if (page.nextCursorKey !== undefined) assert.equal(page.nextCursorKey, expected[shown - 1]);
      }
    }),
    { seed, numRuns: 120 * rounds },
  );
});

test('pages with offsets are together what is there, for every order, search and size of page', async () => {
  const asked = fc.record({
    objects: objectsOf,
    prefix: prefixOf,
    recursive: fc.boolean(),
    descending: fc.boolean(),
    column: fc.constantFrom('name', 'created_at', 'updated_at', 'last_accessed_at'),
    limit: fc.integer({ min: 1, max: 7 }),
    search: fc.constantFrom('', '', 'a', 'B', '%', '_', '.'),
  });

  await fc.assert(
    fc.asyncProperty(asked, async ({ objects, prefix: at, recursive, descending, column, limit, search }) => {
      const bucket = await stored(objects);
      const folder = pick(objects, [at[0], at[1], at[2] === 'any' ? 'folder' : at[2]]);
      const order = descending ? 'desc' : 'asc';

      const body = { prefix: folder, recursive, limit, search, sortBy: { column, order } };
      const entries = await allOffsets(service, bucket, body, 'ann');

      const listing = {
        prefix: folder,
        delimited: !recursive,
        descending,
        by: column === 'name' ? 'name' : 'time',
      } as const;
      const expected = expectedEntries(objects, listing)
        .map((name) => name.slice(folder.length))
        .filter((name) => name.toLowerCase().includes(search.toLowerCase()));
      assert.deepEqual(
        entries.map(({ name, id }) => (id === null ? `${name}/` : name)),
        expected,
      );
    }),
    { seed, numRuns: 120 * rounds },
  );
});

test('a page of a thousand and pages of one say the same of names on both sides of every slash', async () => {
  const around = ['', ' ', '!', '(1)', '+', ',', '-b', '.txt', '/', '/x', '0', '😀'];
  const names = ['x', 'y_', 'yx', 'é'].flatMap((stem) =>
    around.flatMap((rest) => (rest === '/' ? [`${stem}/in`, `${stem}/in/deep`] : [`${stem}${rest}`])),
  );
  const bucket = await stored(names.map((name, i) => ({ name, at: i })));

  for (const with_delimiter of [true, false]) {
    for (const order of ['asc', 'desc']) {
      const body = { with_delimiter, sortBy: { column: 'name', order } };
      const whole = await allPages(service, bucket, { ...body, limit: 1000 }, 'ann');
      const single = await allPages(service, bucket, { ...body, limit: 1 }, 'ann');

      const namesOf = (pages: typeof whole): string[] =>
        pages.flatMap(({ folders, objects }) => [...folders, ...objects].map(({ name }) => name)).sort(compareBytes);
      assert.equal(whole.length, 1);
      assert.deepEqual(namesOf(single), namesOf(whole));
      assert.equal(new Set(namesOf(whole)).size, namesOf(whole).length);
    }
  }
});

/**
 * Versions and soft delete over HTTP: what is kept when a name is overwritten, deleted and moved, and how it is listed,
 * read, restored and purged. Who may, is for attack/version-policies.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';
import { makeBucket, page, put, read, remove, restore, sqlAs, versions } from './versioned-site.ts';

const as = 'bertha';

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
  await makeBucket(service, 'kept', { versioning: 'on' });
  await makeBucket(service, 'bin', { soft_delete_seconds: 3600 });
  await makeBucket(service, 'plain');
});
after(() => service.stop());

/** What a name's versions are, newest first: texts, and markers by their reason. */
async function shapeOf(path: string): Promise<readonly string[]> {
  const shape: string[] = [];
  for (const entry of await versions(service, path, as)) {
    const latest = entry.is_latest ? '!' : '';
    const what = entry.delete_marker ? `marker:${entry.reason}` : await read(service, path, as, entry.version);
    shape.push(`${what}${latest}`);
  }
  return shape;
}

async function versionOf(path: string, text: string): Promise<string> {
  for (const { version, delete_marker } of await versions(service, path, as)) {
    if (!delete_marker && (await read(service, path, as, version)) === text) return version;
  }
  return assert.fail(`${path} has no version ${text}`);
}

describe('a bucket with versioning', () => {
  test('keeps what is overwritten, and marks what is deleted', async () => {
    for (const text of ['one', 'two', 'three']) await put(service, 'kept/a', text, as);
    await remove(service, 'kept/a', as);

    assert.equal(await read(service, 'kept/a', as), 404);
    assert.deepEqual(await shapeOf('kept/a'), ['marker:delete!', 'three', 'two', 'one']);
  });

  test('lists pages of versions that together are all of them', async () => {
    for (let i = 1; i <= 7; i += 1) await put(service, 'kept/paged', `text ${i}`, as);
    const all = (await versions(service, 'kept/paged', as)).map(({ version }) => version);

    for (const limit of [1, 2, 3, 6, 7]) {
      const found: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const query: string = `?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`;
        const one = await page(service, 'kept/paged', as, query);
        found.push(...one.versions.map(({ version }) => version));
        cursor = one.next_cursor;
      }
      assert.deepEqual(found, all, `pages of ${limit}`);
    }
  });

  test('restores a version over the current one, which is kept', async () => {
    await put(service, 'kept/back', 'old', as);
    await put(service, 'kept/back', 'new', as);

    const status = await restore(service, 'kept/back', as, await versionOf('kept/back', 'old'));

    assert.equal(status, 200);
    assert.equal(await read(service, 'kept/back', as), 'old');
    assert.deepEqual(await shapeOf('kept/back'), ['old!', 'new']);
  });

  test('restoring what is current already changes nothing', async () => {
    await put(service, 'kept/same', 'only', as);
    const version = await versionOf('kept/same', 'only');

    assert.equal(await restore(service, 'kept/same', as, version), 200);
    assert.deepEqual(await shapeOf('kept/same'), ['only!']);
  });

  test('takes a deletion back, by restoring and by removing its marker', async () => {
    for (const name of ['restored', 'unmarked']) {
      await put(service, `kept/${name}`, 'text', as);
      await remove(service, `kept/${name}`, as);
    }
    const [marker] = await versions(service, 'kept/unmarked', as);

    assert.equal(await restore(service, 'kept/restored', as), 200);
    assert.equal(await remove(service, 'kept/unmarked', as, marker?.version), 200);

    assert.deepEqual(await shapeOf('kept/restored'), ['text!']);
    assert.deepEqual(await shapeOf('kept/unmarked'), ['text!']);
  });

  test('a deletion is not taken back over an object that took the name', async () => {
    await put(service, 'kept/taken', 'old', as);
    await remove(service, 'kept/taken', as);
    await put(service, 'kept/taken', 'new', as);

    assert.equal(await restore(service, 'kept/taken', as), 409);
    assert.deepEqual(await shapeOf('kept/taken'), ['new!', 'marker:delete', 'old']);
  });

  test('purging the current version makes the one below current, or leaves the deletion below', async () => {
    for (const text of ['one', 'two']) await put(service, 'kept/purged', text, as);
    await put(service, 'kept/deleted-below', 'one', as);
    await remove(service, 'kept/deleted-below', as);
    await put(service, 'kept/deleted-below', 'two', as);

    assert.equal(await remove(service, 'kept/purged', as, await versionOf('kept/purged', 'two')), 200);
    assert.equal(await remove(service, 'kept/deleted-below', as, await versionOf('kept/deleted-below', 'two')), 200);

    assert.deepEqual(await shapeOf('kept/purged'), ['one!']);
    assert.deepEqual(await shapeOf('kept/deleted-below'), ['marker:delete!', 'one']);
  });

  test('removing a marker that an object has come over changes nothing of that object', async () => {
    await put(service, 'kept/under', 'old', as);
    await remove(service, 'kept/under', as);
    await put(service, 'kept/under', 'new', as);
    const [, marker] = await versions(service, 'kept/under', as);

    assert.equal(await remove(service, 'kept/under', as, marker?.version), 200);
    assert.deepEqual(await shapeOf('kept/under'), ['new!', 'old']);
  });

  test('purging the last version leaves no marker, and purging it again says the same', async () => {
    await put(service, 'kept/last', 'text', as);
    const version = await versionOf('kept/last', 'text');
    await remove(service, 'kept/last', as);

    assert.equal(await remove(service, 'kept/last', as, version), 200);
    assert.equal(await remove(service, 'kept/last', as, version), 200);

    assert.deepEqual(await shapeOf('kept/last'), []);
    assert.equal(await read(service, 'kept/last', as, version), 404);
  });

  test('a move leaves the old name as a delete does, and comes to the new name as a write does', async () => {
    await put(service, 'kept/from', 'text', as);

    await sqlAs(service, as, "UPDATE storage.objects SET name = 'to' WHERE bucket_id = 'kept' AND name = 'from'");

    assert.deepEqual(await shapeOf('kept/from'), ['marker:move!', 'text']);
    assert.deepEqual(await shapeOf('kept/to'), ['text!']);
  });

  test('metadata and type of a version come back with it', async () => {
    const write = (text: string, colour: string) =>
      service.fetch('/storage/v1/object/kept/meta', {
        as,
        method: 'PUT',
        body: text,
        headers: {
          'content-type': `text/${colour}`,
          'x-metadata': Buffer.from(JSON.stringify({ colour })).toString('base64'),
          'cache-control': 'max-age=7',
        },
      });
    await write('red text', 'red');
    const version = await versionOf('kept/meta', 'red text');
    await write('blue text', 'blue');
    const old = await service.fetch(`/storage/v1/object/kept/meta?version=${version}`, { as });
    await restore(service, 'kept/meta', as, version);

    const info = (await (await service.fetch('/storage/v1/object/info/kept/meta', { as })).json()) as {
      metadata: unknown;
      content_type: string;
      version: string;
    };
    assert.equal(old.headers.get('content-type'), 'text/red');
    assert.deepEqual(info.metadata, { colour: 'red' });
    assert.deepEqual([info.content_type, info.version], ['text/red', version]);
  });

  test('a version answers ranges, conditions and HEAD like an object', async () => {
    await put(service, 'kept/range', 'abcdefgh', as);
    const version = await versionOf('kept/range', 'abcdefgh');
    await put(service, 'kept/range', 'ABCDEFGH', as);
    const path = `/storage/v1/object/kept/range?version=${version}`;

    const range = await service.fetch(path, { as, headers: { range: 'bytes=2-4' } });
    const head = await service.fetch(path, { as, method: 'HEAD' });
    const etag = head.headers.get('etag') ?? '';
    const cached = await service.fetch(path, { as, headers: { 'if-none-match': etag } });

    assert.deepEqual([range.status, await range.text()], [206, 'cde']);
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, '8']);
    assert.equal(cached.status, 304);
  });

  test('a version of another name, a marker and what is no id are not there', async () => {
    await put(service, 'kept/one', 'text', as);
    await put(service, 'kept/two', 'text', as);
    await remove(service, 'kept/two', as);
    const [marker] = await versions(service, 'kept/two', as);
    const version = await versionOf('kept/one', 'text');

    assert.equal(await read(service, 'kept/two', as, version), 404);
    assert.equal(await read(service, 'kept/two', as, marker?.version), 404);
    assert.equal(await read(service, 'kept/one', as, 'latest'), 400);
    assert.equal((await service.fetch('/storage/v1/object/versions/kept/none', { as })).status, 404);
    assert.equal((await service.fetch('/storage/v1/object/versions/kept/one?cursor=x', { as })).status, 400);
  });
});

describe('a bucket with soft delete', () => {
  test('frees the name at once, and lists what can come back', async () => {
    await put(service, 'bin/photos/a', 'first', as);
    await put(service, 'bin/photos/b', 'second', as);
    await put(service, 'bin/other', 'third', as);
    for (const name of ['photos/a', 'photos/b', 'other']) await remove(service, `bin/${name}`, as);

    const listed = await page(service, 'bin', as, '?prefix=photos/&limit=1');
    const more = await page(service, 'bin', as, `?prefix=photos/&limit=1&cursor=${listed.next_cursor}`);

    assert.deepEqual(
      [...listed.versions, ...more.versions].map(({ name }) => name),
      ['photos/a', 'photos/b'],
    );
    assert.equal(more.next_cursor, null);
    assert.notEqual(listed.versions[0]?.purge_after, null);
    assert.equal(await put(service, 'bin/photos/a', 'another', as), 201);
    assert.deepEqual(
      (await page(service, 'bin', as, '?prefix=photos/')).versions.map(({ name }) => name),
      ['photos/b'],
    );
    assert.equal(await restore(service, 'bin/photos/a', as), 409);
    assert.equal(await restore(service, 'bin/photos/b', as), 200);
    assert.equal(await read(service, 'bin/photos/b', as), 'second');
  });

  test('what was deleted does not come back over what took its name, by its version either', async () => {
    await put(service, 'bin/name', 'old', as);
    const version = await versionOf('bin/name', 'old');
    await remove(service, 'bin/name', as);
    await put(service, 'bin/name', 'new', as);

    assert.equal(await restore(service, 'bin/name', as, version), 409);
    assert.equal(await read(service, 'bin/name', as), 'new');
    assert.equal(await read(service, 'bin/name', as, version), 'old');
  });

  test('an overwritten version comes back, and what it replaces is kept as long', async () => {
    await put(service, 'bin/over', 'old', as);
    await put(service, 'bin/over', 'new', as);

    assert.equal(await restore(service, 'bin/over', as, await versionOf('bin/over', 'old')), 200);
    assert.deepEqual(await shapeOf('bin/over'), ['old!', 'new']);
  });

  test('ends with its time: not there for anybody, then swept', async () => {
    await put(service, 'bin/late', 'text', as);
    const version = await versionOf('bin/late', 'text');
    await remove(service, 'bin/late', as);
    await service.database.query(
      "UPDATE storage.object_history SET purge_after = now() - interval '1 second' WHERE bucket_id = 'bin' AND name = 'late'",
    );

    assert.equal(await read(service, 'bin/late', as, version), 404);
    assert.equal(await restore(service, 'bin/late', as), 404);
    assert.deepEqual(await versions(service, 'bin/late', as), []);
    assert.equal(await restore(service, 'bin/late', 'service', version), 404);
  });

  test('a move is no deletion: nothing stays behind', async () => {
    await put(service, 'bin/from', 'text', as);

    await sqlAs(service, as, "UPDATE storage.objects SET name = 'to' WHERE bucket_id = 'bin' AND name = 'from'");

    assert.deepEqual(await versions(service, 'bin/from', as), []);
  });
});

describe('a bucket without either', () => {
  test('keeps nothing', async () => {
    await put(service, 'plain/a', 'one', as);
    await put(service, 'plain/a', 'two', as);
    await remove(service, 'plain/a', as);

    assert.deepEqual(await versions(service, 'plain/a', as), []);
    assert.equal(await restore(service, 'plain/a', as), 404);
    assert.deepEqual(await service.database.query("SELECT FROM storage.object_history WHERE bucket_id = 'plain'"), []);
  });
});

test('after all of it every invariant holds', async () => {
  await assertInvariants(service);
});

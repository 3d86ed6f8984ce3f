import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { signToken, startService, type TestService } from '@rowlock/test-harness';
import { createClient, type StorageClient } from './client.ts';
import { isRowlockError } from './contract/errors.ts';

/** More than one page. */
const many = 1100;

async function all<T>(walk: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of walk) {
    found.push(each);
  }
  return found;
}

const byUtf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('walks over a real service', () => {
  let service: TestService;
  let ann: StorageClient;
  let requests = 0;

  before(async () => {
    service = await startService({ workers: false });
    ann = createClient({
      url: service.url,
      token: await signToken({ sub: 'ann', role: 'authenticated' }),
      fetch: (...asked) => {
        requests += 1;
        return fetch(...asked);
      },
    });
    await ann.createBucket({ name: 'box' });
    await ann.createBucket({ name: 'kept', versioning: 'on', inline: true });
    await ann.put('box', 'seed', 'x', { metadata: { of: 'seed' } });
  });
  after(() => service.stop());

  /** Writes names by SQL, with the bytes of the seed. */
  const write = (names: readonly string[]): Promise<unknown> =>
    service.database.query(
      `WITH claims AS MATERIALIZED (SELECT set_config('request.jwt.claims', '{"sub":"ann"}', true))
       INSERT INTO storage.objects (bucket_id, name, version_id, user_metadata)
       SELECT 'box', new_name, version_id, user_metadata FROM claims, storage.objects, unnest($1::text[]) AS new_name
       WHERE name = 'seed'`,
      [names],
    );

  test('a folder of several pages is walked with cursors, in the order of bytes, each entry once', async () => {
    const odd = [
      '\u{1F600}',
      '\u{FF5E}',
      '\u{E000}',
      'a',
      'a-b',
      'a/x',
      'a0',
      'a.b',
      '\u{10348}/y',
      '\u{FF5E}/z',
      'Z',
      'é',
    ];
    const plain = Array.from(
      { length: many },
      (_, n) => `n${String(n).padStart(5, '0')}${n % 3 === 0 ? '/below' : ''}`,
    );
    await write([...odd, ...plain].map((name) => `walk/${name}`));
    requests = 0;

    const entries = await all(ann.list('box', 'walk'));
    const pages = requests;

    const wanted = new Set([...odd, ...plain].map((name) => name.replace(/\/.*/, '/')));
    const found = entries.map(({ id, name }) => (id === null ? `${name}/` : name));
    assert.deepEqual(found, [...wanted].sort(byUtf8));
    assert.equal(pages, 2);
    assert.deepEqual((await all(ann.list('box', 'walk/'))).length, entries.length, 'with a slash too');
  });

  test('everything below comes in one walk, relative to the folder, or with whole names', async () => {
    await write(['deep/a/b/c', 'deep/a.txt', 'deep/a/d', 'deeper/no']);
    requests = 0;

    const below = (await all(ann.list('box', 'deep', { recursive: true }))).map(({ name }) => name);
    const whole = await all(ann.listAll('box', 'deep'));

    assert.deepEqual(below, ['a.txt', 'a/b/c', 'a/d']);
    assert.deepEqual(
      whole.map(({ name }) => name),
      ['deep/a.txt', 'deep/a/b/c', 'deep/a/d', 'deeper/no'],
    );
    assert.deepEqual(whole[0]?.user_metadata, { of: 'seed' });
    assert.equal(requests, 2);
  });

  test('names are searched, and a walk can be left or given up', async () => {
    await write(['find/Needle', 'find/hay', 'find/sub/needles']);
    const stop = new AbortController();

    const found = await all(ann.list('box', 'find', { search: 'needle' }));
    const deep = await all(ann.list('box', 'find', { search: 'needle', recursive: true }));
    for await (const { name } of ann.listAll('box', 'find')) {
      assert.equal(name, 'find/Needle');
      break;
    }
    stop.abort();

    assert.deepEqual(
      [found.map(({ name }) => name), deep.map(({ name }) => name)],
      [['Needle'], ['Needle', 'sub/needles']],
    );
    await assert.rejects(all(ann.listAll('box', '', { signal: stop.signal })), { name: 'AbortError' });
    await assert.rejects(all(ann.listAll('none')), (error) => isRowlockError(error, 'bucket_not_found'));
  });

  test('versions are listed, read, restored and purged; what was deleted comes back', async () => {
    await ann.put('kept', 'é/a?', 'one');
    await ann.put('kept', 'é/a?', 'two');
    await ann.remove('kept', ['é/a?']);

    const listed = await all(ann.listVersions('kept', 'é/a?'));
    const [deleted] = await all(ann.listDeleted('kept', 'é/'));
    const [, , first] = listed;
    const old = await (await ann.download('kept', 'é/a?', { version: first?.version ?? '' })).text();
    const back = await ann.restore('kept', 'é/a?');
    const current = await (await ann.download('kept', 'é/a?')).text();
    await ann.purge('kept', 'é/a?', first?.version ?? '');

    assert.deepEqual(
      listed.map(({ delete_marker, size }) => [delete_marker, size]),
      [
        [true, null],
        [false, 3],
        [false, 3],
      ],
    );
    assert.deepEqual([deleted?.name, old, back.Key, current], ['é/a?', 'one', 'kept/é/a?', 'two']);
    assert.equal((await all(ann.listVersions('kept', 'é/a?'))).length, 1);
    assert.deepEqual(await all(ann.listDeleted('kept')), []);
  });

  test('objects are moved and copied, and buckets changed, as the service says', async () => {
    await ann.put('box', 'from', 'bytes');
    await ann.put('box', 'taken', 'other');
    const [from, to] = [
      { bucket: 'box', name: 'from' },
      { bucket: 'kept', name: 'to' },
    ] as const;

    const copied = await ann.copy(from, to);
    await assert.rejects(ann.move(from, { bucket: 'box', name: 'taken' }), (error) =>
      isRowlockError(error, 'object_exists'),
    );
    const moved = await ann.move(from, { bucket: 'box', name: 'taken' }, { overwrite: true });
    const changed = await ann.updateBucket('kept', { inline: false, history_keep: 3 });

    assert.deepEqual([copied.Key, moved.Key], ['kept/to', 'box/taken']);
    assert.equal(await (await ann.download('box', 'taken')).text(), 'bytes');
    assert.deepEqual([changed.inline, changed.versioning, changed.history_keep], [false, 'on', 3]);
  });
});

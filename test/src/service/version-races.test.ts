/**
 * Versions under concurrency: overwrites, deletes, restores and purges of one name at once. No acknowledged text is lost
 * that nobody purged, nothing purged is there afterwards, and no byte goes that something still points at.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, seededRandom, startService, type TestService } from '@rowlock/test-harness';
import { makeBucket, put, read, remove, restore, sqlAs, versions } from './versioned-site.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 3);
const as = 'bertha';
const random = seededRandom();

let service: TestService;

before(async () => {
  service = await startService({ workers: true });
  await makeBucket(service, 'race', { versioning: 'on' });
  await makeBucket(service, 'bin', { soft_delete_seconds: 3600 });
});
after(() => service.stop());

/** What every listed version of a name reads as. */
async function textsOf(path: string): Promise<readonly (string | number)[]> {
  const listed = await versions(service, path, as);
  const kept = listed.filter(({ delete_marker }) => !delete_marker);
  return await Promise.all(kept.map(({ version }) => read(service, path, as, version)));
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  return values
    .map((value) => ({ value, place: random.next() }))
    .sort((one, other) => one.place - other.place)
    .map(({ value }) => value);
}

test('overwrites, deletes, restores and purges that cross lose nothing and bring nothing purged back', async () => {
  for (let round = 1; round <= rounds; round += 1) {
    const path = `race/crossing-${round}`;
    await put(service, path, 'doomed', as);
    const [doomed] = await versions(service, path, as);
    await put(service, path, 'kept', as);
    const [kept] = await versions(service, path, as);
    await put(service, path, 'current', as);
    const written = ['kept', 'current'];
    const write = async (text: string): Promise<number> => {
      const status = await put(service, path, text, as);
      if (status < 300) written.push(text);
      return status;
    };

    const statuses = await Promise.all(
      shuffled([
        ...Array.from({ length: 8 }, (_, i) => () => write(`text ${i}`)),
        ...Array.from({ length: 3 }, () => () => remove(service, path, as)),
        ...Array.from({ length: 3 }, () => () => restore(service, path, as, doomed?.version)),
        ...Array.from({ length: 3 }, () => () => restore(service, path, as, kept?.version)),
        ...Array.from({ length: 2 }, () => () => restore(service, path, as)),
        () => remove(service, path, as, doomed?.version),
      ]).map((act) => act()),
    );

    assert.deepEqual(
      statuses.filter((status) => ![200, 201, 404, 409].includes(status)),
      [],
      'each is done, missing or taken',
    );
    const found = new Set(await textsOf(path));
    assert.deepEqual(
      written.filter((text) => !found.has(text)),
      [],
      'every text that was written is there',
    );
    assert.equal(found.has('doomed'), false, 'what was purged is gone');
    assert.equal(await read(service, path, as, doomed?.version), 404);
  }
  await assertInvariants(service);
});

test('of restores of one deleted name exactly one makes the object, and all of them agree', async () => {
  for (let round = 1; round <= rounds; round += 1) {
    const path = `bin/restored-${round}`;
    await put(service, path, 'text', as);
    const [entry] = await versions(service, path, as);
    await remove(service, path, as);

    const statuses = await Promise.all(Array.from({ length: 10 }, () => restore(service, path, as, entry?.version)));

    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.deepEqual(await textsOf(path), ['text']);
  }
});

test('a restore and a new object that cross leave one of them, and the other can still come back', async () => {
  for (let round = 1; round <= rounds * 3; round += 1) {
    const path = `bin/name-${round}`;
    await put(service, path, 'old', as);
    await remove(service, path, as);

    const [restored, created] = await Promise.all([restore(service, path, as), put(service, path, 'new', as)]);

    assert.ok([200, 409].includes(restored) && [200, 201].includes(created), `${restored} and ${created}`);
    assert.deepEqual(new Set(await textsOf(path)), new Set(['old', 'new']));
    assert.equal(await read(service, path, as), 'new');
  }
  await assertInvariants(service);
});

test('what is purged while it is copied is either copied whole or not at all', async () => {
  for (let round = 1; round <= rounds * 3; round += 1) {
    const path = `race/source-${round}`;
    await put(service, path, 'source', as);
    const [source] = await versions(service, path, as);
    await put(service, path, 'later', as);
    const copy = sqlAs(service, as, 'INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ($1, $2, $3)', [
      'race',
      `copy-${round}`,
      source?.version,
    ]).then(
      () => 'source',
      () => 404,
    );

    const [copied, purged] = await Promise.all([copy, remove(service, path, as, source?.version)]);

    assert.equal(purged, 200);
    assert.equal(await read(service, `race/copy-${round}`, as), copied);
  }
  await assertInvariants(service);
});

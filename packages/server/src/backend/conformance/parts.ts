/**
 * What every store that takes parts must do alike. It knows no store; what is particular to one is tested beside it. Invariant:
 * a test leaves no upload behind that it began.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Backend } from '../backend.ts';
import { isUploadGone, type PartStore, type PartsPlace, type StoredPart } from '../parts.ts';
import { readAll } from './sample-bytes.ts';

/** S3's smallest, but for the last one. */
const partBytes = 5 * 2 ** 20;
const key = 'objects/ab/parts';

export type SendPart = (backend: Backend, place: PartsPlace, number: number, bytes: Buffer) => Promise<void>;

interface Begun {
  readonly backend: Backend;
  readonly store: PartStore;
  readonly place: PartsPlace;
}
type Begin = (t: TestContext) => Promise<Begun>;

/** Registers the tests of uploads in parts; `send` brings a part to the store as a client would. */
export function partsConformance(name: string, open: (t: TestContext) => Promise<Backend>, send: SendPart): void {
  const begun: Begin = async (t) => {
    const backend = await open(t);
    const store = backend.parts;
    assert.ok(store);
    return { backend, store, place: { key, store_id: await store.create(key) } };
  };
  completionTests(name, begun, send);
  removalTests(name, begun, send);
}

const named = (parts: readonly StoredPart[]): { part_number: number; etag: string }[] =>
  parts.map(({ part_number, etag }) => ({ part_number, etag }));

function completionTests(name: string, begun: Begin, send: SendPart): void {
  test(`${name}: parts become the object in the order of their numbers, and not before it is completed`, async (t) => {
    const { backend, store, place } = await begun(t);
    const [first, second] = [randomBytes(partBytes), randomBytes(1000)];

    await send(backend, place, 2, second);
    await send(backend, place, 1, first);
    const before = await backend.head(key);
    const listed = await store.list(place);
    const behind = await store.list(place, { after: 1, limit: 1 });
    await store.complete(place, named(listed));

    assert.equal(before, undefined);
    assert.deepEqual(
      listed.map(({ part_number, size }) => [part_number, size]),
      [
        [1, partBytes],
        [2, 1000],
      ],
    );
    assert.deepEqual(
      behind.map(({ part_number }) => part_number),
      [2],
    );
    assert.ok((await readAll((await backend.get(key)).stream)).equals(Buffer.concat([first, second])));
    await assert.rejects(store.list(place), isUploadGone);
    assert.equal(await store.abort(place), false);
    assert.equal((await backend.head(key))?.size, partBytes + 1000);
  });

  test(`${name}: a part that comes again is another one, and the one that was named before is not taken for it`, async (t) => {
    const { backend, store, place } = await begun(t);
    await send(backend, place, 1, Buffer.from('first'));
    const earlier = await store.list(place);

    await send(backend, place, 1, Buffer.from('again'));
    const later = await store.list(place);
    await assert.rejects(store.complete(place, named(earlier)), { reason: 'invalid_part' });
    await assert.rejects(store.complete(place, [...named(later), { part_number: 2, etag: 'x' }]), {
      reason: 'invalid_part',
    });
    await store.complete(place, named(later));

    assert.notEqual(later[0]?.etag, earlier[0]?.etag);
    assert.equal((await readAll((await backend.get(key)).stream)).toString(), 'again');
  });
}

function removalTests(name: string, begun: Begin, send: SendPart): void {
  test(`${name}: an upload that is given up leaves nothing, and takes nothing`, async (t) => {
    const { backend, store, place } = await begun(t);
    await send(backend, place, 1, Buffer.from('bytes'));

    const aborted = await store.abort(place);
    const again = await store.abort(place);

    assert.deepEqual([aborted, again], [true, false]);
    await assert.rejects(store.list(place), isUploadGone);
    await assert.rejects(store.complete(place, [{ part_number: 1, etag: 'x' }]));
    await assert.rejects(send(backend, place, 1, Buffer.from('late')));
    assert.equal(await backend.head(key), undefined);
    for await (const left of backend.listUnfinished()) assert.fail(left.id);
  });

  test(`${name}: an upload that nobody finished is listed, and removed unless it is kept`, async (t) => {
    const { backend, store, place } = await begun(t);
    await send(backend, place, 1, Buffer.from('bytes'));

    const listed = [];
    for await (const { size, store_id } of backend.listUnfinished()) listed.push({ size, store_id });
    const young = await backend.removeUnfinished(3_600_000);
    const kept = await backend.removeUnfinished(-1, new Set([place.store_id]));
    const still = (await store.list(place)).length;
    const removed = await backend.removeUnfinished(-1);

    assert.deepEqual(listed, [{ size: 5, store_id: place.store_id }]);
    assert.deepEqual([young, kept, still, removed], [0, 0, 1, 1]);
    await assert.rejects(store.list(place), isUploadGone);
  });
}

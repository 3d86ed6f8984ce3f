/**
 * The full comparison that ends each run: everything that can be read, by everybody, over HTTP and in SQL. Afterwards one
 * world is left. It writes nothing but what counting a use of a URL writes.
 */
import assert from 'node:assert/strict';
import type { Action, Worlds } from './action.ts';
import { openAction } from './link-actions.ts';
import {
  bucketAction,
  deletedAction,
  downloadAction,
  downloadVersionAction,
  infoAction,
  linksAction,
  listAction,
  pagesAction,
  selectAction,
  usageAction,
  versionsAction,
} from './read-actions.ts';
import type { ModelSite } from './site.ts';
import { everybody, type World } from './world.ts';

/** The names of the model's buckets, and those that objects may have. */
export const bucketNames = ['a', 'b', 'c'] as const;
export const objectNames = ['x', 'x-1', 'd/x', 'd/y', 'd/e/x', 'e/x'] as const;

function readings(worlds: readonly World[]): readonly Action[] {
  const rows = worlds.flatMap(({ objects, entries }) => [...objects, ...entries]);
  const places = bucketNames.flatMap((bucket) => objectNames.map((name) => ({ bucket, name })));
  return [
    ...bucketNames.map((bucket) => usageAction(bucket)),
    ...everybody.flatMap((who) => [
      ...bucketNames.flatMap((bucket) => [
        bucketAction(who, bucket),
        listAction(who, bucket),
        pagesAction(who, bucket, 2),
        deletedAction(who, bucket),
      ]),
      ...places.flatMap((at) => {
        const here = <T extends { readonly bucket: string; readonly name: string }>(each: T): boolean =>
          each.bucket === at.bucket && each.name === at.name;
        const texts = rows.filter(here).flatMap(({ version }) => version?.text ?? []);
        if (texts.length === 0) return [];
        return [
          downloadAction(who, at),
          infoAction(who, at),
          versionsAction(who, at),
          ...[...new Set(texts)].map((text) => downloadVersionAction(who, at, text)),
        ];
      }),
      linksAction(who),
    ]),
  ];
}

/** Requests that are under way at once; none of them depends on another. */
const together = 12;

/** Reads everything, and asserts that the service is in one of the worlds, and which. */
export async function compareEverything(worlds: Worlds, site: ModelSite): Promise<void> {
  const all = readings(worlds.list);
  for (let place = 0; place < all.length; place += together) {
    const batch = all.slice(place, place + together);
    const answers = await Promise.all(batch.map((reading) => reading.perform(site)));
    for (const [n, reading] of batch.entries()) worlds.judge(reading, answers[n] ?? '');
  }
  // One connection, so one after the other; and uses of URLs are listed before they are counted.
  const selects = everybody.flatMap((who) => bucketNames.map((bucket) => selectAction(who, bucket)));
  const links = new Set(worlds.list.flatMap((world) => world.links.map(({ id }) => id)));
  for (const each of [...selects, ...[...links].map((id) => openAction(id))]) await worlds.step(site, each);
  assert.equal(new Set(worlds.list.map(({ objects, entries }) => JSON.stringify({ objects, entries }))).size, 1);
}

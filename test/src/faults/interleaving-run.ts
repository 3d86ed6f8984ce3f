/**
 * One run of an interleaving: the first operation is stopped at one of the points that it passes, the second runs whole,
 * and the first ends in one of four ways. What was answered and what is there then must be what one order of the two
 * would have made, where only a first operation whose fate nobody was told may be missing. It chooses nothing.
 */
import assert from 'node:assert/strict';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { until } from '@rowlock/test-harness';
import type { HeldService, Step as HeldStep } from './held-service.ts';
import type { Pair } from './interleaving-pairs.ts';
import {
  json,
  type Result,
  type Scene,
  type Step,
  tell,
  textOf,
  upload,
  v1,
  type World,
} from './interleaving-steps.ts';
import { checkAndRepair } from './interleaving-upkeep.ts';

/**
 * How the first operation ends. `continues`: it goes on. `loses a reply`: the next statement is done, and the service
 * never hears. `loses its client`: whoever asked has gone. `is killed`: with the whole process, and SIGKILL.
 */
export const ends = ['continues', 'loses a reply', 'loses its client', 'is killed'] as const;
export type End = (typeof ends)[number];

export interface Run {
  readonly pair: Pair;
  /** Where the first operation is stopped. */
  readonly step: HeldStep;
  readonly end: End;
}

let runs = 0;

/** Makes what the pair needs, in a bucket of its own. */
export async function arrangePair(held: HeldService, pair: Pair): Promise<Scene> {
  runs += 1;
  const scene: Scene = { held, bucket: `run-${runs}`, facts: new Map() };
  const settings = { name: scene.bucket, policy: 'private', ...pair.settings };
  assert.equal((await tell(scene, `${v1}/bucket`, json(settings))).status, 201);
  for (const [name, text] of pair.there ?? []) await arrangeObject(scene, name, text);
  if (pair.signs !== undefined) await arrangeUrl(scene, pair.signs);
  if (pair.hasOrphan) scene.facts.set('orphan', await arrangeOrphan(held));
  return scene;
}

async function arrangeObject(scene: Scene, name: string, text: string): Promise<void> {
  assert.equal(await upload(name, text).run(scene), 'done');
  const [row] = await scene.held.service.database.query<{ version_id: string }>(
    'SELECT version_id FROM storage.objects WHERE bucket_id = $1 AND name = $2',
    [scene.bucket, name],
  );
  scene.facts.set(`version ${text}`, row?.version_id ?? '');
}

async function arrangeUrl(scene: Scene, signs: 'download once' | 'upload once'): Promise<void> {
  const [path, body] =
    signs === 'upload once'
      ? [`${v1}/object/upload/sign/${scene.bucket}/x`, {}]
      : [`${v1}/object/sign/${scene.bucket}/x`, { max_uses: 1 }];
  const asked = json(body);
  // Only its use keeps the second from overwriting what the first has made.
  const signed = await tell(scene, path, { ...asked, headers: { ...asked.headers, 'x-upsert': 'true' } });
  const { url, signedURL } = JSON.parse(signed.body.toString()) as { readonly url: string; readonly signedURL: string };
  scene.facts.set('url', signs === 'upload once' ? `${v1}${url}` : `${v1}${signedURL}`);
}

/** Bytes that no row names, where the disk backend keeps its own; and their path. */
async function arrangeOrphan({ service }: HeldService): Promise<string> {
  const path = join(service.root, 'objects', 'ff', 'orphan');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'nobody knows me');
  return path;
}

/** A check that came to its end has removed the orphan; of one that did not, it is removed here. */
export async function removeOrphan(scene: Scene, hasBeenChecked: boolean): Promise<void> {
  const path = scene.facts.get('orphan');
  if (path === undefined) return;
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  assert.ok(!isThere || !hasBeenChecked, 'fsck --repair removes bytes that no row names');
  await rm(path, { force: true });
}

/**
 * Runs one interleaving and judges it. False where the first operation did not come to the step this time, as it makes a
 * folder only once.
 */
export async function runInterleaving(held: HeldService, run: Run): Promise<boolean> {
  try {
    return await runOnce(held, run);
  } catch (error) {
    await held.killAndStart(); // whoever stands there must not disturb the next
    throw error;
  }
}

async function runOnce(held: HeldService, run: Run): Promise<boolean> {
  const { pair, step, end } = run;
  const scene = await arrangePair(held, pair);
  const client = new AbortController();
  await held.holdAt(step);
  const running = pair.first.run(scene, client.signal);
  const isHeld = await held.isHeld(running);
  if (!isHeld) await held.holdAt(undefined); // or the second would stand there
  const second = await pair.second.run(scene);
  assert.notEqual(second, 'unknown', `${nameOf(run)}: the second, which nothing disturbs, is answered`);
  const first = isHeld ? await endFirst(scene, { end, running, client }) : await running;
  const final = await finalTexts(scene);
  await removeOrphan(scene, pair.second === checkAndRepair || first === 'done');
  assert.ok(
    isSerial(pair, { first, second, final }),
    `${nameOf(run)}: it was ${first}, the other ${second}, and there is ${JSON.stringify([...final])}: no order makes that`,
  );
  return isHeld;
}

/** A run in words. */
export function nameOf({ pair, step, end }: Run): string {
  return `${pair.name}: the first ${end} at ${step.point} (${step.pass})`;
}

async function endFirst(
  scene: Scene,
  { end, running, client }: { readonly end: End; readonly running: Promise<Result>; readonly client: AbortController },
): Promise<Result> {
  const { held } = scene;
  if (end === 'is killed') {
    const [first] = await Promise.all([running, held.killAndStart()]);
    return first;
  }
  const armed = end === 'loses a reply' ? held.proxy.arm({ at: 1, fault: { kind: 'cut_after' } }) : undefined;
  if (end === 'loses its client') client.abort();
  held.release();
  const first = await running;
  armed?.disarm();
  if (end === 'loses its client') await untilOver(scene);
  return first;
}

/** Whoever asked has gone: what is still done for them has ended when nothing is open, at work or moving any more. */
async function untilOver({ held, bucket }: Scene): Promise<void> {
  let passedBefore = -1;
  const isOver = async (): Promise<boolean> => {
    const busy = await held.service.database.query(
      `SELECT FROM storage.uploads WHERE bucket_id = $1 AND state = 'open' UNION ALL SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'rowlock%' AND state <> 'idle'`,
      [bucket],
    );
    const before = passedBefore;
    passedBefore = (await held.passed()).length;
    return busy.length === 0 && passedBefore === before;
  };
  await until(isOver, { what: 'nothing is under way any more' });
}

/** What the bucket has now, name by name, as the service reads it. */
async function finalTexts(scene: Scene): Promise<ReadonlyMap<string, string>> {
  const rows = await scene.held.service.database.query<{ name: string }>(
    'SELECT name FROM storage.objects WHERE bucket_id = $1 ORDER BY name COLLATE "C"',
    [scene.bucket],
  );
  const texts = new Map<string, string>();
  for (const { name } of rows) {
    const told = await tell(scene, `${v1}/object/${scene.bucket}/${name}`, { as: 'service' });
    texts.set(name, told.status === 200 ? textOf(told.body) : `status ${told.status}`);
  }
  return texts;
}

export interface Outcome {
  readonly first: Result;
  readonly second: Result;
  readonly final: ReadonlyMap<string, string>;
}

/** Whether one order of the two, each whole, gives these answers and this end. */
export function isSerial(pair: Pair, { first, second, final }: Outcome): boolean {
  const isAnswered = (meant: Result, told: Result): boolean => told === 'unknown' || meant === told;
  const orders: readonly (readonly Step[])[] = [
    [pair.first, pair.second],
    [pair.second, pair.first],
  ];
  const told = new Map([
    [pair.first, first],
    [pair.second, second],
  ]);
  const isOrder = (order: readonly Step[]): boolean => {
    const world = worldOf(pair);
    return order.every((step) => isAnswered(step.apply(world), told.get(step) ?? 'unknown')) && isSame(world, final);
  };
  if (orders.some(isOrder)) return true;
  const isRefused = (step: Step): boolean => step.mayBeRefused === true && told.get(step) === 'refused';
  if (isRefused(pair.second)) return isOrder([pair.first]);
  if (first !== 'unknown' && !isRefused(pair.first)) return false;
  // The first left nothing, but the second may have met what it held while it was under way, such as a reservation.
  return isOrder([pair.second]) || (second === 'refused' && isOrder([]));
}

function worldOf(pair: Pair): World {
  const world: World = { objects: new Map(), kept: [], uses: 1, hasBucket: true };
  for (const [name, text] of pair.there ?? []) upload(name, text).apply(world);
  return world;
}

function isSame(world: World, final: ReadonlyMap<string, string>): boolean {
  return world.objects.size === final.size && [...world.objects].every(([name, text]) => final.get(name) === text);
}

/**
 * Two operations at a time, the first stopped at each fault point that it passes while the second runs whole; then it
 * goes on, loses a reply, loses its client, or is killed with its process. The answers and what is there must be those
 * of one order, and fsck finds nothing. In short every step of every operation once, two runs more of each pair, and a
 * few kills, with one oracle for all; `npm run campaign -- interleavings` takes all of them, with the oracle after each.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, type SeededRandom, seededRandom } from '@rowlock/test-harness';
import { type HeldService, type Step, startHeldService } from './held-service.ts';
import { type Pair, pairs } from './interleaving-pairs.ts';
import {
  arrangePair,
  type End,
  ends,
  isSerial,
  nameOf,
  type Run,
  removeOrphan,
  runInterleaving,
} from './interleaving-run.ts';
import type { Result } from './interleaving-steps.ts';

/** How many runs a campaign takes of all; one round is the short form. */
const wanted = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);

let held: HeldService;
let random: SeededRandom;

before(async () => {
  held = await startHeldService();
  random = seededRandom();
  console.log(`interleavings, seed ${random.seed}`);
});
after(() => held.stop());

/**
 * The steps that the first operation of a pair has when it is alone. Not those of folders: uploads share one sync of a
 * folder, so that who stands there holds the others up; `crash` kills there.
 */
async function stepsOf(pair: Pair): Promise<readonly Step[]> {
  const scene = await arrangePair(held, pair);
  await held.holdAt(undefined);
  const result = await pair.first.run(scene);
  assert.match(result, /^(done|saw .)$/, `${pair.first.name} alone`);
  await removeOrphan(scene, false);
  const passed = (await held.passed()).filter((point) => !point.startsWith('file.folder'));
  return passed.map((point, i) => ({ point, pass: passed.slice(0, i + 1).filter((each) => each === point).length }));
}

/** Nothing of what was before, so that each oracle looks at one run. */
async function tidyUp(): Promise<void> {
  await held.service.database.query('DELETE FROM storage.objects');
  await held.service.database.query('DELETE FROM storage.object_history');
}

/** The oracle for what a run left. */
async function assertZeroAndZero(what: string): Promise<void> {
  await assertInvariants(held.service).catch((error: unknown) => {
    throw new Error(`after ${what}: ROWLOCK_TEST_SEED=${random.seed}`, { cause: error });
  });
}

/** The same after a week: late bytes of what was given up are gone too, and every file is some object's. */
async function assertNothingLeft(): Promise<void> {
  const { database, root } = held.service;
  await database.query("UPDATE storage.versions SET expires_at = now() - interval '1 second' WHERE state = 'gone'");
  await assertZeroAndZero('a week');
  const stored = await database.query<{ key: string }>("SELECT key FROM storage.versions WHERE state = 'stored'");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  assert.deepEqual(files.sort(), stored.map(({ key }) => basename(key)).sort(), 'each file is a stored version');
}

/** The short form: each step of the operation itself, and two of all, those of files too; one pair in twenty is killed too. */
function shortRuns(pair: Pair, steps: readonly Step[]): readonly Run[] {
  const own = steps.filter(({ point }) => !/^(file|disk)\./.test(point));
  const isKilled = (pairs.indexOf(pair) + random.seed) % 20 === 0;
  const more: readonly End[] = ['loses a reply', isKilled ? 'is killed' : 'loses its client'];
  return [
    ...own.map((step) => ({ pair, step, end: 'continues' }) as const),
    ...more.map((end) => ({ pair, step: random.pick(steps), end })),
  ];
}

/** Every step of every pair with every end, in an order that the seed chooses. */
async function allRuns(): Promise<readonly Run[]> {
  const all: Run[] = [];
  for (const pair of pairs) {
    for (const step of await stepsOf(pair)) all.push(...ends.map((end) => ({ pair, step, end })));
  }
  return all
    .map((run) => ({ run, place: random.next() }))
    .sort((one, other) => one.place - other.place)
    .map(({ run }) => run);
}

if (wanted > 1) {
  test('every interleaving ends as one order would have, and leaves nothing', async () => {
    const all = await allRuns();
    const counts = new Map<End, number>();
    let done = 0;
    for (let turn = 0; done < wanted; turn += 1) {
      const run = all[turn % all.length];
      assert.ok(run, 'there are interleavings');
      await tidyUp();
      const isMet = await runInterleaving(held, run);
      await assertZeroAndZero(nameOf(run));
      if (!isMet) continue;
      done += 1;
      counts.set(run.end, (counts.get(run.end) ?? 0) + 1);
      if (done % 100 === 0) console.log(`${done} of ${wanted} runs, ${Math.round(performance.now() / 1000)} s`);
    }
    await assertNothingLeft();
    console.log(`${wanted} runs of ${all.length} that there are: ${JSON.stringify(Object.fromEntries(counts))}`);
  });
} else {
  for (const pair of pairs) {
    test(`${pair.name}: whatever the first meets, it ends as one order would have`, async () => {
      const steps = await stepsOf(pair);
      assert.ok(steps.length > 0, 'the first operation can be stopped');

      for (const run of shortRuns(pair, steps)) await runInterleaving(held, run);
    });
  }
  test('after all of them every invariant holds, and after a week each file is a stored version', async () => {
    await assertZeroAndZero('all pairs');

    await assertNothingLeft();
  });
}

describe('the judgement', () => {
  const pair = pairs.find(({ name }) => name === 'upload | delete');
  const judge = (first: Result, second: Result, text?: string): boolean => {
    assert.ok(pair);
    return isSerial(pair, { first, second, final: new Map(text === undefined ? [] : [['x', text]]) });
  };

  test('accepts what one of the two orders makes', () => {
    assert.ok(judge('done', 'done', 'c'));
    assert.ok(judge('done', 'done'));
  });

  test('accepts that a first operation of which nobody was told did nothing', () => {
    assert.ok(judge('unknown', 'done'));
    assert.ok(judge('unknown', 'done', 'c'));
  });

  test('refuses what no order makes: an old text that is back, an answer that is not true, another text', () => {
    assert.deepEqual(
      [
        judge('done', 'done', 'a'),
        judge('refused', 'done', 'c'),
        judge('done', 'refused', 'c'),
        judge('unknown', 'done', 'd'),
      ],
      [false, false, false, false],
    );
  });
});

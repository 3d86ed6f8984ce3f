/**
 * The model and the service beside each other in sequences that are written down: one for each thing that random runs must
 * not overlook. Each step's answer and every row behind it are the model's, as in random runs; so these are what the
 * negative controls of the model are tried with.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { assertInvariants } from '@rowlock/test-harness';
import { type Action, Worlds } from './action.ts';
import { changeBucketAction, createBucketAction } from './bucket-actions.ts';
import { compareEverything } from './comparison.ts';
import { killedAt } from './crash-actions.ts';
import { moveFolderAction } from './folder-actions.ts';
import { glance } from './glance.ts';
import { openAction, revokeLinkAction, signAction } from './link-actions.ts';
import { lost } from './lost.ts';
import { copyAction, deleteAction, deleteRowAction, moveAction, updatePlaceAction } from './object-actions.ts';
import { downloadAction, usageAction } from './read-actions.ts';
import { ModelSite } from './site.ts';
import { abortAction, beginAction, finishAction, uploadAction } from './upload-actions.ts';
import { purgeAction, restoreAction } from './version-actions.ts';
import type { BucketSettings, UploadRequest, Who } from './world.ts';

let site: ModelSite;
let run = 0;
let worlds: Worlds;

before(async () => {
  site = await ModelSite.start();
});
after(async () => {
  try {
    await assertInvariants(site.service);
  } finally {
    await site.stop();
  }
});
beforeEach(() => {
  run += 1;
  site.begin(run);
  worlds = new Worlds();
});

const x = { bucket: 'a', name: 'x' };
const y = { bucket: 'a', name: 'd/y' };

const bucket = (settings: Partial<BucketSettings> = {}, name = 'a', who: Who = 'ann'): Action =>
  createBucketAction(who, name, {
    policy: 'authenticated',
    size_max: null,
    types: null,
    overwrite: 'allow',
    versioning: 'off',
    soft: false,
    history_keep: null,
    quota_bytes: null,
    quota_objects: null,
    owner_quota_objects: null,
    ...settings,
  });

const body = (text: string, other: Partial<UploadRequest> = {}): UploadRequest => ({
  who: 'ann',
  ...x,
  text,
  type: 'text/plain',
  overwrite: true,
  if_match: null,
  is_free: false,
  cache_control: 'max-age=60',
  user_metadata: { page: '1' },
  ...other,
});
const put = (text: string, other: Partial<UploadRequest> = {}): Action => uploadAction(body(text, other));

/** Does them one after the other; answers what was answered. */
async function done(...actions: readonly Action[]): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const action of actions) {
    const answer = await worlds.step(site, action);
    if (answer !== lost) await glance(worlds, site, action.label);
    answers.push(answer);
  }
  return answers;
}

async function ends(): Promise<void> {
  await compareEverything(worlds, site);
}

test('a move takes all of its object along, by whatever way', async () => {
  const to = { overwrite: false, if_match: null };

  await done(bucket({ versioning: 'on' }), put('one'), moveAction({ who: 'ann', from: x, to: y, ...to }, 'http'));
  await done(moveAction({ who: 'ann', from: y, to: x, ...to }, 'sql'), updatePlaceAction('ann', x, y));

  await ends();
});

test('a delete leaves a marker over what is kept, which a restore takes back', async () => {
  const again = restoreAction({ who: 'ann', at: x, text: null }, 'http');

  await done(bucket({ versioning: 'on' }), put('one'), put('two'), deleteAction('ann', x, null), again);
  await done(deleteRowAction('ann', x), purgeAction({ who: 'ann', at: x, target: { marker: 0 } }, 'sql'));

  await ends();
});

test('a counted URL opens as often as it was signed for', async () => {
  await done(bucket(), put('one'), signAction({ id: 1, who: 'ann', at: x, text: null, uses: 2 }));

  const answers = await done(openAction(1), openAction(1), openAction(1));

  assert.deepEqual(answers, ['one', 'one', 'url_used_up']);
});

test('a revoked URL and one whose object went are over, whatever has the name', async () => {
  const sign = (id: number): Action => signAction({ id, who: 'ann', at: x, text: null, uses: null });

  await done(bucket(), put('one'), sign(1), sign(2), revokeLinkAction('ann', 1, 'sql'), openAction(1), openAction(2));
  const [, , answer] = await done(deleteAction('ann', x, null), put('two'), openAction(2));

  assert.equal(answer, 'object_not_found');
  await ends();
});

test('what was true when an upload began is asked again when it ends', async () => {
  await done(bucket({ versioning: 'on' }), put('one'), beginAction(body('three', { if_match: 'one' }), 1), put('two'));

  const [answer] = await done(finishAction(1, body('three', { if_match: 'one' })));
  await done(beginAction(body('four'), 2), changeBucketAction('ann', 'a', { size_max: 3 }, 'http'));
  const [limited] = await done(finishAction(2, body('four')));

  assert.deepEqual([answer, limited], ['precondition_failed', 'too_large']);
  await ends();
});

test('a restore brings back the version that was asked for', async () => {
  const restore = restoreAction({ who: 'ann', at: x, text: 'one' }, 'http');

  await done(bucket({ versioning: 'on' }), put('one'), put('two'), put('three'), restore);

  await ends();
});

test('what somebody else overwrites stays whose it was, and a copy belongs to whoever copies', async () => {
  const copy = { who: 'ben' as const, from: x, to: y, overwrite: false, if_match: null, given: null };

  await done(bucket(), put('one'), put('two', { who: 'ben' }), copyAction(copy, 'sql'));

  await ends();
});

test('an upload that is broken off gives back what it held', async () => {
  await done(bucket({ quota_bytes: 20, quota_objects: 2 }), put('one'), beginAction(body('a'.repeat(15), y), 1));
  const [full] = await done(put('b'.repeat(15)));
  const [, room] = await done(abortAction(1), put('b'.repeat(15)), usageAction('a'));

  assert.deepEqual([full, room], ['quota_exceeded', 'replaced']);
  await ends();
});

test('what comes into a bucket by a move is held by its limits', async () => {
  const request = { who: 'ann' as const, from: { bucket: 'a', prefix: 'd/' }, to: { bucket: 'b', prefix: 'd/' } };

  await done(bucket(), bucket({ size_max: 3 }, 'b'), put('four', y), put('one', { name: 'd/x' }));
  const [answer] = await done(moveFolderAction(request, 'http'));

  assert.equal(answer, 'too_large');
  await ends();
});

test('an answer that was lost leaves two worlds, until something that is read decides', async () => {
  await done(bucket(), put('one'));
  const { unanswered: _, ...killed } = killedAt('upload.after_commit', put('two'));

  await done({ ...killed, unanswered: (earlier, later) => [earlier, later] });
  const thought = worlds.list.length;
  const answer = await worlds.step(site, downloadAction('ann', x));

  assert.deepEqual([thought, answer, worlds.list.length], [2, 'two', 1]);
  await ends();
});

/**
 * Kills as actions: the process dies while it does something, at a named step or after some time, or PostgreSQL dies
 * under it. What was under way is broken off, and what was not answered was done or was not.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultPoint } from '@rowlock/server';
import type { Action } from './action.ts';
import { lost } from './lost.ts';
import type { World } from './world.ts';

/** Uploads of a process that is gone: their intents stay until the sweep. */
function breakOff(world: World): void {
  for (const upload of world.uploads) upload.is_alive = false;
}

/** The steps of whole uploads, and of everything else that writes over HTTP. */
export const uploadSteps: readonly FaultPoint[] = [
  'upload.before_intent',
  'upload.after_intent',
  'disk.bytes',
  'disk.before_fsync',
  'disk.after_rename',
  'upload.before_commit',
  'upload.after_commit',
];
export const otherSteps: readonly FaultPoint[] = [
  'delete.before_commit',
  'delete.after_commit',
  'restore.before_commit',
  'restore.after_commit',
  'purge_version.before_commit',
  'purge_version.after_commit',
  'move.before_commit',
  'move.after_commit',
  'copy.before_commit',
  'copy.after_commit',
];

/** The process is killed when it comes to a step of what it is asked; then, or else afterwards, it is started again. */
export function killedAt(step: FaultPoint, action: Action): Action {
  const worlds = unansweredAt(step, action);
  return {
    ...action,
    label: `${action.label} with a kill at ${step}`,
    mayBeLost: true,
    async perform(site) {
      await site.service.arm(`${step}=kill`);
      const answer = await action.perform(site);
      await site.crash();
      return answer;
    },
    ...(worlds === undefined ? {} : { unanswered: worlds }),
    afterwards: breakOff,
  };
}

/** Before its commit a thing was not done, whatever is left of it; behind it, it was. */
function unansweredAt(step: FaultPoint, action: Action): Action['unanswered'] | undefined {
  if (step.endsWith('after_commit')) return (_before, after) => [after];
  if (step === 'upload.before_intent') return (before) => [before];
  const all = action.unanswered;
  if (step.startsWith('upload.') || step.startsWith('disk.')) return all;
  return (before) => [before];
}

/** The process is killed some milliseconds after it was asked. */
export const killedAfter = (milliseconds: number, action: Action): Action => ({
  ...action,
  label: `${action.label} with a kill after ${milliseconds} ms`,
  mayBeLost: true,
  async perform(site) {
    const answering = action.perform(site);
    await delay(milliseconds);
    await site.service.kill();
    const answer = await answering;
    await site.crash();
    return answer;
  },
  afterwards: breakOff,
});

/** PostgreSQL is lost some milliseconds after the service was asked, and comes back. */
export const withoutDatabase = (milliseconds: number, action: Action): Action => ({
  ...action,
  label: `${action.label} with PostgreSQL lost after ${milliseconds} ms`,
  mayBeLost: true,
  async perform(site) {
    const answering = action.perform(site);
    await delay(milliseconds);
    await site.crashDatabase();
    return await answering;
  },
});

/** Nothing is asked while the process is killed. */
export const crashAction: Action = {
  label: 'the process is killed',
  apply: () => lost,
  mayBeLost: true,
  async perform(site) {
    await site.crash();
    return lost;
  },
  unanswered: (before) => [before],
  afterwards: breakOff,
};

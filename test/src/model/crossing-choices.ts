/**
 * What commands choose of uploads that something crosses: one is begun, the ground under it is changed, and it is ended.
 * What was true when it began is asked again. It does nothing.
 */
import fc from 'fast-check';
import type { Action, Worlds } from './action.ts';
import { anyAsker, anyChanges, anyDoor, anyPlace, atObject } from './arbitraries.ts';
import { changeBucketAction } from './bucket-actions.ts';
import { alive, anyBody, type Choice, conditionOf, textOf } from './choice.ts';
import { deleteRowAction, moveAction } from './object-actions.ts';
import { beginAction, finishAction, uploadAction } from './upload-actions.ts';
import type { Upload, UploadRequest } from './world.ts';

const anyCrossing = fc.record({
  who: anyAsker,
  other: anyAsker,
  somewhere: atObject,
  body: anyBody,
  condition: fc.constantFrom('none', 'none', 'is', 'is', 'free'),
  what: fc.constantFrom('upload', 'upload', 'delete', 'move', 'settings'),
  to: anyPlace,
  changes: anyChanges,
  door: anyDoor,
});

type Crossing = typeof anyCrossing extends fc.Arbitrary<infer T> ? T : never;

/** Three commands in a row; those behind the first do nothing where it was refused. */
export const crossings: fc.Arbitrary<readonly Choice[]> = anyCrossing.map((crossing) => {
  let begun: number | undefined;
  const open = (uploads: readonly Upload[]): Upload | undefined => uploads.find(({ id }) => id === begun);
  return [
    {
      kind: 'upload begun',
      choose(worlds) {
        if (alive(worlds).length > 2) return undefined;
        begun = worlds.next();
        return beginAction(requestOf(crossing, worlds), begun);
      },
    },
    {
      kind: 'crossing',
      choose(worlds) {
        const upload = open(alive(worlds));
        return upload === undefined ? undefined : crossingAction(crossing, upload.request, worlds);
      },
    },
    {
      kind: 'upload gone on with',
      choose(worlds) {
        const upload = open(alive(worlds));
        return upload === undefined ? undefined : finishAction(upload.id, upload.request);
      },
    },
  ];
});

function requestOf({ who, somewhere, body, condition }: Crossing, worlds: Worlds): UploadRequest {
  const place = somewhere(worlds.first);
  return {
    who: who(worlds.first, place),
    ...place,
    ...body.metadata,
    cache_control: 'max-age=2',
    text: textOf(worlds, body.size),
    type: 'text/plain',
    overwrite: true,
    if_match: conditionOf(worlds.first, condition, place),
    is_free: condition === 'free',
  };
}

function crossingAction(crossing: Crossing, begun: UploadRequest, worlds: Worlds): Action {
  const { bucket, name } = begun;
  const { what, to, changes, door, body } = crossing;
  const who = crossing.other(worlds.first, { bucket, name });
  if (what === 'delete') return deleteRowAction(who, { bucket, name });
  if (what === 'settings') return changeBucketAction(who, bucket, changes, door);
  if (what === 'move') return moveAction({ who, from: { bucket, name }, to, overwrite: true, if_match: null }, door);
  const text = textOf(worlds, body.size + 1);
  return uploadAction({ ...begun, who, text, type: 'text/plain', if_match: null, is_free: false });
}

/** What commands choose of uploads, deletes, moves and copies, of single objects and of folders. It does nothing. */
import fc from 'fast-check';
import type { Worlds } from './action.ts';
import { anyAsker, anyBucket, anyDoor, anyFolder, anyMetadata, anywhere, atObject, folderOf } from './arbitraries.ts';
import { alive, anyBody, anyCondition, anyOverwrite, type Choice, conditionOf, given, pick, textOf } from './choice.ts';
import { objectNames } from './comparison.ts';
import { copyFolderAction, deleteFolderAction, moveFolderAction } from './folder-actions.ts';
import {
  copyAction,
  deleteAction,
  deleteNamesAction,
  deleteRowAction,
  insertRowAction,
  moveAction,
  updateMetadataAction,
  updatePlaceAction,
} from './object-actions.ts';
import { abortAction, beginAction, finishAction, partAction, uploadAction } from './upload-actions.ts';
import { objectAt, type UploadRequest } from './world.ts';

const anyUpload = fc
  .record({ who: anyAsker, at: anywhere, body: anyBody, condition: anyCondition, overwrite: anyOverwrite })
  .map(({ who, at, body, condition, overwrite }) => (worlds: Worlds): UploadRequest => {
    const place = at(worlds.first);
    return {
      who: who(worlds.first, place),
      ...place,
      ...body.metadata,
      // With a condition fetch sends one of its own where there is none.
      cache_control: body.metadata.cache_control ?? (condition === 'none' ? null : 'max-age=1'),
      text: textOf(worlds, body.size),
      type: body.type,
      overwrite,
      if_match: conditionOf(worlds.first, condition, place),
      is_free: condition === 'free',
    };
  });

export const uploads: fc.Arbitrary<Choice> = given('upload', anyUpload, (request, worlds) =>
  uploadAction(request(worlds)),
);
export const begins: fc.Arbitrary<Choice> = given('upload begun', anyUpload, (request, worlds) =>
  alive(worlds).length < 3 ? beginAction(request(worlds), worlds.next()) : undefined,
);
export const continuations: fc.Arbitrary<Choice> = given(
  'upload gone on with',
  fc.tuple(fc.constantFrom('part', 'finish', 'finish', 'abort'), fc.nat(10)),
  ([what, n], worlds) => {
    const upload = pick(alive(worlds), n);
    if (upload === undefined) return undefined;
    if (what === 'part') return partAction(upload.id);
    return what === 'abort' ? abortAction(upload.id) : finishAction(upload.id, upload.request);
  },
);

export const deletes: fc.Arbitrary<Choice> = given(
  'delete',
  fc.record({ who: anyAsker, at: atObject, door: anyDoor, condition: anyCondition }),
  ({ who, at, door, condition }, { first }) => {
    const place = at(first);
    return door === 'sql'
      ? deleteRowAction(who(first, place), place)
      : deleteAction(who(first, place), place, conditionOf(first, condition, place));
  },
);
export const manyDeletes: fc.Arbitrary<Choice> = given(
  'delete of names',
  fc.tuple(anyAsker, anyBucket, fc.subarray([...objectNames], { minLength: 1, maxLength: 3 })),
  ([who, bucket, names], { first }) => deleteNamesAction(who(first, { bucket }), bucket, names),
);

const anyRelocation = fc.record({
  who: anyAsker,
  from: atObject,
  to: anywhere,
  overwrite: fc.boolean(),
  condition: fc.constantFrom('none', 'none', 'none', 'is', 'was'),
  door: anyDoor,
  given: fc.option(anyMetadata, { nil: null, freq: 3 }),
});

export const moves: fc.Arbitrary<Choice> = given(
  'move',
  anyRelocation,
  ({ who, from, to, overwrite, condition, door }, { first }) => {
    const place = from(first);
    return moveAction(
      { who: who(first, place), from: place, to: to(first), overwrite, if_match: conditionOf(first, condition, place) },
      door,
    );
  },
);
export const copies: fc.Arbitrary<Choice> = given(
  'copy',
  anyRelocation,
  ({ who, from, to, overwrite, condition, door, given: own }, { first }) => {
    const place = from(first);
    const if_match = conditionOf(first, condition, place);
    return copyAction({ who: who(first, place), from: place, to: to(first), overwrite, if_match, given: own }, door);
  },
);
export const statements: fc.Arbitrary<Choice> = given(
  'plain SQL',
  fc.record({ who: anyAsker, from: atObject, to: anywhere, metadata: anyMetadata, what: fc.nat(4) }),
  ({ who: asker, from, to, metadata, what }, { first }) => {
    const place = from(first);
    const who = asker(first, place);
    if (what === 0) return updateMetadataAction(who, place, metadata);
    if (what === 1) return insertRowAction(who, to(first), null);
    if (what === 2)
      return insertRowAction(who, to(first), objectAt(first, place.bucket, place.name)?.version.text ?? null);
    return updatePlaceAction(who, place, what === 3 ? { ...to(first), bucket: place.bucket } : to(first));
  },
);

export const folders: fc.Arbitrary<Choice> = given(
  'folder',
  fc.record({
    who: anyAsker,
    from: atObject,
    to: anyBucket,
    toPrefix: anyFolder,
    isInside: fc.boolean(),
    what: fc.constantFrom('move', 'move', 'copy', 'delete'),
    door: anyDoor,
  }),
  ({ who: asker, from, to, toPrefix, isInside, what, door }, { first }) => {
    const { bucket, name } = from(first);
    const who = asker(first, { bucket });
    const prefix = folderOf(name);
    if (what === 'delete') return deleteFolderAction(who, bucket, prefix);
    const request = { who, from: { bucket, prefix }, to: { bucket: isInside ? bucket : to, prefix: toPrefix } };
    return what === 'move' ? moveFolderAction(request, door) : copyFolderAction(request, door);
  },
);

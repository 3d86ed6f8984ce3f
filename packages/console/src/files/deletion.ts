/**
 * Deletes files and folders: where the bucket keeps what is deleted, at once and with the offer to undo it; where it keeps
 * nothing, after a question that says so. What the service refuses is said, and the rest is done.
 */
import type { Bucket, StorageClient } from '@rowlock/client';
import { confirmRemoval } from '../dialog.ts';
import { element } from '../element.ts';
import { announce } from '../status-line.ts';
import { attempt, type ViewContext } from '../view.ts';
import { visibleName } from '../visible-name.ts';
import { failureInWords } from '../wording.ts';
import { type Chosen, chosenCount, chosenInWords } from './chosen.ts';
import { type Failed, inParallel } from './in-parallel.ts';
import { deleteFolder, deleteObject } from './object-calls.ts';
import { lastPart } from './object-name.ts';
import { offerUndo } from './undo.ts';

/** Names that one request deletes. */
const namesMax = 1000;
/** More than these no undo brings back: what was deleted is in the list of deleted files. */
const undoneMax = 500;
/** More than these are asked about, although they can be brought back. */
const unaskedMax = 20;

/** Whether a bucket keeps what is deleted from it for a while. */
function keepsDeleted({ versioning, soft_delete_seconds }: Bucket): boolean {
  return versioning === 'on' || (versioning === 'off' && (soft_delete_seconds ?? 0) > 0);
}

/** Deletes what was chosen, once whoever chose it is sure; `onDeleted` is called when something is gone or is back. */
export async function deleteChosen(context: ViewContext, chosen: Chosen, onDeleted: () => void): Promise<void> {
  await attempt(context, async () => {
    const keeps = keepsDeleted(await context.client.getBucket(chosen.bucket));
    if (!(await isSure(context, chosen, keeps))) {
      return;
    }
    const names = keeps ? await namesOf(context.client, chosen) : undefined;
    const { failed, left } = await remove(context.client, chosen);
    onDeleted();
    const stayed = left === 0 ? '' : ` ${left.toLocaleString('en')} stayed: not yours to delete, or gone already.`;
    if (failed.length > 0) {
      announce(refusalInWords(failed));
    } else if (names === undefined) {
      announce(`${chosenInWords(chosen)} deleted.${stayed}`);
    } else {
      offerUndo(context, `${chosenInWords(chosen)} deleted.${stayed}`, () =>
        bringBack(context, chosen, names, onDeleted),
      );
    }
  });
}

function isSure({ signal }: ViewContext, chosen: Chosen, keeps: boolean): Promise<boolean> {
  const count = chosenCount(chosen);
  if (keeps && chosen.folders.length === 0 && count <= unaskedMax) {
    return Promise.resolve(true);
  }
  const [first] = chosen.files;
  const isOne = count === 1 && first !== undefined;
  const what = isOne ? visibleName(lastPart(first)) : chosenInWords(chosen);
  const below = chosen.folders.length > 0 ? ', with everything below,' : '';
  const end = keeps ? 'The bucket keeps it for a while: it can be restored.' : 'This cannot be undone.';
  const text = element('span', {}, what, `${below} will be gone for everybody. ${end}`);
  const noun = isOne ? 'file' : count === 1 ? 'folder' : `${count.toLocaleString('en')} items`;
  const title = count === 1 ? `Delete this ${noun}?` : `Delete ${noun}?`;
  return confirmRemoval({ title, text, action: `Delete ${noun}` }, signal);
}

/** The names of what was chosen and of all below, for an undo; undefined where they are too many for one. */
export async function namesOf(
  client: StorageClient,
  { bucket, files, folders }: Chosen,
): Promise<readonly string[] | undefined> {
  const names = [...files];
  for (const folder of folders) {
    for await (const { name } of client.listAll(bucket, folder)) {
      names.push(name);
      if (names.length > undoneMax) {
        return undefined;
      }
    }
  }
  return names.length > undoneMax ? undefined : names;
}

async function remove(
  client: StorageClient,
  { bucket, files, folders }: Chosen,
): Promise<{ readonly failed: readonly Failed<string>[]; readonly left: number }> {
  if (files.length === 1 && folders.length === 0) {
    // By itself a refusal has its exact reason.
    return { failed: await inParallel(files, (name) => deleteObject(client, bucket, name)), left: 0 };
  }
  const batches = Array.from({ length: Math.ceil(files.length / namesMax) }, (_, place) =>
    files.slice(place * namesMax, (place + 1) * namesMax),
  );
  let left = 0;
  for (const batch of batches) {
    left += batch.length - (await client.remove(bucket, batch)).length;
  }
  const failed = await inParallel(folders, async (folder) => {
    const { withheld } = await deleteFolder(client, bucket, folder);
    left += withheld;
  });
  return { failed, left };
}

async function bringBack(
  { client }: ViewContext,
  { bucket }: Chosen,
  names: readonly string[],
  onRestored: () => void,
): Promise<void> {
  const failed = await inParallel(names, (name) => client.restore(bucket, name));
  onRestored();
  const restored = names.length - failed.length;
  announce(failed.length === 0 ? `${restored === 1 ? 'It is' : 'They are'} back.` : refusalInWords(failed));
}

/** Of several refusals how many there are, and what the first says. */
export function refusalInWords(failed: readonly Failed<unknown>[]): string {
  const [first] = failed;
  const sentence = first === undefined ? '' : failureInWords(first.error);
  return failed.length <= 1 ? sentence : `${failed.length.toLocaleString('en')} were refused. ${sentence}`;
}

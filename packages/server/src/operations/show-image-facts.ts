/** What an image says of itself, and where it was taken, for whoever may know. */
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { type ImageFactsRow, selectImageFacts } from '../metadata/image-facts.ts';
import type { OperationContext } from './context.ts';
import { missingObject } from './refusals.ts';

/**
 * The facts of one object; all of them null for what is no image, or was not looked at yet.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `auth_required`, `invalid_name`
 */
export async function showImageFacts(
  context: OperationContext,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string },
): Promise<ImageFactsRow> {
  const name = normaliseObjectName(at.name);
  const found = await selectImageFacts(context.db, caller, { bucket: at.bucket, name });
  if (found === undefined) {
    throw await missingObject(context, caller, at.bucket);
  }
  return found;
}

export type { ImageFactsRow } from '../metadata/image-facts.ts';

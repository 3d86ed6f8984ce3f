/**
 * Uploads and deletes in the model: what is asked when they begin, what is asked again when they are committed, and what
 * they make. Invariant: a refusal is thrown before anything is changed that outlives it.
 */
import {
  accountsOf,
  addItem,
  assertRoom,
  assertTaken,
  needOf,
  removeItem,
  replaceBytes,
  typeIsAllowed,
} from './bookkeeping.ts';
import { idOf, mayBecome, mayChange, mayCreate, mayDelete, seesBucket, seesObject } from './rights.ts';
import {
  type Item,
  type Need,
  objectAt,
  Refused,
  refuseIf,
  sizeOf,
  type Upload,
  type UploadRequest,
  type Version,
  type Who,
  type World,
} from './world.ts';

export const noLimit: number = 5 * 2 ** 30;

/** The object of a name as somebody sees it. */
export function seen(world: World, who: Who, bucket: string, name: string): Item | undefined {
  const found = objectAt(world, bucket, name);
  return found !== undefined && seesObject(world, who, found) ? found : undefined;
}

/** What begin asks; `typeIsKnown` is false for what is only signed. Answers whether to overwrite, and the largest body. */
export function askUpload(
  world: World,
  request: Omit<UploadRequest, 'text'> & { readonly text: string | null },
  typeIsKnown = true,
): Pick<Upload, 'overwrite' | 'size_max'> {
  const { who, bucket: bucketName, name, if_match, is_free, text } = request;
  const bucket = world.buckets[bucketName];
  if (bucket === undefined || !seesBucket(world, who, bucketName)) throw new Refused('bucket_not_found');
  const overwrite = is_free ? false : (request.overwrite ?? bucket.overwrite === 'allow');
  const found = seen(world, who, bucketName, name);
  refuseIf(if_match !== null && found?.version.text !== if_match, 'precondition_failed');
  refuseIf(found !== undefined && !overwrite, 'object_exists');
  const may =
    found === undefined
      ? mayCreate(world, who, { bucket: bucketName, owner: idOf(who) })
      : mayChange(world, who, found) && mayBecome(world, who, found);
  refuseIf(!may, 'not_allowed');
  const size_max = bucket.size_max ?? noLimit;
  refuseIf(text !== null && text.length > size_max, 'too_large');
  refuseIf(typeIsKnown && !typeIsAllowed(bucket, request.type), 'media_type_not_allowed');
  return { overwrite, size_max };
}

/** Begins an upload of which the size is declared: the intent reserves. */
export function beginUpload(
  world: World,
  request: UploadRequest,
  given: { readonly id: number; readonly ticket?: number },
): Upload {
  const asked = askUpload(world, request);
  const upload: Upload = {
    id: given.id,
    request,
    ...asked,
    ticket: given.ticket ?? null,
    reserved: [],
    is_alive: true,
  };
  world.uploads.push(upload);
  upload.reserved = reservation(world, request);
  assertRoom(world, upload.reserved);
  return upload;
}

/** What an intent holds back: one object, and the bytes beyond those that it will replace. */
function reservation(world: World, { who, bucket, name, text }: UploadRequest): readonly Need[] {
  const replaced = objectAt(world, bucket, name);
  const isGivenBack = replaced !== undefined && !wouldBeKept(world, replaced);
  const owner = replaced === undefined ? idOf(who) : replaced.owner;
  return accountsOf(world, bucket, owner).map((account) => ({
    account,
    bytes: isGivenBack ? Math.max(text.length - sizeOf(replaced.version), 0) : text.length,
    objects: isGivenBack ? 0 : 1,
  }));
}

function wouldBeKept(world: World, { bucket, version }: Item): boolean {
  const rules = world.buckets[bucket];
  if (rules === undefined) return false;
  const isSuspended = rules.versioning === 'suspended' && version.stored <= rules.versioned_until;
  return rules.versioning === 'on' || isSuspended || rules.soft;
}

/** Commits: everything is asked again. Answers whether the object is new. */
export function commitUpload(world: World, id: number): 'created' | 'replaced' {
  const upload = world.uploads.find((each) => each.id === id);
  if (upload === undefined) throw new Refused('upload_gone');
  world.uploads = world.uploads.filter((each) => each !== upload);
  const { request, ticket, size_max } = upload;
  refuseIf(world.buckets[request.bucket] === undefined, 'bucket_not_found');
  refuseIf(request.text.length > size_max, 'too_large');
  if (ticket !== null) {
    refuseIf(!world.tickets.some((each) => each.id === ticket), 'upload_gone');
    world.tickets = world.tickets.filter((each) => each.id !== ticket);
  }
  return writeObject(world, upload);
}

function writeObject(world: World, upload: Upload): 'created' | 'replaced' {
  const { request, overwrite } = upload;
  const { who, bucket, name, text, type, if_match, cache_control, user_metadata } = request;
  const version: Version = { text, type, stored: world.clock };
  const found = seen(world, who, bucket, name);
  refuseIf(if_match !== null && found?.version.text !== if_match, 'precondition_failed');
  if (found !== undefined && overwrite) {
    refuseIf(!mayChange(world, who, found) || !mayBecome(world, who, found), 'not_allowed');
    const needs = replaceBytes(world, found, version);
    // Metadata that is not sent stays.
    found.cache_control = cache_control ?? found.cache_control;
    found.user_metadata = user_metadata ?? found.user_metadata;
    settle(world, upload, { needs, found });
    return 'replaced';
  }
  const owner = idOf(who);
  refuseIf(!mayCreate(world, who, { bucket, owner }), 'not_allowed');
  const item = addItem(world, { bucket, name, owner, version, cache_control, user_metadata });
  settle(world, upload, { needs: needOf(world, item), found: item });
  return 'created';
}

/** What was reserved is given back as what is kept takes its place. */
function settle(
  world: World,
  { reserved }: Upload,
  { needs, found }: { readonly needs: readonly Need[]; readonly found: Item },
): void {
  assertTaken(world, found.bucket, found.version);
  const back = reserved.map(({ account, bytes, objects }) => ({ account, bytes: -bytes, objects: -objects }));
  assertRoom(world, [...needs, ...back]);
}

/** A whole upload: what is refused leaves nothing behind. */
export function upload(world: World, request: UploadRequest): 'created' | 'replaced' {
  const { id } = beginUpload(world, request, { id: -1 });
  return commitUpload(world, id);
}

/** Deletes an object as a statement does: what is hidden or kept by the policies is not there. */
export function deleteRow(world: World, who: Who, bucket: string, name: string): boolean {
  const found = seen(world, who, bucket, name);
  if (found === undefined || !mayDelete(world, who, found)) return false;
  removeItem(world, found);
  return true;
}

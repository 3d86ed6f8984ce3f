/**
 * Download everything below a prefix as one ZIP that is made while it is sent. The caller's rights are asked page by
 * page, when the bytes are about to go, and no connection of the database is held between. What vanishes meanwhile is
 * named in `MISSING.txt`; any other failure breaks the answer off, so that no wrong byte passes for a whole archive.
 */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { isRowlockError, RowlockError } from '@rowlock/client/contract';
import { ZipFile } from 'yazl';
import type { Caller } from '../domain/caller.ts';
import { baseName, normaliseObjectName } from '../domain/names.ts';
import { ZipNames } from '../domain/zip-names.ts';
import { selectZipPage, selectZipTotals, type ZipObject, type ZipPlace } from '../metadata/listing.ts';
import type { OperationContext } from './context.ts';
import { missingObject } from './refusals.ts';

/** Most objects of one archive. */
const zipObjectsMax = 10_000;
/** Most bytes of one archive, before compression. */
const zipBytesMax: number = 16 * 2 ** 30;
/** Rights are asked anew for every so many objects. */
const pageSize = 100;

export interface ZipDownload {
  readonly file_name: string;
  /** The archive. Ends with an error where it cannot be finished; whoever leaves destroys it. */
  readonly stream: Readable;
}

/**
 * Begins a ZIP of what the caller may read below a folder (everything in the bucket when it is empty). The first object
 * has been opened when it resolves.
 *
 * @throws RowlockError `object_not_found` where there is nothing to read, `bucket_not_found`, `auth_required`,
 *   `invalid_name`, and `too_large` beyond 10,000 objects or 16 GiB
 */
export function zipObjects(
  context: OperationContext,
  caller: Caller,
  request: { readonly bucket: string; readonly folder: string },
): Promise<ZipDownload> {
  const bare = request.folder.replace(/\/$/, '');
  const folder = bare === '' ? '' : normaliseObjectName(bare);
  const place = { bucket: request.bucket, prefix: folder === '' ? '' : `${folder}/` };
  return beginZip(context, caller, place);
}

/**
 * Begins a ZIP of some objects and folders of a bucket. Names in it begin behind the folder that all of them are in.
 *
 * @throws RowlockError as `zipObjects`; `invalid_request` where nothing is named
 */
export function zipChosen(
  context: OperationContext,
  caller: Caller,
  request: { readonly bucket: string; readonly names: readonly string[]; readonly folders: readonly string[] },
): Promise<ZipDownload> {
  const asked = new Set(request.folders.map((folder) => `${normaliseObjectName(folder.replace(/\/$/, ''))}/`));
  // What is in a folder that comes as a whole is not read a second time.
  const folders = [...asked].filter((folder) => !isBelow(folder, asked));
  const names = [...new Set(request.names.map(normaliseObjectName))].filter((name) => !isBelow(name, asked));
  if (names.length + folders.length === 0) {
    throw new RowlockError('invalid_request', 'Say what to download: names, folders or both');
  }
  const prefix = sharedFolder([...names, ...folders.map((folder) => folder.slice(0, -1))]);
  return beginZip(context, caller, { bucket: request.bucket, prefix, chosen: { names, folders } });
}

/** Whether the name, or the folder with its slash, lies in one of the folders. */
function isBelow(name: string, folders: ReadonlySet<string>): boolean {
  for (let at = name.indexOf('/'); at >= 0 && at < name.length - 1; at = name.indexOf('/', at + 1)) {
    if (folders.has(name.slice(0, at + 1))) return true;
  }
  return false;
}

/** The deepest folder that all names are in: empty, or ending in a slash. */
function sharedFolder(names: readonly string[]): string {
  const [first = [], ...others] = names.map((name) => name.split('/').slice(0, -1));
  const differs = first.findIndex((segment, place) => others.some((other) => other[place] !== segment));
  return (differs === -1 ? first : first.slice(0, differs)).map((segment) => `${segment}/`).join('');
}

async function beginZip(context: OperationContext, caller: Caller, place: ZipPlace): Promise<ZipDownload> {
  await assertFits(context, caller, place);
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  zip.on('error', (error: Error) => output.destroy(error));
  // Before it is handed out nobody else hears of its errors.
  output.on('error', () => undefined);
  await new Promise<void>((begun, refused) => {
    fill(zip, { context, caller, place, begun }).catch((error: unknown) => {
      refused(error);
      output.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  const folder = place.prefix.slice(0, -1);
  return { file_name: `${folder === '' ? place.bucket : baseName(folder)}.zip`, stream: output };
}

async function assertFits(context: OperationContext, caller: Caller, place: ZipPlace): Promise<void> {
  const total = await selectZipTotals(context.db, caller, place, zipObjectsMax);
  if (total.count === 0) {
    throw await missingObject(context, caller, place.bucket);
  }
  assertWithin(total);
}

function assertWithin(total: { readonly count: number; readonly bytes: number }): void {
  if (total.count > zipObjectsMax || total.bytes > zipBytesMax) {
    throw new RowlockError(
      'too_large',
      'A ZIP has at most 10,000 objects and 16 GiB; download a folder further down, or object by object',
    );
  }
}

interface Filling {
  readonly context: OperationContext;
  readonly caller: Caller;
  readonly place: ZipPlace;
  /** Called when the first bytes are there to be sent. */
  readonly begun: () => void;
}

async function fill(zip: ZipFile, filling: Filling): Promise<void> {
  const names = new ZipNames();
  const missing: string[] = [];
  const left = new AbortController();
  zip.outputStream.once('close', () => left.abort());
  for await (const object of objectsOf(filling)) {
    left.signal.throwIfAborted();
    const name = names.take(object.name.slice(filling.place.prefix.length), object.is_prefix);
    const bytes = name === '' ? undefined : await opened(filling.context, object);
    if (bytes === undefined) {
      missing.push(object.name);
      continue;
    }
    zip.addReadStream(bytes, name, {
      size: Number(object.size),
      mtime: object.updated_at,
      compress: isCompressible(object.detected_type ?? object.content_type),
    });
    filling.begun();
    await passed(bytes, left.signal);
  }
  if (missing.length > 0) {
    const text = `Deleted while this archive was made:\n${missing.map((name) => `${name}\n`).join('')}`;
    zip.addBuffer(Buffer.from(text), names.take('MISSING.txt', false));
  }
  zip.end();
  filling.begun();
}

/** All objects below the place, in pages, as the caller may read them at that time. */
async function* objectsOf({ context, caller, place }: Filling): AsyncGenerator<ZipObject, void, undefined> {
  const total = { count: 0, bytes: 0 };
  for (let after = ''; ; ) {
    const page = await selectZipPage(context.db, caller, place, { after, limit: pageSize });
    for (const object of page) {
      total.count += 1;
      total.bytes += Number(object.size);
      assertWithin(total);
      yield object;
    }
    if (page.length < pageSize) {
      return;
    }
    after = page.at(-1)?.name ?? '';
  }
}

/** The bytes of an object, or undefined where they are gone. */
async function opened({ backends }: OperationContext, object: ZipObject): Promise<Readable | undefined> {
  try {
    const got = await backends.of(object.backend).get(object.key);
    return got.bytes === undefined ? got.stream : Readable.from([got.bytes], { objectMode: false });
  } catch (error) {
    if (isRowlockError(error, 'object_not_found')) {
      return undefined;
    }
    throw error;
  }
}

/** Waits until bytes have been taken; who leaves does not keep them open. */
async function passed(bytes: Readable, signal: AbortSignal): Promise<void> {
  try {
    await finished(bytes, { signal, writable: false });
  } finally {
    bytes.destroy();
  }
}

/** Whether compressing pays: pictures, films, archives and what is unknown are stored as they are. */
function isCompressible(type: string | null): boolean {
  return (
    type !== null &&
    /^text\/|[/+](?:json|xml|csv|sql|javascript|yaml|x-ndjson)$|^image\/(?:bmp|svg\+xml|tiff)$/.test(type)
  );
}

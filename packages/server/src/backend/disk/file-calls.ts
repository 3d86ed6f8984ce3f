/**
 * The calls of a disk store to the operating system, each behind a fault point, so that a test can make the n-th of
 * them fail as a failing disk would. It decides nothing, and retries nothing: an fsync that failed is told and never
 * asked again, since the kernel may have dropped the pages. Invariant: without faults each is the plain call.
 */
import * as files from 'node:fs';
import { link, lstat, mkdir, opendir, realpath, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { fault, faultAtWrite } from '../../domain/fault.ts';

// Plain descriptors rather than FileHandles: half the cost for a small file. Whoever opens one closes it.
const openDescriptor = promisify(files.open);
const readInto = promisify(files.read);
const writeFrom = promisify(files.writev);
const sync = promisify(files.fsync);
export const closeFile: (fd: number) => Promise<void> = promisify(files.close);

/** Opens a file that must not exist yet, for writing. */
export async function createFile(path: string): Promise<number> {
  await fault('file.open');
  return await openDescriptor(path, 'wx', 0o600);
}

/** Writes chunks where the file stands and returns how many bytes went; the kernel may take fewer than it was given. */
export async function writeSome(fd: number, chunks: readonly Uint8Array[]): Promise<number> {
  const isShort = await faultAtWrite();
  const [first = new Uint8Array()] = chunks;
  const given = isShort ? [first.subarray(0, Math.ceil(first.byteLength / 2))] : chunks;
  return (await writeFrom(fd, [...given])).bytesWritten;
}

export async function syncFile(fd: number): Promise<void> {
  await fault('file.sync');
  await sync(fd);
}

export async function linkFile(from: string, to: string): Promise<void> {
  await fault('file.link');
  await link(from, to);
}

/** Gives a file or a folder another name; a file that has it goes. */
export async function moveFile(from: string, to: string): Promise<void> {
  await fault('file.link');
  await rename(from, to);
}

/** Removes a folder with all that is in it, where there is one. */
export async function removeTree(path: string): Promise<void> {
  await fault('file.folder_remove');
  await rm(path, { recursive: true, force: true });
}

export async function unlinkFile(path: string): Promise<void> {
  await fault('file.unlink');
  await unlink(path);
}

/** The same, where there may be none. */
export async function removeFile(path: string): Promise<void> {
  await fault('file.unlink');
  await rm(path, { force: true });
}

/** Writes a whole small file that must not exist yet; not synced. */
export async function writeSmallFile(path: string, text: string): Promise<void> {
  await fault('file.open');
  await writeFile(path, text, { flag: 'wx', mode: 0o600 });
}

/** Opens a file for reading, as a descriptor. */
export async function openForReading(path: string, flags: number): Promise<number> {
  await fault('file.open');
  return await openDescriptor(path, flags);
}

/** Reads once; returns how many bytes came. */
export async function readSome(fd: number, into: Buffer, filled: number, position: number): Promise<number> {
  await fault('file.read');
  return (await readInto(fd, into, filled, into.length - filled, position + filled)).bytesRead;
}

/** Reads from one place of a file to another, both included, as a stream that closes the descriptor. */
export function streamFrom(
  fd: number,
  options: { readonly start: number; readonly end: number; readonly highWaterMark: number },
): files.ReadStream {
  return files.createReadStream('', {
    ...options,
    fd,
    fs: { open: files.open, close: files.close, read: readPassing as typeof files.read },
  });
}

type Done = (error: NodeJS.ErrnoException | null, bytesRead: number, buffer: Buffer) => void;
type ReadCall = [fd: number, into: Buffer, offset: number, length: number, position: number, done: Done];

/** `fs.read` as a stream calls it, behind the same point. */
function readPassing(...call: ReadCall): void {
  const [, into, , , , done] = call;
  Promise.resolve()
    .then(() => fault('file.read'))
    .then(
      () => files.read(...call),
      (error: NodeJS.ErrnoException) => done(error, 0, into),
    );
}

export async function openFolder(path: string, flags: number): Promise<number> {
  await fault('file.folder_open');
  return await openDescriptor(path, flags);
}

export async function makeFolders(path: string): Promise<void> {
  await fault('file.folder_make');
  await mkdir(path, { recursive: true, mode: 0o700 });
}

export async function removeFolder(path: string): Promise<void> {
  await fault('file.folder_remove');
  await rmdir(path);
}

export async function syncFolder(fd: number): Promise<void> {
  await fault('file.folder_sync');
  await sync(fd);
}

export async function listFolder(path: string, options: files.OpenDirOptions = {}): Promise<files.Dir> {
  await fault('file.list');
  return await opendir(path, options);
}

/** Looks at a file without following a link. */
export async function lookAt(path: string): Promise<files.Stats> {
  await fault('file.stat');
  return await lstat(path);
}

export async function realPathOf(path: string): Promise<string> {
  await fault('file.stat');
  return await realpath(path);
}

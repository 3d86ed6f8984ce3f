/** `cp`: copy files to and from a bucket. Remote paths begin with `rl://`; `-` is standard input or output. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isRowlockError, type StorageClient, uploadInParts } from '@rowlock/client';
import type { Command } from '../command.ts';
import { formatBytes } from '../format.ts';
import { mediaTypeOf } from '../media-type-of.ts';
import { startProgress } from '../progress.ts';
import { readArguments } from '../read-arguments.ts';
import { remoteFlags, remoteHelp, remoteOf, splitPath } from '../remote.ts';
import { UsageError } from '../usage-error.ts';

interface Copied {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

const isRemote = (path: string): boolean => path.startsWith('rl://');

/** A target that ends in a slash, or names only a bucket, keeps the file's own name. */
function named(target: string, name: string): string {
  const path = target.replace(/^rl:\/\//, '');
  return path.endsWith('/') || !path.includes('/') ? `${path.replace(/\/+$/, '')}/${name}` : path;
}

/** Larger files go in parts, straight to the store. */
const partsFrom = 100_000_000;

/** Undefined where the store of the bucket takes no parts: then the file goes as one body. */
async function uploadParts(
  remote: StorageClient,
  { from, size, type }: { readonly from: string; readonly size: number; readonly type: string | undefined },
  place: { readonly bucket: string; readonly name: string },
): Promise<Copied | undefined> {
  const progress = startProgress(place.name, size);
  const file = await open(from);
  let shown = 0;
  try {
    const read = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      if (bytesRead < end - start) throw new Error(`${from} became shorter while it was read`);
      return buffer;
    };
    const onProgress = ({ sent }: { readonly sent: number }): void => {
      progress.add(sent - shown);
      shown = sent;
    };
    const contentType = type ?? mediaTypeOf(from);
    const stored = await uploadInParts(remote, place, { size, read }, { contentType, onProgress });
    return { from, to: `rl://${place.bucket}/${place.name}`, bytes: stored.size };
  } catch (error) {
    if (isRowlockError(error, 'not_implemented')) return undefined;
    throw error;
  } finally {
    progress.end();
    await file.close();
  }
}

async function upload(remote: StorageClient, from: string, target: string, type: string | undefined): Promise<Copied> {
  const { bucket, name } = splitPath(target);
  const size = from === '-' ? undefined : (await stat(from)).size;
  if (size !== undefined && size > partsFrom) {
    const copied = await uploadParts(remote, { from, size, type }, { bucket, name });
    if (copied !== undefined) return copied;
  }
  const progress = startProgress(name, size ?? 0);
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      progress.add(chunk.byteLength);
      done(null, chunk);
    },
  });
  const source: Readable = from === '-' ? process.stdin : createReadStream(from, { highWaterMark: 2 ** 18 });
  source.on('error', (error) => count.destroy(error));
  const body = Readable.toWeb(source.pipe(count)) as ReadableStream<Uint8Array>;
  const stored = await remote.put(bucket, name, body, { contentType: type ?? mediaTypeOf(from), size });
  progress.end();
  return { from, to: `rl://${bucket}/${name}`, bytes: stored.size };
}

/** Writes beside the target and renames: a download that breaks off leaves no half file under its name. */
async function download(remote: StorageClient, from: string, to: string): Promise<Copied> {
  const { bucket, name } = splitPath(from);
  const answer = await remote.download(bucket, name);
  const size = Number(answer.headers.get('content-length') ?? 0);
  if (answer.body === null) {
    throw new Error('the answer has no body');
  }
  const source = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
  if (to === '-') {
    await pipeline(source, process.stdout, { end: false });
    return { from, to, bytes: size };
  }
  const target = to.endsWith('/') || (await isFolder(to)) ? join(to, basename(name)) : to;
  const partial = `${target}.rowlock-part`;
  await mkdir(dirname(target), { recursive: true });
  const progress = startProgress(name, size);
  source.on('data', (chunk: Buffer) => progress.add(chunk.byteLength));
  try {
    await pipeline(source, createWriteStream(partial));
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    progress.end();
  }
  return { from, to: target, bytes: size };
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

interface Job {
  readonly remote: StorageClient;
  readonly from: string;
  readonly to: string;
  readonly recursive: boolean;
  readonly type: string | undefined;
}

async function* copies({ remote, from, to, recursive, type }: Job): AsyncGenerator<Copied, void, undefined> {
  if (isRemote(to)) {
    if (!recursive) {
      yield await upload(remote, from, named(to, from === '-' ? 'stdin' : basename(from)), type);
      return;
    }
    const base = to.replace(/^rl:\/\//, '').replace(/\/+$/, '');
    for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) {
        const path = join(entry.parentPath, entry.name);
        yield await upload(remote, path, `${base}/${relative(from, path).split(sep).join('/')}`, type);
      }
    }
    return;
  }
  if (!recursive) {
    yield await download(remote, from, to);
    return;
  }
  const { bucket, name } = splitPath(from);
  const folder = name.replace(/\/+$/, '');
  for await (const entry of remote.list(bucket, folder, { recursive: true })) {
    yield await download(
      remote,
      `${bucket}/${folder === '' ? '' : `${folder}/`}${entry.name}`,
      join(to, ...entry.name.split('/')),
    );
  }
}

export const cp: Command = {
  name: 'cp',
  group: 'Files',
  summary: 'Copy files to and from a bucket',
  usage: 'cp [-r] <from> <to>   (a remote path is rl://bucket/name)',
  flags: { recursive: 'a whole folder (-r)', type: 'media type, when the extension does not say it', ...remoteHelp },
  notes: 'A remote path that ends in a slash keeps the name of the file. "-" is standard input or output.',
  examples: [
    'rowlock cp photo.jpg rl://holiday/beach/',
    'rowlock cp rl://holiday/beach/photo.jpg .',
    'rowlock cp -r ./photos rl://holiday',
    'pg_dump app | rowlock cp - rl://backups/app.sql',
  ],
  async run(argv) {
    const read = readArguments(argv, { ...remoteFlags, r: 'switch', recursive: 'switch', type: 'text' });
    const [from, to] = read.rest;
    if (from === undefined || to === undefined || isRemote(from) === isRemote(to)) {
      throw new UsageError('cp takes two paths, and exactly one begins with rl://');
    }
    const recursive = read.flags['r'] === true || read.flags['recursive'] === true;
    const type = typeof read.flags['type'] === 'string' ? read.flags['type'] : undefined;
    for await (const copied of copies({ remote: remoteOf(read), from, to, recursive, type })) {
      if (copied.to !== '-') {
        process.stdout.write(
          read.flags['json'] === true
            ? `${JSON.stringify(copied)}\n`
            : `${copied.from} -> ${copied.to} (${formatBytes(copied.bytes)})\n`,
        );
      }
    }
    return 0;
  },
};

/**
 * Lets one process at a time own a folder, with a lock file that names its
 * holder. It protects nothing against programs that do not ask, and it sees
 * only processes of its own PID namespace. A lock whose holder died is taken
 * over, also when another process has got the dead holder's id.
 */
import { randomBytes } from 'node:crypto';
import { constants, copyFile, link, mkdir, readFile, rename, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { isSameProcess, processStart } from './embedded/process-start.ts';

/** What the holder tells those whom it keeps out. Readable by every user: no secrets. */
export interface LockInfo {
  readonly url?: string | undefined;
}

/** A lock that this process holds. */
export interface FolderLock {
  readonly path: string;
  /** Replaces, atomically, what the lock tells others. */
  describe(info: LockInfo): Promise<void>;
  /** Gives the lock up. Does nothing when it is no longer ours. */
  release(): Promise<void>;
}

/** Says that a running process holds the lock, and which one. */
export class FolderLockedError extends Error {
  override readonly name: string = 'FolderLockedError';
  readonly folder: string;
  readonly pid: number;
  readonly url: string | undefined;

  constructor(folder: string, pid: number, url: string | undefined) {
    const where = url === undefined ? '' : ` and is reachable at ${url}`;
    super(
      `Process ${pid} already uses ${folder}${where}. Stop it first (kill ${pid}), or start with another data folder.`,
    );
    this.folder = folder;
    this.pid = pid;
    this.url = url;
  }
}

interface Holder extends LockInfo {
  readonly pid: number;
  readonly start: string;
  readonly nonce: string;
}

const acquireTimeoutMs = 15_000;
const takeoverStaleMs = 10_000;

/**
 * Takes the folder for this process, or raises FolderLockedError.
 *
 * Creates the folder if it is missing. The lock file is `rowlock.lock` in it.
 */
export async function lockFolder(folder: string, info: LockInfo = {}): Promise<FolderLock> {
  await mkdir(folder, { recursive: true });
  return await lockFile(join(folder, 'rowlock.lock'), info, folder);
}

/** Takes a lock file whose folder exists; `subject` is what the refusal names. */
export async function lockFile(path: string, info: LockInfo = {}, subject: string = path): Promise<FolderLock> {
  const own: Holder = {
    ...info,
    pid: process.pid,
    start: processStart(process.pid) ?? 'unknown',
    nonce: randomBytes(12).toString('hex'),
  };
  await acquire(path, own, subject);
  return {
    path,
    describe: async (next) => {
      const draft = await writeDraft(path, { ...own, ...next });
      await rename(draft, path);
    },
    release: async () => {
      const holder = await readHolder(path);
      if (holder?.nonce === own.nonce) await unlink(path);
    },
  };
}

async function acquire(path: string, own: Holder, subject: string): Promise<void> {
  const deadline = Date.now() + acquireTimeoutMs;
  while (Date.now() < deadline) {
    if (await createExclusively(path, own)) return;
    const holder = await readHolder(path);
    if (holder !== undefined && isSameProcess(holder.pid, holder.start)) {
      throw new FolderLockedError(subject, holder.pid, holder.url);
    }
    if (holder !== undefined) await removeStale(path, holder.nonce);
  }
  throw new Error(`The lock ${path} could not be taken within ${acquireTimeoutMs / 1000} s. Remove it and try again.`);
}

/** Links a complete file into place, so that nobody ever reads half a lock. */
async function createExclusively(path: string, own: Holder): Promise<boolean> {
  const draft = await writeDraft(path, own);
  try {
    await link(draft, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      await copyFile(draft, path, constants.COPYFILE_EXCL); // a file system without hard links
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

async function writeDraft(path: string, holder: Holder): Promise<string> {
  const draft = join(dirname(path), `.lock-${process.pid}-${randomBytes(6).toString('hex')}`);
  await writeFile(draft, `${JSON.stringify(holder)}\n`, { mode: 0o644, flag: 'wx' });
  return draft;
}

/** Removes the lock with this nonce; the guard folder keeps two from removing each other's fresh locks. */
async function removeStale(path: string, nonce: string): Promise<void> {
  const guard = `${path}.takeover`;
  try {
    await mkdir(guard);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await waitForGuard(guard);
    return;
  }
  try {
    const holder = await readHolder(path);
    if (holder?.nonce === nonce) await unlink(path);
  } finally {
    await rmdir(guard);
  }
}

async function waitForGuard(guard: string): Promise<void> {
  const age = await stat(guard).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
  if (age > takeoverStaleMs) await rmdir(guard).catch(ignoreMissing);
  else await delay(20);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Reads who holds the lock; a file that is not ours in form has a holder that never runs. */
async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parseHolder(text) ?? { pid: 0, start: '', nonce: '' };
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, start, nonce, url } = value as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof start !== 'string' || typeof nonce !== 'string') return undefined;
    return { pid, start, nonce, url: typeof url === 'string' ? url : undefined };
  } catch {
    return undefined;
  }
}

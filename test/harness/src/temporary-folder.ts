/**
 * Gives a test process folders that do not outlive it. A folder's name carries
 * the process id, so that the next process can remove what a killed one left.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'rowlock-test-';
const folders = new Set<string>();

/**
 * Creates an empty folder that is removed when this process ends.
 *
 * `mode` is 0700 unless given; 0711 lets another user pass through.
 */
export function temporaryFolder({ mode = 0o700 }: { readonly mode?: number } = {}): string {
  if (folders.size === 0) {
    removeAbandonedFolders();
    process.once('exit', removeAll);
  }
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  chmodSync(folder, mode);
  folders.add(folder);
  return folder;
}

function removeAll(): void {
  for (const folder of folders) removeQuietly(folder);
}

/** Removes what processes that are gone have left; answers whether nothing of theirs is there any more. */
export function removeAbandonedFolders(): boolean {
  let isClean = true;
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (!Number.isSafeInteger(pid) || pid === process.pid || isRunning(pid)) continue;
    isClean = removeQuietly(join(tmpdir(), name)) && isClean;
  }
  return isClean;
}

/** A folder that something still writes to, or that is another user's, is left to a later sweep. */
function removeQuietly(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    return true;
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

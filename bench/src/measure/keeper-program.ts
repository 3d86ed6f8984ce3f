/**
 * The process that outlives a run by a moment: reads from its parent which processes there are, and when the parent is
 * gone, however it went, ends those that still run and removes the folders that the parent left. The end of the pipe is
 * all it needs to know, so a SIGKILL is noticed like anything else.
 */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { removeAbandonedFolders } from '../../../test/harness/dist/temporary-folder.js';
import { endProcesses, type KeptProcess } from './end-processes.ts';

/** What the parent writes, one to a line. */
export type KeeperLine = { readonly keep: KeptProcess } | { readonly gone: number };

const graceMs = 3000;
/** The parent may be about to end, and who ends last may still write to its folder. */
const triesMax = 40;
const parent = Number(process.argv[2]);

function isParentThere(): boolean {
  try {
    return process.kill(parent, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

const kept: Map<number, KeptProcess> = new Map();
for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text) as KeeperLine;
  if ('keep' in line) kept.set(line.keep.pid, line.keep);
  else kept.delete(line.gone);
}
await endProcesses([...kept.values()], graceMs);
for (let tries = 0; tries < triesMax; tries += 1) {
  if (!isParentThere() && removeAbandonedFolders()) break;
  await delay(250);
}

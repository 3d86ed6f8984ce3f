/**
 * Ends processes that were started here: asks each as it wants to be asked, and kills what is left after a while. It
 * knows nothing of what they do. A process id that is another's by now is never signalled.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isSameProcess } from '../../../packages/cli/dist/dev/embedded/process-start.js';

/** A process that must not outlive a run. */
export interface KeptProcess {
  readonly pid: number;
  /** When it began, as `processStart` tells it. */
  readonly start: string;
  /** How it is asked to end. */
  readonly signal: NodeJS.Signals;
  /** Whether it leads a process group that ends with it. */
  readonly group: boolean;
}

const lookEveryMs = 25;

/** Resolves when none of them runs any more, or after twice `graceMs`. */
export async function endProcesses(kept: readonly KeptProcess[], graceMs: number): Promise<void> {
  for (const each of kept) tell(each, each.signal);
  await areGone(kept, graceMs);
  for (const each of kept) tell(each, 'SIGKILL');
  await areGone(kept, graceMs);
}

async function areGone(kept: readonly KeptProcess[], timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (kept.some(({ pid, start }) => isSameProcess(pid, start)) && performance.now() < deadline) {
    await delay(lookEveryMs);
  }
}

function tell({ pid, start, group }: KeptProcess, signal: NodeJS.Signals): void {
  if (!isSameProcess(pid, start)) return;
  try {
    process.kill(group ? -pid : pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

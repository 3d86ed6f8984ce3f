/**
 * How much processor time and memory a process and everything below it uses, from Linux's /proc. Elsewhere it knows
 * nothing: processor times are undefined, and no memory is found.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Linux counts in hundredths of a second towards user space, whatever its own clock. */
const ticksPerSecond = 100;

interface ProcessTimes {
  readonly parent: number;
  readonly ticks: number;
}

/** Seconds of processor time of a process, its descendants, and those of them that have ended and were waited for. */
export function cpuSecondsBelow(root: number): number | undefined {
  const times = allTimes();
  if (!times.has(root)) return undefined;
  const isBelow = (pid: number): boolean => {
    for (let at = pid; at > 0; at = times.get(at)?.parent ?? 0) {
      if (at === root) return true;
    }
    return false;
  };
  const ticks = [...times].reduce((sum, [pid, each]) => sum + (isBelow(pid) ? each.ticks : 0), 0);
  return ticks / ticksPerSecond;
}

function allTimes(): ReadonlyMap<number, ProcessTimes> {
  const times = new Map<number, ProcessTimes>();
  for (const pid of pidsNow()) {
    const stat = readIfThere(`/proc/${pid}/stat`);
    if (stat === undefined) continue;
    // After the name in brackets: state, parent, …; 14 to 17 of the manual's numbers are the four times.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    times.set(pid, { parent: Number(fields[1]), ticks });
  }
  return times;
}

function pidsNow(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** A process and its children of now. */
export function withChildren(root: number): readonly number[] {
  return [root, ...[...allTimes()].filter(([, { parent }]) => parent === root).map(([pid]) => pid)];
}

/** Forgets the peak of a process's memory, so that the next one is of what comes; answers whether that can be done. */
export function resetPeak(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}

/** The greatest resident memory of a process in MiB, of its life or since it was forgotten. */
export function peakMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readIfThere(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) / 1024;
}

/** Resident memory of processes in MiB. Pages that several of them share count for each. */
export function residentMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const status = readIfThere(`/proc/${pid}/status`) ?? '';
    return sum + Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  }, 0);
}

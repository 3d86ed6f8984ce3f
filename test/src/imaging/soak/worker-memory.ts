/**
 * Memory of a worker and its decoder processes, from Linux's /proc, at a moment. It judges nothing. Invariant: a process that
 * ended while it was looked at counts as nothing.
 */
import { readFileSync } from 'node:fs';
import { withChildren } from '../../../../bench/dist/measure/process-usage.js';

export interface MemorySample {
  readonly at_ms: number;
  /** Of all processes together, pages that several of them share counted for each. */
  readonly rss_mib: number;
  /** The same with shared pages counted once. */
  readonly pss_mib: number;
  readonly worker_rss_mib: number;
  readonly decoders_rss_mib: number;
  /** The largest of the decoders. */
  readonly decoder_rss_max_mib: number;
  readonly decoders: number;
  /** When it could last be read. */
  readonly ended: number;
}

/** Looks at the worker of that process id and at its children. */
export function memoryOf(worker: number): Omit<MemorySample, 'at_ms' | 'ended'> {
  const all = withChildren(worker).map((pid) => ({ pid, ...rollup(pid) }));
  const decoders = all.filter(({ pid, rss }) => pid !== worker && rss > 0).map(({ rss }) => rss);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    rss_mib: sum(all.map(({ rss }) => rss)),
    pss_mib: sum(all.map(({ pss }) => pss)),
    worker_rss_mib: all.find(({ pid }) => pid === worker)?.rss ?? 0,
    decoders_rss_mib: sum(decoders),
    decoder_rss_max_mib: Math.max(0, ...decoders),
    decoders: decoders.length,
  };
}

function rollup(pid: number): { readonly rss: number; readonly pss: number } {
  const text = rollupText(pid);
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { rss: mib('Rss'), pss: mib('Pss') };
}

/** Empty for a process that has ended. */
function rollupText(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  } catch {
    return '';
  }
}

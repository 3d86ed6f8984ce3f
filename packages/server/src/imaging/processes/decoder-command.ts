/**
 * The command that starts a decoder process, under limits that the kernel keeps. It starts nothing. Where there are no
 * such limits (not on Linux) the watch of `decoder-child.ts` is the only one. Invariant: no path and no number of ours
 * is read by a shell as anything but an argument.
 */
import { existsSync } from 'node:fs';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

const shell = '/bin/sh';

/**
 * What Node keeps writable without using it: from version 24 on 560 MiB at its start, and 100 MiB for libvips, threads
 * and heap. With half as much again, what comes in between two looks of the watch fails before it takes the machine.
 */
const idleDataBytes = 1024 * 2 ** 20;
/** Of all jobs of a process together: one whose JavaScript hangs after its parent was killed ends by this. */
const cpuSeconds = 600;
const filesOpenMax = 64;
/** Decoding happens outside V8's heap, which by itself would see no reason to collect the pixels and files that it holds. */
const heapMib = 128;

/** A shell sets the limits and becomes Node. What a container has forbidden to set stays as it is there. */
const underLimits =
  'for limit in "-c 0" "-f 0" "-d $1" "-t $2" "-n $3"; do ulimit $limit 2>&- || :; done; shift 3; exec "$@"';

/** The command for a compiled module, which is told one word; `memoryBytesMax` is what a job may take. */
export function decoderCommand(node: string, module: string, memoryBytesMax: number, word: string): Command {
  const args = [`--max-old-space-size=${heapMib}`, '--expose-gc', module, word];
  if (process.platform !== 'linux' || !existsSync(shell)) return { file: node, args };
  const dataKib = Math.ceil((memoryBytesMax + idleDataBytes) / 1024);
  const limits = [dataKib, cpuSeconds, filesOpenMax].map(String);
  return { file: shell, args: ['-c', underLimits, 'decoder', ...limits, node, ...args] };
}

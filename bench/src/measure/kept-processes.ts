/**
 * The processes of a run: whatever a benchmark starts is kept here, ended when the run ends, and ended by a keeper when
 * this process dies without having done so. It starts none of them itself. A benchmark that died leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { processStart } from '../../../packages/cli/dist/dev/embedded/process-start.js';
import { endProcesses, type KeptProcess } from './end-processes.ts';
import type { KeeperLine } from './keeper-program.ts';

const keeperProgram = fileURLToPath(new URL('keeper-program.js', import.meta.url));
const graceMs = 5000;
const kept: Map<number, KeptProcess> = new Map();
let keeper: Writable | undefined;
let isEnding = false;

/** Keeps a process that was just started, until it ends; `group` where it leads a process group. */
export function keep<Child extends ChildProcess>(child: Child, { group = false }: { group?: boolean } = {}): Child {
  const { pid } = child;
  if (pid === undefined) return child; // it did not start: its event says why
  keepProcess(pid, { signal: 'SIGTERM', group });
  child.once('exit', () => {
    kept.delete(pid);
    tellKeeper({ gone: pid });
  });
  return child;
}

/** Keeps a process that somebody else started for this run, and who ends on `signal`. */
export function keepProcess(
  pid: number,
  { signal, group = false }: { readonly signal: NodeJS.Signals; readonly group?: boolean },
): void {
  const start = processStart(pid);
  if (start === undefined) return;
  const one = { pid, start, signal, group };
  kept.set(pid, one);
  tellKeeper({ keep: one });
  if (isEnding) void endProcesses([one], 0);
}

/** Ends all that still run; what is started later is ended at once. */
export async function endKept(): Promise<void> {
  isEnding = true;
  await endProcesses([...kept.values()], graceMs);
}

function tellKeeper(line: KeeperLine): void {
  keeper ??= startKeeper();
  if (keeper.writable) keeper.write(`${JSON.stringify(line)}\n`);
}

/** In a session of its own, where no signal of a terminal reaches it. */
function startKeeper(): Writable {
  const child = spawn(process.execPath, [keeperProgram, String(process.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', withoutKeeper);
  child.stdin.on('error', withoutKeeper);
  child.unref();
  const pipe = child.stdin as typeof child.stdin & { unref?: () => void };
  pipe.unref?.();
  return child.stdin;
}

/** A run without its keeper measures as well. */
function withoutKeeper(): void {
  // deliberately nothing
}

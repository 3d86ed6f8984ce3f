/**
 * What a run does when it is told to end: its processes first, then what it made on a server that is not its own, then
 * itself, with the exit code of the signal. It waits for no benchmark: that may be in the middle of anything.
 */
import { constants } from 'node:os';
import { endKept } from './kept-processes.ts';

const sameSignalMs = 1000;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

let isEnding = false;

/** Whether the run has been told to end, so that what fails now fails because of that. */
export function isEndingRun(): boolean {
  return isEnding;
}

/**
 * Ends the run on a signal, and when the parent that gave it a channel is gone. `cleanUp` runs once nothing uses its
 * databases any more. A second signal ends it at once; what comes in the same second is the first one, passed on by
 * who runs us.
 */
export function endOnSignal(cleanUp: () => Promise<void>): void {
  let since = Number.POSITIVE_INFINITY;
  const end = (code: number, why: string): void => {
    if (performance.now() - since > sameSignalMs) process.exit(code);
    if (isEnding) return;
    isEnding = true;
    since = performance.now();
    process.stderr.write(`bench: ended by ${why}\n`);
    void endKept()
      .then(cleanUp)
      .catch((error: unknown) => void process.stderr.write(`bench: ${String(error)}\n`))
      .finally(() => process.exit(code));
  };
  for (const signal of signals) process.on(signal, () => end(128 + constants.signals[signal], signal));
  if (process.channel === undefined) return;
  process.once('disconnect', () => end(1, 'the end of its parent'));
  process.channel.unref();
}

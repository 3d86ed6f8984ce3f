/**
 * The surroundings of what a leader does during one term: those of the worker, with a pool of its own, and the term.
 * A duty asks before every step whether the term is current, and waits only through `pause`.
 */
import { Latch } from '../worker/latch.ts';
import type { WorkerContext } from '../worker/worker-context.ts';
import type { Term } from './term.ts';

/** What a duty works with. Its pool is closed when the term ends, and what is under way there then fails. */
export interface DutyContext extends WorkerContext {
  readonly term: Term;
}

/** Waits for a span, or until the term ends. */
export async function pause({ clock, term }: DutyContext, ms: number): Promise<void> {
  if (term.signal.aborted) return;
  const over = new Latch();
  const open = (): void => over.open();
  const cancel = clock.after(ms, open);
  term.signal.addEventListener('abort', open, { once: true });
  await over.opened;
  term.signal.removeEventListener('abort', open);
  cancel();
}

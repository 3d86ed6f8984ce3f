/**
 * The phases of a soak, as shares of its length. Only the steady ones count for trends, and they are two: before the
 * long-running reader and after it, since what it leaves behind is a step and no slope.
 */

export type Phase = 'warm_up' | 'before_reader' | 'reader' | 'settling' | 'after_reader';

/** In order, where each phase ends. The reader has a sixth of the run, within its middle third. */
export const phaseEnds: readonly (readonly [Phase, number])[] = [
  ['warm_up', 2 / 12],
  ['before_reader', 5 / 12],
  ['reader', 7 / 12],
  ['settling', 8 / 12],
  ['after_reader', 1],
];

/** The phase at a share of the run, from 0 to 1. */
export function phaseAt(share: number): Phase {
  return phaseEnds.find(([, end]) => share < end)?.[0] ?? 'after_reader';
}

/** Where a phase begins and ends, as shares of the run. */
export function boundsOf(phase: Phase): { readonly from: number; readonly to: number } {
  const index = phaseEnds.findIndex(([name]) => name === phase);
  return { from: phaseEnds[index - 1]?.[1] ?? 0, to: phaseEnds[index]?.[1] ?? 1 };
}

/** Whether what is measured in a phase counts for trends. */
export function isSteady(phase: Phase): boolean {
  return phase === 'before_reader' || phase === 'after_reader';
}

/**
 * Measures several contestants in turn, A B A B, so that whatever else the machine does meets all of them alike. It
 * knows nothing of what they do; the first turn of each is for warming up and is not counted.
 */
import type { BenchContext } from './benchmark.ts';

/** What one turn of a contestant is; it gets the number of the round, which is -1 while warming up. */
export type Turn<Sample> = (round: number) => Promise<Sample>;

/** By contestant, the samples of all rounds in order; of one that does not take part, undefined. */
export type Samples<Turns> = {
  readonly [Name in keyof Turns]: readonly (Turns[Name] extends Turn<infer Sample> | undefined ? Sample : never)[];
};

/** Runs all rounds of those that take part. */
export async function inTurns<Turns extends Readonly<Record<string, Turn<unknown> | undefined>>>(
  context: BenchContext,
  what: string,
  contestants: Turns,
): Promise<Samples<Turns>> {
  const samples: Record<string, unknown[]> = {};
  for (let round = context.short || context.brief ? 0 : -1; round < context.rounds; round += 1) {
    for (const [name, turn] of Object.entries(contestants)) {
      if (turn === undefined) continue;
      context.say(`${what}: ${name}, ${round === -1 ? 'warming up' : `round ${round + 1} of ${context.rounds}`}`);
      const sample = await turn(round);
      if (round >= 0) samples[name] = [...(samples[name] ?? []), sample];
    }
  }
  return samples as Samples<Turns>;
}

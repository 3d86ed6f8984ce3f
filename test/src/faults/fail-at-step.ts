/**
 * The loop that SQLite tests with: an operation fails at step one, then at step two, and so on, until it passes without
 * meeting the fault; the oracle comes at the end of the loop, since what is wrong stays wrong, and in long runs after
 * every step. It knows neither operations nor faults. Invariant: a loop that never met its fault, or never ends, is a
 * failing test.
 */
import assert from 'node:assert/strict';
import { assertInvariants, History } from '@rowlock/test-harness';
import type { FaultySite } from './faulty-site.ts';
import type { Operation, Result } from './operations.ts';

export interface StepFault {
  /** Arms the fault at a step, from 1; the function disarms it and tells whether it struck. */
  readonly arm: (step: number) => () => boolean;
  /** Part of every name, so that no two loops share one. */
  readonly label: string;
  /** What an operation may answer when the fault has struck, beside succeeding all the same. */
  readonly fails: readonly Result[];
}

const stepsMax = 200;
/** In long runs the step is known after which something is wrong. */
const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;

/** Runs the loop; answers how many steps the operation has. */
export async function failAtEachStep(shared: FaultySite, operation: Operation, fault: StepFault): Promise<number> {
  const site = { ...shared, history: new History() };
  const { succeeds, repeated = [] } = operation;
  for (let step = 1; step <= stepsMax; step += 1) {
    const round = `${fault.label}-${step}`;
    const attempt = await operation.arrange(site, round);
    const disarm = fault.arm(step);
    const result = await attempt();
    const struck = disarm();
    const said = `${operation.name}, ${fault.label} at step ${step} (seed ${site.random.seed}): answered ${result}`;
    if (!struck) {
      assert.ok(succeeds.includes(result), `${said} without a fault`);
      assert.ok(step > 1, `${said}: the fault was never met`);
      await askOracle(site, said);
      return step - 1;
    }
    assert.ok(succeeds.includes(result) || fault.fails.includes(result), said);
    const again = await attempt();
    assert.ok(succeeds.includes(again) || repeated.includes(again), `${said}, and ${again} when it was done again`);
    if (isLong) await askOracle(site, said);
  }
  return assert.fail(`${operation.name} has more than ${stepsMax} steps`);
}

async function askOracle({ service, history }: FaultySite, said: string): Promise<void> {
  await assertInvariants(service, { history }).catch((error: unknown) => {
    throw new Error(`after ${said}`, { cause: error });
  });
}

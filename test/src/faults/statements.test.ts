/**
 * F2: every operation with a fault at its first, second, third … statement: the connection ends before it, or after it
 * was done and before that is known, or within the answer; the backend is killed; the statement is refused.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Fault, seededRandom } from '@rowlock/test-harness';
import { failAtEachStep } from './fail-at-step.ts';
import { type FaultySite, startFaultySite } from './faulty-site.ts';
import { operations } from './operations.ts';

const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;
/**
 * In short runs every operation meets the connections that are cut, and one of the others, which come to the same in the
 * service: which one, the seed says. Images are rendered under cuts only.
 */
const turn = seededRandom().integer(2);
function isItsTurn({ kind }: Fault, operation: string, index: number): boolean {
  if (isLong || kind.startsWith('cut')) return true;
  return !operation.includes('thumbnail') && index % 2 === (kind === 'terminate' ? turn : 1 - turn);
}

const faults: readonly Fault[] = [
  { kind: 'cut_before' },
  { kind: 'cut_after' },
  { kind: 'terminate' },
  { kind: 'error', sqlstate: '57014' },
  ...(!isLong ? [] : ([{ kind: 'reset' }, { kind: 'truncate' }] as const)),
];

for (const fault of faults) {
  describe(`${fault.kind} at every statement`, () => {
    let site: FaultySite;
    before(async () => {
      site = await startFaultySite();
    });
    after(() => site.stop());

    for (const operation of operations.filter(({ name }, index) => isItsTurn(fault, name, index))) {
      test(`of ${operation.name}`, async () => {
        const arm = (step: number) => {
          const armed = site.proxy.arm({ at: step, fault });
          return () => {
            armed.disarm();
            return armed.struck !== undefined;
          };
        };

        await failAtEachStep(site, operation, { arm, label: fault.kind.replace('_', '-'), fails: [503, 'failed'] });

        assert.deepEqual(site.internalErrors, [], 'what the database does is never a riddle');
      });
    }
  });
}

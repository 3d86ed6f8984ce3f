/**
 * What commands choose of kills: when the process or PostgreSQL dies, and what it is doing then. It kills nothing.
 */
import type { FaultPoint } from '@rowlock/server';
import fc from 'fast-check';
import { type Choice, given } from './choice.ts';
import { crashAction, killedAfter, killedAt, otherSteps, uploadSteps, withoutDatabase } from './crash-actions.ts';

export interface Kills {
  /** Whether PostgreSQL may be lost, too: where the test has one of its own. */
  readonly mayLoseDatabase: boolean;
  /** Most kills of one run; each costs the start of a process. */
  readonly killsMax: number;
}

/** A step that this kind of command comes to, before its commit or behind it as the other one is. */
function stepsOf(kind: string, other: FaultPoint): FaultPoint | undefined {
  const [, place] = other.split('.');
  const operation = kind === 'purge' ? 'purge_version' : kind;
  return otherSteps.find((step) => step === `${operation}.${place}`);
}

/** What a kill strikes: anything that writes over HTTP. */
const writing: fc.Arbitrary<Choice> = fc.oneof(uploads, deletes, moves, copies, restores, purges, folders);

/** Kills of the process, and of PostgreSQL where the test has one of its own. */
export function kills({ mayLoseDatabase, killsMax }: Kills): fc.Arbitrary<Choice> {
  const where = fc.record({
    upload: fc.constantFrom(...uploadSteps),
    other: fc.constantFrom(...otherSteps),
    n: fc.nat(8),
  });
  const struck = fc.tuple(writing, where, fc.nat(30));
  return given('kill', struck, ([{ kind, choose }, { upload, other, n }, wait], worlds) => {
    if (worlds.crashes >= killsMax) return undefined;
    const action = choose(worlds);
    if (action === undefined) return undefined;
    worlds.crashes += 1;
    if (mayLoseDatabase && n < 2) return withoutDatabase(wait, action);
    if (n === 2) return crashAction;
    if (n < 5) return killedAfter(wait, action);
    return killedAt(kind === 'upload' ? upload : (stepsOf(kind, other) ?? other), action);
  });
}

import { purges, restores } from './history-choices.ts';
import { copies, deletes, folders, moves, uploads } from './write-choices.ts';

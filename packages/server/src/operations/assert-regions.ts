/**
 * Refuses to run where the new bytes of a bucket would go to another region than the one that is recorded for it. It moves
 * nothing and asks no store: that a store is where its configuration says, its own check of signatures sees to. Invariant: a
 * backend whose region nobody knows is in none.
 */
import type { Backends } from '../backend/backends.ts';
import type { StatementRunner } from '../metadata/database.ts';
import { regionsOfBuckets } from '../metadata/placed-buckets.ts';

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly backend: string | null;
  readonly region: string;
}

/** @throws Error that names the buckets which are elsewhere; backends that this process does not have are others' to judge */
export async function assertRegions(db: StatementRunner, backends: Backends): Promise<void> {
  const misplaced = (await db.run<Row>(regionsOfBuckets, [])).flatMap(({ id, backend, region }) => {
    const name = backend ?? backends.default.name;
    if (!backends.has(name) || backends.of(name).region === region) return [];
    return [
      `"${id}" in ${region}, and its backend "${name}" is in ${backends.of(name).region ?? 'no region that is known'}`,
    ];
  });
  if (misplaced.length > 0) throw new Error(`buckets are to be kept elsewhere: ${misplaced.join('; ')}`);
}

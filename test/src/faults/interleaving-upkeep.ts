/**
 * What workers and operators do, as steps of interleavings: a sweep whose grace is over, with the purges that it asks
 * for, and a check with repair. They mean nothing for what is there: that is what tests of them ask.
 */
import { type Scene, type Step, upload } from './interleaving-steps.ts';

/** Every intent that is there has expired; the sweep takes it, and the purges that it asks for run. */
export const sweepExpired: Step = {
  name: 'sweep',
  run: async ({ held }) => {
    const { database } = held.service;
    await database.query("UPDATE storage.uploads SET expires_at = now() - interval '1 second'");
    await database.query(
      "UPDATE storage.versions SET expires_at = now() - interval '1 second' WHERE state IN ('writing', 'purging')",
    );
    const swept = await held.work('sweep');
    const purged = await purgeAsAsked(held);
    return swept === 'done' && purged === 'done' ? 'done' : 'unknown';
  },
  apply: () => 'done',
};

/** Runs the purges that are enqueued, as a worker would. */
export async function purgeAsAsked(held: Scene['held']): Promise<'done' | 'failed'> {
  const jobs = await held.service.database.query<{ ids: readonly string[] }>(
    `UPDATE metadata.river_job SET state = 'completed', finalized_at = now()
     WHERE kind = 'version_purge' AND state = 'available' RETURNING args -> 'version_ids' AS ids`,
  );
  const ids = jobs.flatMap((job) => job.ids);
  return ids.length === 0 ? 'done' : await held.work('purge', ids);
}

/** A check that removes the bytes that no row names; some are there. */
export const checkAndRepair: Step = {
  name: 'fsck --repair',
  run: async ({ held }) => ((await held.work('fsck')) === 'done' ? 'done' : 'unknown'),
  apply: () => 'done',
};

/** Overwrites, and has the old bytes purged at once. */
export const overwriteAndPurge = (name: string, text: string): Step => {
  const { run, apply } = upload(name, text);
  return {
    name: `overwrite ${name} with ${text}, and the purge`,
    run: async (scene, signal) => {
      const result = await run(scene, signal);
      return (await purgeAsAsked(scene.held)) === 'done' ? result : 'unknown';
    },
    apply,
  };
};

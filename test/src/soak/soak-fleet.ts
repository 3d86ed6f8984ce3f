/** The fleet of a soak: two of our workers in processes of their own, and one of Go River where there is Go. */
import { type GoMeasures, GoMember } from './go-member.ts';
import { percentilesOf, type Values } from './quantities.ts';
import { goQueue, sharedQueue } from './soak-jobs.ts';
import { SoakWorkerProcess, type WorkerMeasures } from './soak-worker-process.ts';

/** What the fleet has done since its start. */
export interface FleetTally {
  readonly ours_ended: number;
  readonly go_ended: number;
  /** Jobs that were not their worker's any more when their result arrived. */
  readonly lost: number;
  /** Parts of our workers that failed and were tried again. */
  readonly failures: number;
  readonly last_failure: string | null;
}

export interface SoakFleetOptions {
  readonly url: string;
  readonly schema: string;
  /** How many jobs each worker runs at once. */
  readonly slots: number;
  /** How long ended jobs are kept. */
  readonly retentionMs: number;
  readonly withGo: boolean;
}

export class SoakFleet {
  #ours: readonly SoakWorkerProcess[] = [];
  #go: GoMember | undefined;

  private constructor() {}

  /** Resolves when all of its workers work; when one cannot, none does. */
  static async start(options: SoakFleetOptions): Promise<SoakFleet> {
    const fleet = new SoakFleet();
    try {
      const queues = options.withGo ? [sharedQueue] : [sharedQueue, goQueue];
      const ours: SoakWorkerProcess[] = [];
      fleet.#ours = ours;
      for (const clientId of ['soak-1', 'soak-2']) {
        ours.push(await SoakWorkerProcess.start({ ...options, clientId, queues }));
      }
      if (options.withGo) fleet.#go = await GoMember.start(options);
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  /** How it fares since it was asked last, and what it has done. */
  async measure(): Promise<{ readonly values: Values; readonly tally: FleetTally }> {
    const ours = await Promise.all(this.#ours.map(async (worker) => await worker.measure()));
    const go = this.#go?.measure();
    return { values: valuesOf(ours, go), tally: tallyOf(ours, go) };
  }

  /** Resolves when all have finished what they were doing and have ended. */
  async stop(): Promise<void> {
    await Promise.all([...this.#ours.map(async (worker) => await worker.stop()), this.#go?.stop()]);
  }
}

function valuesOf(ours: readonly WorkerMeasures[], go: GoMeasures | undefined): Values {
  const perWorker = ours.flatMap((worker, index) =>
    (['rss_mib', 'heap_mib', 'loop_p99_ms', 'cpu_percent'] as const).map((id) => [
      `worker_${index + 1}_${id}`,
      worker[id],
    ]),
  );
  return {
    ...(Object.fromEntries(perWorker) as Values),
    ...percentilesOf(
      'ours_start',
      ours.flatMap(({ start_ms }) => start_ms),
    ),
    ...percentilesOf(
      'ours_finalised',
      ours.flatMap(({ finalised_ms }) => finalised_ms),
    ),
    ...percentilesOf(
      'ours_scheduled',
      ours.flatMap(({ scheduled_ms }) => scheduled_ms),
    ),
    ...percentilesOf('go_start', go?.start_ms ?? []),
    ...percentilesOf('go_finalised', go?.finalised_ms ?? []),
  };
}

function tallyOf(ours: readonly WorkerMeasures[], go: GoMeasures | undefined): FleetTally {
  const total = (pick: (worker: WorkerMeasures) => number): number =>
    ours.reduce((sum, worker) => sum + pick(worker), 0);
  return {
    ours_ended: total(({ ended }) => ended),
    go_ended: go?.ended ?? 0,
    lost: total(({ lost }) => lost),
    failures: total(({ failures }) => failures),
    last_failure: ours.find(({ last_failure }) => last_failure !== null)?.last_failure ?? null,
  };
}

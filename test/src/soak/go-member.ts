/**
 * The Go River of a mixed fleet: one client that works beside ours, with River's own settings. What it tells is timed
 * when its line arrives, so its latencies contain the way through a pipe.
 */
import { type GoEvent, GoRiver } from '@rowlock/test-harness';
import { nowMs } from '../../../bench/dist/load/paced.js';
import { goQueue, type SoakArgs, sharedQueue, soakKind } from './soak-jobs.ts';

const finishedStates = new Set(['completed', 'cancelled', 'discarded']);

interface ToldJob {
  readonly id: string;
  readonly state: string;
  readonly args: SoakArgs;
}

/** How it fares. Durations are those since the last question; `ended` counts from its start. */
export interface GoMeasures {
  readonly start_ms: readonly number[];
  readonly finalised_ms: readonly number[];
  readonly ended: number;
}

export class GoMember {
  #river: GoRiver | undefined;
  #ended = 0;
  #recent = { start_ms: [] as number[], finalised_ms: [] as number[] };
  /** By id, when jobs that run have started. */
  readonly #started = new Map<string, number>();

  static async start(options: {
    readonly url: string;
    readonly schema: string;
    readonly slots: number;
    readonly retentionMs: number;
  }): Promise<GoMember> {
    const { url, schema, slots, retentionMs } = options;
    const member = new GoMember();
    const river = await GoRiver.start({ url, schema, onEvent: (event) => member.#heard(event) });
    member.#river = river;
    await river.ask('start', {
      name: 'go',
      client_id: 'soak-go',
      queues: { [sharedQueue]: slots, [goQueue]: slots },
      kinds: [soakKind],
      follow: true, // ours leads, and deletes what has ended
      completed_ms: retentionMs,
    });
    return member;
  }

  measure(): GoMeasures {
    const said = { ...this.#recent, ended: this.#ended };
    this.#recent = { start_ms: [], finalised_ms: [] };
    return said;
  }

  async stop(): Promise<void> {
    await this.#river?.ask('stop', { name: 'go' });
    await this.#river?.end();
  }

  #heard(event: GoEvent): void {
    if (event.event === 'started') this.#started.set(String(event['job']), nowMs());
    if (event.event !== 'told' || event['job'] === undefined) return;
    const job = event['job'] as ToldJob;
    const started = this.#started.get(job.id);
    this.#started.delete(job.id);
    if (finishedStates.has(job.state)) this.#ended += 1;
    if (job.args.sort !== 'plain' || started === undefined) return;
    this.#recent.start_ms.push(started - job.args.due);
    this.#recent.finalised_ms.push(nowMs() - job.args.due);
  }
}

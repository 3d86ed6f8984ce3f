/**
 * Rebuilds the indexes of the job table once a day: what is deleted there leaves holes that nothing else closes. It
 * blocks nobody. An index of which an unfinished copy lies about is skipped, since rebuilding it would leave another.
 */
import type { ClientBase } from 'pg';
import { type IndexFacts, indexDrop, indexFacts, indexReindex } from '../statements/index-reindex.ts';
import { onConnection } from '../statements/transaction.ts';
import type { DutyContext } from './duty-context.ts';
import type { Schedule } from './schedule.ts';

/** River's list. */
const indexes: readonly string[] = [
  'river_job_args_index',
  'river_job_kind',
  'river_job_metadata_index',
  'river_job_pkey',
  'river_job_prioritized_fetching_index',
  'river_job_state_and_finalized_at_index',
  'river_job_unique_idx',
];

/** When to rebuild, and how long one index may take. */
export interface ReindexTerms {
  readonly schedule: Schedule;
  readonly timeoutMs: number;
}

/** The reindexer of one term. */
export class Reindexer {
  readonly #context: DutyContext;
  readonly #terms: ReindexTerms;
  #dueAt: number | undefined;

  constructor(context: DutyContext, terms: ReindexTerms) {
    this.#context = context;
    this.#terms = terms;
    this.#dueAt = terms.schedule.next(context.clock.now());
  }

  /** Rebuilds if it is time. */
  async runIfDue(): Promise<void> {
    const now = this.#context.clock.now();
    if (this.#dueAt === undefined || now < this.#dueAt) return;
    this.#dueAt = this.#terms.schedule.next(now);
    await this.reindex();
  }

  /** Rebuilds each index, one after the other; the failure of one is reported and does not keep the others. */
  async reindex(): Promise<void> {
    const { pool, schema, term, observe } = this.#context;
    const rebuildAll = async (client: ClientBase): Promise<void> => {
      for (const index of await indexFacts(client, schema, indexes)) {
        if (!term.isCurrent) return;
        if (index.artifacts.length > 0) observe({ event: 'index_skipped', index: index.name, found: index.artifacts });
        else await this.#rebuild(client, index);
      }
    };
    await onConnection(pool, rebuildAll, { isSpoilt: true }); // it has a setting that others must not inherit
  }

  async #rebuild(client: ClientBase, index: IndexFacts): Promise<void> {
    const { schema, clock, observe } = this.#context;
    const startedAt = clock.monotonic();
    try {
      await indexReindex(client, schema, index.name, this.#terms.timeoutMs);
      observe({ event: 'index_rebuilt', index: index.name, run_ms: clock.monotonic() - startedAt });
    } catch (error) {
      observe({ event: 'task_failed', task: `reindex ${index.name}`, error });
      await this.#dropLeftOver(client, index);
    }
  }

  /** There was no copy before, so what is there now is ours. What cannot be dropped now is reported every day. */
  async #dropLeftOver(client: ClientBase, { name }: IndexFacts): Promise<void> {
    const { schema, observe } = this.#context;
    try {
      const [now] = await indexFacts(client, schema, [name]);
      if (now?.is_owned !== true) return;
      for (const artifact of now.artifacts) await indexDrop(client, schema, artifact);
    } catch (error) {
      observe({ event: 'task_failed', task: `drop the unfinished copy of ${name}`, error });
    }
  }
}

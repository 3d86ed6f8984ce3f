/**
 * A service without workers, for jobs that are rows which nobody takes: they are made in any state, and stay there. It
 * expects nothing of them.
 */
import assert from 'node:assert/strict';
import { startService, type TestService } from '@rowlock/test-harness';

/** Jobs of one sort. */
export interface MadeJob {
  readonly queue: string;
  readonly state?: string;
  readonly kind?: string;
  readonly args?: unknown;
  readonly metadata?: unknown;
  readonly errors?: readonly unknown[];
}

export interface QueueSite {
  readonly service: TestService;
  /** Asks as the service role, and expects 200. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Inserts jobs that were due an hour ago; those that have ended did so one second after the other. Answers their ids. */
  makeJobs(count: number, made: MadeJob): Promise<readonly string[]>;
}

export const json: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

const ended = new Set(['cancelled', 'completed', 'discarded']);

/** Starts the service. */
export async function startQueueSite(): Promise<QueueSite> {
  const service = await startService({ workers: false });
  return {
    service,
    async ask<T>(method: string, path: string, body?: unknown) {
      const init = body === undefined ? {} : { body: JSON.stringify(body), headers: json };
      const answer = await service.fetch(`/storage/v1/${path}`, { as: 'service', method, ...init });
      assert.equal(answer.status, 200, await answer.clone().text());
      return (await answer.json()) as T;
    },
    async makeJobs(count, made) {
      const { queue, state = 'available', kind = 'made', args = {}, metadata = {}, errors = [] } = made;
      const rows = await service.database.query<{ id: string }>(
        `INSERT INTO metadata.river_job (kind, queue, state, args, metadata, errors, scheduled_at, attempt, finalized_at)
         SELECT $1, $2, $3::metadata.river_job_state, $4, $5,
           (SELECT array_agg(e) FROM jsonb_array_elements($6::jsonb) AS e), now() - interval '1 hour', 1,
           CASE WHEN $7 THEN now() - n * interval '1 second' END
         FROM generate_series(1, $8) AS n RETURNING id::text`,
        [
          kind,
          queue,
          state,
          JSON.stringify(args),
          JSON.stringify(metadata),
          JSON.stringify(errors),
          ended.has(state),
          count,
        ],
      );
      return rows.map(({ id }) => id);
    },
  };
}

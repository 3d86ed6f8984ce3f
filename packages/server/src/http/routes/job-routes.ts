/** The queue over HTTP, for operators with the service role: what runs, what failed, and what to do about it. */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import {
  actOnJobs,
  countJobs,
  type JobAction,
  type JobFilter,
  type JobSelection,
  listJobs,
  pauseQueue,
  showJob,
  showJobOverview,
} from '../../operations/manage-jobs.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const states = ['available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'];
const name = Type.String({ minLength: 1, maxLength: 127 });
const filter = {
  state: Type.Optional(Type.Union(states.map((state) => Type.Literal(state)))),
  queue: Type.Optional(name),
  kind: Type.Optional(name),
};
const cursor = Type.Optional(Type.String({ minLength: 2, maxLength: 1000 }));
/** A positive bigint. */
const jobId = Type.String({ pattern: '^[1-9]\\d{0,17}$' });
const countQuery = Type.Object(filter);
/** Queries are texts; nothing is coerced. */
const listQuery = Type.Object({
  ...filter,
  cursor,
  limit: Type.String({ pattern: '^[1-9]\\d?$|^1\\d\\d$|^200$', default: '50' }),
});
const selection = Type.Object({
  ids: Type.Optional(Type.Array(jobId, { minItems: 1, maxItems: 1000 })),
  filter: Type.Optional(Type.Object(filter)),
  cursor,
});
const idParams = Type.Object({ id: jobId });
const queueParams = Type.Object({ queue: name });
const queueBody = Type.Object({ paused: Type.Boolean() });

/** How many jobs of a filter one request changes: few enough that their locks are held for a moment only. */
const changedAtOnce = 200;

const actions: readonly (readonly [JobAction, string])[] = [
  ['retry', 'Make jobs available again, at once (service role)'],
  ['cancel', 'Cancel jobs; what runs is asked to stop (service role)'],
  ['delete', 'Delete jobs that do not run (service role)'],
];

const filterOf = ({ state, queue, kind }: Static<typeof countQuery>): JobFilter => ({ state, queue, kind });

/** @throws RowlockError `invalid_request` where every job would be meant, or two ways at once */
function selectionOf({ ids, filter, cursor }: Static<typeof selection>): JobSelection {
  if (ids !== undefined && filter === undefined) return { ids };
  const named = filterOf(filter ?? {});
  if (ids === undefined && Object.values(named).some((value) => value !== undefined)) {
    return { filter: named, cursor, limit: changedAtOnce };
  }
  throw new RowlockError('invalid_request', 'Name jobs by ids, or by a filter with a state, a queue or a kind');
}

/** Registers the routes of the queue below the prefix. */
export function jobRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const tags = ['jobs'];

  app.get(
    '/jobs/overview',
    { schema: { tags, summary: 'Counts, rates and waits of the queues, workers and leader (service role)' } },
    withCaller(options, async (caller) => showJobOverview(context, caller)),
  );

  app.get<{ Querystring: Static<typeof listQuery> }>(
    '/jobs',
    { schema: { tags, summary: 'List jobs (service role)', querystring: listQuery } },
    withCaller(options, async (caller, { query }) =>
      listJobs(context, caller, filterOf(query), { cursor: query.cursor, limit: Number(query.limit) }),
    ),
  );

  app.get<{ Querystring: Static<typeof countQuery> }>(
    '/jobs/count',
    { schema: { tags, summary: 'Count jobs, to ten thousand (service role)', querystring: countQuery } },
    withCaller(options, async (caller, { query }) => countJobs(context, caller, filterOf(query))),
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/jobs/:id',
    { schema: { tags, summary: 'Show a job with its errors and logs (service role)', params: idParams } },
    withCaller(options, async (caller, { params }) => showJob(context, caller, params.id)),
  );

  for (const [action, summary] of actions) {
    app.post<{ Body: Static<typeof selection> }>(
      `/jobs/${action}`,
      { schema: { tags, summary, body: selection } },
      withCaller(options, async (caller, { body }) => actOnJobs(context, caller, action, selectionOf(body))),
    );
  }

  app.put<{ Params: Static<typeof queueParams>; Body: Static<typeof queueBody> }>(
    '/jobs/queues/:queue',
    {
      schema: {
        tags,
        summary: 'Pause or resume a queue, or all: * (service role)',
        params: queueParams,
        body: queueBody,
      },
    },
    withCaller(options, async (caller, { params, body }) => ({
      queues: await pauseQueue(context, caller, params.queue, body.paused),
    })),
  );
}

/**
 * The way from the worker into a handler: middleware around hooks around decoding around the handler itself, in River's
 * order, the worker's own outside of those of the kind. It judges nothing: what goes wrong in any of them rises.
 */
import type { Job } from '../job.ts';
import type { JobHandler, Middleware, PerformContext, WorkHooks } from './job-handler.ts';
import type { Observe } from './observation.ts';

/** What stands around all handlers of a worker. */
export interface Surroundings {
  readonly middleware?: readonly Middleware[];
  readonly hooks?: readonly WorkHooks[];
}

/** One way in. */
export interface Performance {
  readonly observe: Observe;
  readonly surroundings: Surroundings;
  readonly handler: JobHandler;
  readonly job: Job;
  readonly front: PerformContext;
}

/** Goes it. Resolves when the outermost middleware has returned; fails with what rises out of it. */
export async function performWithin(performance: Performance): Promise<void> {
  const { surroundings, handler, job, front } = performance;
  const layers = both(surroundings.middleware, handler.middleware);
  if (layers.length === 0) return await performWithHooks(performance);
  const inner = async (): Promise<void> => await performWithHooks(performance);
  const chain = layers.reduceRight<() => Promise<void>>((next, layer) => {
    return async () => {
      await layer(job, front, once(next));
    };
  }, inner);
  await chain();
}

async function performWithHooks(performance: Performance): Promise<void> {
  const { surroundings, handler, job, front } = performance;
  const hooks = both(surroundings.hooks, handler.hooks);
  if (hooks.length === 0) return await performDecoded(performance);
  for (const hook of hooks) await hook.workBegin?.(job, front);
  let thrown: { readonly error: unknown } | undefined;
  try {
    await performDecoded(performance);
  } catch (error) {
    thrown = { error };
  }
  for (const hook of hooks) {
    try {
      await hook.workEnd?.(job, front, thrown?.error);
    } catch (error) {
      if (thrown === undefined) thrown = { error };
      else performance.observe({ event: 'task_failed', task: `work_end of ${job.kind}`, error });
    }
  }
  if (thrown !== undefined) throw thrown.error;
}

async function performDecoded({ handler, job, front }: Performance): Promise<void> {
  const given = handler.decode === undefined ? job : { ...job, args: handler.decode(job.args) };
  await handler.perform(given, front);
}

/** A layer that calls twice would perform the job twice in one attempt. */
function once(next: () => Promise<void>): () => Promise<void> {
  let isCalled = false;
  return async () => {
    if (isCalled) throw new Error('A middleware has called next twice');
    isCalled = true;
    await next();
  };
}

function both<T>(outer: readonly T[] | undefined, inner: readonly T[] | undefined): readonly T[] {
  if (inner === undefined || inner.length === 0) return outer ?? [];
  return outer === undefined ? inner : [...outer, ...inner];
}

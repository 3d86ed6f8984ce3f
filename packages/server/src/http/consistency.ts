/** Which database a request that reads is answered from: a standby may be behind, and a client may ask for the primary. */
import type { FastifyRequest } from 'fastify';
import type { OperationContext } from '../operations/context.ts';

/** The context of a request: with `x-rowlock-consistency: strong` everything is asked of the primary. */
export function consistentContext(
  context: OperationContext,
  request: Pick<FastifyRequest, 'headers'>,
): OperationContext {
  return request.headers['x-rowlock-consistency'] === 'strong' ? { ...context, reads: context.db } : context;
}

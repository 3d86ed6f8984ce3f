/** Our RPCs under `/rpc`, as PostgREST answers them: for development without a PostgREST of one's own. */
import { isRowlockError, RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { callRpc } from '../../operations/call-rpc.ts';
import type { AppOptions } from '../app-options.ts';
import { asRowlockError, errorHeaders, reportInternal } from '../errors.ts';
import { withCaller } from '../with-caller.ts';

const params = Type.Object({ name: Type.String({ maxLength: 63 }) });

/** Statuses that PostgREST gives to SQLSTATEs, as far as our functions raise them. */
const statusBySqlState: Readonly<Record<string, number>> = {
  '42501': 403,
  P0002: 404,
  '23505': 409,
  '23503': 409,
  '23514': 400,
  '22023': 400,
  '22P02': 400,
  '25006': 405,
  '55000': 500,
  P0001: 400,
  PT429: 429,
};

interface PostgrestError {
  readonly code: string;
  readonly message: string;
  readonly details: string | null;
  readonly hint: string | null;
}

/** PostgreSQL names a policy that restricts; which policies there are is for the service and the log. */
function withoutPolicyName(message: string): string {
  return message.replace(/(row-level security policy) "[\s\S]*"(?= (?:\(USING expression\) )?for table )/, '$1');
}

/** What to do about it, where the function that refused is ours; PostgreSQL's own hints may name what is hidden. */
function hintOf(code: string, cause: Error): string | null {
  return code.startsWith('PT') && 'hint' in cause && typeof cause.hint === 'string' ? cause.hint : null;
}

/** The error body of PostgREST. Details of ours are never sent: they may name hidden rows. */
function postgrestError(
  error: RowlockError,
  anonymous: boolean,
): { readonly status: number; readonly body: PostgrestError } {
  const cause = error.cause;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  const status = code === undefined ? undefined : statusBySqlState[code];
  if (code === undefined || status === undefined || !(cause instanceof Error)) {
    return { status: error.status, body: { code: error.code, message: error.message, details: null, hint: null } };
  }
  const body = { code, message: withoutPolicyName(cause.message), details: null, hint: hintOf(code, cause) };
  return { status: status === 403 && anonymous ? 401 : status, body };
}

function plainHeaders(request: FastifyRequest): Readonly<Record<string, string>> {
  const kept = Object.entries(request.headers).filter(([name]) => name !== 'authorization' && name !== 'cookie');
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

function argumentsOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const given = request.method === 'GET' ? request.query : (request.body ?? {});
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new RowlockError('invalid_request', 'The arguments are a JSON object');
  }
  return given as Readonly<Record<string, unknown>>;
}

/** Registers `/rpc/:name` for GET and POST. */
export function rpcRoutes(app: FastifyInstance, options: AppOptions): void {
  app.setErrorHandler((thrown, request, reply) => {
    const cause =
      thrown instanceof Error && !isRowlockError(thrown) && 'code' in thrown && String(thrown.code) in statusBySqlState;
    const error = cause
      ? new RowlockError('invalid_request', 'The function refused', { cause: thrown })
      : asRowlockError(thrown);
    reportInternal(options.observe, error, request);
    const { status, body } = postgrestError(error, request.headers.authorization === undefined);
    errorHeaders(reply, error);
    return reply.code(status).send(body);
  });
  app.route<{ Params: Static<typeof params> }>({
    method: ['GET', 'POST'],
    url: '/rpc/:name',
    schema: { tags: ['rpc'], summary: 'Call a function as PostgREST would', params },
    handler: withCaller<{ Params: Static<typeof params> }>(options, async (caller, request, reply: FastifyReply) => {
      const result = await callRpc(options.context, caller, {
        name: request.params.name,
        method: request.method === 'GET' ? 'GET' : 'POST',
        args: argumentsOf(request),
        headers: plainHeaders(request),
        path: `/rpc/${request.params.name}`,
      });
      reply.header('cache-control', 'no-store');
      return result === undefined
        ? reply.code(204).send()
        : reply.type('application/json; charset=utf-8').send(JSON.stringify(result.body));
    }),
  });
}

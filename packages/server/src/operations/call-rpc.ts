/**
 * Calls one of our functions as PostgREST would: in a transaction as the caller, with named and bound arguments, READ
 * ONLY for GET. The list is closed: nothing else in the database can be called through it.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { callFunction, type RpcDefinition, type RpcResult, rpcDefinitions } from '../metadata/rpc.ts';
import type { OperationContext } from './context.ts';

export interface RpcCall {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly args: Readonly<Record<string, unknown>>;
  /** What functions see in `request.headers`: lower-case names. Without credentials. */
  readonly headers: Readonly<Record<string, string>>;
  readonly path: string;
}

/** @throws RowlockError `route_not_found`, `method_not_allowed`, `invalid_request`; errors of the function as they came */
export function callRpc(context: OperationContext, caller: Caller, call: RpcCall): Promise<RpcResult> {
  const definition = rpcDefinitions.find((each) => each.name === call.name);
  if (definition === undefined) {
    throw new RowlockError('route_not_found', `There is no function ${call.name}`);
  }
  if (call.method === 'GET' && definition.volatile) {
    throw new RowlockError('method_not_allowed', `${call.name} changes data; call it with POST`);
  }
  return callFunction(context.db, caller, definition, {
    args: assertArguments(definition, call.args),
    readOnly: call.method === 'GET' || !definition.volatile,
    settings: {
      'request.method': call.method,
      'request.path': call.path,
      'request.headers': JSON.stringify(call.headers),
      'request.cookies': '{}',
    },
  });
}

const uuidText = /^[0-9a-f-]{32,36}$/i;

const typeOf = ({ parameters }: RpcDefinition, wanted: string): string | undefined =>
  parameters.find(({ name }) => name === wanted)?.type;

/** What is no text in JSON, as PostgreSQL spells it. What is a text already is left to PostgreSQL, as PostgREST does it. */
function textOf(name: string, type: string | undefined, value: unknown): unknown {
  if (type === 'jsonb') return value === null ? null : JSON.stringify(value);
  if (!Array.isArray(value)) return value;
  if (type === 'uuid[]' && value.every((each) => typeof each === 'string' && uuidText.test(each))) {
    return `{${value.join(',')}}`;
  }
  if (type === 'integer[]' && value.every((each) => Number.isSafeInteger(each))) return `{${value.join(',')}}`;
  if (type === 'uuid[]' || type === 'integer[]') {
    throw new RowlockError(
      'invalid_request',
      `${name} must be an array of ${type === 'uuid[]' ? 'UUIDs' : 'integers'}`,
    );
  }
  return value;
}

function assertArguments(
  definition: RpcDefinition,
  args: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string | null>> {
  const checked: Record<string, string | null> = Object.create(null);
  for (const [name, given] of Object.entries(args)) {
    if (!definition.parameters.some((parameter) => parameter.name === name)) {
      throw new RowlockError('invalid_request', `${definition.name} has no parameter ${name}`);
    }
    const value = textOf(name, typeOf(definition, name), given);
    if (value !== null && typeof value === 'object') {
      throw new RowlockError('invalid_request', `${name} must be a text, a number, true, false or null`);
    }
    checked[name] = value === null || value === undefined ? null : String(value);
  }
  for (const parameter of definition.parameters) {
    if (!parameter.optional && !(parameter.name in checked)) {
      throw new RowlockError('invalid_request', `${definition.name} needs ${parameter.name}`);
    }
  }
  return checked;
}

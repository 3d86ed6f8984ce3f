/**
 * The one statement that PostgREST makes of a request: a call of a function, or a read of a relation. Of its query language
 * only what our contract needs: `select` of columns, `eq`, `in`, `like`, `ilike` and `is`, `order`, `limit`, `offset`.
 */
import pg from 'pg';
import type { PostgrestRequest } from './postgrest.ts';
import { PostgrestRefusal } from './postgrest-errors.ts';
import type { Routine } from './postgrest-routines.ts';

export interface PlannedQuery {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly readOnly: boolean;
  readonly contentType: string;
  readonly isVoid: boolean;
  /** Of the first row that is shown. */
  readonly offset: number;
}

const ident = (name: string): string => pg.escapeIdentifier(name);
const json = 'application/json; charset=utf-8';
const octets = 'application/octet-stream';

/** What follows the source: the body, and what a function said of its answer. */
const resultOf = (total: string, body: string): string =>
  `SELECT ${total} AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, ${body} AS body,
     nullif(current_setting('response.headers', true), '') AS response_headers,
     nullif(current_setting('response.status', true), '') AS response_status
   FROM (SELECT * FROM pgrst_source) _postgrest_t`;

/** Plans the call of a function by its name and the names of the arguments. @throws PostgrestRefusal */
export function planCall(routines: readonly Routine[], request: PostgrestRequest): PlannedQuery {
  const name = request.path.slice('/rpc/'.length);
  const isBytes = Buffer.isBuffer(request.body);
  const given = Object.keys(request.method === 'POST' ? (isBytes ? {} : (request.body ?? {})) : (request.query ?? {}));
  const routine = chosen(
    routines.filter((each) => each.name === name),
    given,
    isBytes,
  );
  const { source, values } = callSource(routine, request, given);
  const isRaw = routine.return_type === 'bytea' && request.headers?.['accept'] === octets;
  return {
    text: `WITH pgrst_source AS (${source}) ${resultOf('null::bigint', callBody(routine, isRaw))}`,
    values,
    readOnly: request.method !== 'POST' || !routine.is_volatile,
    contentType: isRaw ? octets : json,
    isVoid: routine.return_type === 'void',
    offset: 0,
  };
}

function chosen(named: readonly Routine[], given: readonly string[], isBytes: boolean): Routine {
  const fitting = named.filter(({ parameters }) =>
    isBytes
      ? parameters.length === 1 && parameters[0]?.name === '' && parameters[0].type === 'bytea'
      : given.every((name) => parameters.some((parameter) => parameter.name === name)) &&
        parameters.every(({ name, required }) => !required || given.includes(name)),
  );
  const [routine] = fitting;
  if (routine === undefined) {
    throw new PostgrestRefusal('PGRST202', 404, 'Could not find the function in the schema cache');
  }
  if (fitting.length > 1) {
    throw new PostgrestRefusal('PGRST203', 300, 'Could not choose the best candidate function');
  }
  return routine;
}

function callSource(
  routine: Routine,
  request: PostgrestRequest,
  given: readonly string[],
): { readonly source: string; readonly values: readonly unknown[] } {
  const target = `${ident(routine.schema)}.${ident(routine.name)}`;
  const call = (args: string): string =>
    routine.returns_scalar ? `(SELECT ${target}(${args}) pgrst_scalar) pgrst_call` : `${target}(${args}) pgrst_call`;
  const shown = routine.returns_scalar ? 'pgrst_call.pgrst_scalar' : 'pgrst_call.*';
  if (Buffer.isBuffer(request.body)) {
    return { source: `SELECT ${shown} FROM ${call('$1::bytea')}`, values: [request.body] };
  }
  if (request.method !== 'POST') {
    const args = given.map((name, at) => `${ident(name)} := $${at + 1}`).join(', ');
    return { source: `SELECT ${shown} FROM ${call(args)}`, values: given.map((name) => request.query?.[name]) };
  }
  if (given.length === 0) {
    return { source: `SELECT ${shown} FROM ${call('')}`, values: [] };
  }
  const used = routine.parameters.filter(({ name }) => given.includes(name));
  const columns = used.map(({ name }) => ident(name)).join(', ');
  const typed = used.map(({ name, type }) => `${ident(name)} ${type}`).join(', ');
  const args = used.map(({ name }) => `${ident(name)} := pgrst_body.${ident(name)}`).join(', ');
  const source = `SELECT ${shown} FROM (SELECT $1::json AS json_data) pgrst_payload,
    LATERAL (SELECT ${columns} FROM json_to_record(pgrst_payload.json_data) AS _(${typed}) LIMIT 1) pgrst_body,
    LATERAL ${call(args)}`;
  return { source, values: [JSON.stringify(request.body)] };
}

function callBody({ returns_scalar: isScalar, returns_set: isSet }: Routine, isRaw: boolean): string {
  if (isRaw) return `coalesce(string_agg(_postgrest_t.pgrst_scalar, ''), '')`;
  const all = isScalar ? 'json_agg(_postgrest_t.pgrst_scalar)' : 'json_agg(_postgrest_t)';
  return isSet ? `coalesce(${all}, '[]')::text` : `coalesce(${all} -> 0, 'null')::text`;
}

const operators: Readonly<Record<string, string>> = { eq: '=', like: 'LIKE', ilike: 'ILIKE' };
const reserved: ReadonlySet<string> = new Set(['select', 'order', 'limit', 'offset']);

/** Plans a read of a table or a view. @throws PostgrestRefusal for what the imitation does not know */
export function planRead(schema: string, request: PostgrestRequest): PlannedQuery {
  const { query = {} } = request;
  const relation = `${ident(schema)}.${ident(request.path.slice(1))}`;
  const values: unknown[] = [];
  const filters = Object.entries(query)
    .filter(([name]) => !reserved.has(name))
    .map(([name, filter]) => `${relation}.${ident(name)} ${condition(filter, values)}`);
  const where = filters.length === 0 ? '' : ` WHERE ${filters.join(' AND ')}`;
  const wanted = query['select'] ?? '*';
  if (/[(:]/.test(wanted)) {
    throw new PostgrestRefusal('PGRST100', 400, 'the imitation embeds nothing and renames nothing');
  }
  const columns = wanted.split(',').map((name) => `${relation}.${name === '*' ? '*' : ident(name)}`);
  const isCounted = request.headers?.['prefer'] === 'count=exact';
  const counting = isCounted ? `, pgrst_source_count AS (SELECT 1 FROM ${relation}${where})` : '';
  const total = isCounted ? '(SELECT pg_catalog.count(*) FROM pgrst_source_count)' : 'null::bigint';
  const source = `SELECT ${columns.join(', ')} FROM ${relation}${where}${ordered(relation, query, values)}`;
  return {
    text: `WITH pgrst_source AS (${source})${counting} ${resultOf(total, "coalesce(json_agg(_postgrest_t), '[]')::text")}`,
    values,
    readOnly: true,
    contentType: json,
    isVoid: false,
    offset: Number(query['offset'] ?? 0),
  };
}

function condition(filter: string, values: unknown[]): string {
  const [, operator = '', value = ''] = /^(\w+)\.([\s\S]*)$/.exec(filter) ?? [];
  if (operator === 'is' && value === 'null') return 'IS NULL';
  const known = operators[operator];
  if (known !== undefined) {
    values.push(known === '=' ? value : value.replaceAll('*', '%'));
    return `${known} $${values.length}`;
  }
  if (operator === 'in') {
    values.push(value.replace(/^\((.*)\)$/, '{$1}'));
    return `= ANY ($${values.length})`;
  }
  throw new PostgrestRefusal('PGRST100', 400, `the imitation has no operator ${operator}`);
}

function ordered(relation: string, query: Readonly<Record<string, string>>, values: unknown[]): string {
  const order = (query['order'] ?? '')
    .split(',')
    .filter((each) => each !== '')
    .map((each) => each.split('.'))
    .map(([name = '', direction]) => `${relation}.${ident(name)} ${direction === 'desc' ? 'DESC' : 'ASC'}`);
  let text = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
  for (const name of ['limit', 'offset'] as const) {
    const value = query[name];
    if (value === undefined) continue;
    values.push(value);
    text += ` ${name.toUpperCase()} $${values.length}`;
  }
  return text;
}

/**
 * How statements are named, prepared and run. It holds none itself. Every value comes back as the text that PostgreSQL
 * sent: what a program has registered as type parsers for its own sake must not turn our ids into numbers or cut the
 * microseconds off our timestamps.
 */
import { createHash } from 'node:crypto';
import type { ClientBase, CustomTypesConfig, Pool, QueryConfig } from 'pg';
import type { SchemaName } from '../schema-name.ts';

/** A statement that a connection prepares once, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** What a statement can be run on: a pool, or one connection. */
export type Queryable = Pool | ClientBase;

/** A row as it is sent: every column is text or null. */
export type TextRow<Column extends string> = Readonly<Record<Column, string | null>>;

/** What a run gives back. */
export interface Result<Column extends string> {
  readonly rows: readonly TextRow<Column>[];
  readonly rowCount: number;
}

/** River's limit for a statement that jobs wait for, in milliseconds. */
const statementTimeoutMs = 10_000;

const asText = { getTypeParser: () => (value: string) => value } as unknown as CustomTypesConfig;

/**
 * Declares a statement whose text depends on the schema, and returns what makes it for one.
 *
 * The name under which it is prepared has a digest of the schema in it, so that one connection may serve several.
 */
export function defineStatement(name: string, text: (schema: string) => string): (schema: SchemaName) => Statement {
  const made = new WeakMap<SchemaName, Statement>();
  return (schema) => {
    const before = made.get(schema);
    if (before !== undefined) return before;
    const digest = createHash('sha256').update(schema.name).digest('hex').slice(0, 8);
    const statement = { name: `rowlock_${digest}_${name}`, text: text(schema.quoted) };
    made.set(schema, statement);
    return statement;
  };
}

/**
 * Runs a statement, prepared by its name.
 *
 * Fails after ten seconds without an answer, or after another time; the connection is then not used again.
 */
export async function run<Column extends string>(
  on: Queryable,
  statement: Statement,
  values: readonly unknown[] = [],
  timeoutMs: number = statementTimeoutMs,
): Promise<Result<Column>> {
  const config: QueryConfig<unknown[]> & { readonly query_timeout: number } = {
    ...statement,
    values: [...values],
    types: asText,
    query_timeout: timeoutMs,
  };
  const { rows, rowCount } = await on.query<TextRow<Column>>(config);
  return { rows, rowCount: rowCount ?? 0 };
}

/**
 * Runs a command that has neither values nor an answer, such as BEGIN.
 *
 * Fails as `run` does: also on a connection whose other end has silently gone, nobody waits for ever.
 */
export async function command(on: ClientBase, sql: string, timeoutMs: number = statementTimeoutMs): Promise<void> {
  const config: QueryConfig & { readonly query_timeout: number } = { text: sql, query_timeout: timeoutMs };
  await on.query(config);
}

/** Reads a column that the statement never leaves null. */
export function text<Column extends string>(row: TextRow<Column>, column: Column): string {
  const value = row[column];
  if (value === null || value === undefined) throw new TypeError(`The column ${column} is null`);
  return value;
}

/**
 * Rebuilds indexes of the job table without blocking anybody. The server leaves an invalid copy behind when that is
 * broken off; who may drop it can. A name of an index comes from a list of ours and never from a user.
 */
import type { ClientBase } from 'pg';
import type { SchemaName } from '../schema-name.ts';
import { command, defineStatement, run, text } from './statement.ts';

/** What is known of an index. */
export interface IndexFacts {
  readonly name: string;
  /** Unfinished copies of it, such as `river_job_kind_ccnew`. */
  readonly artifacts: readonly string[];
  /** Whether the current role may drop those. */
  readonly is_owned: boolean;
}

/** How much later than the server breaks a statement off its answer may come. */
const answerMs = 10_000;
/** It waits for every transaction that is older. */
const dropMs = 120_000;

const facts = defineStatement(
  'index_facts',
  () => `
    SELECT wanted.name, pg_has_role(index.relowner, 'USAGE') AS is_owned, (
        SELECT coalesce(json_agg(copy.relname ORDER BY copy.relname), '[]') FROM pg_class AS copy
        WHERE copy.relnamespace = index.relnamespace AND copy.relkind = 'i'
          AND copy.relname ~ ('^' || wanted.name || '_cc(new|old)[0-9]*$')
      ) AS artifacts
    FROM unnest($2::text[]) AS wanted (name)
    JOIN pg_class AS index ON index.relname = wanted.name AND index.relkind = 'i'
      AND index.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
    ORDER BY wanted.name`,
);

/** Returns what is known of those of the indexes that are there. */
export async function indexFacts(
  client: ClientBase,
  schema: SchemaName,
  names: readonly string[],
): Promise<readonly IndexFacts[]> {
  const { rows } = await run<'name' | 'is_owned' | 'artifacts'>(client, facts(schema), [schema.name, names]);
  return rows.map((row) => ({
    name: text(row, 'name'),
    artifacts: JSON.parse(text(row, 'artifacts')) as readonly string[],
    is_owned: row.is_owned === 't',
  }));
}

/** Rebuilds an index concurrently. The server breaks it off after the time, with SQLSTATE 57014. */
export async function indexReindex(
  client: ClientBase,
  schema: SchemaName,
  name: string,
  timeoutMs: number,
): Promise<void> {
  await command(client, `SET statement_timeout = ${Math.ceil(timeoutMs)}`);
  await command(client, `REINDEX INDEX CONCURRENTLY ${schema.quoted}."${name}"`, timeoutMs + answerMs);
}

/** Drops an unfinished copy of an index, without blocking anybody. */
export async function indexDrop(client: ClientBase, schema: SchemaName, name: string): Promise<void> {
  await command(client, `DROP INDEX CONCURRENTLY IF EXISTS ${schema.quoted}."${name}"`, dropMs);
}

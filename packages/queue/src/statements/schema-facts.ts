/**
 * What is in a schema now, as far as a migration has to know it: which tables with which columns and defaults, which
 * indexes, functions and states, and what is recorded as applied. It reads catalogs only and locks nothing.
 */
import type { ClientBase } from 'pg';
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, run, type Statement, text } from './statement.ts';

/** A table as a migration sees it. */
export interface TableFacts {
  readonly columns: readonly string[];
  /** Names of the columns that have a default. */
  readonly defaulted: readonly string[];
  /** Storage parameters, as `name=value`. */
  readonly options: readonly string[];
  /** Whether the current role may alter it. */
  readonly is_owned: boolean;
}

/** Everything that a migration decides by. */
export interface SchemaFacts {
  readonly has_schema: boolean;
  readonly tables: Readonly<Record<string, TableFacts>>;
  readonly indexes: readonly string[];
  readonly functions: readonly string[];
  /** The labels of `river_job_state`, in their order; empty where there is no such type. */
  readonly states: readonly string[];
  /** The versions of the line `main` that are recorded as applied. */
  readonly versions: readonly number[];
}

const schemaFacts: Statement = {
  name: 'rowlock_schema_facts',
  text: `
    WITH schema AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
    tables AS (
      SELECT relation.relname, json_build_object(
        'columns', coalesce(json_agg(col.attname ORDER BY col.attnum) FILTER (WHERE col.attname IS NOT NULL), '[]'),
        'defaulted', coalesce(json_agg(col.attname ORDER BY col.attnum) FILTER (WHERE col.atthasdef), '[]'),
        'options', coalesce(to_json(relation.reloptions), '[]'),
        'is_owned', pg_catalog.pg_has_role(relation.relowner, 'USAGE')
      ) AS facts
      FROM pg_catalog.pg_class AS relation
      LEFT JOIN pg_catalog.pg_attribute AS col
        ON col.attrelid = relation.oid AND col.attnum > 0 AND NOT col.attisdropped
      WHERE relation.relnamespace = (SELECT oid FROM schema) AND relation.relkind IN ('r', 'p')
      GROUP BY relation.oid
    )
    SELECT json_build_object(
      'has_schema', EXISTS (SELECT FROM schema),
      'tables', (SELECT coalesce(json_object_agg(relname, facts), '{}') FROM tables),
      'indexes', (
        SELECT coalesce(json_agg(relname), '[]') FROM pg_catalog.pg_class
        WHERE relnamespace = (SELECT oid FROM schema) AND relkind = 'i'
      ),
      'functions', (
        SELECT coalesce(json_agg(DISTINCT proname), '[]') FROM pg_catalog.pg_proc
        WHERE pronamespace = (SELECT oid FROM schema)
      ),
      'states', (
        SELECT coalesce(json_agg(label.enumlabel ORDER BY label.enumsortorder), '[]')
        FROM pg_catalog.pg_enum AS label JOIN pg_catalog.pg_type AS type ON type.oid = label.enumtypid
        WHERE type.typnamespace = (SELECT oid FROM schema) AND type.typname = 'river_job_state'
      )
    )::text AS facts`,
};

const versionsOfLine = defineStatement(
  'migration_versions_of_line',
  (schema) => `SELECT version FROM ${schema}.river_migration WHERE line = 'main' ORDER BY version`,
);

const versionsWithoutLine = defineStatement(
  'migration_versions',
  (schema) => `SELECT version FROM ${schema}.river_migration ORDER BY version`,
);

/** Reads what is in a schema. A schema that does not exist has nothing in it. */
export async function readSchemaFacts(client: ClientBase, schema: SchemaName): Promise<SchemaFacts> {
  const { rows } = await run<'facts'>(client, schemaFacts, [schema.name]);
  const row = rows[0];
  if (row === undefined) throw new TypeError('A statement without a condition answered no row');
  const facts = JSON.parse(text(row, 'facts')) as Omit<SchemaFacts, 'versions'>;
  const recorded = facts.tables['river_migration'];
  if (recorded === undefined) return { ...facts, versions: [] };
  const statement = recorded.columns.includes('line') ? versionsOfLine(schema) : versionsWithoutLine(schema);
  const versions = await run<'version'>(client, statement);
  return { ...facts, versions: versions.rows.map((version) => Number(text(version, 'version'))) };
}

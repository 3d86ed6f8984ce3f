/**
 * Prints what a schema of River looks like to PostgreSQL, in a normal form that two schemas can be compared by: names,
 * types, defaults, constraints, indexes, sequences, functions, physical order. Not what makes no difference on the
 * wire: function bodies, storage parameters, owners, privileges, and objects that are not River's.
 */
import type { ClientBase } from 'pg';
import type { SchemaName } from '../schema-name.ts';
import { run, type Statement, text } from './statement.ts';

const catalog: Statement = {
  name: 'rowlock_catalog',
  text: `
    WITH relations AS (
      SELECT relation.* FROM pg_catalog.pg_class AS relation
      JOIN pg_catalog.pg_namespace AS schema ON schema.oid = relation.relnamespace
      WHERE schema.nspname = $1 AND relation.relname LIKE 'river\\_%'
    ),
    columns AS (
      SELECT col.attrelid, json_agg(json_build_object(
        'name', col.attname,
        'type', pg_catalog.format_type(col.atttypid, col.atttypmod),
        'not_null', col.attnotnull,
        'default', pg_catalog.pg_get_expr(preset.adbin, preset.adrelid)
      ) ORDER BY col.attnum) AS list
      FROM pg_catalog.pg_attribute AS col
      LEFT JOIN pg_catalog.pg_attrdef AS preset ON preset.adrelid = col.attrelid AND preset.adnum = col.attnum
      WHERE col.attnum > 0 AND NOT col.attisdropped
      GROUP BY col.attrelid
    ),
    tables AS (
      SELECT relation.relname, json_build_object(
        'is_unlogged', relation.relpersistence = 'u',
        'columns', columns.list,
        'constraints', (
          SELECT json_object_agg(conname, pg_catalog.pg_get_constraintdef(oid) ORDER BY conname)
          FROM pg_catalog.pg_constraint WHERE conrelid = relation.oid
        ),
        'indexes', (
          SELECT json_object_agg(indexed.relname, pg_catalog.pg_get_indexdef(indexed.oid) ORDER BY indexed.relname)
          FROM pg_catalog.pg_index AS index JOIN pg_catalog.pg_class AS indexed ON indexed.oid = index.indexrelid
          WHERE index.indrelid = relation.oid AND index.indisvalid
        ),
        'triggers', (
          SELECT coalesce(json_agg(tgname ORDER BY tgname), '[]')
          FROM pg_catalog.pg_trigger WHERE tgrelid = relation.oid AND NOT tgisinternal
        )
      ) AS facts
      FROM relations AS relation JOIN columns ON columns.attrelid = relation.oid
      WHERE relation.relkind = 'r'
    )
    SELECT json_build_object(
      'tables', (SELECT json_object_agg(relname, facts ORDER BY relname) FROM tables),
      'sequences', (
        SELECT json_object_agg(relation.relname, json_build_object(
          'type', pg_catalog.format_type(seqtypid, NULL), 'start', seqstart, 'increment', seqincrement,
          'cycle', seqcycle,
          'owned_by', (
            SELECT owner.relname || '.' || col.attname
            FROM pg_catalog.pg_depend AS dependency
            JOIN pg_catalog.pg_class AS owner ON owner.oid = dependency.refobjid
            JOIN pg_catalog.pg_attribute AS col
              ON col.attrelid = owner.oid AND col.attnum = dependency.refobjsubid
            WHERE dependency.objid = relation.oid AND dependency.deptype = 'a'
          )
        ) ORDER BY relation.relname)
        FROM relations AS relation JOIN pg_catalog.pg_sequence ON seqrelid = relation.oid
      ),
      'types', (
        SELECT json_object_agg(typname, labels ORDER BY typname) FROM (
          SELECT type.typname, json_agg(label.enumlabel ORDER BY label.enumsortorder) AS labels
          FROM pg_catalog.pg_enum AS label
          JOIN pg_catalog.pg_type AS type ON type.oid = label.enumtypid
          JOIN pg_catalog.pg_namespace AS schema ON schema.oid = type.typnamespace
          WHERE schema.nspname = $1 AND type.typname LIKE 'river\\_%'
          GROUP BY type.oid
        ) AS enums
      ),
      'functions', (
        SELECT json_object_agg(proname, json_build_object(
          'arguments', pg_catalog.pg_get_function_arguments(function.oid),
          'result', pg_catalog.pg_get_function_result(function.oid),
          'language', (SELECT lanname FROM pg_catalog.pg_language WHERE oid = function.prolang),
          'volatility', function.provolatile, 'parallel', function.proparallel,
          'is_strict', function.proisstrict, 'is_definer', function.prosecdef
        ) ORDER BY proname)
        FROM pg_catalog.pg_proc AS function
        JOIN pg_catalog.pg_namespace AS schema ON schema.oid = function.pronamespace
        WHERE schema.nspname = $1 AND proname LIKE 'river\\_%'
      )
    )::text AS catalog`,
};

/** A catalog in normal form: plain JSON, equal where the schemas are equal, whatever they are called. */
export type Catalog = Readonly<Record<'tables' | 'sequences' | 'types' | 'functions', unknown>>;

/** Reads the catalog of a schema. In its texts, `schema.` stands for the schema's own name. */
export async function readCatalog(client: ClientBase, schema: SchemaName): Promise<Catalog> {
  const { rows } = await run<'catalog'>(client, catalog, [schema.name]);
  const row = rows[0];
  if (row === undefined) throw new TypeError('A statement without a condition answered no row');
  const printed = new RegExp(`(?<![\\w"])(${schema.name}|"${schema.name}")\\.`, 'g');
  return JSON.parse(text(row, 'catalog'), (_key, value: unknown) =>
    typeof value === 'string' ? value.replace(printed, 'schema.') : value,
  ) as Catalog;
}

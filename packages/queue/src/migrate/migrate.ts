/**
 * Brings a schema to River's migration line `main`, version 7, and adds what is ours. It creates no roles and grants
 * nothing. All of it is one transaction, a second run changes nothing, and what Go River's own migrations go on from
 * is what they would have left.
 */
import { readFileSync } from 'node:fs';
import type { ClientBase } from 'pg';
import { type SchemaName, schemaName } from '../schema-name.ts';
import { lockMigration, runMigrationStep } from '../statements/migration.ts';
import { readSchemaFacts, type SchemaFacts } from '../statements/schema-facts.ts';
import { inTransactionOf } from '../statements/transaction.ts';
import { assertSupported, migrationSteps } from './migration-steps.ts';

/** Where to migrate. */
export interface MigrateOptions {
  /** The schema of River's tables; created if it is not there. */
  readonly schema: string;
}

/** One step of a plan: a name for people, and the SQL that does it. */
export interface PlannedStep {
  readonly name: string;
  readonly sql: string;
}

/**
 * Migrates a schema and returns the steps that were done.
 *
 * Runs in the caller's transaction where there is one and in its own otherwise; as the current role, which then owns
 * what is created. Waits for another migration of the same schema. Needs no superuser: CREATE on the database where
 * the schema is missing, else CREATE on the schema, and ownership of tables that have to change.
 *
 * Adopts what River's migrations 4 to 7, later ones, or a person have made there before. Later versions stay.
 *
 * @throws QueueError `invalid_schema_name`, `schema_not_supported`
 */
export async function migrate(client: ClientBase, options: MigrateOptions): Promise<readonly PlannedStep[]> {
  const schema = schemaName(options.schema);
  return await inTransactionOf(client, async () => {
    await lockMigration(client, schema);
    const steps = planned(schema, await readSchemaFacts(client, schema));
    for (const { sql } of steps) await runMigrationStep(client, sql);
    return steps;
  });
}

/**
 * Returns the steps that `migrate` would do now, and does none of them.
 *
 * @throws QueueError `invalid_schema_name`, `schema_not_supported`
 */
export async function planMigration(client: ClientBase, options: MigrateOptions): Promise<readonly PlannedStep[]> {
  const schema = schemaName(options.schema);
  return planned(schema, await readSchemaFacts(client, schema));
}

/** Writes steps as one SQL text, for people and for `--dry-run`. Without steps, it is what an empty database gets. */
export function migrationSql(options: MigrateOptions & { readonly steps?: readonly PlannedStep[] }): string {
  const steps = options.steps ?? planned(schemaName(options.schema), emptyDatabase);
  return ['BEGIN;', ...steps.map(({ name, sql }) => `-- ${name}\n\n${sql.trim()}`), 'COMMIT;', ''].join('\n\n');
}

const emptyDatabase: SchemaFacts = {
  has_schema: false,
  tables: {},
  indexes: [],
  functions: [],
  states: [],
  versions: [],
};

const sqlFolder = new URL('../../sql/', import.meta.url);

function planned(schema: SchemaName, facts: SchemaFacts): readonly PlannedStep[] {
  assertSupported(facts);
  return migrationSteps
    .filter((step) => step.isNeeded(facts))
    .map(({ file }) => ({ name: file.replace(/\.sql$/, ''), sql: inSchema(readSql(file), schema) }));
}

function readSql(file: string): string {
  return readFileSync(new URL(file, sqlFolder), 'utf8');
}

/** Puts the schema in for psql's variables: `:"schema"` is an identifier, `:'schema'` a literal. */
function inSchema(sql: string, schema: SchemaName): string {
  return sql.replaceAll(`:"schema"`, schema.quoted).replaceAll(`:'schema'`, `'${schema.name}'`);
}

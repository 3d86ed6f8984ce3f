/**
 * The transaction around a migration: one migration a schema at a time, whoever runs it. What is done inside of it
 * stands in the package's sql folder.
 */
import type { ClientBase } from 'pg';
import type { SchemaName } from '../schema-name.ts';
import { run, type Statement } from './statement.ts';

const migrationLock: Statement = {
  name: 'rowlock_migration_lock',
  text: `SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('rowlock_queue_migration:' || $1, 0))`,
};

/** Waits until no other migration of this schema is under way, and keeps others out until the transaction ends. */
export async function lockMigration(client: ClientBase, schema: SchemaName): Promise<void> {
  await run(client, migrationLock, [schema.name]);
}

/** Runs the text of a migration step, which may hold several statements. */
export async function runMigrationStep(client: ClientBase, sql: string): Promise<void> {
  await client.query(sql);
}

/**
 * The steps that bring a schema to River's version 7 and add our own objects, each with the condition under which it
 * is needed. It decides by what is there and not by what is recorded, so it adopts schemas that others have made by
 * hand; it never removes or changes a column, and what it does not know it leaves alone.
 */
import { QueueError } from '../queue-error.ts';
import type { SchemaFacts } from '../statements/schema-facts.ts';

/** One step; its text is the file of that name in the package's sql folder. */
export interface MigrationStep {
  readonly file: string;
  readonly isNeeded: (facts: SchemaFacts) => boolean;
}

const latestVersion = 7;

const always = (): boolean => true;
const noTable =
  (table: string) =>
  (facts: SchemaFacts): boolean =>
    facts.tables[table] === undefined;
const noColumn =
  (table: string, column: string) =>
  (facts: SchemaFacts): boolean =>
    facts.tables[table] !== undefined && !facts.tables[table].columns.includes(column);
const noDefault =
  (table: string, column: string) =>
  (facts: SchemaFacts): boolean =>
    facts.tables[table] !== undefined && !facts.tables[table].defaulted.includes(column);
const hasTable =
  (table: string) =>
  (facts: SchemaFacts): boolean =>
    facts.tables[table] !== undefined;

/** The table that records migrations has no lines before version 5. */
const recordsNoLines = noColumn('river_migration', 'line');

/** Tables that version 7 dropped; a later version that brings one back is not undone. */
const isLeftFromVersion5 =
  (table: string) =>
  (facts: SchemaFacts): boolean =>
    hasTable(table)(facts) && Math.max(0, ...facts.versions) < latestVersion;

/** Nobody has tuned the table, and we may. */
const autovacuumIsUntouched = (facts: SchemaFacts): boolean => {
  const job = facts.tables['river_job'];
  return job === undefined || (job.is_owned && !job.options.some((option) => option.startsWith('autovacuum_')));
};

/** All steps, in the order in which they are done. */
export const migrationSteps: readonly MigrationStep[] = [
  { file: 'rowlock/schema.sql', isNeeded: (facts) => !facts.has_schema },
  { file: 'river/job_state.sql', isNeeded: (facts) => facts.states.length === 0 },
  { file: 'river/job.sql', isNeeded: noTable('river_job') },
  { file: 'river/leader.sql', isNeeded: noTable('river_leader') },
  { file: 'river/queue.sql', isNeeded: noTable('river_queue') },
  { file: 'river/migration_set_aside.sql', isNeeded: recordsNoLines },
  { file: 'river/migration.sql', isNeeded: (facts) => noTable('river_migration')(facts) || recordsNoLines(facts) },
  { file: 'river/migration_taken_over.sql', isNeeded: recordsNoLines },
  { file: 'river/job_unique_key.sql', isNeeded: noColumn('river_job', 'unique_key') },
  {
    file: 'river/job_state_in_bitmask.sql',
    isNeeded: (facts) => !facts.functions.includes('river_job_state_in_bitmask'),
  },
  { file: 'river/job_unique_states.sql', isNeeded: noColumn('river_job', 'unique_states') },
  { file: 'river/job_unique_index.sql', isNeeded: (facts) => !facts.indexes.includes('river_job_unique_idx') },
  {
    file: 'river/job_kind_unique_index_dropped.sql',
    isNeeded: (facts) => facts.indexes.includes('river_job_kind_unique_key_idx'),
  },
  { file: 'river/notification.sql', isNeeded: noTable('river_notification') },
  { file: 'river/client_queue_dropped.sql', isNeeded: isLeftFromVersion5('river_client_queue') },
  { file: 'river/client_dropped.sql', isNeeded: isLeftFromVersion5('river_client') },
  { file: 'river/job_max_attempts_default.sql', isNeeded: noDefault('river_job', 'max_attempts') },
  { file: 'river/queue_updated_at_default.sql', isNeeded: noDefault('river_queue', 'updated_at') },
  {
    file: 'river/migration_rows.sql',
    isNeeded: ({ versions }) => ![1, 2, 3, 4, 5, 6, 7].every((version) => versions.includes(version)),
  },
  { file: 'rowlock/job_autovacuum.sql', isNeeded: autovacuumIsUntouched },
  { file: 'rowlock/worker_lease.sql', isNeeded: noTable('rowlock_worker_lease') },
  { file: 'rowlock/wake_queue.sql', isNeeded: always },
  { file: 'rowlock/enqueue_job.sql', isNeeded: always },
  { file: 'rowlock/enqueue_jobs.sql', isNeeded: always },
];

/**
 * Refuses a schema that no step leads on from: River's versions 1 to 3, and half of a River.
 *
 * @throws QueueError `schema_not_supported`
 */
export function assertSupported(facts: SchemaFacts): void {
  const hasJobs = facts.tables['river_job'] !== undefined;
  const isOld = facts.states.length > 0 && !facts.states.includes('pending');
  if (isOld || (!hasJobs && facts.versions.length > 0)) {
    const found = facts.versions.length === 0 ? 'none recorded' : `version ${Math.max(...facts.versions)}`;
    const message = `This schema has River's tables before version 4 (${found}). Bring it to version 4 with River first.`;
    throw new QueueError('schema_not_supported', message);
  }
}

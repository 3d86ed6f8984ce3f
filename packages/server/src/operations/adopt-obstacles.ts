/** What stands in the way of an adoption, in words, each with what to do about it. It asks nothing and changes nothing. */
import type { AdoptFacts, AdoptNames } from '../metadata/adopt-inspect.ts';
import { isDeployedBody } from '../metadata/adopt-switch.ts';

export interface Obstacle {
  readonly what: string;
  readonly fix: string;
}

/** The columns that are read or written, of every deployed version that can be adopted. */
const columnsNeeded: Readonly<Record<string, readonly string[]>> = {
  files: [
    'id',
    'entity_type',
    'entity_id',
    'file_name',
    'file_type',
    's3_bucket',
    's3_original_key',
    's3_thumbnail_small_key',
    's3_thumbnail_medium_key',
    's3_thumbnail_large_key',
    'thumbnail_status',
    'thumbnail_error',
    'created_by',
    'created_at',
    'updated_at',
  ],
  file_upload_requests: [
    'id',
    'entity_type',
    'entity_id',
    'file_name',
    'file_type',
    'status',
    'presigned_url',
    's3_key',
    'file_id',
    'error_message',
    'created_at',
  ],
  river_job: ['id', 'args', 'attempt', 'kind', 'metadata', 'queue', 'state', 'tags', 'unique_key', 'unique_states'],
  river_queue: ['name', 'paused_at'],
  river_leader: ['leader_id', 'expires_at'],
};

/** The oldest PostgreSQL that is tested. */
const serverVersionMin = 150_000;

/** Everything that an installation would fail on, and what it may wait for. */
export function obstaclesOf(
  facts: AdoptFacts,
  names: AdoptNames,
): { readonly obstacles: readonly Obstacle[]; readonly warnings: readonly Obstacle[] } {
  return {
    obstacles: [...ofServer(facts), ...ofNames(facts, names), ...ofTables(facts, names), ...ofFunctions(facts, names)],
    warnings: facts.long_transactions.map(({ pid, seconds, application }) => ({
      what: `a transaction has been open for ${seconds} s (pid ${pid}, ${application === '' ? 'no name' : application})`,
      fix: 'a step that needs a lock on a table it used waits for it and is tried again; end it if it is forgotten',
    })),
  };
}

function ofServer(facts: AdoptFacts): Obstacle[] {
  const found: Obstacle[] = [];
  if (facts.server_version_num < serverVersionMin) {
    found.push({ what: `PostgreSQL ${facts.server_version_num} is too old`, fix: 'upgrade to 15 or newer' });
  }
  if (!facts.is_superuser && !facts.owns_database) {
    found.push({ what: `${facts.role} does not own the database`, fix: 'connect as its owner: MIGRATE_DATABASE_URL' });
  }
  const missing = facts.roles_missing.filter((role) => role.startsWith('rowlock_'));
  if (missing.length > 0 && !facts.is_superuser && !facts.creates_roles) {
    found.push({
      what: `${facts.role} may not create the roles ${missing.join(', ')}`,
      fix: 'give it CREATEROLE, or let an administrator run packages/server/sql/roles.sql once',
    });
  }
  if (facts.roles_ungrantable.length > 0 && !facts.is_superuser) {
    found.push({
      what: `${facts.role} may not grant ${facts.roles_ungrantable.join(', ')} to our login roles`,
      fix: `let an administrator GRANT ${facts.roles_ungrantable.join(', ')} TO rowlock_authenticator, rowlock_worker, or give it ADMIN OPTION`,
    });
  }
  return found;
}

function ofNames(facts: AdoptFacts, names: AdoptNames): Obstacle[] {
  const taken = facts.schemas_taken.filter((schema) => schema !== names.metadata);
  const found = taken.map((schema) => ({
    what: `the schema ${schema} belongs to somebody else`,
    fix: 'Rowlock needs that name; rename the other, or choose another METADATA_SCHEMA where it is that one',
  }));
  const strangers = facts.roles_missing.filter((role) => !role.startsWith('rowlock_'));
  if (strangers.length > 0) {
    found.push({
      what: `there is no role ${strangers.join(', ')}`,
      fix: 'name the roles that PostgREST uses: ANON_ROLE and DEFAULT_ROLE',
    });
  }
  if (names.own === names.metadata) {
    found.push({
      what: `our own schema would be ${names.own}, which is the adopted one`,
      fix: 'set METADATA_SCHEMA=rowlock_metadata, for every process of Rowlock',
    });
  }
  return found;
}

function ofTables(facts: AdoptFacts, names: AdoptNames): Obstacle[] {
  return facts.tables.flatMap(({ name, is_there, is_table, is_owned, owner, columns }) => {
    const table = `${names.metadata}.${name}`;
    if (!is_there)
      return [{ what: `there is no ${table}`, fix: 'is ADOPTED_SCHEMA right, and this the right database?' }];
    if (!is_table) return [{ what: `${table} is no table`, fix: 'only the tables themselves can be adopted' }];
    const missing = (columnsNeeded[name] ?? []).filter((column) => !columns.includes(column));
    const found: Obstacle[] = [];
    if (missing.length > 0) {
      found.push({
        what: `${table} has no ${missing.join(', ')}`,
        fix: 'bring the system to v0.10.8 or newer, and River to version 6, first',
      });
    }
    if (!is_owned) {
      found.push({ what: `${table} belongs to ${owner ?? 'nobody'}`, fix: `connect as ${owner ?? 'its owner'}` });
    }
    return found;
  });
}

function ofFunctions(facts: AdoptFacts, names: AdoptNames): Obstacle[] {
  const wanted = ['insert_s3_presign_job', 'insert_thumbnail_job'];
  const found = wanted
    .filter((name) => !facts.functions.some((each) => each.name === name))
    .map((name) => ({
      what: `no trigger of ${names.metadata} calls ${name}()`,
      fix: 'this is not a system of the kind that can be adopted, or its triggers were dropped',
    }));
  for (const { signature, is_owned } of facts.functions) {
    if (!is_owned) found.push({ what: `${signature} belongs to somebody else`, fix: 'connect as its owner' });
  }
  const strange = facts.functions.filter(
    (each) => !isDeployedBody(each) && !/'fs_(presign|thumbnails)'/.test(each.source),
  );
  for (const { signature } of strange) {
    found.push({
      what: `${signature} does not enqueue to the queue that the old worker works`,
      fix: 'it was changed; see what it does more, and switch with --force if that may go',
    });
  }
  return found;
}

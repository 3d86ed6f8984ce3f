/**
 * Schemas as earlier versions of River, and people, have left them: what the migration has to adopt. Written down from
 * what their catalogs say. It holds no test of its own.
 */

const tablesOfV3 = (schema: string, states: string): string => `
  CREATE SCHEMA ${schema};
  CREATE TYPE ${schema}.river_job_state AS ENUM (${states});
  CREATE TABLE ${schema}.river_migration (
    id bigserial PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL,
    CONSTRAINT version CHECK (version >= 1)
  );
  CREATE UNIQUE INDEX ON ${schema}.river_migration (version);
  CREATE TABLE ${schema}.river_job (
    id bigserial PRIMARY KEY,
    state ${schema}.river_job_state NOT NULL DEFAULT 'available',
    attempt smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL,
    attempted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    finalized_at timestamptz,
    scheduled_at timestamptz NOT NULL DEFAULT now(),
    priority smallint NOT NULL DEFAULT 1,
    args jsonb NOT NULL,
    attempted_by text[],
    errors jsonb[],
    kind text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    queue text NOT NULL DEFAULT 'default',
    tags varchar(255)[] NOT NULL DEFAULT '{}',
    CONSTRAINT finalized_or_finalized_at_null CHECK (
      (finalized_at IS NULL AND state NOT IN ('cancelled', 'completed', 'discarded'))
      OR (finalized_at IS NOT NULL AND state IN ('cancelled', 'completed', 'discarded'))
    ),
    CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0),
    CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 4),
    CONSTRAINT queue_length CHECK (char_length(queue) > 0 AND char_length(queue) < 128),
    CONSTRAINT kind_length CHECK (char_length(kind) > 0 AND char_length(kind) < 128)
  );
  CREATE INDEX river_job_kind ON ${schema}.river_job (kind);
  CREATE INDEX river_job_state_and_finalized_at_index ON ${schema}.river_job (state, finalized_at)
    WHERE finalized_at IS NOT NULL;
  CREATE INDEX river_job_prioritized_fetching_index
    ON ${schema}.river_job (state, queue, priority, scheduled_at, id);
  CREATE INDEX river_job_args_index ON ${schema}.river_job USING gin (args);
  CREATE INDEX river_job_metadata_index ON ${schema}.river_job USING gin (metadata);
  CREATE UNLOGGED TABLE ${schema}.river_leader (
    elected_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    leader_id text NOT NULL,
    name text PRIMARY KEY DEFAULT 'default',
    CONSTRAINT name_length CHECK (name = 'default'),
    CONSTRAINT leader_id_length CHECK (char_length(leader_id) > 0 AND char_length(leader_id) < 128)
  );`;

const statesOfV3 = `'available', 'cancelled', 'completed', 'discarded', 'retryable', 'running', 'scheduled'`;
const statesOfV4 = `'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'`;

/** Too old to be adopted. */
export const riverV3 = (schema: string): string => `
  ${tablesOfV3(schema, statesOfV3)}
  INSERT INTO ${schema}.river_migration (version) VALUES (1), (2), (3);`;

export const riverV4 = (schema: string): string => `
  ${tablesOfV3(schema, statesOfV4)}
  CREATE TABLE ${schema}.river_queue (
    name text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    metadata jsonb NOT NULL DEFAULT '{}',
    paused_at timestamptz,
    updated_at timestamptz NOT NULL
  );
  INSERT INTO ${schema}.river_migration (version) VALUES (1), (2), (3), (4);`;

export const riverV5 = (schema: string): string => `
  ${riverV4(schema)}
  ALTER TABLE ${schema}.river_migration RENAME TO river_migration_old;
  CREATE TABLE ${schema}.river_migration (
    line text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT line_length CHECK (char_length(line) > 0 AND char_length(line) < 128),
    CONSTRAINT version_gte_1 CHECK (version >= 1),
    PRIMARY KEY (line, version)
  );
  DROP TABLE ${schema}.river_migration_old;
  INSERT INTO ${schema}.river_migration (line, version) VALUES ('main', 1), ('main', 2), ('main', 3), ('main', 4), ('main', 5);
  ALTER TABLE ${schema}.river_job ADD COLUMN unique_key bytea;
  CREATE UNIQUE INDEX river_job_kind_unique_key_idx ON ${schema}.river_job (kind, unique_key) WHERE unique_key IS NOT NULL;
  ${clients(schema)}`;

export const riverV6 = (schema: string): string => `
  ${riverV5(schema)}
  ${uniqueStates(schema)}
  DROP INDEX ${schema}.river_job_kind_unique_key_idx;
  INSERT INTO ${schema}.river_migration (line, version) VALUES ('main', 6);`;

/** As deployed systems have it: made by hand, with a migration table of its own kind and settings of its own. */
export const handWrittenV6 = (schema: string): string => `
  ${tablesOfV3(schema, statesOfV4)}
  ALTER TABLE ${schema}.river_migration ADD COLUMN line text NOT NULL DEFAULT 'main';
  ALTER TABLE ${schema}.river_migration DROP CONSTRAINT river_migration_pkey;
  ALTER TABLE ${schema}.river_migration ADD PRIMARY KEY (line, version);
  DROP INDEX ${schema}.river_migration_version_idx;
  CREATE TABLE ${schema}.river_queue (
    name text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    metadata jsonb NOT NULL DEFAULT '{}',
    paused_at timestamptz,
    updated_at timestamptz NOT NULL
  );
  ALTER TABLE ${schema}.river_job ADD COLUMN unique_key bytea;
  ${uniqueStates(schema)}
  ${clients(schema)}
  ALTER TABLE ${schema}.river_job SET (autovacuum_vacuum_scale_factor = 0.05);
  INSERT INTO ${schema}.river_migration (version) SELECT generate_series(1, 6);`;

function uniqueStates(schema: string): string {
  return `
  CREATE FUNCTION ${schema}.river_job_state_in_bitmask(bitmask bit(8), state ${schema}.river_job_state) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$
    SELECT get_bit(bitmask, 8 - array_position(enum_range(NULL::${schema}.river_job_state), state)) = 1
  $$;
  ALTER TABLE ${schema}.river_job ADD COLUMN unique_states bit(8);
  CREATE UNIQUE INDEX river_job_unique_idx ON ${schema}.river_job (unique_key)
    WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL
      AND ${schema}.river_job_state_in_bitmask(unique_states, state);`;
}

function clients(schema: string): string {
  return `
  CREATE UNLOGGED TABLE ${schema}.river_client (
    id text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    metadata jsonb NOT NULL DEFAULT '{}',
    paused_at timestamptz,
    updated_at timestamptz NOT NULL
  );
  CREATE UNLOGGED TABLE ${schema}.river_client_queue (
    river_client_id text NOT NULL REFERENCES ${schema}.river_client (id) ON DELETE CASCADE,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    max_workers bigint NOT NULL DEFAULT 0,
    metadata jsonb NOT NULL DEFAULT '{}',
    num_jobs_completed bigint NOT NULL DEFAULT 0,
    num_jobs_running bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (river_client_id, name)
  );`;
}

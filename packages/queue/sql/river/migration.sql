-- What has been applied. River made this table by replacing an older one, and its constraints are still called after
-- that; the names are spelled out so that both ways lead to the same catalog.
CREATE TABLE :"schema".river_migration (
  line text CONSTRAINT river_migration_line_not_null NOT NULL,
  version bigint CONSTRAINT river_migration_version_not_null1 NOT NULL,
  created_at timestamptz CONSTRAINT river_migration_created_at_not_null1 NOT NULL DEFAULT now(),
  CONSTRAINT river_migration_pkey1 PRIMARY KEY (line, version),
  CONSTRAINT line_length CHECK (char_length(line) > 0 AND char_length(line) < 128),
  CONSTRAINT version_gte_1 CHECK (version >= 1)
);

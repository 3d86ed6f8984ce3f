-- The table of versions 1 to 4, which knows no lines, makes room for the one that does.
ALTER TABLE :"schema".river_migration RENAME TO river_migration_old;

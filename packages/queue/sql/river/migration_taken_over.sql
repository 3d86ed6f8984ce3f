INSERT INTO :"schema".river_migration (line, version, created_at)
SELECT 'main', version, created_at FROM :"schema".river_migration_old ORDER BY version;

DROP TABLE :"schema".river_migration_old;

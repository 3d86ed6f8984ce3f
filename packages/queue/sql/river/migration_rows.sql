-- A row for every version whose content is now there. Rows of later versions and of other lines are not touched.
INSERT INTO :"schema".river_migration (line, version)
SELECT 'main', version
FROM generate_series(1, 7) AS version
WHERE NOT EXISTS (
  SELECT FROM :"schema".river_migration AS applied
  WHERE applied.line = 'main' AND applied.version = version.version
)
ORDER BY version;

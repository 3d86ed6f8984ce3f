ALTER TABLE :"schema".river_job ALTER COLUMN max_attempts SET DEFAULT 25;

ALTER TABLE :"schema".river_job ADD COLUMN unique_key bytea;

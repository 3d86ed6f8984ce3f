ALTER TABLE :"schema".river_job ADD COLUMN unique_states bit(8);

-- The unique index of version 5, which version 6 replaced.
DROP INDEX :"schema".river_job_kind_unique_key_idx;

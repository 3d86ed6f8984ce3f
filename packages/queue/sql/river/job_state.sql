-- The states of a job. Their order is what ORDER BY state means.
CREATE TYPE :"schema".river_job_state AS ENUM (
  'available',
  'cancelled',
  'completed',
  'discarded',
  'pending',
  'retryable',
  'running',
  'scheduled'
);

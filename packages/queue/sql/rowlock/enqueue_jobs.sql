-- Inserts a job for each element of args, all in one statement, and wakes a worker once: for triggers of statements.
-- Everything else is as enqueue_job has it. Returns how many jobs it inserted; none for an empty array, and for NULL.
CREATE OR REPLACE FUNCTION :"schema".enqueue_jobs(
  kind text,
  args jsonb[],
  queue text,
  priority smallint DEFAULT 1,
  max_attempts smallint DEFAULT 25,
  scheduled_at timestamptz DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  due timestamptz := coalesce(enqueue_jobs.scheduled_at, now());
  is_due_soon boolean := due <= clock_timestamp() + interval '5 seconds';
  inserted bigint;
BEGIN
  IF enqueue_jobs.kind !~ '^[A-Za-z0-9_][]A-Za-z0-9_<>/.·:+[-]+$' OR length(enqueue_jobs.kind) > 127 THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation',
      MESSAGE = format('%s is no kind of job', quote_nullable(left(enqueue_jobs.kind, 200)));
  END IF;
  IF enqueue_jobs.queue !~ '^[a-z0-9]+([_|-][a-z0-9]+)*$' OR length(enqueue_jobs.queue) > 64 THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation',
      MESSAGE = format('%s is no name of a queue', quote_nullable(left(enqueue_jobs.queue, 200)));
  END IF;
  INSERT INTO :"schema".river_job (args, kind, max_attempts, priority, queue, scheduled_at, state)
  SELECT each.args, enqueue_jobs.kind, enqueue_jobs.max_attempts, enqueue_jobs.priority, enqueue_jobs.queue, due,
    CAST(CASE WHEN is_due_soon THEN 'available' ELSE 'scheduled' END AS :"schema".river_job_state)
  FROM unnest(enqueue_jobs.args) AS each (args);
  GET DIAGNOSTICS inserted = ROW_COUNT;
  IF inserted > 0 AND is_due_soon THEN
    PERFORM :"schema".rowlock_wake_queue(enqueue_jobs.queue);
  END IF;
  RETURN inserted;
END
$$;

REVOKE ALL ON FUNCTION :"schema".enqueue_jobs(text, jsonb[], text, smallint, smallint, timestamptz) FROM PUBLIC;

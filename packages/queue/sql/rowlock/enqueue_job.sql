-- Inserts a job in the caller's transaction, with the caller's rights, and wakes a worker when that commits.
--
-- A job that is due within five seconds is made available at once and held back by its scheduled_at, as River does
-- with retries; a later one waits as scheduled until a scheduler promotes it. What River's clients refuse to insert
-- is refused here too.
CREATE OR REPLACE FUNCTION :"schema".enqueue_job(
  kind text,
  args jsonb,
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
  due timestamptz := coalesce(enqueue_job.scheduled_at, now());
  is_due_soon boolean := due <= clock_timestamp() + interval '5 seconds';
  job_id bigint;
BEGIN
  IF enqueue_job.kind !~ '^[A-Za-z0-9_][]A-Za-z0-9_<>/.·:+[-]+$' OR length(enqueue_job.kind) > 127 THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation',
      MESSAGE = format('%s is no kind of job', quote_nullable(left(enqueue_job.kind, 200)));
  END IF;
  IF enqueue_job.queue !~ '^[a-z0-9]+([_|-][a-z0-9]+)*$' OR length(enqueue_job.queue) > 64 THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation',
      MESSAGE = format('%s is no name of a queue', quote_nullable(left(enqueue_job.queue, 200)));
  END IF;
  INSERT INTO :"schema".river_job (args, kind, max_attempts, priority, queue, scheduled_at, state)
  VALUES (
    enqueue_job.args, enqueue_job.kind, enqueue_job.max_attempts, enqueue_job.priority, enqueue_job.queue, due,
    CAST(CASE WHEN is_due_soon THEN 'available' ELSE 'scheduled' END AS :"schema".river_job_state)
  )
  RETURNING id INTO job_id;
  IF is_due_soon THEN
    PERFORM :"schema".rowlock_wake_queue(enqueue_job.queue);
  END IF;
  RETURN job_id;
END
$$;

REVOKE ALL ON FUNCTION :"schema".enqueue_job(text, jsonb, text, smallint, smallint, timestamptz) FROM PUBLIC;

-- What operators do to jobs and queues: each as packages/queue does it, in River's protocol, so that workers in Go obey as
-- ours do. A test compares the two for every state. What was done is in the audit log.

-- Does one thing to one job, under its lock. NULL where it was done, else why not.
CREATE OR REPLACE FUNCTION storage_internal.job_change(wanted_action text, wanted bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  job :"metadata".river_job;
  facts jsonb;
BEGIN
  SELECT * INTO job FROM :"metadata".river_job AS j WHERE j.id = wanted FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'not_found';
  END IF;
  facts := CASE jsonb_typeof(job.metadata) WHEN 'object' THEN job.metadata ELSE '{}' END;
  CASE wanted_action
    WHEN 'retry' THEN
      IF job.state = 'running' THEN
        RETURN 'running';
      ELSIF job.state = 'available' AND job.scheduled_at < now() THEN
        RETURN 'due';
      END IF;
      -- A cancellation that was asked for before must not end the next attempt.
      UPDATE :"metadata".river_job AS j SET state = 'available', scheduled_at = now(), finalized_at = NULL,
        max_attempts = least(greatest(job.max_attempts, job.attempt + 1), 32767),
        metadata = CASE jsonb_typeof(job.metadata) WHEN 'object' THEN facts - 'cancel_attempted_at' ELSE job.metadata END
      WHERE j.id = wanted;
      PERFORM :"metadata".rowlock_wake_queue(job.queue);
    WHEN 'cancel' THEN
      IF job.finalized_at IS NOT NULL THEN
        RETURN 'ended';
      END IF;
      -- What runs is its worker's: that reads the metadata, and is told, so that it reads them now.
      UPDATE :"metadata".river_job AS j SET
        state = CASE job.state WHEN 'running' THEN job.state ELSE 'cancelled' END,
        finalized_at = CASE job.state WHEN 'running' THEN NULL ELSE now() END,
        metadata = facts || jsonb_build_object('cancel_attempted_at', (to_json(now() AT TIME ZONE 'UTC') #>> '{}') || 'Z')
      WHERE j.id = wanted;
      PERFORM pg_notify(:'metadata' || '.river_control',
        json_build_object('action', 'cancel', 'job_id', wanted, 'queue', job.queue)::text);
    WHEN 'delete' THEN
      IF job.state = 'running' THEN
        RETURN 'running';
      END IF;
      DELETE FROM :"metadata".river_job AS j WHERE j.id = wanted;
  END CASE;
  RETURN NULL;
END
$$;

-- Writes what an operator did where the audit log keeps it.
CREATE OR REPLACE FUNCTION storage_internal.job_audit(done text, what jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO storage.audit_log (request_id, address, role, subject, operation, outcome, detail)
  VALUES (left(nullif(current_setting('storage.request_id', true), ''), 128),
    left(nullif(current_setting('storage.request_address', true), ''), 64),
    coalesce(nullif(current_setting('role', true), 'none'), session_user), left(storage.caller_id(), 1024), done, 'done', what)
$$;

-- Retries, cancels or deletes jobs, a thousand at most, in the order of their ids. Those that cannot be are named with the
-- reason: `not_found`, `running`, `due`, `ended`, or `unique_key_held` by another job.
CREATE OR REPLACE FUNCTION storage.jobs_change(wanted_action text, wanted_ids bigint[]) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted bigint;
  why text;
  changed jsonb := '[]';
  unchanged jsonb := '[]';
BEGIN
  IF wanted_action IS NULL OR wanted_action NOT IN ('retry', 'cancel', 'delete') OR wanted_ids IS NULL OR cardinality(wanted_ids) > 1000 THEN
    RAISE EXCEPTION 'retry, cancel or delete, of up to a thousand jobs' USING ERRCODE = 'check_violation';
  END IF;
  FOR wanted IN SELECT DISTINCT given FROM unnest(wanted_ids) AS given WHERE given IS NOT NULL ORDER BY given LOOP
    BEGIN
      why := storage_internal.job_change(wanted_action, wanted);
    EXCEPTION WHEN unique_violation THEN
      why := 'unique_key_held';
    END;
    IF why IS NULL THEN
      changed := changed || to_jsonb(wanted::text);
    ELSE
      unchanged := unchanged || jsonb_build_object('id', wanted::text, 'why', why);
    END IF;
  END LOOP;
  IF changed <> '[]' THEN
    PERFORM storage_internal.job_audit('storage.jobs.' || wanted_action,
      jsonb_build_object('count', jsonb_array_length(changed), 'first', changed -> 0, 'last', changed -> -1));
  END IF;
  RETURN jsonb_build_object('changed', changed, 'unchanged', unchanged);
END
$$;

-- The same for the jobs of a filter, a few hundred at a time: `next_cursor` goes on, until it is NULL.
CREATE OR REPLACE FUNCTION storage.jobs_change_matching(
  wanted_action text, wanted_state text, wanted_queue text, wanted_kind text, cursor text, row_limit integer
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  walk record;
BEGIN
  SELECT * INTO walk FROM storage_internal.jobs_walk(wanted_state, wanted_queue, wanted_kind, cursor, least(greatest(row_limit, 1), 500));
  RETURN storage.jobs_change(wanted_action, walk.ids) || jsonb_build_object('next_cursor', walk.next_cursor);
END
$$;

-- Pauses or resumes a queue, or all of them for `*`; workers are told, and read it anyway. Returns how many there are.
CREATE OR REPLACE FUNCTION storage.queue_set_paused(wanted text, is_paused boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  queues bigint;
BEGIN
  PERFORM FROM :"metadata".river_queue AS q WHERE wanted = '*' OR q.name = wanted ORDER BY q.name FOR UPDATE;
  UPDATE :"metadata".river_queue AS q SET
    paused_at = CASE WHEN is_paused THEN coalesce(q.paused_at, now()) END,
    updated_at = CASE WHEN (q.paused_at IS NULL) = is_paused THEN now() ELSE q.updated_at END
  WHERE wanted = '*' OR q.name = wanted;
  GET DIAGNOSTICS queues = ROW_COUNT;
  IF queues > 0 THEN
    PERFORM pg_notify(:'metadata' || '.river_control',
      json_build_object('action', CASE WHEN is_paused THEN 'pause' ELSE 'resume' END, 'queue', wanted)::text);
    PERFORM storage_internal.job_audit(CASE WHEN is_paused THEN 'storage.queue.paused' ELSE 'storage.queue.resumed' END,
      jsonb_build_object('queue', left(wanted, 200)));
  ELSIF wanted IS DISTINCT FROM '*' THEN
    PERFORM storage.refuse('queue_not_found', 'No worker has served a queue of this name');
  END IF;
  RETURN queues;
END
$$;

-- For PostgREST, under the name of its views.
CREATE OR REPLACE FUNCTION :"api".storage_job_overview() RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.job_overview();
END;
CREATE OR REPLACE FUNCTION :"api".storage_jobs(
  state text DEFAULT NULL, queue text DEFAULT NULL, kind text DEFAULT NULL, cursor text DEFAULT NULL, row_limit integer DEFAULT 50
) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.jobs_page(state, queue, kind, cursor, row_limit);
END;
CREATE OR REPLACE FUNCTION :"api".storage_job(id bigint) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.job_details(id);
END;
CREATE OR REPLACE FUNCTION :"api".storage_jobs_change(action text, ids bigint[]) RETURNS jsonb
LANGUAGE sql
BEGIN ATOMIC
  SELECT storage.jobs_change(action, ids);
END;
CREATE OR REPLACE FUNCTION :"api".storage_queue_set_paused(queue text, paused boolean) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
  SELECT storage.queue_set_paused(queue, paused);
END;

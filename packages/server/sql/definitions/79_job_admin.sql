-- The queue as its operators see it: counts, pages of jobs, one job, and what may be done to them, for the service role
-- alone. What is done follows River's protocol, as packages/queue does it: tables are the truth, notifications are hints.
-- No function here reads more than a bounded number of rows, however many jobs there are: where that was not enough to
-- say all, the answer says so. Indexes are walked in their order, whatever the statistics say: those of a queue are often old.

-- Which jobs, in an order that an index has: all from the newest, ended ones from the last that ended, others as they will be
-- worked. Looks at five thousand at most, or as many as are wanted; `next_cursor` is where to go on, NULL where there is nothing further.
CREATE OR REPLACE FUNCTION storage_internal.jobs_walk(
  wanted_state text, wanted_queue text, wanted_kind text, cursor text, row_limit integer,
  OUT ids bigint[], OUT next_cursor text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
  looked_at_most constant integer := greatest(row_limit, 5000);
  place constant jsonb := cursor::jsonb;
  has_ended constant boolean := wanted_state IN ('cancelled', 'completed', 'discarded');
  source text := format('%I.river_job', :'metadata');
  conditions text := 'true';
  ordering text := 'j.id DESC';
  looked_at integer := 0;
  seen record;
BEGIN
  ids := '{}';
  IF place IS NOT NULL THEN
    BEGIN
      PERFORM (place ->> 0)::bigint, (place ->> 1)::timestamptz, (place ->> 3)::smallint, (place ->> 4)::timestamptz;
    EXCEPTION WHEN data_exception THEN
      RAISE EXCEPTION 'the cursor is none of ours' USING ERRCODE = 'invalid_text_representation';
    END;
  END IF;
  IF wanted_state IS NOT NULL AND has_ended THEN
    conditions := 'j.state::text = $1 AND j.finalized_at IS NOT NULL';
    ordering := 'j.finalized_at DESC, j.id DESC';
    IF place IS NOT NULL THEN
      conditions := conditions || ' AND j.finalized_at <= ($4 ->> 1)::timestamptz
        AND (j.finalized_at, j.id) < (($4 ->> 1)::timestamptz, ($4 ->> 0)::bigint)';
    END IF;
  ELSIF wanted_state IS NOT NULL THEN
    conditions := 'j.state::text = $1';
    ordering := 'j.queue, j.priority, j.scheduled_at, j.id';
    IF wanted_queue IS NOT NULL THEN
      conditions := conditions || ' AND j.queue = $2';
    END IF;
    IF place IS NOT NULL THEN
      conditions := conditions || ' AND (j.queue, j.priority, j.scheduled_at, j.id)
        > ($4 ->> 2, ($4 ->> 3)::smallint, ($4 ->> 4)::timestamptz, ($4 ->> 0)::bigint)';
    END IF;
  ELSIF place IS NOT NULL THEN
    conditions := 'j.id < ($4 ->> 0)::bigint';
  END IF;
  -- A constant of its own type, so that the index of states is used.
  conditions := replace(conditions, 'j.state::text = $1', format('j.state = %L::%I.river_job_state', wanted_state, :'metadata'));
  -- A kind that is rare is found by its own index, wherever in the order its jobs are.
  IF wanted_kind IS NOT NULL AND looked_at_most >= (
    SELECT count(*) FROM (SELECT FROM :"metadata".river_job AS j WHERE j.kind = wanted_kind LIMIT looked_at_most + 1) AS of_kind)
  THEN
    source := format('(SELECT * FROM %I.river_job WHERE kind = $3 OFFSET 0)', :'metadata');
  END IF;
  FOR seen IN EXECUTE format('SELECT j.id, j.kind, j.queue, j.priority, j.scheduled_at, j.finalized_at FROM %s AS j WHERE %s ORDER BY %s LIMIT %s',
    source, conditions, ordering, looked_at_most + 1) USING wanted_state, wanted_queue, wanted_kind, place
  LOOP
    looked_at := looked_at + 1;
    EXIT WHEN looked_at > looked_at_most;
    IF (wanted_kind IS NULL OR seen.kind = wanted_kind) AND (wanted_queue IS NULL OR seen.queue = wanted_queue) THEN
      IF cardinality(ids) = row_limit THEN
        looked_at := looked_at_most + 1;
        EXIT;
      END IF;
      ids := array_append(ids, seen.id);
    END IF;
    next_cursor := jsonb_build_array(seen.id::text, seen.finalized_at, seen.queue, seen.priority, seen.scheduled_at)::text;
  END LOOP;
  IF looked_at <= looked_at_most THEN
    next_cursor := NULL;
  END IF;
END
$$;

-- What is counted of the queues, once: states, each queue, and who works them. Numbers go up to 10,001, which is "more". Rates and
-- latencies (from when a job was due to its end) are of at most 5,000 jobs that ended in the last minute.
CREATE OR REPLACE FUNCTION storage.job_overview() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
  WITH RECURSIVE walked (state, queue, step) AS (
    SELECT s.state, (SELECT j.queue FROM :"metadata".river_job AS j WHERE j.state = s.state ORDER BY j.queue LIMIT 1), 1
    FROM unnest(enum_range(NULL:::"metadata".river_job_state)) AS s (state)
    WHERE s.state NOT IN ('cancelled', 'completed', 'discarded')
    UNION ALL
    SELECT w.state,
      (SELECT j.queue FROM :"metadata".river_job AS j WHERE j.state = w.state AND j.queue > w.queue ORDER BY j.queue LIMIT 1),
      w.step + 1
    FROM walked AS w WHERE w.queue IS NOT NULL AND w.step < 200
  ), counted AS MATERIALIZED (
    SELECT w.state, w.queue, (
      SELECT count(*) FROM (
        SELECT FROM :"metadata".river_job AS j WHERE j.state = w.state AND j.queue = w.queue LIMIT 10001) AS capped
    ) AS jobs
    FROM walked AS w WHERE w.queue IS NOT NULL
  ), ended AS MATERIALIZED (
    SELECT j.queue, j.finalized_at, extract(epoch FROM j.finalized_at - j.scheduled_at)::float8 AS seconds
    FROM :"metadata".river_job AS j
    WHERE j.state = 'completed' AND j.finalized_at > now() - interval '1 minute' AND j.finalized_at <= now()
    ORDER BY j.finalized_at DESC LIMIT 5000
  ), span AS (
    SELECT CASE count(*) WHEN 5000 THEN greatest(extract(epoch FROM now() - min(finalized_at))::float8, 0.001) ELSE 60 END AS seconds
    FROM ended
  ), rates AS (
    SELECT e.queue, count(*) / min(span.seconds) AS per_second,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY e.seconds) AS p50, percentile_cont(0.95) WITHIN GROUP (ORDER BY e.seconds) AS p95
    FROM ended AS e, span GROUP BY e.queue
  ), names AS (
    SELECT name FROM (
      SELECT q.name FROM :"metadata".river_queue AS q UNION SELECT queue FROM counted UNION SELECT queue FROM rates
    ) AS every ORDER BY name LIMIT 200
  ), kinds (kind, step) AS (
    SELECT (SELECT j.kind FROM :"metadata".river_job AS j ORDER BY j.kind LIMIT 1), 1
    UNION ALL
    SELECT (SELECT j.kind FROM :"metadata".river_job AS j WHERE j.kind > k.kind ORDER BY j.kind LIMIT 1), k.step + 1
    FROM kinds AS k WHERE k.kind IS NOT NULL AND k.step < 100
  ), alive AS MATERIALIZED (
    SELECT l.client_id, l.queues, l.expires_at > clock_timestamp() AS is_alive,
      extract(epoch FROM clock_timestamp() - l.updated_at)::float8 AS seen_seconds_ago
    FROM :"metadata".rowlock_worker_lease AS l ORDER BY l.client_id LIMIT 200
  )
  SELECT jsonb_build_object(
    'at', to_jsonb(clock_timestamp()),
    'counted_to', 10000,
    'states', (
      SELECT jsonb_object_agg(s.state, CASE WHEN s.state IN ('cancelled', 'completed', 'discarded')
        THEN (SELECT count(*) FROM (
          SELECT FROM :"metadata".river_job AS j WHERE j.state = s.state AND j.finalized_at IS NOT NULL LIMIT 10001) AS capped)
        ELSE least((SELECT coalesce(sum(c.jobs), 0) FROM counted AS c WHERE c.state = s.state), 10001) END)
      FROM unnest(enum_range(NULL:::"metadata".river_job_state)) AS s (state)),
    'queues', (
      SELECT coalesce(jsonb_agg(jsonb_build_object(
        'name', n.name,
        'is_known', q.name IS NOT NULL,
        'paused_at', q.paused_at,
        'counts', (SELECT coalesce(jsonb_object_agg(c.state, c.jobs), '{}') FROM counted AS c WHERE c.queue = n.name),
        'oldest_due_seconds', (
          SELECT extract(epoch FROM now() - min(first.scheduled_at))::float8
          FROM generate_series(1, 4) AS p (priority), LATERAL (
            SELECT j.scheduled_at FROM :"metadata".river_job AS j
            WHERE j.state = 'available' AND j.queue = n.name AND j.priority = p.priority ORDER BY j.scheduled_at LIMIT 1
          ) AS first WHERE first.scheduled_at <= now()),
        'completed_per_second', coalesce(r.per_second, 0),
        'p50_seconds', CASE WHEN r.p50 < 0 THEN 0 ELSE r.p50 END, 'p95_seconds', CASE WHEN r.p95 < 0 THEN 0 ELSE r.p95 END,
        'workers', (SELECT count(*) FROM alive AS a WHERE a.is_alive AND n.name = ANY (a.queues))
      ) ORDER BY n.name), '[]')
      FROM names AS n LEFT JOIN :"metadata".river_queue AS q ON q.name = n.name LEFT JOIN rates AS r ON r.queue = n.name),
    'kinds', (SELECT coalesce(jsonb_agg(k.kind ORDER BY k.kind), '[]') FROM kinds AS k WHERE k.kind IS NOT NULL),
    'workers', (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.client_id), '[]') FROM alive AS a),
    'leader', (
      SELECT jsonb_build_object('client_id', l.leader_id, 'elected_at', l.elected_at)
      FROM :"metadata".river_leader AS l WHERE l.expires_at > clock_timestamp() LIMIT 1))
$$;

-- What a list shows of one job. Args are shown to their beginning, the last error to its first lines, both without secrets.
CREATE OR REPLACE FUNCTION storage_internal.job_line(job :"metadata".river_job) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('id', job.id::text, 'kind', job.kind, 'queue', job.queue, 'state', job.state, 'attempt', job.attempt,
    'max_attempts', job.max_attempts, 'priority', job.priority, 'tags', to_jsonb(job.tags), 'created_at', job.created_at,
    'scheduled_at', job.scheduled_at, 'attempted_at', job.attempted_at, 'finalized_at', job.finalized_at,
    'error_count', coalesce(cardinality(job.errors), 0),
    'last_error', left(storage_internal.without_secrets(left(job.errors[cardinality(job.errors)] ->> 'error', 4000)), 300),
    'cancel_requested_at', CASE WHEN job.state = 'running' THEN job.metadata ->> 'cancel_attempted_at' END,
    'args_begin', CASE WHEN pg_column_size(job.args) <= 8192 AND octet_length(job.args::text) <= 8192
      THEN left(storage_internal.json_without_secrets(job.args, 0)::text, 200) ELSE '(large)' END)
$$;

CREATE OR REPLACE FUNCTION storage.jobs_page(
  wanted_state text, wanted_queue text, wanted_kind text, cursor text, row_limit integer
) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('next_cursor', w.next_cursor, 'jobs', (
    SELECT coalesce(jsonb_agg(storage_internal.job_line(j) ORDER BY found.place), '[]')
    FROM unnest(w.ids) WITH ORDINALITY AS found (id, place) JOIN :"metadata".river_job AS j ON j.id = found.id))
  FROM storage_internal.jobs_walk(wanted_state, wanted_queue, wanted_kind, cursor, least(greatest(row_limit, 1), 200)) AS w
$$;

-- How many jobs there are of a filter, counted to ten thousand: `is_exact` is false where there may be more.
CREATE OR REPLACE FUNCTION storage.jobs_count(wanted_state text, wanted_queue text, wanted_kind text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('count', cardinality(w.ids), 'is_exact', w.next_cursor IS NULL)
  FROM storage_internal.jobs_walk(wanted_state, wanted_queue, wanted_kind, NULL, 10000) AS w
$$;

-- All of one job, without secrets. Of errors and logs the last hundred.
CREATE OR REPLACE FUNCTION storage.job_details(wanted bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  job :"metadata".river_job;
  facts jsonb;
BEGIN
  SELECT * INTO job FROM :"metadata".river_job AS j WHERE j.id = wanted;
  IF NOT FOUND THEN
    PERFORM storage.refuse('job_not_found', 'There is no such job; jobs that ended are kept for a time only');
  END IF;
  facts := CASE jsonb_typeof(job.metadata) WHEN 'object' THEN job.metadata ELSE '{}' END;
  RETURN storage_internal.job_line(job) || jsonb_build_object(
    'args', storage_internal.json_to_show(job.args),
    'metadata', storage_internal.json_to_show(facts - 'river:log' - 'output'),
    'output', storage_internal.json_to_show(facts -> 'output'),
    'attempted_by', to_jsonb(job.attempted_by[greatest(cardinality(job.attempted_by) - 99, 1):]),
    'unique_key', encode(job.unique_key, 'hex'),
    'errors', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('at', e.error -> 'at', 'attempt', e.error -> 'attempt',
        'error', storage_internal.without_secrets(left(e.error ->> 'error', 16000)),
        'trace', storage_internal.without_secrets(left(e.error ->> 'trace', 32000))) ORDER BY e.place), '[]')
      FROM unnest(job.errors) WITH ORDINALITY AS e (error, place) WHERE e.place > cardinality(job.errors) - 100),
    'logs', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('attempt', l.entry -> 'attempt',
        'log', storage_internal.without_secrets(right(l.entry ->> 'log', 64000))) ORDER BY l.place), '[]')
      FROM jsonb_array_elements(CASE jsonb_typeof(facts -> 'river:log') WHEN 'array' THEN facts -> 'river:log' ELSE '[]' END)
        WITH ORDINALITY AS l (entry, place)
      WHERE l.place > jsonb_array_length(facts -> 'river:log') - 100));
END
$$;

-- Comparing rows with bytes: pages of rows in the order of keys, and the record of what was found. The comparison itself
-- is not here, since it needs the bytes.

-- A page of one backend's versions, in the bytewise order of their keys. `doomed`: the bytes may go, or never came, and yet
-- something points at them. `unreferenced`: nothing does. `quarantined`: why it is not served. One statement, and so one snapshot; planned for the page that it
-- is, since a plan for a tenth of the table would read all objects for every page.
DROP FUNCTION IF EXISTS storage_internal.fsck_page(text, text, integer);
CREATE OR REPLACE FUNCTION storage_internal.fsck_page(wanted_backend text, after_key text, row_limit integer)
RETURNS TABLE (id uuid, key text, state text, size bigint, sha256 text, expired boolean, doomed boolean, unreferenced boolean,
  quarantined text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN QUERY
    WITH page AS MATERIALIZED (
      SELECT v.id, v.key, v.state, v.size, v.sha256, v.expires_at, v.quarantine_cause, v.quarantine_reason FROM storage.versions AS v
      WHERE v.backend = wanted_backend AND v.key > after_key ORDER BY v.key LIMIT row_limit
    ), pointed AS (
      SELECT p.*, EXISTS (SELECT FROM storage.objects AS o WHERE o.version_id = p.id)
        OR EXISTS (SELECT FROM storage.object_history AS h WHERE h.version_id = p.id)
        OR EXISTS (SELECT FROM storage.variants AS d WHERE d.version_id = p.id) AS is_pointed_at
      FROM page AS p
    )
    SELECT p.id, p.key, p.state, p.size, encode(p.sha256, 'hex'), p.state IN ('writing', 'purging') AND p.expires_at <= now(),
      p.state <> 'stored' AND p.is_pointed_at, p.state = 'stored' AND NOT p.is_pointed_at,
      -- What waits for its scan is no fault.
      CASE WHEN p.state = 'stored' AND p.quarantine_cause IS DISTINCT FROM 'not_scanned' THEN p.quarantine_reason END
    FROM pointed AS p ORDER BY p.key;
END
$$;

-- Begins a run, or goes on with the last one of this kind that did not end. Of each backend the last twenty are kept.
CREATE OR REPLACE FUNCTION storage_internal.fsck_begin(
  wanted_backend text, new_holder uuid, wanted_scrub boolean, resume boolean
) RETURNS storage.fsck_runs
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  run storage.fsck_runs;
BEGIN
  IF resume THEN
    UPDATE storage.fsck_runs AS r SET holder = new_holder, updated_at = now()
    WHERE r.id = (
      SELECT max(u.id) FROM storage.fsck_runs AS u
      WHERE u.backend = wanted_backend AND u.scrub = wanted_scrub AND u.ended_at IS NULL)
    RETURNING * INTO run;
    IF FOUND THEN
      RETURN run;
    END IF;
  END IF;
  DELETE FROM storage.fsck_runs AS r WHERE r.backend = wanted_backend AND r.id IN (
    SELECT o.id FROM storage.fsck_runs AS o WHERE o.backend = wanted_backend ORDER BY o.id DESC OFFSET 19);
  INSERT INTO storage.fsck_runs (backend, scrub, holder) VALUES (wanted_backend, wanted_scrub, new_holder)
  RETURNING * INTO run;
  RETURN run;
END
$$;

-- Records a page: how far the run came and what it found there, both or neither. What was found before is not found twice.
CREATE OR REPLACE FUNCTION storage_internal.fsck_advance(
  run bigint, run_holder uuid, new_phase text, new_position text, new_progress jsonb, findings jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.fsck_runs AS r SET phase = new_phase, position = new_position, progress = new_progress, updated_at = now(),
    ended_at = CASE new_phase WHEN 'done' THEN now() END
  WHERE r.id = run AND r.holder = run_holder AND r.ended_at IS NULL;
  IF NOT FOUND THEN
    PERFORM storage.refuse('precondition_failed', 'another fsck goes on with this run');
  END IF;
  INSERT INTO storage.fsck_findings (run_id, kind, key, version_id, detail)
  SELECT run, f ->> 'kind', f ->> 'key', (f ->> 'version_id')::uuid, f -> 'detail' FROM jsonb_array_elements(findings) AS f
  ON CONFLICT ON CONSTRAINT fsck_findings_pkey DO NOTHING;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.fsck_repaired(run bigint, run_holder uuid, wanted_kind text, repaired_keys text[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM storage.fsck_runs AS r WHERE r.id = run AND r.holder = run_holder FOR SHARE;
  IF NOT FOUND THEN
    PERFORM storage.refuse('precondition_failed', 'another fsck goes on with this run');
  END IF;
  UPDATE storage.fsck_findings AS f SET repaired_at = now()
  WHERE f.run_id = run AND f.kind = wanted_kind AND f.key = ANY (repaired_keys);
END
$$;

-- Removes what names a version whose bytes are lost: objects, history, and variants, which are made again. Returns what it
-- removed. The version itself is purged as any other that nothing points at.
CREATE OR REPLACE FUNCTION storage_internal.drop_lost(lost uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  dropped bigint;
  sources uuid[];
  gone bigint;
BEGIN
  DELETE FROM storage.objects WHERE version_id = lost;
  GET DIAGNOSTICS dropped = ROW_COUNT;
  -- What the deletion kept is as lost.
  DELETE FROM storage.object_history WHERE version_id = lost;
  GET DIAGNOSTICS gone = ROW_COUNT;
  -- Without a preset it is made again when somebody asks.
  DELETE FROM storage.variants WHERE version_id = lost AND preset IS NULL;
  WITH again AS (
    UPDATE storage.variants SET status = 'pending', version_id = NULL, updated_at = now() WHERE version_id = lost
    RETURNING source_version_id
  )
  SELECT array_agg(source_version_id) INTO sources FROM again;
  IF sources IS NOT NULL THEN
    PERFORM :"metadata".enqueue_jobs(
      'thumbnail_generate', array_agg(jsonb_build_object('version_id', v)), 'thumbnails', 2::smallint) FROM unnest(sources) AS v;
  END IF;
  PERFORM storage_internal.enqueue_purges(ARRAY[lost]);
  RETURN dropped + gone + coalesce(cardinality(sources), 0);
END
$$;

-- What whoever starts the service wants to know of its database; it names no object and no key.
DROP FUNCTION IF EXISTS storage_internal.health();
CREATE OR REPLACE FUNCTION storage_internal.health()
RETURNS TABLE (has_versions boolean, expired_uploads bigint, overdue_versions bigint, steps text[], quarantined bigint,
  unchecked bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM storage.versions WHERE state = 'stored'),
    (SELECT count(*) FROM (
      SELECT FROM storage.uploads WHERE expires_at <= now() - interval '1 hour' LIMIT 1000) AS expired),
    (SELECT count(*) FROM (
      SELECT FROM storage.versions WHERE state IN ('writing', 'purging') AND expires_at <= now() - interval '1 hour' LIMIT 1000
    ) AS overdue),
    ARRAY(SELECT name FROM storage.migrations),
    (SELECT count(*) FROM (
      SELECT FROM storage.versions
      WHERE quarantined_at IS NOT NULL AND state = 'stored' AND coalesce(quarantine_cause, 'replaced') IN ('replaced', 'infected') LIMIT 1000
    ) AS quarantined),
    (SELECT count(*) FROM (
      (SELECT FROM storage.version_checks AS c
        JOIN storage.versions AS v ON v.id = c.version_id AND v.state = 'stored'
        -- Nobody is asked about what is in quarantine, but scanners.
        WHERE (v.quarantined_at IS NULL OR c.kind = 'file_scan')
          AND c.status = 'pending' AND c.requested_at <= now() - interval '15 minutes' LIMIT 1000)
      UNION ALL
      (SELECT FROM storage_internal.unscanned() AS u WHERE u.requested_at <= now() - interval '15 minutes' LIMIT 1000)
    ) AS unchecked)
$$;

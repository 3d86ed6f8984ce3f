-- What looks at bytes after they were committed. The commit asks for it in its own transaction; a job looks, without a
-- connection while bytes move, and says here what it found. Invariants: where a bucket's `scan` is `before_read`, nothing that
-- came is readable before a scan found it clean, and what was found infected is readable nowhere, whatever the bucket says since.

-- Whoever may change a bucket may have more looked at. Less, and which jobs look, is for the service: an owner who is careless,
-- or whose token was stolen, must not open what others rely on.
CREATE OR REPLACE FUNCTION storage.buckets_checked() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  was_scan text := 'off';
  was_checks text[] := '{}';
  modes CONSTANT text[] := ARRAY['off', 'async', 'before_read'];
BEGIN
  NEW.scan := coalesce(NEW.scan, 'off');
  NEW.checks := coalesce(NEW.checks, '{}');
  IF TG_OP = 'UPDATE' THEN
    was_scan := OLD.scan;
    was_checks := OLD.checks;
  END IF;
  IF NEW.scan = was_scan AND NEW.checks = was_checks THEN
    RETURN NEW;
  END IF;
  IF EXISTS (SELECT FROM unnest(NEW.checks) AS kind
    WHERE kind IS NULL OR kind = 'file_scan' OR kind !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)+$' OR length(kind) > 63)
  THEN
    PERFORM storage.refuse('invalid_request', 'A check is a kind of job such as file_classify; scanning is set by scan');
  END IF;
  IF (NEW.checks <> was_checks OR array_position(modes, NEW.scan) < array_position(modes, was_scan))
    AND row_security_active('storage.buckets') AND NOT pg_has_role(current_user, :'service_role', 'USAGE')
  THEN
    PERFORM storage.refuse('not_allowed', 'only the service looks at less, or says which jobs look');
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER buckets_checked BEFORE INSERT OR UPDATE ON storage.buckets
  FOR EACH ROW EXECUTE FUNCTION storage.buckets_checked();

-- AFTER the statement, and before the trigger that asks for thumbnails: those wait as well.
CREATE OR REPLACE FUNCTION storage.objects_checked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Nearly always nobody looks, and that must cost nearly nothing.
  IF NOT EXISTS (
    SELECT FROM new_rows AS n JOIN storage.buckets AS b ON b.id = n.bucket_id WHERE b.scan <> 'off' OR b.checks <> '{}')
  THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'INSERT' THEN
    PERFORM storage_internal.check_arrivals(array_agg(n.id), array_agg(n.bucket_id), array_agg(n.version_id)) FROM new_rows AS n;
  ELSE
    PERFORM storage_internal.check_arrivals(array_agg(p.id) FILTER (WHERE p.came),
      array_agg(p.bucket_id) FILTER (WHERE p.came), array_agg(p.version_id) FILTER (WHERE p.came))
    FROM (
      SELECT id, n.bucket_id, n.version_id, n.bucket_id <> o.bucket_id OR n.version_id <> o.version_id AS came
      FROM new_rows AS n FULL JOIN old_rows AS o USING (id)
    ) AS p;
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER objects_15_checked_inserted AFTER INSERT ON storage.objects
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_checked();
CREATE OR REPLACE TRIGGER objects_15_checked_updated AFTER UPDATE ON storage.objects
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_checked();

-- Which of these versions come into a bucket that lets nobody read what was not scanned, and were not; NULL where there is none.
CREATE OR REPLACE FUNCTION storage_internal.never_scanned(bucket_ids text[], version_ids uuid[]) RETURNS uuid[]
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(DISTINCT v.id ORDER BY v.id)
  FROM unnest(bucket_ids, version_ids) AS a (bucket_id, version_id)
  JOIN storage.buckets AS b ON b.id = a.bucket_id AND b.scan = 'before_read'
  JOIN storage.versions AS v ON v.id = a.version_id AND v.quarantined_at IS NULL
  WHERE NOT EXISTS (
    SELECT FROM storage.version_checks AS c
    WHERE c.version_id = v.id AND c.kind = 'file_scan' AND c.status IN ('clean', 'released'))
$$;

-- Refuses where these versions have other names than those of these objects.
CREATE OR REPLACE FUNCTION storage_internal.assert_nowhere_else(versions uuid[], object_ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM storage.objects AS o WHERE o.version_id = ANY (versions) AND o.id <> ALL (object_ids))
    -- What is being restored is in the history of its own name.
    OR (coalesce(current_setting('storage.restoring', true), '') = '' AND EXISTS (
      SELECT FROM storage.object_history AS h WHERE h.version_id = ANY (versions) AND h.object_id <> ALL (object_ids)))
  THEN
    PERFORM storage.refuse('not_scanned', 'These bytes were never scanned, and that bucket takes only what was: upload them there');
  END IF;
END
$$;

-- Asks for what the buckets of these objects want looked at and nobody has looked at yet.
CREATE OR REPLACE FUNCTION storage_internal.check_arrivals(object_ids uuid[], bucket_ids text[], version_ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  held uuid[];
  asked text[];
  asked_versions uuid[];
BEGIN
  IF object_ids IS NULL THEN
    RETURN;
  END IF;
  -- What was never scanned waits here; but bytes that somebody reads elsewhere do not stop being read there because they come
  -- here too. A copy of those is refused.
  held := storage_internal.never_scanned(bucket_ids, version_ids);
  IF held IS NOT NULL THEN
    PERFORM storage_internal.assert_nowhere_else(held, object_ids);
    -- A scan that ends meanwhile has said so before the lock is ours, or sees what waits: asked again, in a statement of its own,
    -- as are names that were given meanwhile. Not of what is refused, nor of what was scanned: whoever else copies that has a
    -- lock of it too, and two of them would wait for each other.
    PERFORM FROM storage.versions AS v WHERE v.id = ANY (held) ORDER BY v.id FOR NO KEY UPDATE;
    held := storage_internal.never_scanned(bucket_ids, version_ids);
  END IF;
  IF held IS NOT NULL THEN
    PERFORM storage_internal.assert_nowhere_else(held, object_ids);
    UPDATE storage.versions SET quarantined_at = now(), quarantine_cause = 'not_scanned', quarantine_reason = 'it was not scanned yet'
    WHERE id = ANY (held);
    PERFORM storage_internal.derived_follow(held);
  END IF;
  WITH wanted AS (
    SELECT DISTINCT a.version_id, k.kind
    FROM unnest(bucket_ids, version_ids) AS a (bucket_id, version_id) JOIN storage.buckets AS b ON b.id = a.bucket_id,
      unnest(CASE WHEN b.scan <> 'off' THEN ARRAY['file_scan'] ELSE '{}' END || b.checks) AS k (kind)
  ), made AS (
    INSERT INTO storage.version_checks AS c (version_id, kind) SELECT w.version_id, w.kind FROM wanted AS w ORDER BY 1, 2
    ON CONFLICT ON CONSTRAINT version_checks_pkey DO UPDATE
      SET status = 'pending', checked_at = NULL, requested_at = now() WHERE c.status = 'error'
    RETURNING c.version_id, c.kind
  )
  SELECT array_agg(m.kind ORDER BY m.kind, m.version_id), array_agg(m.version_id ORDER BY m.kind, m.version_id)
  INTO asked, asked_versions FROM made AS m
  -- What waits for its scan is looked at by others once it is clean.
  WHERE m.kind = 'file_scan' OR EXISTS (
    SELECT FROM storage.versions AS v WHERE v.id = m.version_id AND v.quarantined_at IS NULL);
  PERFORM storage_internal.enqueue_checks(asked, asked_versions);
END
$$;

-- One statement for each kind.
CREATE OR REPLACE FUNCTION storage_internal.enqueue_checks(kinds text[], version_ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM :"metadata".enqueue_jobs(e.kind, array_agg(jsonb_build_object('version_id', e.version_id)), 'checks', 2::smallint)
  FROM unnest(kinds, version_ids) AS e (kind, version_id) GROUP BY e.kind;
END
$$;

-- What nobody could scan, and nobody may read before somebody did. Not what can never be scanned, because it is too large or is
-- not what was committed: its detail says `final`, and it waits until an operator decides.
CREATE OR REPLACE FUNCTION storage_internal.unscanned()
RETURNS TABLE (version_id uuid, kind text, requested_at timestamptz, checked_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT c.version_id, c.kind, c.requested_at, c.checked_at
  FROM storage.versions AS v
  JOIN storage.version_checks AS c ON c.version_id = v.id AND c.kind = 'file_scan' AND c.status = 'error'
  WHERE v.quarantined_at IS NOT NULL AND v.quarantine_cause = 'not_scanned' AND v.state = 'stored'
    AND c.detail -> 'final' IS DISTINCT FROM 'true';
END;

-- Gives a job to checks that have none: it was lost, or gave up an hour ago while nobody may read what it was about. The oldest
-- first, at most so many of each; returns how many.
CREATE OR REPLACE FUNCTION storage_internal.requeue_checks(row_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  kinds text[];
  version_ids uuid[];
  again uuid[];
BEGIN
  WITH due AS (
    SELECT c.version_id, c.kind FROM storage_internal.unscanned() AS u
    JOIN storage.version_checks AS c ON c.version_id = u.version_id AND c.kind = u.kind AND c.status = 'error'
    WHERE u.checked_at < now() - interval '1 hour' ORDER BY u.checked_at LIMIT row_limit FOR UPDATE OF c SKIP LOCKED
  ), asked AS (
    UPDATE storage.version_checks AS c SET status = 'pending', checked_at = NULL, requested_at = now()
    FROM due AS d WHERE c.version_id = d.version_id AND c.kind = d.kind
    RETURNING c.version_id
  )
  SELECT array_agg(a.version_id) INTO again FROM asked AS a;
  SELECT array_agg(lost.kind), array_agg(lost.version_id) INTO kinds, version_ids FROM (
    SELECT c.kind, c.version_id FROM storage.version_checks AS c
    JOIN storage.versions AS v ON v.id = c.version_id AND v.state = 'stored' AND (v.quarantined_at IS NULL OR c.kind = 'file_scan')
    WHERE c.status = 'pending' AND c.requested_at < now() - interval '5 minutes'
      -- One set of all jobs that live, not a look-up for each.
      AND NOT EXISTS (
        SELECT FROM :"metadata".river_job AS j
        WHERE j.kind = c.kind AND j.args ->> 'version_id' = c.version_id::text
          AND j.state IN ('available', 'running', 'retryable', 'scheduled', 'pending'))
    ORDER BY c.requested_at LIMIT row_limit
  ) AS lost;
  PERFORM storage_internal.enqueue_checks(
    kinds || array_fill('file_scan'::text, ARRAY[coalesce(cardinality(again), 0)]), version_ids || again);
  RETURN coalesce(cardinality(kinds), 0) + coalesce(cardinality(again), 0);
END
$$;

-- What a check needs to know of a version; no row where there is nothing to look at: it is gone, or somebody has looked.
-- `waited_seconds` is how long somebody has been asked already.
CREATE OR REPLACE FUNCTION storage_internal.check_begin(wanted uuid, wanted_kind text)
RETURNS TABLE (
  version_id uuid, backend text, key text, size bigint, sha256 bytea, etag text, content_type text, detected_type text,
  bucket_id text, name text, owner_id text, waited_seconds double precision
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.id, v.backend, v.key, v.size, v.sha256, v.etag, coalesce(v.content_type, 'application/octet-stream'), v.detected_type,
    n.bucket_id, n.name, n.owner_id,
    coalesce(extract(epoch FROM clock_timestamp() - c.requested_at), 0)::double precision
  FROM storage.versions AS v
  LEFT JOIN storage.version_checks AS c ON c.version_id = v.id AND c.kind = wanted_kind
  LEFT JOIN LATERAL (
    SELECT f.bucket_id, f.name, f.owner_id FROM (
      SELECT o.bucket_id, o.name, o.owner_id, 0 AS place FROM storage.objects AS o WHERE o.version_id = v.id
      UNION ALL
      SELECT h.bucket_id, h.name, h.owner_id, 1 FROM storage.object_history AS h WHERE h.version_id = v.id
    ) AS f ORDER BY f.place, f.bucket_id, f.name LIMIT 1
  ) AS n ON true
  WHERE v.id = wanted AND v.state = 'stored' AND (c.status IS NULL OR c.status IN ('pending', 'error'))
    -- What is in quarantine is shown to nobody but scanners.
    AND (v.quarantined_at IS NULL OR wanted_kind = 'file_scan')
$$;

-- Says why nothing was found yet; the check goes on waiting.
CREATE OR REPLACE FUNCTION storage_internal.check_waits(wanted uuid, wanted_kind text, why text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.version_checks SET detail = jsonb_build_object('waits', left(why, 500))
  WHERE version_id = wanted AND kind = wanted_kind AND status = 'pending'
    AND detail IS DISTINCT FROM jsonb_build_object('waits', left(why, 500))
$$;

-- Records what was found. `infected` puts the version into quarantine; a scan that finds it clean lets it out of waiting for
-- that. A version whose key a URL is still out for, at a store that would take it, waits until nobody can change its bytes any
-- more: `wait_seconds` says how long, and nothing was recorded. What was `released` by hand stays so.
CREATE OR REPLACE FUNCTION storage_internal.check_ended(
  wanted uuid, wanted_kind text, new_status text, new_detail jsonb, OUT outcome text, OUT wait_seconds double precision
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v storage.versions;
BEGIN
  -- In the order in which writers lock: objects, then versions. Most checks end without a change to either.
  IF new_status = 'infected' OR EXISTS (SELECT FROM storage.versions AS s WHERE s.id = wanted AND s.quarantined_at IS NOT NULL) THEN
    PERFORM FROM storage.objects AS o WHERE o.version_id = wanted ORDER BY o.id FOR NO KEY UPDATE;
  END IF;
  SELECT * INTO v FROM storage.versions AS s WHERE s.id = wanted AND s.state = 'stored' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'gone';
    RETURN;
  END IF;
  IF new_status = 'clean' AND v.quarantine_cause = 'not_scanned' AND v.recheck_at IS NOT NULL AND v.put_until > now() THEN
    outcome := 'waits';
    wait_seconds := ceil(extract(epoch FROM v.put_until - now()));
    PERFORM storage_internal.check_waits(wanted, wanted_kind, 'a URL is still out that could change the bytes');
    RETURN;
  END IF;
  INSERT INTO storage.version_checks AS c (version_id, kind, status, detail, checked_at)
  VALUES (wanted, wanted_kind, new_status, new_detail, now())
  ON CONFLICT ON CONSTRAINT version_checks_pkey DO UPDATE
    SET status = EXCLUDED.status, detail = EXCLUDED.detail, checked_at = EXCLUDED.checked_at
    WHERE c.status <> 'released' AND (c.status <> 'infected' OR EXCLUDED.status = 'infected');
  outcome := CASE WHEN FOUND THEN 'recorded' ELSE 'kept' END;
  IF outcome = 'kept' THEN
    RETURN;
  ELSIF new_status = 'infected' AND (v.quarantined_at IS NULL OR v.quarantine_cause = 'not_scanned') THEN
    PERFORM storage_internal.put_into_quarantine(wanted, 'infected',
      left(concat('infected: ', coalesce(new_detail ->> 'signature', wanted_kind)), 300), new_detail);
    outcome := 'quarantined';
  ELSIF new_status = 'clean' AND wanted_kind = 'file_scan' AND v.quarantine_cause = 'not_scanned' THEN
    PERFORM storage_internal.let_out_of_quarantine(wanted);
    outcome := 'released';
  END IF;
END
$$;

-- Whether these bytes are the caller's alone: each name that they have or had is the caller's, or in a bucket of the caller's.
-- Whoever copies what they may read owns the copy, and learns nothing of what was found in it; so names count that the caller
-- does not see.
CREATE OR REPLACE FUNCTION storage.caller_owns_version(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(bool_and(coalesce(n.owner_id = storage.caller_id() OR EXISTS (
    SELECT FROM storage.buckets AS b WHERE b.id = n.bucket_id AND b.owner_id = storage.caller_id()), false)), false)
  FROM (
    SELECT o.owner_id, o.bucket_id FROM storage.objects AS o WHERE o.version_id = wanted
    UNION ALL
    SELECT h.owner_id, h.bucket_id FROM storage.object_history AS h WHERE h.version_id = wanted
  ) AS n
$$;

CREATE OR REPLACE FUNCTION storage_internal.version_quarantine(wanted uuid) RETURNS TABLE (cause text, reason text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY SELECT coalesce(v.quarantine_cause, 'replaced'), v.quarantine_reason FROM storage.versions AS v
    WHERE v.id = wanted AND v.quarantined_at IS NOT NULL;
END
$$;

-- Why what the caller may see cannot be read: for its owner, the owner of its bucket and the service. For everybody else there
-- is no row, and to them it is not there. SECURITY INVOKER.
CREATE OR REPLACE FUNCTION storage.why_unread(wanted_bucket text, wanted_name text, wanted_version uuid)
RETURNS TABLE (cause text, reason text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT q.cause, q.reason
  FROM (
    SELECT o.bucket_id, o.owner_id, o.version_id FROM storage.objects AS o
    WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name AND (wanted_version IS NULL OR o.version_id = wanted_version)
    UNION ALL
    SELECT h.bucket_id, h.owner_id, h.version_id FROM storage.object_history AS h
    WHERE h.bucket_id = wanted_bucket AND h.name = wanted_name AND h.version_id = wanted_version
  ) AS f
  CROSS JOIN LATERAL storage_internal.version_quarantine(f.version_id) AS q
  WHERE f.owner_id = storage.caller_id() OR pg_has_role(current_user, :'service_role', 'USAGE')
    OR EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = f.bucket_id AND b.owner_id = storage.caller_id())
  LIMIT 1;
END;

-- For our own door, whose URLs may be older than what was found since: whether a key is one that is not served.
CREATE OR REPLACE FUNCTION storage_internal.key_in_quarantine(wanted_backend text, wanted_key text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM storage.versions AS v
    WHERE v.backend = wanted_backend AND v.key = wanted_key AND v.quarantined_at IS NOT NULL);
END
$$;

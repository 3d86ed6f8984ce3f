-- Quarantine: versions that nobody is served, what puts them there, and how operators let them out or remove them. Everything that
-- reads or signs asks for storage.versions.quarantined_at; here alone it is written, but for what waits for its scan. Invariant:
-- what is not what was committed never comes out.

-- Takes a version out of service: nothing of it is read or signed, nor any variant of it. Objects keep pointing at it, so that
-- whoever operates this sees what it was, and are changed, so that whoever follows changes looks again.
CREATE OR REPLACE FUNCTION storage_internal.put_into_quarantine(wanted uuid, cause text, reason text, detail jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  UPDATE storage.versions AS v
  SET quarantined_at = now(), quarantine_cause = cause, quarantine_reason = reason,
    recheck_at = CASE WHEN cause = 'replaced' THEN NULL ELSE v.recheck_at END
  WHERE v.id = wanted;
  PERFORM storage_internal.derived_follow(ARRAY[wanted]);
  PERFORM storage_internal.variants_fail(wanted, 'the file is in quarantine');
  PERFORM storage_internal.tell_of_quarantine(wanted, 'storage.version.quarantined', reason, detail);
  UPDATE storage.objects AS o SET updated_at = now() WHERE o.version_id = wanted;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.let_out_of_quarantine(wanted uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  next_kinds text[];
BEGIN
  UPDATE storage.versions SET quarantined_at = NULL, quarantine_cause = NULL, quarantine_reason = NULL WHERE id = wanted;
  PERFORM storage_internal.derived_follow(ARRAY[wanted]);
  UPDATE storage.variants SET status = 'pending', error = NULL, failure = NULL, retry_at = NULL, failures = 0, updated_at = now()
  WHERE source_version_id = wanted AND status = 'failed' AND failure = 'quarantined';
  PERFORM storage_internal.files_follow_variants(wanted);
  PERFORM :"metadata".enqueue_jobs('thumbnail_generate', ARRAY[jsonb_build_object('version_id', wanted)], 'thumbnails', 2::smallint)
  WHERE EXISTS (SELECT FROM storage.variants AS d WHERE d.source_version_id = wanted AND d.preset IS NOT NULL
    AND d.status IN ('pending', 'processing'));
  SELECT array_agg(c.kind) INTO next_kinds FROM storage.version_checks AS c
  WHERE c.version_id = wanted AND c.status = 'pending' AND c.kind <> 'file_scan';
  PERFORM storage_internal.enqueue_checks(next_kinds, array_fill(wanted, ARRAY[coalesce(cardinality(next_kinds), 0)]));
  UPDATE storage.objects AS o SET updated_at = now() WHERE o.version_id = wanted;
END
$$;

-- One entry for each name that the version has or had, one without a name where it has none.
CREATE OR REPLACE FUNCTION storage_internal.tell_of_quarantine(wanted uuid, operation text, reason text, detail jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO storage.audit_log (role, operation, bucket_id, name, object_id, outcome, reason, detail)
  SELECT session_user, tell_of_quarantine.operation, n.bucket_id, n.name, n.object_id, 'done', left(tell_of_quarantine.reason, 100),
    jsonb_build_object('version', wanted)
      || CASE WHEN octet_length(tell_of_quarantine.detail::text) <= 3000 THEN tell_of_quarantine.detail ELSE '{}' END
  FROM (SELECT) AS one LEFT JOIN (
    SELECT o.bucket_id, o.name, o.id AS object_id FROM storage.objects AS o WHERE o.version_id = wanted
    UNION ALL
    SELECT h.bucket_id, h.name, h.object_id FROM storage.object_history AS h WHERE h.version_id = wanted
  ) AS n ON true
$$;

-- Lets a version be served again that an operator knows to be harmless, or could not be scanned. 'gone' where there is none in
-- quarantine. What is not what was committed is never served again: its row says another size and checksum.
CREATE OR REPLACE FUNCTION storage_internal.quarantine_release(wanted uuid, why text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v storage.versions;
BEGIN
  PERFORM FROM storage.objects AS o WHERE o.version_id = wanted ORDER BY o.id FOR NO KEY UPDATE;
  SELECT * INTO v FROM storage.versions AS s
  WHERE s.id = wanted AND s.state = 'stored' AND s.quarantined_at IS NOT NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'gone';
  ELSIF v.quarantine_cause IN ('infected', 'not_scanned') THEN
    INSERT INTO storage.version_checks AS c (version_id, kind, status, detail, checked_at)
    VALUES (wanted, 'file_scan', 'released', jsonb_build_object('was', v.quarantine_reason, 'why', left(why, 500)), now())
    ON CONFLICT ON CONSTRAINT version_checks_pkey DO UPDATE
      SET status = 'released', checked_at = now(), detail = EXCLUDED.detail || jsonb_build_object('found', c.detail);
    PERFORM storage_internal.let_out_of_quarantine(wanted);
    PERFORM storage_internal.tell_of_quarantine(wanted, 'storage.version.released', v.quarantine_reason,
      jsonb_build_object('why', left(why, 500)));
    RETURN 'released';
  END IF;
  RETURN v.quarantine_cause;
END
$$;

-- Deletes everything that names a version in quarantine, from its history too; the triggers of that purge its bytes. Returns
-- how many names it had; NULL where it is not in quarantine.
CREATE OR REPLACE FUNCTION storage_internal.quarantine_purge(wanted uuid, why text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v storage.versions;
  names bigint;
BEGIN
  PERFORM FROM storage.objects AS o WHERE o.version_id = wanted ORDER BY o.id FOR UPDATE;
  SELECT * INTO v FROM storage.versions AS s
  WHERE s.id = wanted AND s.state = 'stored' AND s.quarantined_at IS NOT NULL AND s.quarantine_cause IS DISTINCT FROM 'derived'
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  PERFORM storage_internal.tell_of_quarantine(wanted, 'storage.version.purged', v.quarantine_reason,
    jsonb_build_object('why', left(why, 500)));
  DELETE FROM storage.objects WHERE version_id = wanted;
  GET DIAGNOSTICS names = ROW_COUNT;
  -- What the deletion kept goes too.
  DELETE FROM storage.object_history WHERE version_id = wanted;
  PERFORM storage_internal.enqueue_purges(ARRAY[wanted]);
  RETURN names;
END
$$;

-- Variants are as readable as what they were made from.
CREATE OR REPLACE FUNCTION storage_internal.derived_follow(sources uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.versions AS v SET
    quarantined_at = s.quarantined_at,
    quarantine_cause = CASE WHEN s.quarantined_at IS NOT NULL THEN 'derived' END,
    quarantine_reason = CASE WHEN s.quarantined_at IS NOT NULL THEN 'of a version in quarantine' END
  FROM storage.variants AS d JOIN storage.versions AS s ON s.id = d.source_version_id
  WHERE d.source_version_id = ANY (sources) AND v.id = d.version_id
    AND (v.quarantined_at IS NULL) <> (s.quarantined_at IS NULL)
$$;

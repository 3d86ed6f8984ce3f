-- What a store says of itself: that bytes are there under a key. It is a hint and nothing else: whoever completes an upload
-- or compares an ETag asks the store again.

-- Takes what events of one bucket said, up to a thousand keys. Uploads whose bytes came get a job that completes them, versions
-- whose key a URL is still out for one that compares them, files of an adopted system their thumbnails. An upload that was
-- announced a moment ago, or that somebody is committing, gets no second job.
CREATE OR REPLACE FUNCTION storage_internal.bytes_announced(wanted_backend text, store_bucket text, announced text[])
RETURNS TABLE (arrived integer, rechecked integer, adopted integer, unknown integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  came uuid[];
  opened uuid[];
  changed uuid[];
  strangers text[];
BEGIN
  SELECT array_agg(DISTINCT f.upload_id) FILTER (WHERE f.upload_id IS NOT NULL),
    array_agg(DISTINCT f.version_id) FILTER (WHERE f.upload_id IS NULL AND f.put_until > now() - interval '1 hour'),
    array_agg(DISTINCT f.key) FILTER (WHERE f.version_id IS NULL)
  INTO came, changed, strangers
  FROM (
    SELECT a.key, v.id AS version_id, coalesce(i.id, u.id) AS upload_id,
      CASE WHEN v.state = 'stored' AND (v.quarantined_at IS NULL OR v.quarantine_cause = 'not_scanned') THEN v.put_until END AS put_until
    FROM unnest(announced) AS a (key)
    LEFT JOIN storage.versions AS v ON v.backend = wanted_backend AND v.key = a.key
    LEFT JOIN storage.uploads AS u ON u.version_id = v.id AND u.kind = 'direct' AND u.state = 'open'
      AND u.put_guard IS DISTINCT FROM 'incoming'
    LEFT JOIN storage.uploads AS i ON v.state = 'writing' AND i.state = 'open' AND i.put_guard = 'incoming'
      AND i.id = substring(a.key FROM '^incoming/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$')::uuid
  ) AS f;
  WITH announcing AS (
    SELECT u.id FROM storage.uploads AS u
    WHERE u.id = ANY (came) AND (u.announced_at IS NULL OR u.announced_at < now() - interval '1 minute')
    ORDER BY u.id FOR UPDATE SKIP LOCKED
  ), announced_now AS (
    UPDATE storage.uploads AS u SET announced_at = now() FROM announcing AS n WHERE u.id = n.id RETURNING u.id
  )
  SELECT array_agg(n.id ORDER BY n.id) INTO opened FROM announced_now AS n;
  IF opened IS NOT NULL THEN
    PERFORM :"metadata".enqueue_jobs('upload_complete', array_agg(jsonb_build_object('upload_id', id)), 's3_signer') FROM unnest(opened) AS id;
  END IF;
  IF changed IS NOT NULL THEN
    PERFORM :"metadata".enqueue_jobs('version_recheck', array_agg(jsonb_build_object('version_id', id)), 's3_signer') FROM unnest(changed) AS id;
  END IF;
  arrived := coalesce(cardinality(came), 0);
  rechecked := coalesce(cardinality(changed), 0);
  adopted := 0;
  IF strangers IS NOT NULL AND to_regprocedure('rowlock_adopt.bytes_came(text,text[])') IS NOT NULL THEN
    EXECUTE 'SELECT rowlock_adopt.bytes_came($1, $2)' INTO adopted USING store_bucket, strangers;
  END IF;
  unknown := coalesce(cardinality(strangers), 0) - adopted;
  RETURN NEXT;
END
$$;

-- For whoever completes a direct upload. `sha256` is what the bytes must have; where it was signed into the URL the store has compared it.
DROP FUNCTION IF EXISTS storage_internal.upload_to_complete(uuid);
CREATE OR REPLACE FUNCTION storage_internal.upload_to_complete(wanted uuid)
RETURNS TABLE (backend text, key text, content_type text, size_max bigint, expires_at timestamptz, url_expires_at timestamptz,
  declared_size bigint, sha256 bytea, sha256_is_signed boolean, put_guard text, put_key text, store_id text, part_size bigint,
  part_count integer, named_parts jsonb, is_asked_for boolean, is_for_entity boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.backend, v.key, u.content_type, u.size_max, u.expires_at,
    coalesce(r.url_expires_at, u.created_at + make_interval(secs => storage_internal.url_seconds(u.declared_size))),
    u.declared_size, coalesce(r.sha256, m.sha256), coalesce(r.put_headers ? 'x-amz-checksum-sha256', false), u.put_guard,
    CASE u.put_guard WHEN 'incoming' THEN concat('incoming/', u.id) ELSE v.key END,
    m.store_id, m.part_size, m.part_count, m.named_parts, m.complete_asked_at IS NOT NULL, r.id IS NOT NULL
  FROM storage.uploads AS u JOIN storage.versions AS v ON v.id = u.version_id
    LEFT JOIN :"metadata".file_upload_requests AS r ON r.upload_id = u.id
    LEFT JOIN storage.multipart_uploads AS m ON m.upload_id = u.id
  WHERE u.id = wanted AND u.kind = 'direct' AND u.state = 'open'
$$;

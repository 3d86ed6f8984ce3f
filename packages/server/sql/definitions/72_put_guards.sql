-- What a presigned PUT that is used once more may change: nothing. Stores that refuse it by themselves are told to by a signed
-- header. For clients that send no such header the PUT goes to a key of its own, and the commit copies to one that no URL was
-- ever signed for: what was checked there is what is committed. Where the key must be kept, the ETag is compared later.

-- What the workers say of their stores; one without guards answers presigned URLs at our own door.
CREATE OR REPLACE FUNCTION storage_internal.put_guards_are(guards jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH told AS (
    SELECT * FROM jsonb_to_recordset(guards) AS g (backend text, with_headers text, without_headers text)
  ), unguarded AS (
    DELETE FROM storage.put_guards AS p USING told AS t WHERE t.backend = p.backend AND t.with_headers IS NULL
  )
  INSERT INTO storage.put_guards AS p (backend, with_headers, without_headers)
  SELECT t.backend, t.with_headers, t.without_headers FROM told AS t WHERE t.with_headers IS NOT NULL ORDER BY t.backend
  ON CONFLICT ON CONSTRAINT put_guards_pkey DO UPDATE
    SET with_headers = EXCLUDED.with_headers, without_headers = EXCLUDED.without_headers
    WHERE (p.with_headers, p.without_headers) <> (EXCLUDED.with_headers, EXCLUDED.without_headers)
$$;

-- Lets one at a time copy what came for an upload, and says to which key. No key has two writers: whoever copied before may
-- still be at it when its time is over, so the next one gets another key, and the first is purged. NULL while somebody is at
-- it, and where the upload is over.
CREATE OR REPLACE FUNCTION storage_internal.claim_incoming(wanted uuid, came_bytes bigint, fresh_key text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  u storage.uploads;
  v storage.versions;
BEGIN
  SELECT * INTO u FROM storage.uploads WHERE id = wanted AND put_guard = 'incoming' AND state = 'open' FOR UPDATE;
  IF NOT FOUND OR u.copying_until > now() THEN
    RETURN NULL;
  END IF;
  SELECT * INTO v FROM storage.versions WHERE id = u.version_id AND state = 'writing' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- Two minutes, and as long as it takes at 10 MiB/s.
  UPDATE storage.uploads SET copying_until = now() + interval '2 minutes' + make_interval(secs => came_bytes / 10485760.0)
  WHERE id = wanted;
  IF u.copying_until IS NULL THEN
    RETURN v.key;
  END IF;
  UPDATE storage.versions SET key = fresh_key WHERE id = v.id;
  INSERT INTO storage.versions (id, backend, key, content_type, expires_at)
  VALUES (storage_internal.uuid_v7(), v.backend, v.key, v.content_type, now() + interval '1 day');
  RETURN fresh_key;
END
$$;

-- Commits an upload whose bytes were copied to a key, unless somebody else has begun to copy them since.
CREATE OR REPLACE FUNCTION storage_internal.commit_incoming(
  upload_id uuid, copied_key text, true_size bigint, true_sha256 bytea, true_etag text, detected text
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_new boolean;
  new_version uuid;
  new_object uuid;
BEGIN
  SELECT c.created, (c.object).version_id, (c.object).id INTO is_new, new_version, new_object
  FROM storage_internal.commit_upload(upload_id, NULL, NULL, true_size, true_sha256, true_etag, detected) AS c;
  PERFORM storage_internal.assert_copied(new_version, new_object, copied_key);
  RETURN is_new;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.assert_copied(wanted uuid, committed_object uuid, copied_key text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM storage.versions WHERE id = wanted AND key = copied_key;
  IF NOT FOUND THEN
    PERFORM storage.refuse('unavailable', 'somebody else copies these bytes now');
  END IF;
  UPDATE :"metadata".files SET s3_original_key = copied_key
  WHERE object_id = committed_object AND s3_original_key <> copied_key;
END
$$;

-- What lies under the key that the PUT went to is not needed any more. Its row stays as a tombstone, so that what comes late
-- is removed as well.
CREATE OR REPLACE FUNCTION storage_internal.let_go_of_incoming(upload uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  gone uuid;
BEGIN
  UPDATE storage.versions SET expires_at = now() WHERE key = concat('incoming/', upload) AND state = 'writing' RETURNING id INTO gone;
  IF FOUND THEN
    PERFORM storage_internal.enqueue_purges(ARRAY[gone]);
  END IF;
END
$$;

-- What is known of a version whose key a URL is out for, when it is committed: until when bytes may come, and when to look.
-- The first look is when its URL has expired, the last when a PUT that began with it must be over.
CREATE OR REPLACE FUNCTION storage_internal.watch_put(u storage.uploads) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.versions AS v SET put_until = u.expires_at + (u.expires_at - u.created_at),
    recheck_at = CASE u.put_guard WHEN 'recheck' THEN coalesce(
      (SELECT max(r.url_expires_at) FROM :"metadata".file_upload_requests AS r WHERE r.upload_id = u.id), u.expires_at)
      + interval '1 minute' END
  WHERE v.id = u.version_id
$$;

-- Versions whose ETag is to be compared now.
CREATE OR REPLACE FUNCTION storage_internal.versions_to_recheck(row_limit integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT id FROM storage.versions WHERE recheck_at <= now() ORDER BY recheck_at LIMIT row_limit
$$;

CREATE OR REPLACE FUNCTION storage_internal.version_to_recheck(wanted uuid) RETURNS TABLE (backend text, key text, etag text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.backend, v.key, v.etag FROM storage.versions AS v
  WHERE v.id = wanted AND v.state = 'stored' AND (v.quarantined_at IS NULL OR v.quarantine_cause = 'not_scanned')
$$;

-- Its bytes are those that were committed, or there is nothing to compare: the last look follows, or none.
CREATE OR REPLACE FUNCTION storage_internal.version_rechecked(wanted uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.versions SET recheck_at = CASE WHEN recheck_at < put_until AND state = 'stored' THEN greatest(put_until, now()) END
  WHERE id = wanted AND recheck_at <= now()
$$;

-- Puts a version into quarantine whose bytes are not any more what they were when they were committed.
CREATE OR REPLACE FUNCTION storage_internal.quarantine_version(wanted uuid, expected_etag text, reason text, detail jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  -- In the order in which writers lock: objects, then versions.
  PERFORM FROM storage.objects AS o WHERE o.version_id = wanted ORDER BY o.id FOR NO KEY UPDATE;
  PERFORM FROM storage.versions AS v
  WHERE v.id = wanted AND v.state = 'stored' AND v.etag = expected_etag
    AND (v.quarantined_at IS NULL OR v.quarantine_cause = 'not_scanned')
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM storage_internal.put_into_quarantine(wanted, 'replaced', reason, detail);
  RETURN true;
END
$$;

-- What operators look at: versions that are not served, and what names them.
CREATE OR REPLACE VIEW storage.quarantine WITH (security_invoker = true, security_barrier = true) AS
SELECT v.id AS version_id, v.backend, v.key, v.size, v.quarantined_at, v.quarantine_reason, o.bucket_id, o.name, o.id AS object_id, o.owner_id,
  v.quarantine_cause
FROM storage.versions AS v LEFT JOIN storage.objects AS o ON o.version_id = v.id
WHERE v.quarantined_at IS NOT NULL;

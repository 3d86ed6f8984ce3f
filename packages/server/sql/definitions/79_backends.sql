-- Which backend has whose bytes: where a bucket's new bytes go, what may not come into a bucket because its bytes are
-- elsewhere, and how a version changes its backend without a moment in which its bytes are nowhere.

-- Buckets that name a backend. Servers ask now and then, and remember.
CREATE OR REPLACE FUNCTION storage_internal.placed_buckets() RETURNS TABLE (id text, backend text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT b.id, b.backend FROM storage.buckets AS b WHERE b.backend IS NOT NULL
$$;

-- Buckets whose bytes have to be in a region, and the backend that each names.
CREATE OR REPLACE FUNCTION storage_internal.regions_of_buckets() RETURNS TABLE (id text, backend text, region text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT b.id, b.backend, b.region FROM storage.buckets AS b WHERE b.region IS NOT NULL
$$;

-- What is begun in SQL goes where the workers put new bytes: they sign its URL.
CREATE OR REPLACE FUNCTION storage_internal.default_backend_is(backend text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.settings SET value = backend WHERE name = 'backend' AND value <> backend
$$;

-- Says where the new bytes of a bucket go; NULL for wherever the server puts them. What is there stays where it is. For the
-- service and for the owner of the tables, not for owners of buckets.
CREATE OR REPLACE FUNCTION storage.set_bucket_backend(bucket_id text, backend text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.buckets AS b SET backend = set_bucket_backend.backend WHERE b.id = set_bucket_backend.bucket_id;
  IF NOT FOUND THEN
    PERFORM storage.refuse('bucket_not_found', 'Bucket not found');
  END IF;
END
$$;

-- The same for operators' commands, which log in as the worker.
CREATE OR REPLACE FUNCTION storage_internal.place_bucket(bucket_id text, backend text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage.set_bucket_backend(bucket_id, backend)
$$;

-- Whether a version's bytes are not where its new bucket keeps its own. What is uploaded there went where the bucket said
-- when it began, and what is restored there was there before.
CREATE OR REPLACE FUNCTION storage_internal.is_elsewhere(wanted uuid, wanted_bucket text, wanted_name text, wanted_backend text)
RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN coalesce(current_setting('storage.restoring', true), '') = ''
    AND EXISTS (SELECT FROM storage.versions AS v WHERE v.id = wanted AND v.backend <> wanted_backend)
    AND NOT storage.upload_is_committing(wanted, wanted_bucket, wanted_name);
END
$$;

-- Copies from one backend to another. A version that is being copied has a second row, in state `writing`: the intent of its
-- bytes on the other backend, which the sweep takes with whatever came under its key. When all are there the two rows
-- change places in one transaction: the version names the new bytes, and the other row the old ones, to be purged when
-- nobody reads them any more.

CREATE OR REPLACE FUNCTION storage_internal.backend_copy_begin(
  wanted_source text, wanted_target text, wanted_bucket text, wanted_prefix text, new_holder uuid, resume boolean
) RETURNS storage.backend_copies
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  run storage.backend_copies;
BEGIN
  IF wanted_bucket IS NOT NULL AND NOT EXISTS (SELECT FROM storage.buckets WHERE id = wanted_bucket) THEN
    PERFORM storage.refuse('bucket_not_found', 'Bucket not found');
  END IF;
  IF resume THEN
    UPDATE storage.backend_copies AS r SET holder = new_holder, updated_at = now()
    WHERE r.id = (
      SELECT max(u.id) FROM storage.backend_copies AS u
      WHERE u.source = wanted_source AND u.target = wanted_target AND u.bucket_id IS NOT DISTINCT FROM wanted_bucket
        AND u.prefix = wanted_prefix AND u.ended_at IS NULL)
    RETURNING * INTO run;
    IF FOUND THEN
      RETURN run;
    END IF;
  END IF;
  DELETE FROM storage.backend_copies AS r WHERE r.id IN (
    SELECT o.id FROM storage.backend_copies AS o WHERE o.ended_at IS NOT NULL ORDER BY o.id DESC OFFSET 50);
  INSERT INTO storage.backend_copies (source, target, bucket_id, prefix, holder)
  VALUES (wanted_source, wanted_target, wanted_bucket, wanted_prefix, new_holder)
  RETURNING * INTO run;
  RETURN run;
END
$$;

-- The next stored versions of a backend in the order of their keys: all, or those that objects below a prefix of one bucket
-- have or had, their variants included.
CREATE OR REPLACE FUNCTION storage_internal.backend_copy_page(
  wanted_source text, after_key text, wanted_bucket text, wanted_prefix text, row_limit integer
)
RETURNS TABLE (id uuid, key text, size bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
  IF wanted_bucket IS NULL THEN
    RETURN QUERY
      SELECT v.id, v.key, v.size FROM storage.versions AS v
      WHERE v.backend = wanted_source AND v.key > after_key AND v.state = 'stored' ORDER BY v.key LIMIT row_limit;
  ELSE
    RETURN QUERY
      SELECT v.id, v.key, v.size FROM storage.versions AS v
      WHERE v.backend = wanted_source AND v.key > after_key AND v.state = 'stored' AND EXISTS (
        SELECT FROM (
          SELECT v.id AS id UNION ALL SELECT d.source_version_id FROM storage.variants AS d WHERE d.version_id = v.id
        ) AS source
        WHERE EXISTS (SELECT FROM storage.objects AS o
            WHERE o.version_id = source.id AND o.bucket_id = wanted_bucket AND starts_with(o.name, wanted_prefix))
          OR EXISTS (SELECT FROM storage.object_history AS h
            WHERE h.version_id = source.id AND h.bucket_id = wanted_bucket AND starts_with(h.name, wanted_prefix)))
      ORDER BY v.key LIMIT row_limit;
  END IF;
END
$$;

-- Records how far a run came, with what it could not copy on the way there: both or neither.
CREATE OR REPLACE FUNCTION storage_internal.backend_copy_advance(
  run bigint, run_holder uuid, new_position text, new_progress jsonb, failures jsonb, has_ended boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.backend_copies AS r SET position = new_position, progress = new_progress, updated_at = now(),
    ended_at = CASE WHEN has_ended THEN now() END
  WHERE r.id = run AND r.holder = run_holder AND r.ended_at IS NULL;
  IF NOT FOUND THEN
    PERFORM storage.refuse('precondition_failed', 'another copy goes on with this run');
  END IF;
  INSERT INTO storage.backend_copy_failures (run_id, version_id, key, reason, detail)
  SELECT run, (f ->> 'version_id')::uuid, f ->> 'key', f ->> 'reason', f -> 'detail' FROM jsonb_array_elements(failures) AS f
  ON CONFLICT ON CONSTRAINT backend_copy_failures_pkey DO UPDATE
    SET reason = EXCLUDED.reason, detail = EXCLUDED.detail, failed_at = now();
END
$$;

-- Writes the intent of one version's bytes on the other backend. No row where the version went, or is not there any more.
-- It keeps its key, since files and applications may know it, unless that backend has, or had, something under it.
CREATE OR REPLACE FUNCTION storage_internal.version_copy_begin(
  wanted uuid, wanted_source text, wanted_target text, intent uuid, fresh_key text, life interval
)
RETURNS TABLE (key text, size bigint, sha256 bytea, target_key text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v storage.versions;
  new_key text;
  deadline timestamptz;
BEGIN
  SELECT * INTO v FROM storage.versions WHERE id = wanted AND backend = wanted_source AND state = 'stored' FOR SHARE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  deadline := now() + life + make_interval(secs => ceil(v.size / 65536.0));
  new_key := CASE WHEN wanted_target = ANY (v.was_on) THEN fresh_key ELSE v.key END;
  INSERT INTO storage.versions AS t (id, backend, key, content_type, expires_at)
  VALUES (intent, wanted_target, new_key, v.content_type, deadline)
  ON CONFLICT ON CONSTRAINT versions_key_used_once DO NOTHING;
  IF NOT FOUND THEN
    new_key := fresh_key;
    INSERT INTO storage.versions AS t (id, backend, key, content_type, expires_at)
    VALUES (intent, wanted_target, new_key, v.content_type, deadline);
  END IF;
  RETURN QUERY SELECT v.key, v.size, v.sha256, new_key;
END
$$;

-- The bytes are on the other backend, durable and compared: from here on the version is there. False, and nothing is changed,
-- where the version was deleted, purged or moved meanwhile, or the intent was swept.
CREATE OR REPLACE FUNCTION storage_internal.version_copy_commit(
  wanted uuid, wanted_source text, wanted_key text, intent uuid, target_bucket text, grace interval
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v storage.versions;
  t storage.versions;
BEGIN
  SELECT * INTO v FROM storage.versions WHERE id = wanted FOR UPDATE;
  IF NOT FOUND OR v.state <> 'stored' OR (v.backend, v.key) <> (wanted_source, wanted_key) THEN
    RETURN false;
  END IF;
  DELETE FROM storage.versions WHERE id = intent AND state = 'writing' AND expires_at > now() RETURNING * INTO t;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE storage.versions SET backend = t.backend, key = t.key, etag = NULL, was_on = array_append(v.was_on, v.backend),
    put_until = NULL, recheck_at = NULL
  WHERE id = wanted;
  -- Stored once, so that its purge leaves no tombstone; not before the grace, so that who reads them now reads on.
  INSERT INTO storage.versions (id, backend, key, state, size, content_type, stored_at, put_until, expires_at)
  VALUES (t.id, v.backend, v.key, 'purging', v.size, v.content_type, v.stored_at, v.put_until, now() + grace);
  UPDATE :"metadata".files AS f SET s3_bucket = target_bucket, s3_original_key = t.key, updated_at = now()
  FROM storage.objects AS o
  WHERE o.version_id = wanted AND f.object_id = o.id
    AND (f.s3_bucket, f.s3_original_key) IS DISTINCT FROM (target_bucket, t.key);
  IF t.key <> v.key THEN
    PERFORM storage_internal.files_follow_variants(d.source_version_id) FROM storage.variants AS d WHERE d.version_id = wanted;
  END IF;
  RETURN true;
END
$$;

-- Gives a copy up; whatever came under its key is purged. Does nothing once it is committed.
CREATE OR REPLACE FUNCTION storage_internal.version_copy_abandon(intent uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.versions SET expires_at = '-infinity' WHERE id = intent AND state = 'writing';
  IF FOUND THEN
    PERFORM storage_internal.enqueue_purges(ARRAY[intent]);
  END IF;
END
$$;

-- Versions for callers: to read, restore and purge them, over HTTP, in SQL and through PostgREST alike. SECURITY INVOKER
-- throughout: the policies of storage.object_history say who sees and who purges, those of storage.objects who restores.

-- Where the bytes of a version are that the caller may read: what the name has now, or what it had before. No row for a
-- delete marker, nor for what was kept long enough and still waits for the sweep.
CREATE OR REPLACE FUNCTION storage.read_version(wanted_bucket text, wanted_name text, wanted_version uuid)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamptz, public boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT f.object_id, l.key, l.backend, l.size, l.content_type, l.detected_type, l.sha256, f.cache_control, f.updated_at, NULL::text,
    f.owner_id, f.version_id, f.user_metadata, f.created_at, f.current AND coalesce(b.public, false)
  FROM (
    SELECT o.id AS object_id, o.version_id, o.cache_control, o.updated_at, o.owner_id, o.user_metadata, o.created_at,
      true AS current, NULL::bigint AS sequence
    FROM storage.objects AS o
    WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name AND o.version_id = wanted_version
    UNION ALL
    SELECT h.object_id, h.version_id, h.cache_control, h.modified_at, h.owner_id, h.user_metadata, h.created_at, false, h.sequence
    FROM storage.object_history AS h
    WHERE h.bucket_id = wanted_bucket AND h.name = wanted_name AND h.version_id = wanted_version
      AND (h.purge_after IS NULL OR h.purge_after > now())
    ORDER BY sequence DESC NULLS FIRST
    LIMIT 1
  ) AS f
  LEFT JOIN storage.buckets AS b ON b.id = wanted_bucket
  CROSS JOIN LATERAL storage_internal.version_location(f.version_id) AS l;
END;

-- Restores and purges of one name follow one another.
CREATE OR REPLACE FUNCTION storage.lock_history(wanted_bucket text, wanted_name text) RETURNS void
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT pg_advisory_xact_lock(hashtextextended(concat('rowlock.history/', wanted_bucket, '/', wanted_name), 0));
END;

-- Makes a version what its name has now, in constant time: the same bytes under a new row, of the owner that they had.
-- Without `version`, takes the last deletion back. What the name has until now must be kept for that, else the name is
-- taken: a restore never makes bytes go. Returns the object; the same again where the version is the current one already.
-- Raises RWLCK object_not_found, object_exists, not_allowed, and what the policies for INSERT or UPDATE refuse.
CREATE OR REPLACE FUNCTION storage.restore_object(bucket_id text, name text, version uuid DEFAULT NULL) RETURNS storage.objects
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  entry storage.object_history;
  current storage.objects;
  refused storage.objects;
  written bigint;
BEGIN
  PERFORM storage.lock_history(bucket_id, name);
  PERFORM storage.search_as_caller();
  FOR attempt IN 1..10 LOOP
    SELECT * INTO current FROM storage.objects AS o
    WHERE o.bucket_id = restore_object.bucket_id AND o.name = restore_object.name;
    IF current.version_id = version THEN
      RETURN current;
    ELSIF current.id IS NOT NULL AND version IS NULL THEN
      PERFORM storage.refuse('object_exists', 'The name is taken: nothing of it is deleted');
    END IF;
    SELECT * INTO entry FROM storage.object_history AS h
    WHERE h.bucket_id = restore_object.bucket_id AND h.name = restore_object.name AND h.version_id IS NOT NULL
      AND (version IS NULL OR h.version_id = version) AND (h.purge_after IS NULL OR h.purge_after > now())
    ORDER BY h.sequence DESC LIMIT 1;
    IF NOT FOUND THEN
      PERFORM storage.refuse('object_not_found', 'Object not found');
    ELSIF current.id IS NOT NULL AND NOT storage.keeps_when_replaced(current, entry.object_id) THEN
      PERFORM storage.refuse('object_exists', 'The name was taken meanwhile; move what has it, then restore');
    ELSIF (current.id, current.version_id) = (refused.id, refused.version_id) THEN
      PERFORM storage.refuse('not_allowed', 'the policies for UPDATE on storage.objects do not allow this');
    END IF;
    PERFORM set_config('storage.restoring', entry.sequence::text, true);
    BEGIN
      IF current.id IS NULL THEN
        INSERT INTO storage.objects (bucket_id, name, version_id, cache_control, user_metadata)
        VALUES (bucket_id, name, entry.version_id, entry.cache_control, entry.user_metadata);
      ELSE
        UPDATE storage.objects AS o SET version_id = entry.version_id, cache_control = entry.cache_control,
          user_metadata = entry.user_metadata
        WHERE o.id = current.id AND o.version_id = current.version_id;
      END IF;
      GET DIAGNOSTICS written = ROW_COUNT;
      PERFORM set_config('storage.restoring', '', true);
      IF written = 1 THEN
        SELECT * INTO current FROM storage.objects AS o
        WHERE o.bucket_id = restore_object.bucket_id AND o.name = restore_object.name;
        RETURN current;
      END IF;
      -- Kept by the policies, or changed since it was looked at: the same in the next turn tells.
      refused := current;
    EXCEPTION WHEN unique_violation THEN
      EXIT WHEN current.id IS NOT NULL OR attempt > 2; -- written meanwhile, or there without being seen
    END;
  END LOOP;
  PERFORM storage.refuse('object_exists', 'The name was taken meanwhile; move what has it, then restore');
END
$$;

-- Whether what an object has now stays in history when a version of `other` replaces it. Without versioning a name has
-- one object, so what was deleted does not come back over what took its name.
CREATE OR REPLACE FUNCTION storage.keeps_when_replaced(current storage.objects, other uuid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM storage.buckets AS b
    WHERE b.id = (current).bucket_id
      AND (b.versioning = 'on' OR ((current).id = other AND b.soft_delete_seconds IS NOT NULL)));
END;

-- Purges one version of a name for ever, the current one too; then what is below it is current, as if it had never been
-- there. A delete marker goes by its own id: where it was on top, the object is back. Returns whether anything went.
-- Raises RWLCK not_allowed for what the caller sees and may not purge, and what the policies for INSERT refuse.
CREATE OR REPLACE FUNCTION storage.purge_version(bucket_id text, name text, version uuid) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  newest bigint;
  uncovers boolean;
  purged boolean;
  top storage.object_history;
BEGIN
  PERFORM storage.lock_history(bucket_id, name);
  PERFORM storage.search_as_caller();
  SELECT coalesce(max(h.sequence), 0) INTO newest FROM storage.object_history AS h
  WHERE h.bucket_id = purge_version.bucket_id AND h.name = purge_version.name;
  uncovers := EXISTS (SELECT FROM storage.object_history AS h WHERE h.sequence = newest AND h.marker_id = version)
    AND NOT EXISTS (
      SELECT FROM storage.objects AS o WHERE o.bucket_id = purge_version.bucket_id AND o.name = purge_version.name);
  -- Deleted first, so that the triggers do what they do for every deletion; its marker goes as well, and no older one.
  DELETE FROM storage.objects AS o
  WHERE o.bucket_id = purge_version.bucket_id AND o.name = purge_version.name AND o.version_id = version;
  purged := FOUND;
  uncovers := uncovers OR purged;
  DELETE FROM storage.object_history AS h
  WHERE h.bucket_id = purge_version.bucket_id AND h.name = purge_version.name
    AND (version IN (h.version_id, h.marker_id) OR (purged AND h.version_id IS NULL AND h.sequence > newest));
  purged := purged OR FOUND;
  IF storage.sees_version(bucket_id, name, version) THEN
    PERFORM storage.refuse('not_allowed', 'the policies for DELETE do not allow this');
  END IF;
  IF uncovers THEN
    SELECT * INTO top FROM storage.object_history AS h
    WHERE h.bucket_id = purge_version.bucket_id AND h.name = purge_version.name
      AND (h.purge_after IS NULL OR h.purge_after > now())
    ORDER BY h.sequence DESC LIMIT 1;
    IF top.version_id IS NOT NULL THEN
      PERFORM storage.restore_object(bucket_id, name, top.version_id);
    END IF;
  END IF;
  RETURN purged;
END
$$;

CREATE OR REPLACE FUNCTION storage.sees_version(wanted_bucket text, wanted_name text, wanted_version uuid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT EXISTS (
      SELECT FROM storage.objects AS o
      WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name AND o.version_id = wanted_version)
    OR EXISTS (
      SELECT FROM storage.object_history AS h
      WHERE h.bucket_id = wanted_bucket AND h.name = wanted_name AND wanted_version IN (h.version_id, h.marker_id));
END;

-- Purges the history of a bucket, at most so many rows of what the caller may purge; returns how many. What names have
-- now stays.
CREATE OR REPLACE FUNCTION storage.purge_history(bucket_id text, row_limit integer DEFAULT 1000) RETURNS bigint
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM storage.object_history AS h WHERE h.sequence IN (
      SELECT p.sequence FROM storage.object_history AS p WHERE p.bucket_id = purge_history.bucket_id
      ORDER BY p.name, p.sequence LIMIT row_limit)
    RETURNING h.sequence
  )
  SELECT count(*) FROM gone;
END;

-- The same for clients of PostgREST.
CREATE OR REPLACE FUNCTION :"api".restore_storage_object(p_bucket text, p_name text, p_version uuid DEFAULT NULL) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT json_build_object('id', r.id, 'bucket', r.bucket_id, 'path', r.name, 'version', r.version_id, 'size', r.size,
    'content_type', r.content_type, 'owner_id', r.owner_id, 'created_at', r.created_at)
  FROM storage.restore_object(p_bucket, p_name, p_version) AS r;
END;

CREATE OR REPLACE FUNCTION :"api".purge_storage_version(p_bucket text, p_name text, p_version uuid) RETURNS boolean
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage.purge_version(p_bucket, p_name, p_version);
END;

-- What names point at and what they pointed at before, newest first by `sequence`; it is NULL for what is current.
CREATE OR REPLACE VIEW storage.object_versions WITH (security_invoker = true) AS
SELECT o.bucket_id, o.name, o.version_id AS version, o.id AS object_id, true AS is_current, false AS delete_marker,
  NULL::text AS reason, o.owner_id, o.size, o.content_type, o.detected_type, o.sha256, o.cache_control, o.user_metadata,
  o.created_at, o.updated_at AS modified_at, NULL::timestamptz AS superseded_at, NULL::text AS superseded_by,
  NULL::timestamptz AS purge_after, NULL::bigint AS sequence
FROM storage.objects AS o
UNION ALL
SELECT h.bucket_id, h.name, coalesce(h.version_id, h.marker_id), h.object_id, false, h.marker_id IS NOT NULL,
  h.reason, h.owner_id, h.size, h.content_type, h.detected_type, h.sha256, h.cache_control, h.user_metadata,
  h.created_at, h.modified_at, h.superseded_at, h.superseded_by,
  h.purge_after, h.sequence
FROM storage.object_history AS h;

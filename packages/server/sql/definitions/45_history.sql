-- History: what overwriting, deleting and moving keep, and when it goes. Written by triggers, so that HTTP, plain SQL
-- and cascades do the same; read, restored and purged by the functions of 76_versions.sql.

-- Until when a version is kept that a name stops pointing at: 'infinity' without an end, NULL for not at all.
-- `lives_on` says that the object took its version along to another name. While versioning is suspended, what was stored
-- before is kept as if it were on.
CREATE OR REPLACE FUNCTION storage_internal.keep_until(bucket storage.buckets, stored_at timestamptz, lives_on boolean)
RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT CASE
    WHEN (bucket).versioning = 'on'
      OR ((bucket).versioning = 'suspended' AND stored_at <= (bucket).versioned_until)
      THEN coalesce(now() + make_interval(days => (bucket).noncurrent_days), 'infinity'::timestamptz)
    WHEN (bucket).soft_delete_seconds IS NOT NULL AND NOT lives_on
      THEN now() + make_interval(secs => (bucket).soft_delete_seconds)
  END;
END;

CREATE OR REPLACE FUNCTION storage_internal.keep_marker_until(bucket storage.buckets) RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT now() + CASE WHEN (bucket).versioning = 'off'
    THEN make_interval(secs => (bucket).soft_delete_seconds) ELSE make_interval(days => (bucket).noncurrent_days) END;
END;

-- A move is for the old name what a delete is, and for the new name what a write is. Where versions stay under a name
-- that has no object any more, a delete marker stands above them.
CREATE OR REPLACE FUNCTION storage.objects_history() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  caller text;
BEGIN
  -- Nearly always there is nothing to keep, and that must cost nearly nothing.
  IF NOT EXISTS (
    SELECT FROM old_rows AS o JOIN storage.buckets AS b ON b.id = o.bucket_id
    WHERE b.history_since IS NOT NULL)
  THEN
    RETURN NULL;
  END IF;
  caller := storage.caller_id();
  IF TG_OP = 'DELETE' THEN
    INSERT INTO storage.object_history (bucket_id, name, object_id, version_id, reason, owner_id, size, content_type,
      detected_type, sha256, cache_control, user_metadata, created_at, modified_at, superseded_by, purge_after)
    SELECT o.bucket_id, o.name, o.id, o.version_id, 'delete', o.owner_id, o.size, o.content_type,
      o.detected_type, o.sha256, o.cache_control, o.user_metadata, o.created_at, o.updated_at, caller, nullif(k.until, 'infinity')
    FROM old_rows AS o JOIN storage.buckets AS b ON b.id = o.bucket_id JOIN storage.versions AS v ON v.id = o.version_id,
      LATERAL (SELECT storage_internal.keep_until(b, v.stored_at, false) AS until) AS k
    WHERE k.until IS NOT NULL;
    INSERT INTO storage.object_history (bucket_id, name, object_id, marker_id, reason, owner_id, created_at, modified_at,
      superseded_by, purge_after)
    SELECT o.bucket_id, o.name, o.id, gen_random_uuid(), 'delete', o.owner_id, now(), now(),
      caller, storage_internal.keep_marker_until(b)
    FROM old_rows AS o JOIN storage.buckets AS b ON b.id = o.bucket_id JOIN storage.versions AS v ON v.id = o.version_id
    WHERE storage_internal.keep_until(b, v.stored_at, false) IS NOT NULL OR storage_internal.has_history(o.bucket_id, o.name);
  ELSE
    INSERT INTO storage.object_history (bucket_id, name, object_id, version_id, reason, owner_id, size, content_type,
      detected_type, sha256, cache_control, user_metadata, created_at, modified_at, superseded_by, purge_after)
    WITH pairs AS MATERIALIZED (
      SELECT o.*, n.bucket_id AS new_bucket_id, n.name AS new_name, n.version_id AS new_version_id
      FROM old_rows AS o FULL JOIN new_rows AS n USING (id)
    )
    SELECT o.bucket_id, o.name, o.id, o.version_id,
      CASE WHEN (o.bucket_id, o.name) = (o.new_bucket_id, o.new_name) THEN 'overwrite' ELSE 'move' END, o.owner_id, o.size, o.content_type,
      o.detected_type, o.sha256, o.cache_control, o.user_metadata, o.created_at, o.updated_at, caller, nullif(k.until, 'infinity')
    FROM pairs AS o JOIN storage.buckets AS b ON b.id = o.bucket_id JOIN storage.versions AS v ON v.id = o.version_id,
      LATERAL (SELECT storage_internal.keep_until(b, v.stored_at, o.version_id = o.new_version_id) AS until) AS k
    WHERE k.until IS NOT NULL AND (o.bucket_id, o.name, o.version_id) <> (o.new_bucket_id, o.new_name, o.new_version_id);
    INSERT INTO storage.object_history (bucket_id, name, object_id, marker_id, reason, owner_id, created_at, modified_at,
      superseded_by, purge_after)
    WITH pairs AS MATERIALIZED (
      SELECT o.*, n.bucket_id AS new_bucket_id, n.name AS new_name FROM old_rows AS o FULL JOIN new_rows AS n USING (id)
    )
    SELECT o.bucket_id, o.name, o.id, gen_random_uuid(), 'move', o.owner_id, now(), now(),
      caller, storage_internal.keep_marker_until(b)
    FROM pairs AS o JOIN storage.buckets AS b ON b.id = o.bucket_id
    WHERE (o.bucket_id, o.name) <> (o.new_bucket_id, o.new_name)
      AND storage_internal.has_history(o.bucket_id, o.name);
  END IF;
  IF EXISTS (SELECT FROM old_rows AS o JOIN storage.buckets AS b ON b.id = o.bucket_id WHERE b.history_keep IS NOT NULL) THEN
    PERFORM storage_internal.prune_history(array_agg(DISTINCT o.bucket_id), array_agg(DISTINCT o.name)) FROM old_rows AS o;
  END IF;
  RETURN NULL;
END
$$;
-- Their names come before those of the triggers that enqueue purges: these ask what was kept.
CREATE OR REPLACE TRIGGER objects_10_history_deleted AFTER DELETE ON storage.objects
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_history();
CREATE OR REPLACE TRIGGER objects_10_history_updated AFTER UPDATE ON storage.objects
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_history();

-- Whether a version is kept under a name: a delete marker over nothing would say nothing. In PL/pgSQL, so that it stays
-- one index look-up a row.
CREATE OR REPLACE FUNCTION storage_internal.has_history(wanted_bucket text, wanted_name text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM storage.object_history
    WHERE bucket_id = wanted_bucket AND name = wanted_name AND version_id IS NOT NULL);
END
$$;

-- Lets go of the oldest versions where a bucket keeps only so many of a name, and of markers that are older than all that
-- stays. What somebody is restoring or purging right now is left to them.
CREATE OR REPLACE FUNCTION storage_internal.prune_history(bucket_ids text[], names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  over bigint[];
BEGIN
  SELECT array_agg(h.sequence) INTO over FROM (
    SELECT h.sequence, h.marker_id, b.history_keep,
      count(h.version_id) OVER (PARTITION BY h.bucket_id, h.name ORDER BY h.sequence DESC) AS kept
    FROM storage.object_history AS h JOIN storage.buckets AS b ON b.id = h.bucket_id
    WHERE h.bucket_id = ANY (bucket_ids) AND h.name = ANY (names) AND b.history_keep IS NOT NULL
  ) AS h WHERE h.kept > h.history_keep OR (h.marker_id IS NOT NULL AND h.kept = h.history_keep);
  IF over IS NOT NULL THEN
    DELETE FROM storage.object_history WHERE sequence IN (
      SELECT sequence FROM storage.object_history WHERE sequence = ANY (over) ORDER BY sequence FOR UPDATE SKIP LOCKED);
  END IF;
END
$$;

-- The entry that a restore names is not history any more, nor is the deletion that it takes back: the markers above all
-- that stays.
CREATE OR REPLACE FUNCTION storage_internal.take_from_history(taken bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  entry storage.object_history;
BEGIN
  DELETE FROM storage.object_history WHERE sequence = taken RETURNING * INTO entry;
  DELETE FROM storage.object_history AS m
  WHERE m.bucket_id = entry.bucket_id AND m.name = entry.name AND m.version_id IS NULL AND NOT EXISTS (
    SELECT FROM storage.object_history AS h
    WHERE h.bucket_id = m.bucket_id AND h.name = m.name AND h.version_id IS NOT NULL AND h.sequence > m.sequence);
END
$$;

-- Whoever deletes history, by hand or by time: markers without a version below them go, and the bytes that nothing
-- points at any more are purged.
CREATE OR REPLACE FUNCTION storage.history_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  dropped uuid[];
BEGIN
  IF NOT EXISTS (SELECT FROM old_rows WHERE version_id IS NOT NULL) THEN
    RETURN NULL; -- markers only, or nothing: the end of what follows
  END IF;
  DELETE FROM storage.object_history AS m
  USING (SELECT DISTINCT bucket_id, name FROM old_rows WHERE version_id IS NOT NULL) AS o
  WHERE m.bucket_id = o.bucket_id AND m.name = o.name AND m.version_id IS NULL
    AND NOT storage_internal.has_history(m.bucket_id, m.name);
  SELECT array_agg(DISTINCT o.version_id) INTO dropped FROM old_rows AS o
  WHERE o.version_id IS NOT NULL AND NOT EXISTS (SELECT FROM storage.objects AS c WHERE c.version_id = o.version_id)
    AND NOT EXISTS (SELECT FROM storage.object_history AS h WHERE h.version_id = o.version_id);
  IF dropped IS NOT NULL THEN
    PERFORM storage_internal.enqueue_purges(dropped);
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER history_deleted AFTER DELETE ON storage.object_history
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.history_deleted();
CREATE OR REPLACE TRIGGER history_truncate BEFORE TRUNCATE ON storage.object_history
  FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();

-- Lets go of what was kept long enough; returns how many rows. Their trigger enqueues the purges.
CREATE OR REPLACE FUNCTION storage_internal.expire_history(row_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH gone AS (
    DELETE FROM storage.object_history WHERE sequence IN (
      SELECT sequence FROM storage.object_history WHERE purge_after <= now()
      ORDER BY purge_after LIMIT row_limit FOR UPDATE SKIP LOCKED)
    RETURNING sequence
  )
  SELECT count(*) FROM gone
$$;

-- What a row of storage.objects may say. Application roles write bucket, name, version reference, user metadata
-- and cache control; everything else is filled here from what the server measured. PostgreSQL checks policies
-- after BEFORE triggers and before NOT NULL, so policies judge true values.

CREATE OR REPLACE FUNCTION storage.buckets_fill() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.name := coalesce(NEW.name, NEW.id);
    NEW.id := coalesce(NEW.id, NEW.name);
    NEW.owner_id := coalesce(NEW.owner_id, storage.caller_id());
    NEW.versioning := coalesce(NEW.versioning, 'off');
    NEW.preset_set := coalesce(NEW.preset_set, 'default');
    NEW.inline := coalesce(NEW.inline, false);
    -- Either says it all. Of a bucket for the authenticated a CHECK refuses that it is public.
    IF NEW.public AND NEW.policy = 'private' THEN
      NEW.policy := 'public';
    END IF;
    NEW.public := coalesce(NEW.public, false) OR NEW.policy = 'public';
  ELSE
    IF NEW.policy <> OLD.policy THEN
      NEW.public := NEW.policy = 'public';
    ELSIF NEW.public <> OLD.public THEN
      NEW.policy := CASE WHEN NEW.public THEN 'public' ELSE 'private' END;
    END IF;
    NEW.updated_at := now();
    NEW.versioned_until := CASE WHEN OLD.versioning = 'on' AND NEW.versioning <> 'on' THEN now() ELSE OLD.versioned_until END;
  END IF;
  IF NEW.preset_set NOT IN ('default', 'none') AND (TG_OP = 'INSERT' OR NEW.preset_set <> OLD.preset_set)
    AND NOT EXISTS (SELECT FROM storage.variant_presets AS p WHERE p.preset_set = NEW.preset_set)
  THEN
    PERFORM storage.refuse('invalid_request', format('There is no set of presets %s; "none" is for no variants', to_json(NEW.preset_set)));
  END IF;
  IF NEW.versioning <> 'off' OR NEW.soft_delete_seconds IS NOT NULL THEN
    NEW.history_since := coalesce(NEW.history_since, now());
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER buckets_fill BEFORE INSERT OR UPDATE ON storage.buckets
  FOR EACH ROW EXECUTE FUNCTION storage.buckets_fill();

-- Whoever owns an object sees its bucket. SECURITY DEFINER: the policies of the two tables cannot read each other.
CREATE OR REPLACE FUNCTION storage.caller_owns_objects_in(wanted_bucket text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM storage.objects WHERE owner_id = storage.caller_id() AND bucket_id = wanted_bucket)
$$;

-- True inside the transaction that commits this very upload, and nowhere else.
CREATE OR REPLACE FUNCTION storage.upload_is_committing(wanted uuid, wanted_bucket text, wanted_name text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- One that was prepared: a version says in which transaction it was stored, and only its commit stores one in a
  -- transaction that has an object to write.
  PERFORM FROM storage.versions WHERE id = wanted AND state = 'stored' AND stored_in = pg_current_xact_id_if_assigned();
  IF FOUND THEN
    RETURN true;
  END IF;
  PERFORM FROM storage.uploads
  WHERE version_id = wanted AND bucket_id = wanted_bucket AND name = wanted_name AND state = 'committing';
  RETURN FOUND;
END
$$;

-- SECURITY INVOKER: may this caller point at this version, and give the object this name?
CREATE OR REPLACE FUNCTION storage.objects_reference() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.bucket_id, NEW.name) IS DISTINCT FROM (OLD.bucket_id, OLD.name) AND NOT storage.may_move(OLD, NEW) THEN
      RAISE EXCEPTION 'only the owner of the object or of its bucket may move it' USING ERRCODE = 'insufficient_privilege';
    ELSIF NEW.bucket_id <> OLD.bucket_id THEN
      PERFORM storage.ask_arrival(NEW.bucket_id, NEW.name, OLD.size, OLD.content_type);
    END IF;
    IF NEW.version_id IS NOT DISTINCT FROM OLD.version_id THEN
      RETURN NEW;
    END IF;
  END IF;
  IF NEW.version_id IS NULL OR NEW.version_id = storage.no_version()
    OR storage.upload_is_committing(NEW.version_id, NEW.bucket_id, NEW.name) THEN
    RETURN NEW;
  END IF;
  PERFORM storage.search_as_caller();
  IF NOT EXISTS (SELECT FROM storage.objects AS o WHERE o.version_id = NEW.version_id)
    AND NOT EXISTS (
      SELECT FROM storage.object_history AS h
      WHERE h.version_id = NEW.version_id AND (h.purge_after IS NULL OR h.purge_after > now()))
  THEN
    RAISE EXCEPTION 'the version is neither on an object that you can read nor your upload''s'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER objects_10_reference BEFORE INSERT OR UPDATE ON storage.objects
  FOR EACH ROW EXECUTE FUNCTION storage.objects_reference();

-- The column `metadata`, in the words of Supabase Storage. Written by the trigger below, and by whoever loads rows with
-- triggers off.
CREATE OR REPLACE FUNCTION storage.object_metadata(
  size bigint, content_type text, cache_control text, sha256 bytea, version_id uuid, updated_at timestamptz
) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT jsonb_build_object(
    'size', size,
    'contentLength', size,
    'mimetype', content_type,
    'cacheControl', coalesce(cache_control, 'no-cache'),
    'eTag', '"' || coalesce(encode(sha256, 'hex'), version_id::text) || '"',
    'lastModified', to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'httpStatusCode', 200);
END;

-- An object comes back to whom it belonged. The entry of the history is locked, so that nobody purges it before this is
-- committed.
CREATE OR REPLACE FUNCTION storage_internal.owner_of_restored(object storage.objects, operation text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  entry storage.object_history;
BEGIN
  SELECT * INTO entry FROM storage.object_history
  WHERE sequence = current_setting('storage.restoring')::bigint
    AND bucket_id = object.bucket_id AND name = object.name AND version_id = object.version_id FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM storage.refuse('object_not_found', 'The version was purged');
  END IF;
  RETURN CASE WHEN operation = 'INSERT' THEN entry.owner_id ELSE object.owner_id END;
END
$$;

-- Does the bucket belong to the caller? Asked by the policy for what is being restored there, of which the trigger
-- objects_20_fill has found the entry in the history.
CREATE OR REPLACE FUNCTION storage.may_restore_into(wanted_bucket text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage.search_as_caller();
  RETURN EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = wanted_bucket AND b.owner_id = storage.caller_id());
END
$$;

-- SECURITY DEFINER: fills what only the server knows. A row without a version is a question (may I?): it shows
-- the policies what was declared, and then fails on NOT NULL, which means yes.
CREATE OR REPLACE FUNCTION storage.objects_fill() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  version storage.versions;
  declared jsonb;
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.id := gen_random_uuid();
    NEW.owner_id := storage.caller_id();
    NEW.revision := 1;
    NEW.created_at := now();
    NEW.updated_at := now();
    NEW.last_accessed_at := now();
  ELSE
    NEW.id := OLD.id;
    NEW.owner_id := OLD.owner_id;
    NEW.revision := OLD.revision + 1;
    NEW.created_at := OLD.created_at;
    NEW.updated_at := now();
  END IF;
  IF NEW.version_id IS NULL THEN
    declared := nullif(current_setting('storage.declared', true), '')::jsonb;
    NEW.size := coalesce((declared ->> 'size')::bigint, 0);
    NEW.content_type := coalesce(declared ->> 'content_type', 'application/octet-stream');
    NEW.detected_type := NULL;
    NEW.sha256 := NULL;
  ELSIF TG_OP = 'UPDATE' AND NEW.version_id = OLD.version_id THEN
    -- A move, or other metadata: the bytes are held by the row already.
    NEW.size := OLD.size;
    NEW.content_type := OLD.content_type;
    NEW.detected_type := OLD.detected_type;
    NEW.sha256 := OLD.sha256;
  ELSIF NEW.version_id = storage.no_version() AND TG_OP = 'INSERT' AND pg_trigger_depth() > 1 THEN
    -- A question of 39_arrivals.sql about what has this name now.
    SELECT o.size, o.content_type, o.detected_type, o.sha256 INTO NEW.size, NEW.content_type, NEW.detected_type, NEW.sha256
    FROM storage.objects AS o WHERE o.bucket_id = NEW.bucket_id AND o.name = NEW.name;
  ELSE
    SELECT * INTO version FROM storage.versions WHERE id = NEW.version_id AND state = 'stored' FOR SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the version has no bytes' USING ERRCODE = 'foreign_key_violation';
    END IF;
    NEW.size := version.size;
    NEW.content_type := coalesce(version.content_type, 'application/octet-stream');
    NEW.detected_type := version.detected_type;
    NEW.sha256 := version.sha256;
    IF coalesce(current_setting('storage.restoring', true), '') <> '' THEN
      NEW.owner_id := storage_internal.owner_of_restored(NEW, TG_OP);
    END IF;
  END IF;
  -- As if PostgreSQL generated them, and without the price of a generated column for every statement.
  NEW.path_tokens := string_to_array(NEW.name, '/');
  NEW.version := NEW.version_id::text;
  NEW.metadata := storage.object_metadata(
    NEW.size, NEW.content_type, NEW.cache_control, NEW.sha256, NEW.version_id, NEW.updated_at);
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER objects_20_fill BEFORE INSERT OR UPDATE ON storage.objects
  FOR EACH ROW EXECUTE FUNCTION storage.objects_fill();

-- What follows from new bytes: variants where they can be made, and one job for all of them.
CREATE OR REPLACE FUNCTION storage_internal.variants_wanted(content_type text, detected_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(detected_type, content_type) IN (
    'image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/tiff', 'image/avif', 'image/svg+xml', 'application/pdf',
    'image/heic', 'image/heif', 'image/heic-sequence', 'image/heif-sequence')
$$;

-- Whether an object of this bucket gets variants: it is of such a type, and the bucket's set of presets has any.
CREATE OR REPLACE FUNCTION storage_internal.has_presets(wanted_bucket text, content_type text, detected_type text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage_internal.variants_wanted(content_type, detected_type) AND EXISTS (
    SELECT FROM storage.buckets AS b JOIN storage.variant_presets AS p ON p.preset_set = b.preset_set WHERE b.id = wanted_bucket)
$$;

-- The presets of the bucket that each version came into. Of a version that several buckets have, the first bucket's presets
-- stay where another's have the same names.
DROP FUNCTION IF EXISTS storage_internal.enqueue_variants(uuid[]);
CREATE OR REPLACE FUNCTION storage_internal.enqueue_variants(version_ids uuid[], bucket_ids text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  WITH made AS (
    INSERT INTO storage.variants AS d (source_version_id, preset)
    SELECT DISTINCT i.version_id, p.name FROM unnest(version_ids, bucket_ids) AS i (version_id, bucket_id)
    JOIN storage.buckets AS b ON b.id = i.bucket_id JOIN storage.variant_presets AS p ON p.preset_set = b.preset_set
    ORDER BY 1, 2 -- two that copy the same do not wait for each other in a circle
    ON CONFLICT ON CONSTRAINT variants_one_per_preset DO UPDATE SET status = 'pending', updated_at = now()
      WHERE d.status = 'not_applicable'
    RETURNING d.source_version_id
  )
  SELECT array_agg(DISTINCT source_version_id) INTO version_ids FROM made;
  IF version_ids IS NOT NULL THEN
    PERFORM :"metadata".enqueue_jobs(
      'thumbnail_generate', array_agg(jsonb_build_object('version_id', v)), 'thumbnails', 2::smallint)
    FROM unnest(version_ids) AS v;
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION storage.objects_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  images uuid[];
  image_buckets text[];
BEGIN
  INSERT INTO storage.changes (type, object_id, revision, bucket_id, name, owner_id, version_id, size, content_type, bucket_owner_id)
  SELECT 'storage.object.created', n.id, n.revision, n.bucket_id, n.name, n.owner_id, n.version_id, n.size, n.content_type, b.owner_id
  FROM new_rows AS n LEFT JOIN storage.buckets AS b ON b.id = n.bucket_id;
  SELECT array_agg(version_id), array_agg(bucket_id) INTO images, image_buckets
  FROM new_rows WHERE storage_internal.variants_wanted(content_type, detected_type);
  IF images IS NOT NULL THEN
    PERFORM storage_internal.enqueue_variants(images, image_buckets);
  END IF;
  IF coalesce(current_setting('storage.restoring', true), '') <> '' THEN
    PERFORM storage_internal.take_from_history(current_setting('storage.restoring')::bigint);
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER objects_inserted AFTER INSERT ON storage.objects
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_inserted();

-- Old and new rows are paired by FULL JOIN, here and in the other triggers, though each has its other: a connection plans
-- a statement of a trigger when it first runs, for one row as a rule, and then keeps to it. A plain join is a loop within a
-- loop, and takes minutes for ten thousand rows; a FULL JOIN never is. A WHERE beside it would make it a plain one again.
CREATE OR REPLACE FUNCTION storage.objects_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  dropped uuid[];
  images uuid[];
  image_buckets text[];
  with_files uuid[];
BEGIN
  INSERT INTO storage.changes (type, object_id, revision, bucket_id, name, owner_id, version_id, size, content_type, bucket_owner_id,
    previous_bucket_id, previous_name)
  SELECT 'storage.object.updated', n.id, n.revision, n.bucket_id, n.name, n.owner_id, n.version_id, n.size, n.content_type, b.owner_id,
    CASE WHEN (n.bucket_id, n.name) <> (o.bucket_id, o.name) THEN o.bucket_id END,
    CASE WHEN (n.bucket_id, n.name) <> (o.bucket_id, o.name) THEN o.name END
  FROM new_rows AS n FULL JOIN old_rows AS o USING (id) LEFT JOIN storage.buckets AS b ON b.id = o.bucket_id;
  SELECT array_agg(DISTINCT old_version_id) FILTER (WHERE is_replaced), array_agg(version_id) FILTER (WHERE is_wanted),
    array_agg(bucket_id) FILTER (WHERE is_wanted)
  INTO dropped, images, image_buckets
  FROM (
    SELECT o.version_id AS old_version_id, n.version_id, n.bucket_id, o.version_id <> n.version_id AS is_replaced,
      -- Also what came into a bucket with other presets.
      storage_internal.variants_wanted(n.content_type, n.detected_type) AND (o.version_id <> n.version_id
        OR (o.bucket_id <> n.bucket_id AND (SELECT b.preset_set FROM storage.buckets AS b WHERE b.id = o.bucket_id)
          <> (SELECT b.preset_set FROM storage.buckets AS b WHERE b.id = n.bucket_id))) AS is_wanted
    FROM old_rows AS o FULL JOIN new_rows AS n USING (id)
  ) AS pairs;
  IF dropped IS NOT NULL THEN
    PERFORM storage_internal.purge_unkept(dropped);
    -- A files row says what its object has now; the thumbnails of what it had are gone.
    WITH changed AS (
      UPDATE :"metadata".files AS f SET file_size = n.size, s3_original_key = v.key, updated_at = now(), width = NULL, height = NULL,
        thumbnail_status = CASE WHEN storage_internal.has_presets(n.bucket_id, n.content_type, n.detected_type)
          THEN 'pending' ELSE 'not_applicable' END,
        thumbnail_error = NULL, s3_thumbnail_small_key = NULL, s3_thumbnail_medium_key = NULL, s3_thumbnail_large_key = NULL
      FROM new_rows AS n JOIN storage.versions AS v ON v.id = n.version_id
      WHERE f.object_id = n.id AND f.s3_original_key <> v.key
      RETURNING v.id
    )
    SELECT array_agg(id) INTO with_files FROM changed;
  END IF;
  IF images IS NOT NULL THEN
    PERFORM storage_internal.enqueue_variants(images, image_buckets);
  END IF;
  IF with_files IS NOT NULL THEN
    -- A version that was restored has its thumbnails already.
    PERFORM storage_internal.files_follow_variants(v) FROM unnest(with_files) AS v;
  END IF;
  IF coalesce(current_setting('storage.restoring', true), '') <> '' THEN
    PERFORM storage_internal.take_from_history(current_setting('storage.restoring')::bigint);
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER objects_updated AFTER UPDATE ON storage.objects
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_updated();

CREATE OR REPLACE FUNCTION storage.objects_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  dropped uuid[];
BEGIN
  INSERT INTO storage.changes (type, object_id, revision, bucket_id, name, owner_id, bucket_owner_id)
  SELECT 'storage.object.deleted', o.id, o.revision + 1, o.bucket_id, o.name, o.owner_id, b.owner_id
  FROM old_rows AS o LEFT JOIN storage.buckets AS b ON b.id = o.bucket_id;
  SELECT array_agg(DISTINCT version_id) INTO dropped FROM old_rows;
  IF dropped IS NOT NULL THEN
    PERFORM storage_internal.purge_unkept(dropped);
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER objects_deleted AFTER DELETE ON storage.objects
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_deleted();

CREATE OR REPLACE FUNCTION storage.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'TRUNCATE would lose track of bytes; use DELETE' USING ERRCODE = 'feature_not_supported';
END
$$;
CREATE OR REPLACE TRIGGER objects_truncate BEFORE TRUNCATE ON storage.objects
  FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();
CREATE OR REPLACE TRIGGER versions_truncate BEFORE TRUNCATE ON storage.versions
  FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();
CREATE OR REPLACE TRIGGER uploads_truncate BEFORE TRUNCATE ON storage.uploads
  FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();

-- Variants: derived objects, made by a job, each with bytes of its own under a key of its own.

-- The intent of one variant's bytes. False when the source is gone or the variant is there already.
CREATE OR REPLACE FUNCTION storage_internal.variant_begin(
  source uuid, wanted_preset text, new_version uuid, backend text, key text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.variants SET status = 'processing', error = NULL, updated_at = now()
  WHERE source_version_id = source AND preset = wanted_preset AND status <> 'completed';
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO storage.versions (id, backend, key, expires_at)
  VALUES (new_version, variant_begin.backend, variant_begin.key, now() + interval '1 hour');
  RETURN true;
END
$$;

-- Attaches the bytes. False, and the bytes are purged, when the source went or another attempt was faster.
CREATE OR REPLACE FUNCTION storage_internal.variant_commit(
  source uuid, wanted_preset text, new_version uuid, true_size bigint, true_sha256 bytea,
  media_type text, pixel_width integer, pixel_height integer
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.versions SET state = 'stored', size = true_size, sha256 = true_sha256, content_type = media_type,
    detected_type = media_type, stored_at = now(), expires_at = NULL
  WHERE id = new_version AND state = 'writing';
  IF FOUND THEN
    UPDATE storage.variants SET status = 'completed', version_id = new_version, error = NULL,
      width = pixel_width, height = pixel_height, updated_at = now()
    WHERE source_version_id = source AND preset = wanted_preset AND status <> 'completed';
    IF FOUND THEN
      PERFORM storage_internal.files_follow_variants(source);
      RETURN true;
    END IF;
  END IF;
  PERFORM storage_internal.enqueue_purges(ARRAY[new_version]);
  RETURN false;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.variants_fail(source uuid, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.variants SET status = 'failed', error = left(reason, 1000), updated_at = now()
  WHERE source_version_id = source AND status IN ('pending', 'processing', 'failed');
  PERFORM storage_internal.files_follow_variants(source);
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.image_measured(source uuid, pixel_width integer, pixel_height integer, image_format text)
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO storage.image_metadata (version_id, width, height, format)
  SELECT v.id, pixel_width, pixel_height, image_format FROM storage.versions AS v
  WHERE v.id = source AND v.state = 'stored'
  ON CONFLICT ON CONSTRAINT image_metadata_pkey DO UPDATE
    SET width = EXCLUDED.width, height = EXCLUDED.height, format = EXCLUDED.format
$$;

-- The files rows of a version say what its variants say: failed when one failed, completed when all are there.
CREATE OR REPLACE FUNCTION storage_internal.files_follow_variants(source uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH state AS (
    SELECT
      CASE
        WHEN bool_or(v.status = 'failed') THEN 'failed'
        WHEN bool_and(v.status = 'completed') THEN 'completed'
        WHEN bool_or(v.status IN ('processing', 'completed')) THEN 'processing'
        ELSE 'pending'
      END AS status,
      min(v.error) AS error,
      min(b.key) FILTER (WHERE v.preset = 'small') AS small,
      min(b.key) FILTER (WHERE v.preset = 'medium') AS medium,
      min(b.key) FILTER (WHERE v.preset = 'large') AS large
    FROM storage.variants AS v LEFT JOIN storage.versions AS b ON b.id = v.version_id
    WHERE v.source_version_id = source
    HAVING count(*) > 0
  )
  UPDATE :"metadata".files AS f
  SET thumbnail_status = state.status, thumbnail_error = state.error, s3_thumbnail_small_key = state.small,
    s3_thumbnail_medium_key = state.medium, s3_thumbnail_large_key = state.large, updated_at = now(),
    width = coalesce(m.width, f.width), height = coalesce(m.height, f.height)
  FROM state, storage.objects AS o LEFT JOIN storage.image_metadata AS m ON m.version_id = o.version_id
  WHERE o.version_id = source AND f.object_id = o.id
$$;

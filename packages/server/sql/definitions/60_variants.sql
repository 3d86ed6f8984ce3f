-- Variants: derived objects, each with bytes of its own under a key of its own. Those of presets are made by a job, and are
-- what this file is about; others, when somebody asks for them. The rows are the truth: what is to be made, by which
-- parameters, and why it was not.

-- The presets of a set are few: each picture is made in all of them.
CREATE OR REPLACE FUNCTION storage.variant_presets_bounded() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (
    SELECT FROM storage.variant_presets AS p WHERE p.preset_set IN (SELECT n.preset_set FROM new_rows AS n)
    GROUP BY p.preset_set HAVING count(*) > 20)
  THEN
    RAISE EXCEPTION 'a set has at most 20 presets' USING ERRCODE = 'check_violation', SCHEMA = 'storage', TABLE = 'variant_presets';
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER variant_presets_inserted AFTER INSERT ON storage.variant_presets
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.variant_presets_bounded();
CREATE OR REPLACE TRIGGER variant_presets_updated AFTER UPDATE ON storage.variant_presets
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.variant_presets_bounded();

-- pending → processing → completed or failed; what failed may begin again, and what lost its bytes. Whatever else comes is a
-- mistake of whoever wrote it.
CREATE OR REPLACE FUNCTION storage.variants_refuse_transition() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'a variant that is % cannot become %', OLD.status, NEW.status USING ERRCODE = 'check_violation',
    SCHEMA = 'storage', TABLE = 'variants', COLUMN = 'status';
END
$$;
CREATE OR REPLACE TRIGGER variants_transition BEFORE UPDATE ON storage.variants FOR EACH ROW
  WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
    ('pending', 'processing'), ('pending', 'failed'), ('pending', 'not_applicable'),
    ('processing', 'completed'), ('processing', 'failed'), ('processing', 'pending'), ('processing', 'not_applicable'),
    ('failed', 'pending'), ('failed', 'processing'), ('failed', 'not_applicable'),
    ('completed', 'pending'), ('not_applicable', 'pending')))
  EXECUTE FUNCTION storage.variants_refuse_transition();

-- A preset as decoders take it.
CREATE OR REPLACE FUNCTION storage_internal.preset_params(p storage.variant_presets) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('name', (p).name, 'width', (p).width, 'height', (p).height, 'fit', (p).fit, 'position', (p).position,
      'format', (p).format, 'quality', (p).quality, 'background', (p).background)
    || jsonb_strip_nulls(jsonb_build_object('focal_x', (p).focal_x, 'focal_y', (p).focal_y,
      'animated', nullif((p).animated, false), 'document_fit', (p).document_fit, 'document_format', (p).document_format,
      'watermark', CASE WHEN (p).watermark_object_id IS NOT NULL THEN jsonb_build_object(
        'position', (p).watermark_position, 'opacity', (p).watermark_opacity, 'scale', (p).watermark_scale) END))
$$;

-- The bytes of a watermark, as they are now; NULL where they are missing or not to be shown.
CREATE OR REPLACE FUNCTION storage_internal.watermark_source(object_id uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('version_id', v.id, 'backend', v.backend, 'key', v.key, 'size', v.size)
  FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id
  WHERE o.id = object_id AND v.state = 'stored' AND v.quarantined_at IS NULL
$$;

-- The same with which bytes its watermark has: what a variant says that it was made by.
CREATE OR REPLACE FUNCTION storage_internal.variant_params(p storage.variant_presets) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage_internal.preset_params(p) || CASE WHEN (p).watermark_object_id IS NULL THEN '{}' ELSE jsonb_build_object(
    'watermark_version', storage_internal.watermark_source((p).watermark_object_id) -> 'version_id') END
$$;

-- The bytes of a version that nothing keeps from being shown, and its presets' variants with what each is to be. No row where
-- it is gone, in quarantine, or nothing names it any more. `params` is NULL for a preset that is in no set of its buckets;
-- `watermark` is where the bytes of one are, NULL also where they are missing.
CREATE OR REPLACE FUNCTION storage_internal.variants_to_make(source uuid)
RETURNS TABLE (key text, backend text, size bigint, content_type text, is_public boolean, variants jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v storage.versions;
  in_buckets text[];
BEGIN
  SELECT * INTO v FROM storage.versions WHERE id = source AND state = 'stored' AND quarantined_at IS NULL;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT array_agg(DISTINCT n.bucket_id) INTO in_buckets FROM (
    SELECT o.bucket_id FROM storage.objects AS o WHERE o.version_id = source
    UNION ALL
    SELECT h.bucket_id FROM storage.object_history AS h WHERE h.version_id = source
  ) AS n;
  IF in_buckets IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT v.key, v.backend, v.size, coalesce(v.detected_type, v.content_type),
      (SELECT bool_and(b.public) FROM storage.buckets AS b WHERE b.id = ANY (in_buckets)),
      (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'preset', d.preset, 'status', d.status, 'digest', d.digest,
          'params', x.params, 'watermark', x.watermark) ORDER BY d.preset), '[]')
        FROM storage.variants AS d LEFT JOIN LATERAL (
          -- Of several buckets with such a preset, the first's.
          SELECT storage_internal.variant_params(p) AS params, storage_internal.watermark_source(p.watermark_object_id) AS watermark
          FROM storage.buckets AS b JOIN storage.variant_presets AS p ON p.preset_set = b.preset_set
          WHERE b.id = ANY (in_buckets) AND p.name = d.preset ORDER BY b.id LIMIT 1
        ) AS x ON true
        WHERE d.source_version_id = source AND d.preset IS NOT NULL AND d.status <> 'not_applicable');
END
$$;

-- The intents of the bytes of some variants of one version. Answers which of them are still wanted. One that is completed stays
-- so, and is read, until its new bytes are there.
DROP FUNCTION IF EXISTS storage_internal.variant_begin(uuid, text, uuid, text, text);
CREATE OR REPLACE FUNCTION storage_internal.variants_begin(
  source uuid, wanted uuid[], new_versions uuid[], backend text, keys text[]
) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  begun uuid[];
BEGIN
  UPDATE storage.variants SET status = 'processing', error = NULL, failure = NULL, retry_at = NULL, updated_at = now()
  WHERE id = ANY (wanted) AND source_version_id = source AND status IN ('pending', 'processing', 'failed');
  IF FOUND THEN
    PERFORM storage_internal.files_follow_variants(source);
  END IF;
  SELECT array_agg(d.id) INTO begun FROM storage.variants AS d
  WHERE d.id = ANY (wanted) AND d.source_version_id = source AND d.status IN ('processing', 'completed');
  INSERT INTO storage.versions (id, backend, key, expires_at)
  SELECT n.version_id, variants_begin.backend, n.key, now() + interval '1 hour'
  FROM unnest(wanted, new_versions, keys) AS n (id, version_id, key) WHERE n.id = ANY (begun);
  RETURN coalesce(begun, '{}');
END
$$;

-- Attaches the bytes of variants: `made` is an array of {id, version_id, size, sha256, content_type, width, height, digest,
-- params}. What their rows had before is purged, and so are bytes whose source went, or that another attempt made faster.
-- Returns how many were attached.
DROP FUNCTION IF EXISTS storage_internal.variant_commit(uuid, text, uuid, bigint, bytea, text, integer, integer);
CREATE OR REPLACE FUNCTION storage_internal.variants_commit(source uuid, made jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  m record;
  d storage.variants;
  dropped uuid[] := '{}';
  attached integer := 0;
BEGIN
  -- Who puts the source into quarantine either has done so already, or finds these.
  PERFORM FROM storage.versions WHERE id = source FOR SHARE;
  FOR m IN
    SELECT * FROM jsonb_to_recordset(made) AS j (id uuid, version_id uuid, size bigint, sha256 text, content_type text,
      width integer, height integer, digest text, params jsonb) ORDER BY j.id
  LOOP
    -- Also what is dropped was stored: its bytes are all there, and go at once.
    UPDATE storage.versions SET state = 'stored', size = m.size, sha256 = decode(m.sha256, 'hex'), content_type = m.content_type,
      detected_type = m.content_type, stored_at = now(), expires_at = NULL
    WHERE id = m.version_id AND state = 'writing';
    CONTINUE WHEN NOT FOUND; -- it took so long that it was swept
    SELECT * INTO d FROM storage.variants AS v WHERE v.id = m.id AND v.source_version_id = source FOR UPDATE;
    IF NOT FOUND OR NOT (d.status = 'processing' OR (d.status = 'completed' AND d.digest IS DISTINCT FROM m.digest)) THEN
      dropped := dropped || m.version_id;
      CONTINUE;
    END IF;
    UPDATE storage.variants SET status = 'completed', version_id = m.version_id, width = m.width, height = m.height,
      content_type = m.content_type, size = m.size, digest = m.digest, params = m.params, failures = 0, updated_at = now()
    WHERE id = m.id;
    attached := attached + 1;
    IF d.version_id IS NOT NULL THEN
      dropped := dropped || d.version_id;
    END IF;
  END LOOP;
  IF attached > 0 THEN
    PERFORM storage_internal.derived_follow(ARRAY[source]);
    PERFORM storage_internal.files_follow_variants(source);
  END IF;
  IF cardinality(dropped) > 0 THEN
    PERFORM storage_internal.enqueue_purges(dropped);
  END IF;
  RETURN attached;
END
$$;

-- Says why variants could not be made. What may succeed later is tried again by itself: after an hour, four, sixteen and
-- sixty-four, and then no more. One that is completed keeps what it has.
CREATE OR REPLACE FUNCTION storage_internal.variants_fail(
  source uuid, wanted uuid[], failure text, reason text, is_permanent boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.variants AS d SET status = 'failed', error = left(reason, 1000), failure = variants_fail.failure,
    failures = least(d.failures + 1, 1000), updated_at = now(),
    retry_at = CASE WHEN NOT is_permanent AND d.failures < 4 THEN now() + interval '1 hour' * (4 ^ d.failures) END
  WHERE d.id = ANY (wanted) AND d.source_version_id = source AND d.status IN ('pending', 'processing', 'failed');
  IF FOUND THEN
    PERFORM storage_internal.files_follow_variants(source);
  END IF;
END
$$;

-- The same of everything that is not there yet, until somebody says otherwise: the version itself is not to be shown.
CREATE OR REPLACE FUNCTION storage_internal.variants_fail(source uuid, reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage_internal.variants_fail(source, array_agg(d.id), 'quarantined', reason, true)
  FROM storage.variants AS d WHERE d.source_version_id = source AND d.preset IS NOT NULL AND d.status <> 'completed'
$$;

-- The presets that these name are in no set of their buckets any more.
CREATE OR REPLACE FUNCTION storage_internal.variants_not_applicable(source uuid, wanted uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.variants AS d SET status = 'not_applicable', error = NULL, failure = NULL, retry_at = NULL, updated_at = now()
  WHERE d.id = ANY (wanted) AND d.source_version_id = source AND d.preset IS NOT NULL AND d.status IN ('pending', 'processing', 'failed');
  IF FOUND THEN
    PERFORM storage_internal.files_follow_variants(source);
  END IF;
END
$$;

-- The files rows of a version say what its presets' variants say: failed when one failed, completed when all are there.
CREATE OR REPLACE FUNCTION storage_internal.files_follow_variants(source uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH state AS (
    SELECT
      CASE
        WHEN bool_or(v.status = 'failed') THEN 'failed'
        WHEN bool_and(v.status = 'not_applicable') THEN 'not_applicable'
        WHEN bool_and(v.status IN ('completed', 'not_applicable')) THEN 'completed'
        WHEN bool_or(v.status IN ('processing', 'completed')) THEN 'processing'
        ELSE 'pending'
      END AS status,
      min(v.error) AS error,
      min(b.key) FILTER (WHERE v.preset = 'small') AS small,
      min(b.key) FILTER (WHERE v.preset = 'medium') AS medium,
      min(b.key) FILTER (WHERE v.preset = 'large') AS large
    FROM storage.variants AS v LEFT JOIN storage.versions AS b ON b.id = v.version_id
    WHERE v.source_version_id = source AND v.preset IS NOT NULL
    HAVING count(*) > 0
  )
  UPDATE :"metadata".files AS f
  SET thumbnail_status = state.status, thumbnail_error = state.error, s3_thumbnail_small_key = state.small,
    s3_thumbnail_medium_key = state.medium, s3_thumbnail_large_key = state.large, updated_at = now(),
    width = coalesce(m.width, f.width), height = coalesce(m.height, f.height)
  FROM state, storage.objects AS o LEFT JOIN storage.image_metadata AS m ON m.version_id = o.version_id
  WHERE o.version_id = source AND f.object_id = o.id
$$;

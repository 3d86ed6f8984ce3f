-- Variants that lost their job, or may succeed by now, are given one again; and variants of what is there already are made when
-- presets changed.

-- Whether a job for a version's variants waits that has not read their rows yet.
CREATE OR REPLACE FUNCTION storage_internal.variant_job_waits(source uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM :"metadata".river_job AS j
    WHERE j.kind = 'thumbnail_generate' AND j.args @> jsonb_build_object('version_id', source)
      AND j.state IN ('available', 'retryable', 'scheduled', 'pending'))
$$;

-- Gives jobs to files whose variants nobody asked for: their rows came while triggers were off.
CREATE OR REPLACE FUNCTION storage_internal.begin_forgotten_variants(row_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  files uuid[];
  version_ids uuid[];
  bucket_ids text[];
  without uuid[];
BEGIN
  SELECT array_agg(f.id), array_agg(f.version_id) FILTER (WHERE f.has_presets), array_agg(f.bucket_id) FILTER (WHERE f.has_presets),
    array_agg(f.id) FILTER (WHERE NOT f.has_presets)
  INTO files, version_ids, bucket_ids, without
  FROM (
    SELECT u.id, o.version_id, o.bucket_id, storage_internal.has_presets(o.bucket_id, o.content_type, o.detected_type) AS has_presets
    FROM :"metadata".files AS u JOIN storage.objects AS o ON o.id = u.object_id
    WHERE u.thumbnail_status = 'pending' AND u.created_at < now() - interval '5 minutes'
      AND NOT EXISTS (SELECT FROM storage.variants AS d WHERE d.source_version_id = o.version_id AND d.preset IS NOT NULL)
    ORDER BY u.created_at LIMIT row_limit
  ) AS f;
  IF files IS NULL THEN
    RETURN 0;
  END IF;
  IF version_ids IS NOT NULL THEN
    PERFORM storage_internal.enqueue_variants(version_ids, bucket_ids);
  END IF;
  IF without IS NOT NULL THEN
    UPDATE :"metadata".files SET thumbnail_status = 'not_applicable', updated_at = now() WHERE id = ANY (without);
  END IF;
  RETURN cardinality(files);
END
$$;

-- Gives a job to versions that have a variant which waits for none, or which failed and may succeed by now: the oldest first,
-- at most so many. Returns how many. A variant is left alone for five minutes: whoever is about to enqueue it, or has just
-- claimed its job, was not slower than that.
CREATE OR REPLACE FUNCTION storage_internal.requeue_variants(row_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sources uuid[];
BEGIN
  SELECT array_agg(lost.source) INTO sources FROM (
    SELECT due.source FROM (
      SELECT d.source_version_id AS source, min(d.updated_at) AS since FROM storage.variants AS d
      WHERE (d.status IN ('pending', 'processing') OR d.retry_at IS NOT NULL) AND d.preset IS NOT NULL
        AND CASE WHEN d.status = 'failed' THEN d.retry_at <= now() ELSE d.updated_at < now() - interval '5 minutes' END
      GROUP BY d.source_version_id
    ) AS due
    JOIN storage.versions AS v ON v.id = due.source AND v.state = 'stored' AND v.quarantined_at IS NULL
    -- One set of all jobs that live, not a look-up for each.
    WHERE NOT EXISTS (
      SELECT FROM :"metadata".river_job AS j
      WHERE j.kind = 'thumbnail_generate' AND j.args ->> 'version_id' = due.source::text
        AND j.state IN ('available', 'running', 'retryable', 'scheduled', 'pending'))
    ORDER BY due.since LIMIT row_limit
  ) AS lost;
  IF sources IS NULL THEN
    RETURN 0;
  END IF;
  UPDATE storage.variants SET status = 'pending', error = NULL, failure = NULL, retry_at = NULL, updated_at = now()
  WHERE source_version_id = ANY (sources) AND preset IS NOT NULL
    AND (status IN ('pending', 'processing') OR (status = 'failed' AND retry_at <= now()));
  PERFORM storage_internal.files_follow_variants(s) FROM unnest(sources) AS s;
  PERFORM :"metadata".enqueue_jobs(
    'thumbnail_generate', array_agg(jsonb_build_object('version_id', s)), 'thumbnails', 3::smallint) FROM unnest(sources) AS s;
  RETURN cardinality(sources);
END
$$;

-- Looks at the next objects of a bucket in the order of their names, and asks for the variants that its presets now say and that
-- are not there, or (unless `only_missing`) were made by other parameters. With `is_trial` nothing is changed. `last_name` is
-- NULL at the end of the bucket. `wanted` are variants, `enqueued` versions that got a job for them: behind those of new files. Thumbnails that a deployed system made are never made again: its rows name their keys.
CREATE OR REPLACE FUNCTION storage_internal.rebuild_variants(
  wanted_bucket text, after_name text, page_size integer, wanted_preset text, only_missing boolean, is_trial boolean,
  OUT last_name text, OUT examined bigint, OUT images bigint, OUT wanted bigint, OUT enqueued bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sources uuid[];
  todo jsonb;
  changed uuid[];
  jobless uuid[];
BEGIN
  SELECT count(*), array_agg(DISTINCT o.version_id) FILTER (WHERE storage_internal.variants_wanted(o.content_type, o.detected_type)),
    CASE WHEN count(*) = page_size THEN max(o.name) END
  INTO examined, sources, last_name
  FROM (
    SELECT n.name, n.version_id, n.content_type, n.detected_type FROM storage.objects AS n
    WHERE n.bucket_id = wanted_bucket AND n.name > after_name ORDER BY n.name LIMIT page_size
  ) AS o;
  images := coalesce(cardinality(sources), 0);
  SELECT count(*), jsonb_agg(jsonb_build_object('source', t.source, 'preset', t.name, 'id', t.id)), array_agg(DISTINCT t.source)
  INTO wanted, todo, changed
  FROM (
    SELECT s AS source, p.name, d.id
    FROM unnest(sources) AS s JOIN storage.versions AS v ON v.id = s AND v.quarantined_at IS NULL
    JOIN storage.buckets AS b ON b.id = wanted_bucket
    JOIN storage.variant_presets AS p ON p.preset_set = b.preset_set AND (wanted_preset IS NULL OR p.name = wanted_preset)
    LEFT JOIN storage.variants AS d ON d.source_version_id = s AND d.preset = p.name
    LEFT JOIN storage.versions AS made ON made.id = d.version_id
    WHERE d.status IS DISTINCT FROM 'completed' OR (NOT only_missing
      AND d.params IS DISTINCT FROM storage_internal.variant_params(p)
      AND (d.digest IS NOT NULL OR made.key ~ '^objects/[0-9a-f]{2}/[0-9a-f-]{36}$'))
  ) AS t;
  changed := coalesce(changed, '{}');
  jobless := ARRAY(SELECT s FROM unnest(changed) AS s WHERE NOT storage_internal.variant_job_waits(s));
  enqueued := cardinality(jobless);
  IF is_trial OR cardinality(changed) = 0 THEN
    RETURN;
  END IF;
  INSERT INTO storage.variants AS d (source_version_id, preset)
  SELECT t.source, t.preset FROM jsonb_to_recordset(todo) AS t (source uuid, preset text, id uuid) WHERE t.id IS NULL
  ON CONFLICT ON CONSTRAINT variants_one_per_preset DO NOTHING;
  UPDATE storage.variants AS d
  SET digest = CASE WHEN d.status = 'completed' THEN repeat('0', 64) ELSE d.digest END, error = NULL, failure = NULL, failures = 0,
    retry_at = NULL, updated_at = now(),
    status = CASE WHEN d.status IN ('failed', 'not_applicable') THEN 'pending' ELSE d.status END
  FROM jsonb_to_recordset(todo) AS t (source uuid, preset text, id uuid) WHERE d.id = t.id;
  PERFORM storage_internal.files_follow_variants(s) FROM unnest(changed) AS s;
  IF enqueued > 0 THEN
    PERFORM :"metadata".enqueue_jobs(
      'thumbnail_generate', array_agg(jsonb_build_object('version_id', s)), 'thumbnails', 4::smallint) FROM unnest(jobless) AS s;
  END IF;
END
$$;

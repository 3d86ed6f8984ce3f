-- Pictures rendered when they are asked for. Who may read an object may read it in any size: the object is found under the
-- caller's policies, and its pictures with it. Of many who ask for one at once, in however many processes, one renders: who
-- has the lease of its row. Lock order: the source's version, the variant, its row here.

-- The picture of a version with a digest, made on demand or as a preset; one that is there before one that is not. Always one
-- row: `is_image` says whether a picture can be made of it. STABLE: it sees what the query sees that calls it.
CREATE OR REPLACE FUNCTION storage_internal.render_location(source uuid, wanted_digest text)
RETURNS TABLE (
  is_image boolean, variant_id uuid, status text, key text, backend text, size bigint, content_type text, sha256 bytea
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT storage_internal.variants_wanted(s.content_type, s.detected_type), d.id, d.status, v.key, v.backend, v.size,
      v.content_type, v.sha256
    FROM storage.versions AS s
    LEFT JOIN storage.variants AS d ON d.source_version_id = s.id AND d.digest = wanted_digest
    LEFT JOIN storage.versions AS v ON v.id = d.version_id AND v.quarantined_at IS NULL
    WHERE s.id = source
    ORDER BY v.id IS NULL, d.preset IS NOT NULL LIMIT 1;
END
$$;

-- An object, where its bytes are, and its picture where there is one. `wanted_digests`: by the type of the source, `*` for any
-- other. SECURITY INVOKER, like storage.read_object; what is in quarantine is not found.
CREATE OR REPLACE FUNCTION storage.read_render(wanted_bucket text, wanted_name text, wanted_digests jsonb)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text, public boolean, is_image boolean, variant_id uuid,
  source_id uuid, source_key text, source_backend text, source_size bigint, source_type text
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.id, d.key, d.backend, d.size, d.content_type, d.content_type, d.sha256, o.cache_control, o.updated_at, d.status,
    EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = o.bucket_id AND b.public), d.is_image, d.variant_id,
    o.version_id, s.key, s.backend, s.size, coalesce(s.detected_type, s.content_type)
  FROM storage.objects AS o
  CROSS JOIN LATERAL storage_internal.version_location(o.version_id) AS s
  CROSS JOIN LATERAL storage_internal.render_location(o.version_id,
    coalesce(wanted_digests ->> coalesce(s.detected_type, s.content_type), wanted_digests ->> '*')) AS d
  WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
END;

-- The same as one statement of the API's login role, as read_object_as.
CREATE OR REPLACE FUNCTION storage_internal.read_render_as(
  caller_role text, claims text, wanted_bucket text, wanted_name text, wanted_digests jsonb
)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text, public boolean, is_image boolean, variant_id uuid,
  source_id uuid, source_key text, source_backend text, source_size bigint, source_type text
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', claims, true),
    set_config('storage.operation', 'storage.render.image', true), set_config('role', caller_role, true);
  PERFORM storage.search_as_caller();
  IF caller_role = :'authenticated' THEN
    RETURN QUERY SELECT * FROM storage.read_render(wanted_bucket, wanted_name, wanted_digests);
  ELSIF caller_role = :'anon' THEN
    RETURN QUERY SELECT * FROM storage.read_render(wanted_bucket, wanted_name, wanted_digests);
  ELSE
    RETURN QUERY SELECT * FROM storage.read_render(wanted_bucket, wanted_name, wanted_digests);
  END IF;
  PERFORM set_config('role', 'none', true);
END
$$;

-- What a signed URL of a picture opens: as open_signed_object, which judges it.
CREATE OR REPLACE FUNCTION storage_internal.open_signed_render(
  wanted_bucket text, wanted_name text, wanted_id uuid, wanted_digests jsonb, url_id text, signed_at double precision,
  wanted_version uuid, wanted_type text, size_max bigint, wanted_sha256 text, use text
)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text, public boolean, is_image boolean, variant_id uuid,
  source_id uuid, source_key text, source_backend text, source_size bigint, source_type text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT o.object_id, d.key, d.backend, d.size, d.content_type, d.content_type, d.sha256, o.cache_control, o.updated_at,
      d.status, false, d.is_image, d.variant_id, s.id, o.key, o.backend, o.size, coalesce(o.detected_type, o.content_type)
    FROM storage_internal.open_signed_object(wanted_bucket, wanted_name, wanted_id, NULL, url_id, signed_at, wanted_version,
      wanted_type, size_max, wanted_sha256, use) AS o
    JOIN storage.versions AS s ON s.backend = o.backend AND s.key = o.key
    CROSS JOIN LATERAL storage_internal.render_location(s.id,
      coalesce(wanted_digests ->> coalesce(o.detected_type, o.content_type), wanted_digests ->> '*')) AS d;
END
$$;

-- Why a preset's variant failed, for somebody who was shown that it did; NULL where it did not.
CREATE OR REPLACE FUNCTION storage_internal.variant_error(
  wanted_bucket text, wanted_name text, wanted_version uuid, wanted_preset text
) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.error FROM storage.objects AS o
  JOIN storage.variants AS d ON d.source_version_id = coalesce(wanted_version, o.version_id) AND d.preset = wanted_preset
  WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name
$$;

-- Asks to render. `render`: the caller has the lease. `unkept`: its bucket keeps none, so nobody has one. `wait`: somebody else
-- renders it. `done`: it is there. `failed`: it cannot be made, and `error` says why. `cooling`: it failed a moment ago.
-- `unsupported`: no picture is made of such bytes. `gone`: its source is not there any more. Whoever had the lease and did not
-- end in time counts as failed: three attempts, and it is not tried again.
CREATE OR REPLACE FUNCTION storage_internal.render_begin(
  source uuid, wanted_bucket text, wanted_digest text, wanted_params jsonb, new_render uuid, lease_seconds double precision,
  OUT verdict text, OUT error text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v storage.versions;
  d storage.variants;
  r storage.renders;
  until_when constant timestamptz := now() + make_interval(secs => lease_seconds);
BEGIN
  SELECT * INTO v FROM storage.versions WHERE id = source;
  IF NOT FOUND OR v.state <> 'stored' OR v.quarantined_at IS NOT NULL THEN
    verdict := 'gone';
    RETURN;
  ELSIF NOT storage_internal.variants_wanted(v.content_type, v.detected_type) THEN
    verdict := 'unsupported';
    RETURN;
  ELSIF NOT EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = wanted_bucket AND b.render_budget > 0) THEN
    verdict := 'unkept';
    RETURN;
  END IF;
  INSERT INTO storage.variants (source_version_id, digest, params, status, used_at)
  VALUES (source, wanted_digest, wanted_params, 'processing', now())
  ON CONFLICT (source_version_id, digest) WHERE preset IS NULL DO NOTHING RETURNING * INTO d;
  IF FOUND THEN
    INSERT INTO storage.renders (variant_id, bucket_id, render_id, leased_until)
    VALUES (d.id, wanted_bucket, new_render, until_when);
    verdict := 'render';
    RETURN;
  END IF;
  SELECT * INTO d FROM storage.variants WHERE source_version_id = source AND digest = wanted_digest AND preset IS NULL FOR UPDATE;
  SELECT * INTO r FROM storage.renders WHERE variant_id = d.id FOR UPDATE;
  verdict := CASE
    WHEN r.variant_id IS NULL THEN 'wait' -- it went in between: the next look begins anew
    WHEN d.status = 'completed' THEN 'done'
    WHEN d.status = 'processing' AND r.leased_until > now() THEN 'wait'
    WHEN r.attempts >= 3 THEN 'failed'
    WHEN r.leased_until > now() THEN 'cooling'
    ELSE 'render' END;
  IF verdict = 'failed' AND d.status = 'processing' THEN
    d.error := 'the picture could not be made in time';
    UPDATE storage.variants SET status = 'failed', error = d.error, updated_at = now() WHERE id = d.id;
  ELSIF verdict = 'render' THEN
    UPDATE storage.variants SET status = 'processing', error = NULL, used_at = now(), updated_at = now() WHERE id = d.id;
    UPDATE storage.renders SET attempts = r.attempts + 1, render_id = new_render, leased_until = until_when WHERE variant_id = d.id;
  END IF;
  error := CASE WHEN verdict IN ('failed', 'cooling') THEN d.error END;
END
$$;

-- Whether somebody still has the lease of a picture.
CREATE OR REPLACE FUNCTION storage_internal.render_is_leased(source uuid, wanted_digest text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM storage.variants AS d JOIN storage.renders AS r ON r.variant_id = d.id
    WHERE d.source_version_id = source AND d.digest = wanted_digest AND d.preset IS NULL AND d.status = 'processing'
      AND r.leased_until > now())
$$;

-- The intent of a picture's bytes; false where the lease went to somebody else.
CREATE OR REPLACE FUNCTION storage_internal.render_intent(render uuid, new_backend text, new_key text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM storage.renders AS r WHERE r.render_id = render) THEN
    RETURN false;
  END IF;
  INSERT INTO storage.versions (id, backend, key, expires_at) VALUES (render, new_backend, new_key, now() + interval '1 hour');
  RETURN true;
END
$$;

-- Attaches a picture's bytes. `kept`; `late` where somebody else had the lease by now, and `gone` where nothing points at its
-- source any more or it is not to be served: then its bytes are purged.
CREATE OR REPLACE FUNCTION storage_internal.render_commit(
  source uuid, render uuid, true_size bigint, true_sha256 bytea, media_type text, pixel_width integer, pixel_height integer
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted uuid;
  outcome text := 'late';
BEGIN
  PERFORM FROM storage.versions AS v WHERE v.id = source AND v.state = 'stored' AND v.quarantined_at IS NULL FOR SHARE;
  IF NOT FOUND OR NOT storage_internal.version_is_referenced(source) THEN
    outcome := 'gone';
  ELSE
    SELECT d.id INTO wanted FROM storage.renders AS r JOIN storage.variants AS d ON d.id = r.variant_id
    WHERE r.render_id = render AND d.source_version_id = source AND d.status = 'processing' FOR UPDATE OF d;
    IF FOUND THEN
      UPDATE storage.versions AS v SET state = 'stored', size = true_size, sha256 = true_sha256, content_type = media_type,
        detected_type = media_type, stored_at = now(), expires_at = NULL
      WHERE v.id = render AND v.state = 'writing';
      IF FOUND THEN
        UPDATE storage.variants AS d SET status = 'completed', version_id = render, error = NULL, width = pixel_width,
          height = pixel_height, content_type = media_type, size = true_size, used_at = now(), updated_at = now()
        WHERE d.id = wanted;
        RETURN 'kept';
      END IF;
    END IF;
  END IF;
  PERFORM storage_internal.render_give_up(render);
  RETURN outcome;
END
$$;

-- Nobody renders this any more: the row of the lease goes, and whatever came as bytes.
CREATE OR REPLACE FUNCTION storage_internal.render_give_up(render uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM storage.variants AS d USING storage.renders AS r
  WHERE r.render_id = render AND d.id = r.variant_id AND d.status = 'processing';
  UPDATE storage.versions AS v SET expires_at = now() WHERE v.id = render AND v.state = 'writing';
  IF FOUND THEN
    PERFORM storage_internal.enqueue_purges(ARRAY[render]);
  END IF;
END
$$;

-- Says why a picture was not made. What would fail again is not tried again; else not for `pause_seconds`.
CREATE OR REPLACE FUNCTION storage_internal.render_fail(
  render uuid, reason text, is_permanent boolean, pause_seconds double precision
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted uuid;
BEGIN
  SELECT d.id INTO wanted FROM storage.renders AS r JOIN storage.variants AS d ON d.id = r.variant_id
  WHERE r.render_id = render AND d.status = 'processing' FOR UPDATE OF d;
  IF FOUND THEN
    UPDATE storage.variants AS d SET status = 'failed', error = left(reason, 1000), updated_at = now() WHERE d.id = wanted;
    UPDATE storage.renders AS r SET leased_until = now() + make_interval(secs => pause_seconds),
      attempts = CASE WHEN is_permanent THEN greatest(r.attempts, 3) ELSE r.attempts END
    WHERE r.variant_id = wanted;
  END IF;
END
$$;

-- These were read; told at most once a minute of each.
CREATE OR REPLACE FUNCTION storage_internal.renders_used(wanted uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.variants AS d SET used_at = now()
  FROM (
    SELECT u.id FROM storage.variants AS u
    WHERE u.id = ANY (wanted) AND u.preset IS NULL AND u.used_at < now() - interval '1 minute'
    ORDER BY u.id FOR UPDATE SKIP LOCKED
  ) AS due
  WHERE d.id = due.id
$$;

-- Lets go of the pictures of a bucket that were asked for longest ago, when they are more than its budget: until a sixteenth of
-- it is free. A row counts as 4 KiB at least, so that there are not too many. Answers the budget; one at a time for a bucket.
CREATE OR REPLACE FUNCTION storage_internal.trim_renders(wanted_bucket text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  budget constant bigint := coalesce((SELECT b.render_budget FROM storage.buckets AS b WHERE b.id = wanted_bucket), 0);
  dropped uuid[];
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('rowlock.renders ' || wanted_bucket, 0)) THEN
    RETURN budget;
  END IF;
  WITH ranked AS (
    SELECT d.id, sum(greatest(d.size, 4096)) OVER (ORDER BY d.used_at DESC, d.id) AS so_far,
      sum(greatest(d.size, 4096)) OVER () AS total
    FROM storage.renders AS r JOIN storage.variants AS d ON d.id = r.variant_id
    WHERE r.bucket_id = wanted_bucket AND d.status <> 'processing'
  ), gone AS (
    DELETE FROM storage.variants AS d USING ranked AS x
    WHERE d.id = x.id AND d.status <> 'processing' AND x.total > budget AND x.so_far > budget - budget / 16
    RETURNING d.version_id
  )
  SELECT array_agg(gone.version_id) FILTER (WHERE gone.version_id IS NOT NULL) INTO dropped FROM gone;
  IF dropped IS NOT NULL THEN
    PERFORM storage_internal.enqueue_purges(dropped);
  END IF;
  RETURN budget;
END
$$;

-- What the sweep does for pictures: every bucket within its budget; leases that ended long ago, and failures, forgotten.
CREATE OR REPLACE FUNCTION storage_internal.sweep_renders(row_limit integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM storage.variants AS d WHERE d.id IN (
    SELECT r.variant_id FROM storage.renders AS r JOIN storage.variants AS e ON e.id = r.variant_id
    WHERE e.status <> 'completed' AND r.leased_until < now() - interval '1 hour' ORDER BY r.variant_id LIMIT row_limit);
  PERFORM storage_internal.trim_renders(b.bucket_id) FROM (SELECT DISTINCT r.bucket_id FROM storage.renders AS r) AS b;
END
$$;

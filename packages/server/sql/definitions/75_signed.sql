-- Signed URLs. Whoever may read an object may sign for it; the signature then stands for that right until it expires or
-- is revoked. Times are this database's: a URL's beginning is compared with revocations.

-- Who signs, as 16 characters: role and id of the caller, of which nobody learns more than whether two are the same.
CREATE OR REPLACE FUNCTION storage.signed_url_issuer() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT translate(encode(substring(sha256(convert_to(
    current_user::text || chr(10) || coalesce(storage.caller_id(), ''), 'UTF8')) FROM 1 FOR 12), 'base64'), '+/', '-_');
END;

CREATE OR REPLACE FUNCTION storage.caller_owns_object(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM storage.objects AS o
    WHERE o.id = wanted AND (o.owner_id = storage.caller_id() OR EXISTS (
      SELECT FROM storage.buckets AS b WHERE b.id = o.bucket_id AND b.owner_id = storage.caller_id())));
END;

-- Signing. SECURITY INVOKER: these find only what the caller may select.

CREATE OR REPLACE FUNCTION storage.find_to_sign(wanted_bucket text, wanted_name text)
RETURNS TABLE (object_id uuid, version_id uuid)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.id, o.version_id FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
END;

CREATE OR REPLACE FUNCTION storage.find_variant_to_sign(wanted_version uuid, wanted_preset text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT d.status FROM storage.variants AS d WHERE d.source_version_id = wanted_version AND d.preset = wanted_preset;
END;

-- The ids of many names, one behind the other in their order, each 36 characters: dashes for what is hidden or missing.
CREATE OR REPLACE FUNCTION storage.find_all_to_sign(wanted_bucket text, wanted_names text[])
RETURNS TABLE (object_ids text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT string_agg(coalesce(o.id::text, '------------------------------------'), '' ORDER BY n.place)
  FROM unnest(wanted_names) WITH ORDINALITY AS n (name, place)
  LEFT JOIN storage.objects AS o ON o.bucket_id = wanted_bucket AND o.name = n.name;
END;

-- Keeps a URL on the list, and counts its uses where `uses_max` says so.
CREATE OR REPLACE FUNCTION storage_internal.register_signed_url(u storage.signed_urls) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO storage.signed_urls (id, object_id, bucket_id, name, preset, uses_max, uses_left, signed_at, expires_at)
  SELECT u.id, u.object_id, u.bucket_id, u.name, u.preset, u.uses_max, u.uses_max, u.signed_at, u.expires_at
$$;

-- Finds what is to be signed, as one statement of the API's login role: becomes the caller, looks, comes back. A right
-- that was taken away before a revocation signs nothing after it: the time is that of the statement's arrival, before
-- it sees anything. `unique_part` is not NULL where the URL is to be registered.
CREATE OR REPLACE FUNCTION storage_internal.sign_object_as(
  caller_role text, claims text, wanted_bucket text, wanted_name text, wanted_preset text, wanted_version uuid,
  unique_part text, uses_max integer, expiry_seconds integer,
  OUT object_id uuid, OUT variant_status text, OUT issuer text, OUT signed_at text
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_version uuid;
  began constant timestamptz := statement_timestamp();
  is_kept boolean := true;
  u storage.signed_urls;
BEGIN
  PERFORM set_config('request.jwt.claims', claims, true), set_config('storage.operation', 'storage.object.sign', true),
    set_config('role', caller_role, true);
  PERFORM storage.search_as_caller();
  -- One statement for each usual role, as in read_object_as.
  IF caller_role = :'authenticated' THEN
    SELECT f.object_id, f.version_id INTO object_id, found_version FROM storage.find_to_sign(wanted_bucket, wanted_name) AS f;
  ELSIF caller_role = :'anon' THEN
    SELECT f.object_id, f.version_id INTO object_id, found_version FROM storage.find_to_sign(wanted_bucket, wanted_name) AS f;
  ELSE
    SELECT f.object_id, f.version_id INTO object_id, found_version FROM storage.find_to_sign(wanted_bucket, wanted_name) AS f;
  END IF;
  IF wanted_preset IS NOT NULL THEN
    variant_status := storage.find_variant_to_sign(found_version, wanted_preset);
  END IF;
  issuer := storage.signed_url_issuer();
  IF wanted_version <> found_version THEN
    is_kept := EXISTS (
      SELECT FROM storage.object_history AS h
      WHERE h.object_id = sign_object_as.object_id AND h.version_id = wanted_version
        AND (h.purge_after IS NULL OR h.purge_after > began));
  END IF;
  PERFORM set_config('role', 'none', true), set_config('search_path', 'pg_catalog, pg_temp', true);
  signed_at := extract(epoch FROM began)::text;
  IF NOT is_kept THEN
    object_id := NULL;
  END IF;
  IF unique_part IS NOT NULL AND object_id IS NOT NULL AND (wanted_preset IS NULL OR variant_status IS NOT NULL) THEN
    u.id := issuer || unique_part;
    u.object_id := object_id;
    u.bucket_id := wanted_bucket;
    u.name := wanted_name;
    u.preset := wanted_preset;
    u.uses_max := uses_max;
    u.signed_at := began;
    u.expires_at := date_trunc('second', began) + make_interval(secs => expiry_seconds);
    PERFORM storage_internal.register_signed_url(u);
  END IF;
END
$$;

-- The same for many names of a bucket.
CREATE OR REPLACE FUNCTION storage_internal.sign_objects_as(
  caller_role text, claims text, wanted_bucket text, wanted_names text[],
  OUT object_ids text, OUT issuer text, OUT signed_at text
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  signed_at := extract(epoch FROM statement_timestamp())::text;
  PERFORM set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', claims, true),
    set_config('storage.operation', 'storage.object.sign_many', true), set_config('role', caller_role, true);
  PERFORM storage.search_as_caller();
  IF caller_role = :'authenticated' THEN
    SELECT f.object_ids INTO object_ids FROM storage.find_all_to_sign(wanted_bucket, wanted_names) AS f;
  ELSIF caller_role = :'anon' THEN
    SELECT f.object_ids INTO object_ids FROM storage.find_all_to_sign(wanted_bucket, wanted_names) AS f;
  ELSE
    SELECT f.object_ids INTO object_ids FROM storage.find_all_to_sign(wanted_bucket, wanted_names) AS f;
  END IF;
  issuer := storage.signed_url_issuer();
  PERFORM set_config('role', 'none', true);
END
$$;

-- Opens what a signed URL names: its policy said yes when it was signed. The object's id is part of the signature, so a
-- URL never serves another object that took the name later. All columns are NULL where it is not there, or has not the
-- version that the URL is bound to. `use`: 'take' counts one use, 'look' asks that one is left, NULL does neither.
--
-- Refuses with `url_revoked`, `url_used_up`, `precondition_failed`; a refused use is not counted.
CREATE OR REPLACE FUNCTION storage_internal.open_signed_object(
  wanted_bucket text, wanted_name text, wanted_id uuid, wanted_preset text, url_id text, signed_at double precision,
  wanted_version uuid, wanted_type text, size_max bigint, wanted_sha256 text, use text,
  OUT object_id uuid, OUT key text, OUT backend text, OUT size bigint, OUT content_type text, OUT detected_type text,
  OUT sha256 bytea, OUT cache_control text, OUT updated_at timestamptz, OUT variant_status text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  seen record;
BEGIN
  SELECT o.id, v.key, v.backend, v.size, v.content_type, v.detected_type, v.sha256, o.cache_control, o.updated_at, d.status,
    s.size AS source_size, s.content_type AS source_type, s.sha256 AS source_sha256,
    EXISTS (
      SELECT FROM storage.signed_url_revocations AS r
      WHERE r.value = ANY (ARRAY['*', url_id, left(url_id, 16), wanted_id::text, wanted_id::text || '/' || url_id])
        AND r.revoked_before >= to_timestamp(signed_at)) AS is_revoked
  INTO seen
  FROM storage.objects AS o
  JOIN storage.versions AS s ON s.id = CASE
    WHEN wanted_version IS NULL OR wanted_version = o.version_id THEN o.version_id
    ELSE storage_internal.kept_version(o.id, wanted_version) END AND s.quarantined_at IS NULL
  LEFT JOIN storage.variants AS d ON d.source_version_id = s.id AND d.preset = wanted_preset
  LEFT JOIN storage.versions AS v ON v.id = CASE WHEN wanted_preset IS NULL THEN s.id ELSE d.version_id END
  WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name AND o.id = wanted_id;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF seen.is_revoked THEN
    PERFORM storage.refuse('url_revoked', 'The signed URL was revoked');
  END IF;
  IF wanted_type <> coalesce(seen.source_type, 'application/octet-stream') OR seen.source_size > size_max
    OR wanted_sha256 <> coalesce(encode(seen.source_sha256, 'hex'), '')
  THEN
    PERFORM storage.refuse('precondition_failed', 'The object is not any more what the URL was signed for');
  END IF;
  IF use = 'take' AND seen.key IS NOT NULL THEN
    UPDATE storage.signed_urls AS u SET uses_left = u.uses_left - 1, last_used_at = now()
    WHERE u.id = url_id AND u.uses_left > 0;
    IF NOT FOUND THEN
      PERFORM storage.refuse('url_used_up', 'The signed URL was used as often as it may be');
    END IF;
  ELSIF use = 'look' AND NOT EXISTS (SELECT FROM storage.signed_urls AS u WHERE u.id = url_id AND u.uses_left > 0) THEN
    PERFORM storage.refuse('url_used_up', 'The signed URL was used as often as it may be');
  END IF;
  object_id := seen.id;
  key := seen.key;
  backend := seen.backend;
  size := seen.size;
  content_type := seen.content_type;
  detected_type := seen.detected_type;
  sha256 := seen.sha256;
  cache_control := seen.cache_control;
  updated_at := seen.updated_at;
  variant_status := seen.status;
END
$$;

-- A version that the history of this very object keeps; NULL where it does not.
CREATE OR REPLACE FUNCTION storage_internal.kept_version(wanted_object uuid, wanted_version uuid) RETURNS uuid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT h.version_id FROM storage.object_history AS h
  WHERE h.object_id = wanted_object AND h.version_id = wanted_version AND (h.purge_after IS NULL OR h.purge_after > now())
  LIMIT 1
$$;

-- Revoking: a row that policies judge. It holds as soon as it is committed.

CREATE OR REPLACE FUNCTION storage.signed_url_revocations_fill() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- One URL is over for ever; of an issuer or an object those that were signed until now.
  NEW.revoked_before := CASE WHEN NEW.scope IN ('id', 'object_url') THEN 'infinity' ELSE clock_timestamp() END;
  NEW.revoked_by := storage.caller_id();
  NEW.created_at := now();
  -- A day more than any URL lives, for clocks that are wrong.
  NEW.expires_at := now() + interval '8 days';
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER signed_url_revocations_fill BEFORE INSERT ON storage.signed_url_revocations
  FOR EACH ROW EXECUTE FUNCTION storage.signed_url_revocations_fill();

-- The newest row of a value says all, and what is revoked is on no list.
CREATE OR REPLACE FUNCTION storage.signed_url_revocations_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM storage.signed_url_revocations AS r USING new_rows AS n WHERE r.value = n.value AND r.sequence < n.sequence;
  DELETE FROM storage.signed_urls AS u USING new_rows AS n WHERE u.id = right(n.value, 32) AND n.scope IN ('id', 'object_url')
    AND (n.scope = 'id' OR u.object_id::text = left(n.value, 36));
  DELETE FROM storage.signed_urls AS u USING new_rows AS n
  WHERE n.scope = 'issuer' AND u.issuer = n.value AND u.signed_at <= n.revoked_before;
  DELETE FROM storage.signed_urls AS u USING new_rows AS n
  WHERE u.object_id = CASE WHEN n.scope = 'object' THEN n.value::uuid END AND u.signed_at <= n.revoked_before;
  DELETE FROM storage.signed_urls AS u USING new_rows AS n WHERE n.scope = 'all' AND u.signed_at <= n.revoked_before;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER signed_url_revocations_follow AFTER INSERT ON storage.signed_url_revocations
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.signed_url_revocations_follow();

-- Revokes signed URLs: 'id' and its id, 'object' and its id, 'issuer' and its 16 characters (one's own unless given),
-- or 'all'. SECURITY INVOKER: the policies of storage.signed_url_revocations say who may.
CREATE OR REPLACE FUNCTION storage.revoke_signed_urls(scope text, value text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM storage.search_as_caller();
  INSERT INTO storage.signed_url_revocations (scope, value)
  VALUES (revoke_signed_urls.scope, CASE revoke_signed_urls.scope
    WHEN 'all' THEN '*'
    WHEN 'issuer' THEN coalesce(revoke_signed_urls.value, storage.signed_url_issuer())
    WHEN 'object' THEN lower(revoke_signed_urls.value)
    ELSE revoke_signed_urls.value END);
END
$$;

-- Revokes every signed URL of an object, or the one with an id. False where the object is hidden or missing.
CREATE OR REPLACE FUNCTION storage.revoke_object_urls(wanted_bucket text, wanted_name text, url_id text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_id uuid;
BEGIN
  PERFORM storage.search_as_caller();
  SELECT o.id INTO found_id FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF url_id IS NULL THEN
    INSERT INTO storage.signed_url_revocations (scope, value) VALUES ('object', found_id::text);
  ELSIF left(url_id, 16) = storage.signed_url_issuer() THEN
    INSERT INTO storage.signed_url_revocations (scope, value) VALUES ('id', url_id);
  ELSE
    INSERT INTO storage.signed_url_revocations (scope, value) VALUES ('object_url', found_id::text || '/' || url_id);
  END IF;
  RETURN true;
END
$$;

-- Forgets URLs that have expired, and revocations that outlived every URL they could name; returns how many rows went.
CREATE OR REPLACE FUNCTION storage_internal.sweep_signed_urls(row_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH urls AS (
    DELETE FROM storage.signed_urls
    WHERE id IN (SELECT id FROM storage.signed_urls WHERE expires_at <= now() ORDER BY expires_at LIMIT row_limit)
    RETURNING 1
  ), revocations AS (
    DELETE FROM storage.signed_url_revocations
    WHERE sequence IN (SELECT sequence FROM storage.signed_url_revocations WHERE expires_at <= now() ORDER BY expires_at LIMIT row_limit)
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM urls) + (SELECT count(*) FROM revocations)
$$;

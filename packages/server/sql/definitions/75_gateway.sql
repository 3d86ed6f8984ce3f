-- The gateway: reading by the keys under which deployed applications ask a store for files, and the sessions behind its
-- cookie. Whoever has a session is its token's caller, under the same policies as with the token; one row less, and the
-- next request has none.

-- SECURITY INVOKER, like storage.read_object: these find only what the caller may select.

-- The bytes of a file, or a thumbnail of them, by the file's id. `wanted_key` must be one that the file has.
CREATE OR REPLACE FUNCTION storage.read_file(wanted_bucket text, wanted_key text, wanted_file uuid, wanted_preset text)
RETURNS TABLE (
  bucket_id text, name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text,
  sha256 bytea, cache_control text, updated_at timestamptz, variant_status text, public boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.bucket_id, o.name, o.id, l.key, l.backend, l.size, l.content_type, l.detected_type, l.sha256, o.cache_control,
    o.updated_at, d.status, EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = o.bucket_id AND b.public)
  FROM :"metadata".files AS f JOIN storage.objects AS o ON o.id = f.object_id
  LEFT JOIN storage.variants AS d ON d.source_version_id = o.version_id AND d.preset = wanted_preset
  LEFT JOIN LATERAL storage_internal.version_location(
    CASE WHEN wanted_preset IS NULL THEN o.version_id ELSE d.version_id END) AS l ON true
  WHERE f.id = wanted_file AND o.bucket_id = wanted_bucket
    AND CASE WHEN wanted_preset IS NULL THEN f.s3_original_key = wanted_key
      ELSE starts_with(wanted_key, f.s3_key_prefix || '/thumb-') END
    -- Neither what is in quarantine, nor a thumbnail of it.
    AND EXISTS (SELECT FROM storage_internal.version_location(o.version_id));
END;

-- A variant by the version that its key names.
CREATE OR REPLACE FUNCTION storage.read_variant_key(wanted_bucket text, wanted_key text, wanted_version uuid)
RETURNS TABLE (
  bucket_id text, name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text,
  sha256 bytea, cache_control text, updated_at timestamptz, variant_status text, public boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.bucket_id, o.name, o.id, l.key, l.backend, l.size, l.content_type, l.detected_type, l.sha256, o.cache_control,
    o.updated_at, d.status, EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = o.bucket_id AND b.public)
  FROM storage.variants AS d JOIN storage.objects AS o ON o.version_id = d.source_version_id
  JOIN LATERAL storage_internal.version_location(d.version_id) AS l ON l.key = wanted_key
  WHERE d.version_id = wanted_version AND o.bucket_id = wanted_bucket
    AND EXISTS (SELECT FROM storage_internal.version_location(o.version_id))
  LIMIT 1;
END;

-- Who a session is; NULL where it has ended, or its role is allowed no more.
CREATE OR REPLACE FUNCTION storage_internal.session_caller(
  session bytea, allowed_roles text[], OUT caller_role text, OUT claims text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT s.caller_role, s.caller_claims INTO session_caller.caller_role, session_caller.claims FROM storage.gateway_sessions AS s
  WHERE s.id_hash = session AND s.expires_at > statement_timestamp() AND s.caller_role = ANY (allowed_roles);
END
$$;

-- Reads by a key, as one statement of the API's login role: finds who the session is (where it lives: else it is the caller
-- that is given), becomes it, reads, comes back. Always one row: `in_session` says whether the session lives, and the other
-- columns are NULL for what is hidden or missing. Without a bucket it is the one of files.
CREATE OR REPLACE FUNCTION storage_internal.read_key_as(
  session bytea, allowed_roles text[], caller_role text, claims text, wanted_bucket text, wanted_key text,
  wanted_file uuid, wanted_preset text, wanted_version uuid
)
RETURNS TABLE (
  in_session boolean, bucket_id text, name text, object_id uuid, key text, backend text, size bigint, content_type text,
  detected_type text, sha256 bytea, cache_control text, updated_at timestamptz, variant_status text, public boolean
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  who record;
  lives boolean := false;
  is_found boolean := false;
BEGIN
  PERFORM set_config('transaction_read_only', 'on', true);
  IF session IS NOT NULL THEN
    SELECT c.caller_role, c.claims INTO who FROM storage_internal.session_caller(session, allowed_roles) AS c;
    lives := who.caller_role IS NOT NULL;
    IF lives THEN
      caller_role := who.caller_role;
      claims := who.claims;
    END IF;
  END IF;
  PERFORM set_config('request.jwt.claims', claims, true), set_config('storage.operation', 'storage.object.get', true),
    set_config('role', caller_role, true);
  wanted_bucket := coalesce(wanted_bucket, storage.files_bucket());
  PERFORM storage.search_as_caller();
  -- One statement for the usual role and one for the others, as in read_object_as.
  IF wanted_file IS NOT NULL AND caller_role = :'authenticated' THEN
    RETURN QUERY SELECT lives, r.* FROM storage.read_file(wanted_bucket, wanted_key, wanted_file, wanted_preset) AS r;
    is_found := FOUND;
  ELSIF wanted_file IS NOT NULL THEN
    RETURN QUERY SELECT lives, r.* FROM storage.read_file(wanted_bucket, wanted_key, wanted_file, wanted_preset) AS r;
    is_found := FOUND;
  ELSIF wanted_version IS NOT NULL AND caller_role = :'authenticated' THEN
    RETURN QUERY SELECT lives, r.* FROM storage.read_variant_key(wanted_bucket, wanted_key, wanted_version) AS r;
    is_found := FOUND;
  ELSIF wanted_version IS NOT NULL THEN
    RETURN QUERY SELECT lives, r.* FROM storage.read_variant_key(wanted_bucket, wanted_key, wanted_version) AS r;
    is_found := FOUND;
  END IF;
  PERFORM set_config('role', 'none', true), set_config('search_path', 'pg_catalog, pg_temp', true);
  IF NOT is_found THEN
    RETURN QUERY SELECT lives, wanted_bucket, wanted_key, r.object_id, r.key, r.backend, r.size, r.content_type, r.detected_type,
      r.sha256, r.cache_control, r.updated_at, r.variant_status, r.public
    FROM (SELECT) AS always
    LEFT JOIN storage_internal.read_object_as(caller_role, claims, 'storage.object.get', wanted_bucket, wanted_key, NULL) AS r ON true;
  END IF;
END
$$;

-- Writes a session down, instead of the one that this browser had. Of one owner and role the newest fifty are kept.
CREATE OR REPLACE FUNCTION storage_internal.keep_session(s storage.gateway_sessions, before bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM storage.gateway_sessions AS g WHERE g.id_hash = before;
  DELETE FROM storage.gateway_sessions AS g WHERE g.id_hash IN (
    SELECT e.id_hash FROM storage.gateway_sessions AS e WHERE e.expires_at <= now() LIMIT 100 FOR UPDATE SKIP LOCKED);
  DELETE FROM storage.gateway_sessions AS g WHERE g.id_hash IN (
    SELECT o.id_hash FROM storage.gateway_sessions AS o
    WHERE (o.owner_id = s.owner_id OR (s.owner_id IS NULL AND o.owner_id IS NULL)) AND o.caller_role = s.caller_role
    ORDER BY o.created_at DESC OFFSET 49);
  INSERT INTO storage.gateway_sessions SELECT s.*;
END
$$;

-- Begins a session as its caller, who is whoever the token said; answers when it ends.
CREATE OR REPLACE FUNCTION storage_internal.begin_session(
  caller_role text, claims text, new_hash bytea, hash_before bytea, live_seconds double precision
) RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  s storage.gateway_sessions;
BEGIN
  PERFORM storage_internal.become(caller_role, claims, 'storage.session.begin');
  PERFORM storage.search_as_caller();
  s.owner_id := storage.caller_id();
  PERFORM set_config('role', 'none', true), set_config('search_path', 'pg_catalog, pg_temp', true);
  s.id_hash := new_hash;
  s.caller_role := caller_role;
  s.caller_claims := claims;
  s.created_at := now();
  s.expires_at := now() + make_interval(secs => live_seconds);
  PERFORM storage_internal.keep_session(s, hash_before);
  RETURN s.expires_at;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.end_session(session bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM storage.gateway_sessions WHERE id_hash = session
$$;

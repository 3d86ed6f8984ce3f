-- What a signed URL names: its policy said yes when it was signed. The object's id is part of the signature, so
-- a URL never serves another object that took the name later. `wanted_preset` is NULL for the object itself.
CREATE OR REPLACE FUNCTION storage_internal.signed_object(wanted_bucket text, wanted_name text, wanted_id uuid, wanted_preset text)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT o.id, v.key, v.backend, v.size, v.content_type, v.detected_type, v.sha256, o.cache_control, o.updated_at, d.status
  FROM storage.objects AS o
  LEFT JOIN storage.variants AS d ON d.source_version_id = o.version_id AND d.preset = wanted_preset
  LEFT JOIN storage.versions AS v ON v.id = CASE WHEN wanted_preset IS NULL THEN o.version_id ELSE d.version_id END
  WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name AND o.id = wanted_id
$$;

-- The same for a caller whose policies must judge. SECURITY INVOKER: it finds only what the caller may select,
-- and BEGIN ATOMIC below lets it read the key of exactly that.
CREATE OR REPLACE FUNCTION storage_internal.version_location(wanted uuid)
RETURNS TABLE (key text, backend text, content_type text, detected_type text, size bigint, sha256 bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.key, v.backend, v.content_type, v.detected_type, v.size, v.sha256 FROM storage.versions AS v WHERE v.id = wanted
$$;

CREATE OR REPLACE FUNCTION storage.read_object(wanted_bucket text, wanted_name text, wanted_preset text)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamptz, public boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.id, l.key, l.backend, l.size, l.content_type, l.detected_type, l.sha256, o.cache_control, o.updated_at, d.status,
    o.owner_id, o.version_id, o.user_metadata, o.created_at, coalesce(b.public, false)
  FROM storage.objects AS o
  LEFT JOIN storage.buckets AS b ON b.id = o.bucket_id
  LEFT JOIN storage.variants AS d ON d.source_version_id = o.version_id AND d.preset = wanted_preset
  LEFT JOIN LATERAL storage_internal.version_location(
    CASE WHEN wanted_preset IS NULL THEN o.version_id ELSE d.version_id END) AS l ON true
  WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
END;

-- The same as one statement of the API's login role: becomes the caller, reads, comes back. Four statements of a
-- transaction cost the server a quarter more for a small download. Whatever it raises ends the transaction and with
-- it the role; nothing outlives the statement.
CREATE OR REPLACE FUNCTION storage_internal.read_object_as(
  caller_role text, claims text, operation text, wanted_bucket text, wanted_name text, wanted_preset text
)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamptz, public boolean
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', claims, true),
    set_config('storage.operation', operation, true), set_config('role', caller_role, true);
  PERFORM storage.search_as_caller();
  -- One statement for each usual role: a plan holds the policies of the role that it was made for, and is made anew
  -- whenever the next caller has another one.
  IF caller_role = :'authenticated' THEN
    RETURN QUERY SELECT * FROM storage.read_object(wanted_bucket, wanted_name, wanted_preset);
  ELSIF caller_role = :'anon' THEN
    RETURN QUERY SELECT * FROM storage.read_object(wanted_bucket, wanted_name, wanted_preset);
  ELSE
    RETURN QUERY SELECT * FROM storage.read_object(wanted_bucket, wanted_name, wanted_preset);
  END IF;
  PERFORM set_config('role', 'none', true);
END
$$;

-- Reading, for a caller whose policies must judge: an object or a variant with where its bytes are, and what is known of
-- an object without them.

-- Where the bytes of a version are; nowhere, as far as anybody is told, while it is in quarantine. PL/pgSQL keeps its plan for the session; a function in SQL is planned anew for every
-- statement before PostgreSQL 18. STABLE: it sees what the query sees that calls it.
CREATE OR REPLACE FUNCTION storage_internal.version_location(wanted uuid)
RETURNS TABLE (key text, backend text, content_type text, detected_type text, size bigint, sha256 bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT v.key, v.backend, v.content_type, v.detected_type, v.size, v.sha256 FROM storage.versions AS v
    WHERE v.id = wanted AND v.quarantined_at IS NULL;
END
$$;

-- SECURITY INVOKER: these find only what the caller may select, and BEGIN ATOMIC lets them read the key of exactly that.
-- Variants have policies of their own, which ask for their object again: who wants none does not pay for them.
CREATE OR REPLACE FUNCTION storage.read_object(wanted_bucket text, wanted_name text)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamptz, public boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.id, l.key, l.backend, l.size, l.content_type, l.detected_type, l.sha256, o.cache_control, o.updated_at, NULL::text,
    o.owner_id, o.version_id, o.user_metadata, o.created_at,
    EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = o.bucket_id AND b.public)
  FROM storage.objects AS o
  CROSS JOIN LATERAL storage_internal.version_location(o.version_id) AS l
  WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
END;

CREATE OR REPLACE FUNCTION storage.read_variant(wanted_bucket text, wanted_name text, wanted_preset text)
RETURNS TABLE (
  object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text,
  updated_at timestamptz, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamptz, public boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.id, l.key, l.backend, l.size, l.content_type, l.detected_type, l.sha256, o.cache_control, o.updated_at, d.status,
    o.owner_id, o.version_id, o.user_metadata, o.created_at,
    EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = o.bucket_id AND b.public)
  FROM storage.objects AS o
  LEFT JOIN storage.variants AS d ON d.source_version_id = o.version_id AND d.preset = wanted_preset
  LEFT JOIN LATERAL storage_internal.version_location(d.version_id) AS l ON true
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
  IF wanted_preset IS NOT NULL THEN
    IF caller_role = :'authenticated' THEN
      RETURN QUERY SELECT * FROM storage.read_variant(wanted_bucket, wanted_name, wanted_preset);
    ELSE
      RETURN QUERY SELECT * FROM storage.read_variant(wanted_bucket, wanted_name, wanted_preset);
    END IF;
  ELSIF caller_role = :'authenticated' THEN
    RETURN QUERY SELECT * FROM storage.read_object(wanted_bucket, wanted_name);
  ELSIF caller_role = :'anon' THEN
    RETURN QUERY SELECT * FROM storage.read_object(wanted_bucket, wanted_name);
  ELSE
    RETURN QUERY SELECT * FROM storage.read_object(wanted_bucket, wanted_name);
  END IF;
  PERFORM set_config('role', 'none', true);
END
$$;

-- What is known of an object, without where its bytes are: five columns less to look for than a read.

CREATE OR REPLACE FUNCTION storage.object_info(wanted_bucket text, wanted_name text, only_public boolean)
RETURNS TABLE (
  object_id uuid, version_id uuid, owner_id text, size bigint, content_type text, detected_type text, sha256 bytea,
  cache_control text, user_metadata jsonb, created_at timestamptz, updated_at timestamptz
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.id, o.version_id, o.owner_id, o.size, o.content_type, o.detected_type, o.sha256, o.cache_control, o.user_metadata,
    o.created_at, o.updated_at
  FROM storage.objects AS o
  WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name
    AND (NOT only_public OR EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = o.bucket_id AND b.public));
END;

CREATE OR REPLACE FUNCTION storage_internal.object_info_as(
  caller_role text, claims text, operation text, wanted_bucket text, wanted_name text, only_public boolean
)
RETURNS TABLE (
  object_id uuid, version_id uuid, owner_id text, size bigint, content_type text, detected_type text, sha256 bytea,
  cache_control text, user_metadata jsonb, created_at timestamptz, updated_at timestamptz
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', claims, true),
    set_config('storage.operation', operation, true), set_config('role', caller_role, true);
  PERFORM storage.search_as_caller();
  IF caller_role = :'authenticated' THEN
    RETURN QUERY SELECT * FROM storage.object_info(wanted_bucket, wanted_name, only_public);
  ELSIF caller_role = :'anon' THEN
    RETURN QUERY SELECT * FROM storage.object_info(wanted_bucket, wanted_name, only_public);
  ELSE
    RETURN QUERY SELECT * FROM storage.object_info(wanted_bucket, wanted_name, only_public);
  END IF;
  PERFORM set_config('role', 'none', true);
END
$$;

-- The same constraints, asked by one function a table. PostgreSQL reads and plans the expression of each CHECK, and of
-- each generated column, anew for every statement that writes a row: for one row at a time that was a fifth of what the
-- commit of an upload cost (docs/decisions/0036). A function's body is planned once a session.
--
-- NOT VALID: rows of before were held to the same by what is dropped here.

CREATE FUNCTION storage_internal.version_holds(
  state text, size bigint, sha256 bytea, stored_at timestamptz, expires_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN state IN ('writing', 'stored', 'purging', 'gone')
    AND (size IS NULL OR size >= 0) AND (sha256 IS NULL OR octet_length(sha256) = 32)
    AND CASE WHEN state = 'stored' THEN size IS NOT NULL AND stored_at IS NOT NULL ELSE expires_at IS NOT NULL END;
END
$$;
ALTER TABLE storage.versions
  DROP CONSTRAINT versions_state_known,
  DROP CONSTRAINT versions_stored_is_measured,
  DROP CONSTRAINT versions_size_not_negative,
  DROP CONSTRAINT versions_sha256_is_32_bytes,
  DROP CONSTRAINT versions_unstored_expires,
  ADD CONSTRAINT versions_hold
    CHECK (storage_internal.version_holds(state, size, sha256, stored_at, expires_at)) NOT VALID;

CREATE FUNCTION storage_internal.upload_holds(kind text, state text, user_metadata jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN kind IN ('body', 'direct') AND state IN ('open', 'committing', 'refused')
    AND (user_metadata IS NULL OR octet_length(user_metadata::text) <= 1048576);
END
$$;
ALTER TABLE storage.uploads
  DROP CONSTRAINT uploads_kind_known,
  DROP CONSTRAINT uploads_state_known,
  DROP CONSTRAINT uploads_user_metadata_bounded,
  ADD CONSTRAINT uploads_hold CHECK (storage_internal.upload_holds(kind, state, user_metadata)) NOT VALID;

CREATE FUNCTION storage_internal.change_holds(
  type text, object_id uuid, revision bigint, name text, previous_bucket_id text, previous_name text
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE
      WHEN type IN ('storage.object.created', 'storage.object.updated', 'storage.object.deleted')
        THEN num_nulls(object_id, revision, name) = 0
      ELSE type IN ('storage.bucket.created', 'storage.bucket.deleted') AND num_nonnulls(object_id, revision, name) = 0
    END
    AND (previous_bucket_id IS NULL) = (previous_name IS NULL);
END
$$;
ALTER TABLE storage.changes
  DROP CONSTRAINT changes_type_known,
  DROP CONSTRAINT changes_of_objects_name_them,
  DROP CONSTRAINT changes_previous_is_whole,
  ADD CONSTRAINT changes_hold
    CHECK (storage_internal.change_holds(type, object_id, revision, name, previous_bucket_id, previous_name)) NOT VALID;

CREATE FUNCTION storage_internal.audit_entry_holds(outcome text, detail jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN outcome IN ('done', 'refused') AND (detail IS NULL OR pg_column_size(detail) <= 8192);
END
$$;
ALTER TABLE storage.audit_log
  DROP CONSTRAINT audit_log_outcome_known,
  DROP CONSTRAINT audit_log_detail_bounded,
  ADD CONSTRAINT audit_log_holds CHECK (storage_internal.audit_entry_holds(outcome, detail)) NOT VALID;

-- Application roles write these rows themselves, so it is theirs to call. It says by name what does not hold.
CREATE FUNCTION storage.object_holds(name text, user_metadata jsonb, cache_control text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  broken text := CASE
    WHEN octet_length(name) NOT BETWEEN 1 AND 1024 THEN 'objects_name_length'
    WHEN name ~ '(^|/)\.{0,2}(/|$)' THEN 'objects_name_segments'
    WHEN name ~ '[\u0001-\u001f\u007f-\u009f]' THEN 'objects_name_no_control'
    WHEN jsonb_typeof(user_metadata) <> 'object' THEN 'objects_user_metadata_is_object'
    WHEN octet_length(user_metadata::text) > 1048576 THEN 'objects_user_metadata_bounded'
    WHEN cache_control !~ '^[\u0020-\u007e]{1,255}$' THEN 'objects_cache_control_printable'
  END;
BEGIN
  IF broken IS NOT NULL THEN
    RAISE EXCEPTION 'new row for relation "objects" violates check constraint "%"', broken
      USING ERRCODE = 'check_violation', SCHEMA = 'storage', TABLE = 'objects', CONSTRAINT = broken;
  END IF;
  RETURN true;
END
$$;
ALTER TABLE storage.objects
  DROP CONSTRAINT objects_name_length,
  DROP CONSTRAINT objects_name_segments,
  DROP CONSTRAINT objects_name_no_control,
  DROP CONSTRAINT objects_user_metadata_is_object,
  DROP CONSTRAINT objects_user_metadata_bounded,
  DROP CONSTRAINT objects_cache_control_printable,
  ADD CONSTRAINT objects_hold CHECK (storage.object_holds(name, user_metadata, cache_control)) NOT VALID;

-- Filled by the trigger objects_20_fill, which writes every other column that nobody may.
ALTER TABLE storage.objects
  ALTER COLUMN path_tokens DROP EXPRESSION,
  ALTER COLUMN version DROP EXPRESSION,
  ALTER COLUMN metadata DROP EXPRESSION;

-- The RPCs of applications that know only PostgREST, and what stands behind them. A function in the API schema
-- is SECURITY INVOKER and written as BEGIN ATOMIC: its body was resolved when it was created, so it reaches
-- functions of storage_internal, a schema that application roles cannot use, after the caller's own policies
-- have said yes. Calling those functions directly fails with 42501.

CREATE OR REPLACE FUNCTION storage_internal.setting(wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT value FROM storage.settings WHERE name = wanted
$$;

-- The bucket that holds what is uploaded for entities.
CREATE OR REPLACE FUNCTION storage.files_bucket() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT value FROM storage.settings WHERE name = 'files_bucket'
$$;

-- Whether the caller can see the files row that names an object. SECURITY INVOKER: the policies of files decide. In
-- PL/pgSQL, so that it stays one index look-up a row.
CREATE OR REPLACE FUNCTION storage.may_read_file_of(wanted uuid) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM :"metadata".files AS f WHERE f.object_id = wanted);
END
$$;

-- Raises unless type and id of an entity can stand in a key: no part of it is a path.
CREATE OR REPLACE FUNCTION storage.assert_entity_names(entity_type text, entity_id text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF entity_type IS NULL OR entity_type !~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$'
    OR entity_id IS NULL OR entity_id !~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$'
  THEN
    RAISE EXCEPTION 'entity type and id must be 1 to 100 letters, digits, "_", "." or "-"'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;

-- Raises unless the caller may attach files to this entity, and keeps the entity from being deleted until the end of the
-- transaction. VOLATILE: it looks again after it waited for whoever was deleting.
CREATE OR REPLACE FUNCTION storage.assert_may_attach(entity_type text, entity_id text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage.assert_entity_names(entity_type, entity_id);
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('rowlock.entity/' || entity_type, 0)),
    pg_advisory_xact_lock_shared(hashtextextended(concat('rowlock.entity/', entity_type, '/', entity_id), 0));
  PERFORM storage.search_as_caller();
  IF NOT :"metadata".files_can_attach(entity_type, entity_id) THEN
    RAISE EXCEPTION 'you may not attach files to this %', entity_type USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN true;
END
$$;

-- Registers what was uploaded. What the client says about bucket and key must be what its URL said; size and
-- type are checked against the bytes before anybody but the creator sees the file.
CREATE OR REPLACE FUNCTION storage_internal.create_file(
  new_id uuid, entity_type text, entity_id text, file_name text, file_type text, file_size bigint,
  bucket text, key text, property_name text, allowed boolean
) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  request :"metadata".file_upload_requests;
  file :"metadata".files;
BEGIN
  IF coalesce(create_file.file_name, '') = '' OR octet_length(create_file.file_name) > 1024
    OR octet_length(create_file.property_name) > 1024
    OR concat(create_file.file_name, create_file.file_type, create_file.property_name) ~ '[\u0001-\u001f\u007f-\u009f]'
  THEN
    RAISE EXCEPTION 'file and property names have at most 1024 bytes and no control characters'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO request FROM :"metadata".file_upload_requests AS r
  WHERE r.file_id = new_id AND r.requested_by IS NOT DISTINCT FROM storage.caller_id() FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no upload of yours has this id' USING ERRCODE = 'no_data_found';
  END IF;
  IF NOT (key = request.s3_key AND bucket IS NOT DISTINCT FROM coalesce(request.s3_bucket, bucket))
    AND concat('/', bucket, '/', key) IS DISTINCT FROM substring(request.presigned_url FROM '^https?://[^/]+(/[^?]*)')
  THEN
    RAISE EXCEPTION 'bucket and key are not those of this upload' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- The type is what was asked for when the URL was signed: what is said now is not believed.
  file_type := request.file_type;
  property_name := coalesce(property_name, request.property_name);
  IF NOT request.is_recorded THEN
    UPDATE :"metadata".file_upload_requests AS r
    SET entity_type = create_file.entity_type, entity_id = create_file.entity_id, is_recorded = true WHERE r.id = request.id;
    INSERT INTO :"metadata".files AS f (id, entity_type, entity_id, file_name, file_type, file_size, s3_bucket,
      s3_original_key, thumbnail_status, property_name, consent_location, created_by, upload_id)
    SELECT new_id, create_file.entity_type, create_file.entity_id, create_file.file_name, create_file.file_type,
      greatest(coalesce(request.file_size, create_file.file_size, 0), 0), coalesce(request.s3_bucket, bucket), request.s3_key,
      CASE WHEN storage_internal.has_presets(u.bucket_id, lower(create_file.file_type), NULL) THEN 'pending' ELSE 'not_applicable' END,
      create_file.property_name, request.consent_location, request.requested_by, request.upload_id
    FROM storage.uploads AS u WHERE u.id = request.upload_id AND u.state = 'open'
    ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
      PERFORM :"metadata".enqueue_job('upload_complete', jsonb_build_object('upload_id', request.upload_id), 's3_signer');
    ELSE
      -- The sweep was faster; what the file is, its creator says once.
      UPDATE :"metadata".files AS f SET entity_type = create_file.entity_type, entity_id = create_file.entity_id,
        file_name = create_file.file_name, property_name = create_file.property_name, updated_at = now()
      WHERE f.id = new_id AND f.created_by IS NOT DISTINCT FROM request.requested_by;
    END IF;
  END IF;
  SELECT * INTO file FROM :"metadata".files AS f WHERE f.id = new_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the upload expired before its bytes arrived; ask for a new URL' USING ERRCODE = 'no_data_found';
  END IF;
  RETURN to_json(file);
END
$$;

CREATE OR REPLACE FUNCTION :"api".create_file_record(
  p_id uuid, p_entity_type text, p_entity_id text, p_file_name text, p_file_type text, p_file_size bigint,
  p_s3_bucket text, p_s3_original_key text,
  p_thumbnail_status text DEFAULT 'not_applicable', p_property_name text DEFAULT NULL
) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  -- p_thumbnail_status is accepted and not believed: the media type decides.
  SELECT storage_internal.create_file(p_id, p_entity_type, p_entity_id, p_file_name, p_file_type, p_file_size,
    p_s3_bucket, p_s3_original_key, p_property_name, storage.assert_may_attach(p_entity_type, p_entity_id));
END;

CREATE OR REPLACE FUNCTION :"api".delete_file_record(p_file_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM :"metadata".files WHERE id = p_file_id;
  IF FOUND THEN
    RETURN;
  END IF;
  IF EXISTS (SELECT FROM :"metadata".files WHERE id = p_file_id) THEN
    RAISE EXCEPTION 'only the creator of a file may delete it' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RAISE EXCEPTION 'no such file' USING ERRCODE = 'no_data_found';
END
$$;

CREATE OR REPLACE FUNCTION :"api".get_file_storage_stats()
RETURNS TABLE (total_count bigint, total_size_bytes bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT count(*), coalesce(sum(f.file_size), 0)::bigint FROM :"metadata".files AS f;
END;

-- The object of a committed direct upload gets its files row, or the row that waits gets its object.
CREATE OR REPLACE FUNCTION storage_internal.attach_file(u storage.uploads, object storage.objects) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  -- First: it waits for a client who is just saying what the file is.
  UPDATE :"metadata".file_upload_requests SET is_open = false WHERE upload_id = u.id;
  -- Ten thousand parts are not kept for as long as their object is.
  UPDATE storage.multipart_uploads SET parts = NULL, named_parts = NULL WHERE upload_id = u.id;
  INSERT INTO :"metadata".files AS f (id, entity_type, entity_id, file_name, file_type, file_size, s3_bucket,
    s3_original_key, thumbnail_status, property_name, consent_location, created_by, object_id)
  SELECT r.file_id, r.entity_type, r.entity_id, r.file_name, r.file_type, object.size, coalesce(r.s3_bucket, 'civic-os-files'),
    r.s3_key, CASE WHEN storage_internal.has_presets(object.bucket_id, object.content_type, object.detected_type)
      THEN 'pending' ELSE 'not_applicable' END,
    r.property_name, r.consent_location, r.requested_by, object.id
  FROM :"metadata".file_upload_requests AS r WHERE r.upload_id = u.id
  ON CONFLICT (id) DO UPDATE SET object_id = EXCLUDED.object_id, upload_id = NULL, file_size = EXCLUDED.file_size,
    thumbnail_status = EXCLUDED.thumbnail_status, updated_at = now();
  SELECT storage_internal.ask_for_location(u, object)
$$;

-- Deleting either row deletes the other, once: the object's row deletes this one by foreign key.
CREATE OR REPLACE FUNCTION storage.files_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM storage.objects WHERE id IN (SELECT object_id FROM old_rows WHERE object_id IS NOT NULL);
  PERFORM storage_internal.abandon_upload(upload_id, 'the file was deleted') FROM old_rows WHERE upload_id IS NOT NULL;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER files_deleted AFTER DELETE ON :"metadata".files
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.files_deleted();

-- For our own door: what may arrive under this key now. No row: nothing.
CREATE OR REPLACE FUNCTION storage_internal.direct_upload(wanted_key text, wanted_backend text)
RETURNS TABLE (upload_id uuid, size_max bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT u.id, u.size_max FROM storage.versions AS v JOIN storage.uploads AS u ON u.version_id = v.id
  WHERE v.key = wanted_key AND v.backend = wanted_backend AND v.state = 'writing'
    AND u.kind = 'direct' AND u.state = 'open' AND u.expires_at > now()
    AND NOT EXISTS (SELECT FROM storage.multipart_uploads AS m WHERE m.upload_id = u.id)
$$;

-- For whom and for what a direct upload was begun. No row when it is finished or given up.
CREATE OR REPLACE FUNCTION storage_internal.entity_of_upload(wanted uuid)
RETURNS TABLE (caller_role text, caller_claims text, entity_type text, entity_id text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT u.caller_role, u.caller_claims::text, r.entity_type, r.entity_id
  FROM storage.uploads AS u JOIN :"metadata".file_upload_requests AS r ON r.upload_id = u.id
  WHERE u.id = wanted AND u.kind = 'direct' AND u.state = 'open'
$$;

-- Direct uploads that nobody reported: their bytes may be there (a closed tab loses no file).
CREATE OR REPLACE FUNCTION storage_internal.unreported_uploads(grace interval, row_limit integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  -- Uploads in parts last: they live for a day, and until they end there is little to find.
  SELECT u.id FROM storage.uploads AS u LEFT JOIN storage.multipart_uploads AS m ON m.upload_id = u.id
  WHERE u.kind = 'direct' AND u.state = 'open' AND u.created_at <= now() - grace
  ORDER BY m.upload_id IS NOT NULL AND u.expires_at > now() + interval '30 minutes', u.created_at LIMIT row_limit
$$;

CREATE OR REPLACE FUNCTION storage_internal.version_of_file(wanted uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT o.version_id FROM :"metadata".files AS f JOIN storage.objects AS o ON o.id = f.object_id WHERE f.id = wanted
$$;

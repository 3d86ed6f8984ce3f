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

-- Raises unless the caller may attach files to this entity, and keeps the entity from being deleted until the end of the
-- transaction. VOLATILE: it looks again after it waited for whoever was deleting.
CREATE OR REPLACE FUNCTION storage.assert_may_attach(entity_type text, entity_id text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF entity_type IS NULL OR entity_type !~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$'
    OR entity_id IS NULL OR entity_id !~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$'
  THEN
    RAISE EXCEPTION 'entity type and id must be 1 to 100 letters, digits, "_", "." or "-"'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('rowlock.entity/' || entity_type, 0)),
    pg_advisory_xact_lock_shared(hashtextextended(concat('rowlock.entity/', entity_type, '/', entity_id), 0));
  PERFORM storage.search_as_caller();
  IF NOT :"metadata".files_can_attach(entity_type, entity_id) THEN
    RAISE EXCEPTION 'you may not attach files to this %', entity_type USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN true;
END
$$;

-- Raises unless the caller may upload this file; returns the object's name, which is also its key.
CREATE OR REPLACE FUNCTION storage.assert_may_upload_file(
  entity_type text, entity_id text, file_name text, file_type text, files_bucket text, file_id uuid
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  object_name text;
BEGIN
  PERFORM storage.assert_may_attach(entity_type, entity_id);
  IF coalesce(file_name, '') = '' OR octet_length(file_name) > 1024 OR file_name ~ '[\u0001-\u001f\u007f-\u009f]' THEN
    RAISE EXCEPTION 'a file name has 1 to 1024 bytes and no control characters' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF file_type IS NULL OR (file_type <> '' AND file_type !~ '^[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}( *;[^\u0001-\u001f\u007f-\u009f]{0,200})?$') THEN
    RAISE EXCEPTION 'a file type is a media type such as image/jpeg' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  object_name := entity_type || '/' || entity_id || '/' || file_id || '/original'
    || coalesce('.' || lower(substring(file_name FROM '\.([A-Za-z0-9]{1,10})$')), '.bin');
  IF NOT storage.may_upload(files_bucket, object_name, jsonb_build_object('content_type', file_type), false) THEN
    RAISE EXCEPTION 'the policies on storage.objects do not allow this' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN object_name;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.create_file_request(
  entity_type text, entity_id text, file_name text, file_type text, file_id uuid, object_name text
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  u storage.uploads;
  bucket storage.buckets;
  set jsonb;
  request_id uuid;
BEGIN
  SELECT jsonb_object_agg(name, value) INTO set FROM storage.settings
  WHERE name IN ('files_bucket', 'upload_bytes_max', 'backend', 'upload_url_seconds');
  SELECT * INTO STRICT bucket FROM storage.buckets WHERE id = set ->> 'files_bucket';
  u.id := gen_random_uuid();
  u.version_id := storage_internal.uuid_v7();
  u.kind := 'direct';
  u.bucket_id := bucket.id;
  u.name := object_name;
  u.caller_role := coalesce(nullif(current_setting('role', true), 'none'), session_user);
  u.caller_claims := coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}');
  u.content_type := nullif(lower(trim(split_part(file_type, ';', 1))), '');
  u.size_max := least(
    coalesce(bucket.file_size_limit, (set ->> 'upload_bytes_max')::bigint),
    storage_internal.quota_room(bucket.id, object_name));
  u.overwrite := false;
  IF NOT storage.media_type_allowed(bucket.allowed_mime_types, coalesce(u.content_type, 'application/octet-stream')) THEN
    RAISE EXCEPTION 'files of type % are not accepted', file_type USING ERRCODE = 'check_violation';
  END IF;
  PERFORM storage_internal.open_upload(u, set ->> 'backend', object_name,
    make_interval(secs => (set ->> 'upload_url_seconds')::integer));
  INSERT INTO :"metadata".file_upload_requests (entity_type, entity_id, file_name, file_type, s3_key, file_id, requested_by, upload_id)
  VALUES (entity_type, entity_id, file_name, file_type, object_name, file_id, storage.caller_id(), u.id)
  RETURNING id INTO request_id;
  RETURN request_id;
END
$$;

CREATE OR REPLACE FUNCTION :"api".request_upload_url(p_entity_type text, p_entity_id text, p_file_name text, p_file_type text)
RETURNS uuid
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.create_file_request(p_entity_type, p_entity_id, p_file_name, p_file_type, f.id,
    storage.assert_may_upload_file(p_entity_type, p_entity_id, p_file_name, p_file_type,
      storage_internal.setting('files_bucket'), f.id))
  FROM (SELECT storage_internal.uuid_v7() AS id) AS f;
END;

CREATE OR REPLACE FUNCTION :"api".get_upload_url(p_request_id uuid)
RETURNS TABLE (status text, url text, file_id uuid, error text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT r.status, r.presigned_url, r.file_id, r.error_message
  FROM :"metadata".file_upload_requests AS r WHERE r.id = p_request_id;
END;

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
  pending boolean;
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
  IF (entity_type, entity_id) IS DISTINCT FROM (request.entity_type, request.entity_id) THEN
    UPDATE :"metadata".file_upload_requests AS r
    SET entity_type = create_file.entity_type, entity_id = create_file.entity_id WHERE r.id = request.id;
  END IF;
  pending := EXISTS (SELECT FROM storage.uploads AS u WHERE u.id = request.upload_id AND u.state = 'open');
  IF pending THEN
    INSERT INTO :"metadata".files AS f (id, entity_type, entity_id, file_name, file_type, file_size, s3_bucket,
      s3_original_key, thumbnail_status, property_name, created_by, upload_id)
    VALUES (new_id, create_file.entity_type, create_file.entity_id, create_file.file_name, create_file.file_type,
      greatest(coalesce(create_file.file_size, 0), 0), coalesce(request.s3_bucket, bucket), request.s3_key,
      CASE WHEN storage_internal.variants_wanted(lower(create_file.file_type), NULL) THEN 'pending' ELSE 'not_applicable' END,
      create_file.property_name, request.requested_by, request.upload_id)
    ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
      PERFORM :"metadata".enqueue_job('upload_complete', jsonb_build_object('upload_id', request.upload_id), 's3_signer');
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
  INSERT INTO :"metadata".files AS f (id, entity_type, entity_id, file_name, file_type, file_size, s3_bucket,
    s3_original_key, thumbnail_status, created_by, object_id)
  SELECT r.file_id, r.entity_type, r.entity_id, r.file_name, r.file_type, object.size, coalesce(r.s3_bucket, 'civic-os-files'),
    r.s3_key, CASE WHEN storage_internal.variants_wanted(object.content_type, object.detected_type) THEN 'pending' ELSE 'not_applicable' END,
    r.requested_by, object.id
  FROM :"metadata".file_upload_requests AS r WHERE r.upload_id = u.id
  ON CONFLICT (id) DO UPDATE SET object_id = EXCLUDED.object_id, upload_id = NULL, file_size = EXCLUDED.file_size,
    thumbnail_status = EXCLUDED.thumbnail_status, updated_at = now()
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

CREATE OR REPLACE FUNCTION storage.file_requested() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM :"metadata".enqueue_jobs('s3_presign', array_agg(jsonb_build_object('request_id', id, 'file_name', file_name,
    'file_type', file_type, 'entity_type', entity_type, 'entity_id', entity_id)), 's3_signer')
  FROM new_rows;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER file_requested AFTER INSERT ON :"metadata".file_upload_requests
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.file_requested();

-- For the signer: what to sign. No row when the request or its upload is gone. Of many requests at once, those that can
-- be signed or were. A plan that was made while the tables were empty would read them whole ever after: hence the index.
CREATE OR REPLACE FUNCTION storage_internal.requests_to_sign(request_ids uuid[])
RETURNS TABLE (id uuid, status text, presigned_url text, key text, content_type text, expiry_seconds integer)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
  SELECT r.id, r.status, r.presigned_url, r.s3_key, u.content_type, storage_internal.setting('upload_url_seconds')::integer
  FROM :"metadata".file_upload_requests AS r JOIN storage.uploads AS u ON u.id = r.upload_id AND u.state = 'open'
  WHERE r.id = ANY (request_ids)
$$;

CREATE OR REPLACE FUNCTION storage_internal.requests_signed(request_ids uuid[], urls text[], bucket text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
  UPDATE :"metadata".file_upload_requests AS r
  SET status = 'completed', presigned_url = signed.url, s3_bucket = bucket, error_message = NULL, updated_at = now()
  FROM unnest(request_ids, urls) AS signed (id, url)
  WHERE r.id = signed.id AND r.upload_id IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION storage_internal.request_failed(request_id uuid, reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE :"metadata".file_upload_requests SET status = 'failed', error_message = reason, updated_at = now()
  WHERE id = request_id AND upload_id IS NOT NULL AND status <> 'completed'
$$;

-- For our own door: what may arrive under this key now. No row: nothing.
CREATE OR REPLACE FUNCTION storage_internal.direct_upload(wanted_key text, wanted_backend text)
RETURNS TABLE (upload_id uuid, size_max bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT u.id, u.size_max FROM storage.versions AS v JOIN storage.uploads AS u ON u.version_id = v.id
  WHERE v.key = wanted_key AND v.backend = wanted_backend AND v.state = 'writing'
    AND u.kind = 'direct' AND u.state = 'open' AND u.expires_at > now()
$$;

CREATE OR REPLACE FUNCTION storage_internal.upload_to_complete(wanted uuid)
RETURNS TABLE (key text, content_type text, size_max bigint, expires_at timestamptz, url_expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.key, u.content_type, u.size_max, u.expires_at,
    u.created_at + make_interval(secs => storage_internal.setting('upload_url_seconds')::integer)
  FROM storage.uploads AS u JOIN storage.versions AS v ON v.id = u.version_id
  WHERE u.id = wanted AND u.kind = 'direct' AND u.state = 'open'
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
  SELECT id FROM storage.uploads
  WHERE kind = 'direct' AND state = 'open' AND created_at <= now() - grace
  ORDER BY created_at LIMIT row_limit
$$;

CREATE OR REPLACE FUNCTION storage_internal.version_of_file(wanted uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT o.version_id FROM :"metadata".files AS f JOIN storage.objects AS o ON o.id = f.object_id WHERE f.id = wanted
$$;

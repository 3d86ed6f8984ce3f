-- Asking for an upload URL, as applications do that know only PostgREST: the request's row, the intent behind it, how many
-- of them a user may have, and what the signer reads and writes. The file's id and key are fixed here, so that a job that
-- is tried again signs the same.

-- How long a URL for so many bytes lives: as long as they take at 1 Mbit/s, and a quarter more, between two settings.
CREATE OR REPLACE FUNCTION storage_internal.url_seconds(declared_size bigint, least_seconds integer, most_seconds integer)
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT least(greatest(least_seconds, ceil(coalesce(declared_size, 0) * 8 / 1000000.0 * 1.25)), most_seconds)::integer;
END;

CREATE OR REPLACE FUNCTION storage_internal.url_seconds(declared_size bigint) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage_internal.url_seconds(declared_size, max(value::integer) FILTER (WHERE name = 'upload_url_seconds'),
    max(value::integer) FILTER (WHERE name = 'upload_url_seconds_max'))
  FROM storage.settings WHERE name IN ('upload_url_seconds', 'upload_url_seconds_max')
$$;

-- Raises unless what is said of a file can be written down, and its type sent as a header: it is signed as it stands.
CREATE OR REPLACE FUNCTION storage.assert_file_names(entity_type text, entity_id text, file_name text, file_type text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage.assert_entity_names(entity_type, entity_id);
  IF coalesce(file_name, '') = '' OR octet_length(file_name) > 1024 OR file_name ~ '[\u0001-\u001f\u007f-\u009f]' THEN
    RAISE EXCEPTION 'a file name has 1 to 1024 bytes and no control characters' USING ERRCODE = 'invalid_parameter_value';
  ELSIF file_type IS NULL
    OR (file_type <> '' AND file_type !~ '^[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}( *;[ -~]{0,200})?$')
  THEN
    RAISE EXCEPTION 'a file type is a media type such as image/jpeg' USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;

-- The name of a file's object, which is also its key: of what its uploader chose only the extension, so it needs no
-- percent-encoding.
CREATE OR REPLACE FUNCTION storage.file_object_name(entity_type text, entity_id text, file_name text, file_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT concat_ws('/', entity_type, entity_id, file_id, 'original')
    || coalesce('.' || lower(substring(file_name FROM '\.([A-Za-z0-9]{1,10})$')), '.bin');
END;

-- Raises unless the caller may upload this file; returns the object's name. SECURITY INVOKER.
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
  object_name := storage.file_object_name(entity_type, entity_id, file_name, file_id);
  IF NOT storage.may_upload(files_bucket, object_name, jsonb_build_object('content_type', file_type), false) THEN
    RAISE EXCEPTION 'the policies on storage.objects do not allow this' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN object_name;
END
$$;

-- Raises where a user has asked too often, or has too many uploads whose bytes may still come. Two requests of one user wait
-- for each other here, so that each counts the other; users do not wait for users. PT429 is HTTP 429 through PostgREST.
CREATE OR REPLACE FUNCTION storage_internal.admit_request(who text, per_minute integer, open_max integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
  leaves_at timestamptz;
  open_count integer;
BEGIN
  IF pg_has_role(coalesce(nullif(current_setting('role', true), 'none'), session_user), :'service_role', 'USAGE') THEN
    RETURN; -- it asks for everybody
  END IF;
  INSERT INTO storage.upload_requesters (requested_by) VALUES (coalesce(who, ''))
  ON CONFLICT ON CONSTRAINT upload_requesters_pkey DO UPDATE SET asked_at = now();
  IF per_minute > 0 THEN
    -- The last of as many as are allowed, newest first. What is newer than this transaction counts too.
    SELECT r.created_at + interval '60 seconds' INTO leaves_at FROM (
      SELECT m.created_at FROM :"metadata".file_upload_requests AS m
      WHERE m.requested_by = who AND m.created_at > now() - interval '60 seconds'
      UNION ALL
      SELECT m.created_at FROM :"metadata".file_upload_requests AS m
      WHERE who IS NULL AND m.requested_by IS NULL AND m.created_at > now() - interval '60 seconds'
    ) AS r ORDER BY r.created_at DESC OFFSET per_minute - 1 LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'at most % uploads a minute may be asked for', per_minute USING ERRCODE = 'PT429',
        DETAIL = format('retry_after=%s', greatest(ceil(extract(epoch FROM leaves_at - now())), 1)),
        HINT = format('Ask again in %s seconds.', greatest(ceil(extract(epoch FROM leaves_at - now())), 1));
    END IF;
  END IF;
  IF open_max > 0 THEN
    SELECT count(*) INTO open_count FROM (
      SELECT FROM :"metadata".file_upload_requests AS m WHERE m.is_open AND m.requested_by = who
      UNION ALL
      SELECT FROM :"metadata".file_upload_requests AS m WHERE m.is_open AND who IS NULL AND m.requested_by IS NULL
      LIMIT open_max
    ) AS o;
    IF open_count >= open_max THEN
      RAISE EXCEPTION '% uploads wait for their bytes; no more may be asked for', open_max USING ERRCODE = 'PT429',
        DETAIL = 'retry_after=60', HINT = 'Upload what was asked for, or wait until it expires.';
    END IF;
  END IF;
END
$$;

-- Every request gets its intent with its row, also one that an application inserts by itself: as whom, the session says,
-- and that one is asked again when the bytes are there.
CREATE OR REPLACE FUNCTION storage.file_request_opened() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  u storage.uploads;
  bucket storage.buckets;
  set jsonb;
  url_seconds integer;
  asking_role text := coalesce(nullif(current_setting('role', true), 'none'), session_user);
BEGIN
  NEW.file_id := coalesce(NEW.file_id, storage_internal.uuid_v7());
  PERFORM storage.assert_file_names(NEW.entity_type, NEW.entity_id, NEW.file_name, NEW.file_type);
  NEW.s3_key := storage.file_object_name(NEW.entity_type, NEW.entity_id, NEW.file_name, NEW.file_id);
  NEW.requested_by := coalesce(NEW.requested_by, storage.caller_id());
  SELECT jsonb_object_agg(name, value) INTO set FROM storage.settings
  WHERE name IN ('files_bucket', 'upload_bytes_max', 'backend', 'upload_url_seconds', 'upload_url_seconds_max',
    'upload_requests_per_minute', 'upload_requests_open_max', 'multipart_bytes_max', 'presign_source');
  IF concat(set ->> 'upload_requests_per_minute', set ->> 'upload_requests_open_max') <> '00' THEN
    PERFORM storage_internal.admit_request(NEW.requested_by, (set ->> 'upload_requests_per_minute')::integer,
      (set ->> 'upload_requests_open_max')::integer);
  END IF;
  SELECT * INTO STRICT bucket FROM storage.buckets WHERE id = set ->> 'files_bucket';
  u.id := gen_random_uuid();
  u.version_id := storage_internal.uuid_v7();
  u.kind := 'direct';
  u.bucket_id := bucket.id;
  u.name := NEW.s3_key;
  -- Whoever owns everything asks as the service: nobody can become the owner to commit it.
  u.caller_role := CASE WHEN pg_has_role(asking_role, 'rowlock_owner', 'MEMBER') THEN :'service_role' ELSE asking_role END;
  u.caller_claims := coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}');
  u.content_type := nullif(lower(trim(split_part(NEW.file_type, ';', 1))), '');
  u.declared_size := NEW.file_size;
  u.overwrite := false;
  u.size_max := CASE WHEN NEW.part_size IS NULL THEN coalesce(bucket.file_size_limit, (set ->> 'upload_bytes_max')::bigint)
    ELSE storage.parts_bytes_max(bucket.file_size_limit, (set ->> 'multipart_bytes_max')::bigint,
      (set ->> 'upload_bytes_max')::bigint) END;
  IF NEW.file_size > u.size_max THEN
    RAISE EXCEPTION 'the file has % bytes; at most % are accepted', NEW.file_size, u.size_max USING ERRCODE = 'check_violation',
      HINT = CASE WHEN NEW.part_size IS NULL AND bucket.file_size_limit IS NULL THEN 'request_multipart_upload takes more, in parts.'
        ELSE 'No way of uploading takes more.' END; -- a hint that is NULL would be an error of its own
  ELSIF NEW.part_size IS NULL AND NEW.file_size > 5368709120 THEN
    RAISE EXCEPTION 'one PUT carries at most 5368709120 bytes: upload the file in parts, by request_multipart_upload'
      USING ERRCODE = 'check_violation';
  ELSIF NOT storage.media_type_allowed(bucket.allowed_mime_types, coalesce(u.content_type, 'application/octet-stream')) THEN
    RAISE EXCEPTION 'files of type % are not accepted', NEW.file_type USING ERRCODE = 'check_violation';
  END IF;
  u.size_max := least(u.size_max, coalesce(NEW.file_size, storage_internal.quota_room(bucket.id, NEW.s3_key)));
  SELECT CASE WHEN NEW.sends_headers THEN g.with_headers ELSE g.without_headers END INTO u.put_guard
  FROM storage.put_guards AS g WHERE g.backend = coalesce(bucket.backend, set ->> 'backend');
  IF NEW.part_size IS NULL THEN
    url_seconds := storage_internal.url_seconds(NEW.file_size, (set ->> 'upload_url_seconds')::integer,
      (set ->> 'upload_url_seconds_max')::integer);
    PERFORM storage_internal.open_upload(u, coalesce(bucket.backend, set ->> 'backend'), NEW.s3_key,
      make_interval(secs => url_seconds));
  ELSE
    u.put_guard := NULL; -- no URL of a part outlives the upload, so none has to be guarded against
    PERFORM storage_internal.open_multipart(u, coalesce(bucket.backend, set ->> 'backend'), NEW.s3_key, NEW.part_size,
      NEW.sha256, NEW.requested_by);
  END IF;
  NEW.upload_id := u.id;
  NEW.put_key := CASE u.put_guard WHEN 'incoming' THEN concat('incoming/', u.id) END;
  NEW.is_open := true;
  IF NEW.sends_headers AND NEW.part_size IS NULL AND (set ->> 'presign_source') IS DISTINCT FROM 'notify' THEN
    NEW := storage_internal.signed_at_once(NEW, u.put_guard, coalesce(bucket.backend, set ->> 'backend'), url_seconds);
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER file_request_opened BEFORE INSERT ON :"metadata".file_upload_requests
  FOR EACH ROW WHEN (NEW.upload_id IS NULL AND NEW.status = 'pending') EXECUTE FUNCTION storage.file_request_opened();

CREATE OR REPLACE FUNCTION storage.file_requested() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM :"metadata".enqueue_jobs('multipart_create', array_agg(jsonb_build_object('upload_id', upload_id)), 's3_signer')
  FROM new_rows WHERE part_size IS NOT NULL AND upload_id IS NOT NULL;
  -- Whoever listens is told by a trigger of sql/alternatives.
  IF storage_internal.setting('presign_source') = 'notify' THEN
    RETURN NULL;
  END IF;
  PERFORM :"metadata".enqueue_jobs('s3_presign', array_agg(jsonb_build_object('request_id', id, 'file_name', file_name,
    'file_type', file_type, 'entity_type', entity_type, 'entity_id', entity_id)), 's3_signer')
  FROM new_rows WHERE part_size IS NULL AND NOT (status = 'completed' AND presigned_url IS NOT NULL);
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER file_requested AFTER INSERT ON :"metadata".file_upload_requests
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.file_requested();

-- Writes the request. `object_name` is what storage.assert_may_upload_file answered: it is asked before. `sends_headers`:
-- whether its client sends what it is told to. `part_size`: NULL for one PUT.
CREATE OR REPLACE FUNCTION storage_internal.write_request(
  entity_type text, entity_id text, file_name text, file_type text, file_id uuid,
  file_size bigint, property_name text, consent_location boolean, sha256 text, sends_headers boolean, part_size bigint
) RETURNS :"metadata".file_upload_requests
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  request :"metadata".file_upload_requests;
BEGIN
  IF file_size < 0 THEN
    RAISE EXCEPTION 'a file size is a number of bytes' USING ERRCODE = 'invalid_parameter_value';
  ELSIF octet_length(property_name) > 1024 OR property_name ~ '[\u0001-\u001f\u007f-\u009f]' THEN
    RAISE EXCEPTION 'a property name has at most 1024 bytes and no control characters' USING ERRCODE = 'invalid_parameter_value';
  ELSIF sha256 !~ '^[0-9A-Fa-f]{64}$' THEN
    RAISE EXCEPTION 'a SHA-256 is 64 hexadecimal digits' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO :"metadata".file_upload_requests AS r (entity_type, entity_id, file_name, file_type, file_id, file_size,
    property_name, consent_location, sha256, sends_headers, part_size)
  VALUES (entity_type, entity_id, file_name, file_type, file_id, file_size, property_name, coalesce(consent_location, false),
    decode(sha256, 'hex'), sends_headers, part_size)
  RETURNING * INTO request;
  RETURN request;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.open_request(
  entity_type text, entity_id text, file_name text, file_type text, file_id uuid, object_name text,
  file_size bigint DEFAULT NULL, property_name text DEFAULT NULL, consent_location boolean DEFAULT false, sha256 text DEFAULT NULL
) RETURNS :"metadata".file_upload_requests
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage_internal.write_request(entity_type, entity_id, file_name, file_type, file_id, file_size, property_name,
    consent_location, sha256, false, NULL)
$$;

CREATE OR REPLACE FUNCTION storage_internal.open_headed_request(
  entity_type text, entity_id text, file_name text, file_type text, file_id uuid, object_name text,
  file_size bigint, property_name text, consent_location boolean, sha256 text
) RETURNS :"metadata".file_upload_requests
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage_internal.write_request(entity_type, entity_id, file_name, file_type, file_id, file_size, property_name,
    consent_location, sha256, true, NULL)
$$;

CREATE OR REPLACE FUNCTION :"api".request_upload_url(p_entity_type text, p_entity_id text, p_file_name text, p_file_type text)
RETURNS uuid
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT r.id
  FROM (SELECT storage_internal.uuid_v7() AS id) AS f,
    LATERAL storage_internal.open_request(p_entity_type, p_entity_id, p_file_name, p_file_type, f.id,
      storage.assert_may_upload_file(p_entity_type, p_entity_id, p_file_name, p_file_type,
        storage_internal.setting('files_bucket'), f.id)) AS r;
END;

-- What a client is told of its request. It reads nothing: url, headers, bucket and expires_at are null until it is signed.
-- `key` is where the file will be, `put_key` where its PUT goes.
CREATE OR REPLACE FUNCTION storage.upload_request_json(
  id uuid, file_id uuid, status text, url text, headers jsonb, bucket text, key text, put_key text, expires_at timestamptz, error text
) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT json_build_object('request_id', id, 'file_id', file_id, 'status', status, 'url', url, 'method', 'PUT',
    'headers', headers, 'bucket', bucket, 'key', key, 'put_key', coalesce(put_key, key), 'expires_at', expires_at, 'error', error);
END;

-- What the four arguments of request_upload_url cannot carry.
CREATE OR REPLACE FUNCTION :"api".request_upload(
  p_entity_type text, p_entity_id text, p_file_name text, p_file_type text, p_file_size bigint DEFAULT NULL,
  p_property_name text DEFAULT NULL, p_consent_location boolean DEFAULT false, p_sha256 text DEFAULT NULL
) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage.upload_request_json(
    r.id, r.file_id, r.status, r.presigned_url, r.put_headers, r.s3_bucket, r.s3_key, r.put_key, r.url_expires_at, r.error_message)
  FROM (SELECT storage_internal.uuid_v7() AS id) AS f,
    LATERAL storage_internal.open_headed_request(p_entity_type, p_entity_id, p_file_name, p_file_type, f.id,
      storage.assert_may_upload_file(p_entity_type, p_entity_id, p_file_name, p_file_type,
        storage_internal.setting('files_bucket'), f.id),
      p_file_size, p_property_name, p_consent_location, p_sha256) AS r;
END;

CREATE OR REPLACE FUNCTION :"api".get_upload_url(p_request_id uuid)
RETURNS TABLE (status text, url text, file_id uuid, error text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT r.status, r.presigned_url, r.file_id, r.error_message
  FROM :"metadata".file_upload_requests AS r WHERE r.id = p_request_id;
END;

-- The same as request_upload answered, as it is now; null for what is not there or not the caller's.
CREATE OR REPLACE FUNCTION :"api".get_upload_request(p_request_id uuid) RETURNS json
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.upload_request_json(
    r.id, r.file_id, r.status, r.presigned_url, r.put_headers, r.s3_bucket, r.s3_key, r.put_key, r.url_expires_at, r.error_message)
  FROM :"metadata".file_upload_requests AS r WHERE r.id = p_request_id;
END;
DROP FUNCTION IF EXISTS storage.upload_request_json(uuid, uuid, text, text, jsonb, text, text, timestamptz, text);

-- For the signer: what to sign. No row when the request or its upload is gone. Of many requests at once, those that can
-- be signed or were. A URL never outlives its intent. A plan that was made while the tables were empty would read them whole
-- ever after: hence the index.
DROP FUNCTION IF EXISTS storage_internal.requests_to_sign(uuid[]);
CREATE OR REPLACE FUNCTION storage_internal.requests_to_sign(request_ids uuid[])
RETURNS TABLE (id uuid, is_signed boolean, key text, backend text, file_type text, file_size bigint, sha256 bytea,
  expiry_seconds integer, put_guard text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
  SELECT r.id,
    r.status = 'completed' AND r.presigned_url IS NOT NULL AND coalesce(r.url_expires_at > now(), true),
    CASE u.put_guard WHEN 'incoming' THEN concat('incoming/', u.id) ELSE r.s3_key END, v.backend, r.file_type, r.file_size, r.sha256,
    least(storage_internal.url_seconds(r.file_size), floor(extract(epoch FROM u.expires_at - now())))::integer,
    u.put_guard
  FROM :"metadata".file_upload_requests AS r
    JOIN storage.uploads AS u ON u.id = r.upload_id AND u.state = 'open' AND r.part_size IS NULL
    JOIN storage.versions AS v ON v.id = u.version_id
  WHERE r.id = ANY (request_ids) AND u.expires_at > now() + interval '1 second'
$$;

DROP FUNCTION IF EXISTS storage_internal.requests_signed(uuid[], text[], text);
CREATE OR REPLACE FUNCTION storage_internal.requests_signed(
  request_ids uuid[], urls text[], buckets text[], headers jsonb[], expires timestamptz[]
) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
  UPDATE :"metadata".file_upload_requests AS r
  SET status = 'completed', presigned_url = signed.url, s3_bucket = signed.bucket, put_headers = signed.headers,
    url_expires_at = signed.expires_at, error_message = NULL, updated_at = now()
  FROM unnest(request_ids, urls, buckets, headers, expires) AS signed (id, url, bucket, headers, expires_at)
  WHERE r.id = signed.id AND r.upload_id IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION storage_internal.request_failed(request_id uuid, reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE :"metadata".file_upload_requests SET status = 'failed', error_message = reason, updated_at = now()
  WHERE id = request_id AND upload_id IS NOT NULL AND status <> 'completed'
$$;

-- Requests whose upload is finished, given up or swept are open no more, and one that was never signed failed.
CREATE OR REPLACE FUNCTION storage_internal.close_requests(row_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH stale AS (
    SELECT r.id FROM :"metadata".file_upload_requests AS r
    WHERE r.is_open AND NOT EXISTS (SELECT FROM storage.uploads AS u WHERE u.id = r.upload_id AND u.expires_at > now())
    LIMIT row_limit FOR UPDATE OF r SKIP LOCKED
  ), closed AS (
    UPDATE :"metadata".file_upload_requests AS r SET is_open = false, updated_at = now(),
      status = CASE WHEN r.status IN ('pending', 'processing') THEN 'failed' ELSE r.status END,
      error_message = CASE WHEN r.status IN ('pending', 'processing') THEN 'the upload expired before its URL was signed; ask again'
        ELSE r.error_message END
    FROM stale WHERE r.id = stale.id
    RETURNING 1
  ), forgotten AS (
    DELETE FROM storage.upload_requesters WHERE requested_by IN (
      SELECT q.requested_by FROM storage.upload_requesters AS q WHERE q.asked_at < now() - interval '1 day'
      LIMIT row_limit FOR UPDATE SKIP LOCKED)
  )
  SELECT count(*) FROM closed
$$;

-- Replaced by open_request.
DROP FUNCTION IF EXISTS storage_internal.create_file_request(text, text, text, text, uuid, text);

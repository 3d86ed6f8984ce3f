-- Uploads in parts. The intent is a row of storage.uploads, as of any direct upload, and decides; the row beside it says what
-- the parts are and what the store calls it. Each part has one size that is known from the beginning, so a URL binds it and
-- nothing has to be counted. Only the server puts parts together: from then on no URL of a part is good for anything.

-- How large parts are: as wished, or 16 MiB, or as many whole MiB as 10,000 parts have to have. Raises 22023 for what cannot be.
CREATE OR REPLACE FUNCTION storage.part_size_for(file_size bigint, wished bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (file_size BETWEEN 1 AND 5497558138880) IS NOT TRUE THEN
    RAISE EXCEPTION 'an upload in parts has 1 to 5497558138880 bytes, and says how many' USING ERRCODE = 'invalid_parameter_value';
  ELSIF wished NOT BETWEEN 5242880 AND 5368709120 THEN
    RAISE EXCEPTION 'a part has 5242880 to 5368709120 bytes' USING ERRCODE = 'invalid_parameter_value';
  ELSIF wished * 10000 < file_size THEN
    RAISE EXCEPTION 'there are at most 10000 parts: for % bytes one has % or more', file_size, (file_size + 9999) / 10000
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN coalesce(wished, greatest(16777216, (file_size + 10485759999) / 10485760000 * 1048576));
END
$$;

-- The largest upload in parts. An upload_bytes_max below S3's limit of one PUT is somebody's decision, and holds for parts too.
CREATE OR REPLACE FUNCTION storage.parts_bytes_max(bucket_max bigint, multipart_max bigint, upload_max bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT least(bucket_max, multipart_max, CASE WHEN upload_max < 5368709120 THEN upload_max END);
END;

-- Writes the intent of an upload in parts, for as long as it may take. Nobody has more of them open than upload requests.
CREATE OR REPLACE FUNCTION storage_internal.open_multipart(
  u storage.uploads, backend text, key text, part_size bigint, sha256 bytea, requester text
) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  open_max integer := storage_internal.setting('upload_requests_open_max');
  deadline timestamptz := now()
    + make_interval(secs => least(storage_internal.setting('multipart_seconds')::integer, 604800));
  open_count integer;
BEGIN
  IF u.declared_size > storage_internal.setting('multipart_bytes_max')::bigint THEN
    PERFORM storage.refuse('too_large', format('the upload has %s bytes; at most %s are accepted in parts', u.declared_size,
      storage_internal.setting('multipart_bytes_max')));
  END IF;
  IF open_max > 0 AND requester IS NOT NULL THEN
    SELECT count(*) INTO open_count FROM (
      SELECT FROM storage.multipart_uploads AS m JOIN storage.uploads AS o ON o.id = m.upload_id
      WHERE m.requested_by = requester LIMIT open_max
    ) AS o;
    IF open_count >= open_max THEN
      PERFORM storage.refuse('rate_limited', format('%s uploads in parts are open; complete them or give them up', open_max));
    END IF;
  END IF;
  PERFORM storage_internal.open_upload(u, backend, key, interval '0');
  UPDATE storage.versions SET expires_at = deadline WHERE id = u.version_id;
  UPDATE storage.uploads SET expires_at = deadline WHERE id = u.id;
  INSERT INTO storage.multipart_uploads (upload_id, version_id, bucket_id, name, requested_by, size, part_size, sha256)
  VALUES (u.id, u.version_id, u.bucket_id, u.name, requester, u.declared_size, open_multipart.part_size, open_multipart.sha256);
  RETURN deadline;
END
$$;

-- Begins an upload in parts as begin_upload does; returns until when it lives. It belongs to somebody, who goes on with it.
CREATE OR REPLACE FUNCTION storage_internal.begin_multipart(
  upload_id uuid, version_id uuid, bucket_id text, name text, caller_role text, claims text, content_type text,
  declared_size bigint, cache_control text, user_metadata jsonb, backend text, key text, overwrite_asked boolean, size_cap bigint,
  if_match text[], if_none_match text[], part_size bigint, sha256 bytea
) RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  u storage.uploads;
  requester text;
BEGIN
  u.id := upload_id;
  u.version_id := version_id;
  u.kind := 'direct';
  u.bucket_id := bucket_id;
  u.name := name;
  u.caller_role := caller_role;
  u.caller_claims := claims::jsonb;
  u.content_type := content_type;
  u.declared_size := declared_size;
  u.cache_control := cache_control;
  u.user_metadata := user_metadata;
  u.if_match := if_match;
  u.if_none_match := if_none_match;
  PERFORM storage_internal.become(u.caller_role, claims, 'storage.object.upload');
  u := storage.ask_upload(u, overwrite_asked, size_cap);
  requester := storage.caller_id();
  IF requester IS NULL AND NOT pg_has_role(caller_role, :'service_role', 'USAGE') THEN
    PERFORM storage.refuse('auth_required', 'An upload in parts is somebody''s, and the token names nobody');
  END IF;
  PERFORM set_config('role', 'none', true);
  RETURN storage_internal.open_multipart(u, backend, key, part_size, sha256, requester);
END
$$;

-- The store has begun it. False where it is over, or where the store had begun it before: then what was begun now is nobody's.
CREATE OR REPLACE FUNCTION storage_internal.multipart_begun(wanted uuid, store_name text, store_bucket text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM storage.uploads AS u WHERE u.id = wanted AND u.state = 'open' FOR SHARE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE storage.multipart_uploads SET store_id = store_name WHERE upload_id = wanted AND store_id IS NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE :"metadata".file_upload_requests AS r SET status = 'completed', s3_bucket = store_bucket, error_message = NULL,
    updated_at = now()
  WHERE r.upload_id = wanted;
  RETURN true;
END
$$;

-- For whoever begins uploads at stores. No row when there is nothing to begin any more.
CREATE OR REPLACE FUNCTION storage_internal.multipart_to_begin(wanted uuid)
RETURNS TABLE (backend text, key text, content_type text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.backend, v.key, u.content_type
  FROM storage.multipart_uploads AS m JOIN storage.uploads AS u ON u.id = m.upload_id AND u.state = 'open'
  JOIN storage.versions AS v ON v.id = u.version_id AND v.state = 'writing'
  WHERE m.upload_id = wanted AND m.store_id IS NULL AND u.expires_at > now()
$$;

-- What an upload in parts is: `pending` until the store has begun it, `open`, `completing` while a worker puts it together,
-- `completed`, and `failed` when it was given up, refused or too late.
CREATE OR REPLACE FUNCTION storage_internal.multipart_state(wanted uuid)
RETURNS TABLE (upload_id uuid, bucket_id text, name text, size bigint, part_size bigint, part_count integer, content_type text,
  status text, error text, backend text, key text, store_id text, expires_at timestamptz, listed_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT m.upload_id, m.bucket_id, m.name, m.size, m.part_size, m.part_count, coalesce(u.content_type, v.content_type),
    CASE WHEN v.stored_at IS NOT NULL THEN 'completed'
      WHEN u.id IS NULL OR u.expires_at <= now() THEN 'failed'
      WHEN m.store_id IS NULL THEN 'pending'
      WHEN m.complete_asked_at IS NOT NULL THEN 'completing'
      ELSE 'open' END,
    coalesce(m.error, CASE WHEN v.stored_at IS NULL AND (u.id IS NULL OR u.expires_at <= now())
      THEN 'the upload expired or was given up' END),
    v.backend, v.key, m.store_id, coalesce(u.expires_at, v.expires_at), m.listed_at
  FROM storage.multipart_uploads AS m JOIN storage.versions AS v ON v.id = m.version_id
  LEFT JOIN storage.uploads AS u ON u.id = m.upload_id AND u.state = 'open'
  WHERE m.upload_id = wanted
$$;

-- Whether it was the caller who began it; NULL where it is not theirs to see. SECURITY INVOKER: the policies of
-- storage.multipart_uploads say so.
CREATE OR REPLACE FUNCTION storage.sees_multipart(wanted uuid) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_requester boolean;
BEGIN
  PERFORM storage.search_as_caller();
  SELECT m.requested_by IS NOT DISTINCT FROM storage.caller_id() INTO is_requester
  FROM storage.multipart_uploads AS m WHERE m.upload_id = wanted;
  RETURN is_requester;
END
$$;

-- The same of a caller's own; no row for what is somebody else's or is not there.
CREATE OR REPLACE FUNCTION storage_internal.multipart_as(caller_role text, claims text, wanted uuid)
RETURNS TABLE (upload_id uuid, bucket_id text, name text, size bigint, part_size bigint, part_count integer, content_type text,
  status text, error text, backend text, key text, store_id text, expires_at timestamptz, listed_at timestamptz,
  is_requester boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_theirs boolean;
BEGIN
  PERFORM storage_internal.become(caller_role, claims, 'storage.object.upload');
  is_theirs := storage.sees_multipart(wanted);
  PERFORM set_config('role', 'none', true);
  IF is_theirs IS NOT NULL THEN
    RETURN QUERY SELECT s.*, is_theirs FROM storage_internal.multipart_state(wanted) AS s;
  END IF;
END
$$;

-- Gives up what is the caller's own: its parts go with its version. What it was before; NULL for what is not the caller's.
CREATE OR REPLACE FUNCTION storage_internal.abort_multipart_as(caller_role text, claims text, wanted uuid) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found text;
BEGIN
  SELECT m.status INTO found FROM storage_internal.multipart_as(caller_role, claims, wanted) AS m;
  IF found IS NULL OR found = 'completed' THEN
    RETURN found;
  ELSIF NOT storage_internal.abandon_upload(wanted, 'the upload was given up') THEN
    SELECT m.status INTO found FROM storage_internal.multipart_state(wanted) AS m; -- somebody was faster
  END IF;
  RETURN found;
END
$$;

-- What a completed upload wrote, while its name still has it. For whoever asks again because an answer was lost.
CREATE OR REPLACE FUNCTION storage_internal.multipart_object(wanted uuid) RETURNS SETOF storage.objects
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT o.* FROM storage.multipart_uploads AS m
  JOIN storage.objects AS o ON o.bucket_id = m.bucket_id AND o.name = m.name AND o.version_id = m.version_id
  WHERE m.upload_id = wanted
$$;

-- For our own door: how many bytes a part has to have. No row: nothing may arrive.
CREATE OR REPLACE FUNCTION storage_internal.part_expected(wanted_key text, wanted_backend text, store_name text, number integer)
RETURNS TABLE (bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT least(m.part_size, m.size - (number - 1) * m.part_size)
  FROM storage.versions AS v JOIN storage.uploads AS u ON u.version_id = v.id
  JOIN storage.multipart_uploads AS m ON m.upload_id = u.id
  WHERE v.key = wanted_key AND v.backend = wanted_backend AND v.state = 'writing' AND u.state = 'open'
    AND u.expires_at > now() AND m.store_id = store_name AND number BETWEEN 1 AND m.part_count
$$;

-- What the store calls the upload of a version that never became whole; NULL for most.
CREATE OR REPLACE FUNCTION storage_internal.store_upload_of(wanted uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT m.store_id FROM storage.multipart_uploads AS m JOIN storage.versions AS v ON v.id = m.version_id
  WHERE m.version_id = wanted AND v.stored_at IS NULL
$$;

-- Uploads at a store that are still somebody's: the sweep leaves them, however quiet they are.
CREATE OR REPLACE FUNCTION storage_internal.open_store_uploads(wanted_backend text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT m.store_id FROM storage.multipart_uploads AS m JOIN storage.uploads AS u ON u.id = m.upload_id
  JOIN storage.versions AS v ON v.id = m.version_id AND v.state = 'writing'
  WHERE v.backend = wanted_backend AND m.store_id IS NOT NULL
$$;

-- Why an upload could not be put together; it stays open, and may be completed when that is mended.
CREATE OR REPLACE FUNCTION storage_internal.multipart_failed(wanted uuid, reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.multipart_uploads SET complete_asked_at = NULL, named_parts = NULL, error = reason WHERE upload_id = wanted
$$;

-- What has arrived, for those who asked.
CREATE OR REPLACE FUNCTION storage_internal.parts_listed(wanted uuid, arrived jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.multipart_uploads SET parts = arrived, listed_at = now(), list_asked_at = NULL WHERE upload_id = wanted
$$;

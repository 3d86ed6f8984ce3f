-- Uploads in parts for clients that know only functions. Those of the API schema are SECURITY INVOKER and BEGIN ATOMIC: they
-- find the upload again under the policies of the caller, and hand over only what they found. What a store has to be asked, a
-- worker asks: the answer says `pending` until it has.

-- Signs a PUT for each part that is named, while the upload is open: its length is a signed header. No row for an upload that
-- is over, and none for a part that it does not have; a NULL URL until the store has begun it.
CREATE OR REPLACE FUNCTION storage_sign.sign_parts(wanted_upload uuid, wanted_parts integer[], expires_in integer)
RETURNS TABLE (part_number integer, size bigint, url text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked_at constant timestamptz := statement_timestamp();
  stamp constant text := to_char(asked_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');
  v record;
  path text;
  terms text;
  store text;
BEGIN
  PERFORM storage_sign.assert_terms(coalesce(expires_in, 3600), NULL, 1);
  IF cardinality(wanted_parts) > 1000 THEN
    RAISE EXCEPTION 'at most 1000 parts are signed at once' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT m.size, m.part_size, m.part_count, m.store_id, s.key, s.backend AS store, u.expires_at, k.* INTO v
  FROM storage.multipart_uploads AS m
  JOIN storage.uploads AS u ON u.id = m.upload_id AND u.kind = 'direct' AND u.state = 'open' AND u.expires_at > asked_at
  JOIN storage.versions AS s ON s.id = u.version_id AND s.state = 'writing'
  LEFT JOIN storage.s3_signing_keys AS k ON k.backend = s.backend AND k.day = (asked_at AT TIME ZONE 'UTC')::date
    AND k.valid_from <= asked_at AND k.valid_until > asked_at
  WHERE m.upload_id = wanted_upload;
  IF NOT FOUND THEN
    RETURN;
  ELSIF v.store_id IS NOT NULL AND v.origin IS NULL THEN
    store := storage_sign.refuse_keyless(v.store);
  ELSIF v.expires_at < asked_at + make_interval(secs => coalesce(expires_in, 1)) THEN
    RAISE EXCEPTION 'the upload ends before the URL would: ask for at most % seconds', floor(extract(epoch FROM v.expires_at - asked_at))
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  path := v.path_prefix || storage_sign.uri_encode_path(v.key);
  terms := concat(v.query_prefix, '&X-Amz-Date=', stamp, '&X-Amz-Expires=',
    coalesce(expires_in, least(3600, floor(extract(epoch FROM v.expires_at - asked_at)))), v.query_token,
    '&X-Amz-SignedHeaders=content-length%3Bhost&partNumber=');
  store := storage_sign.uri_encode(v.store_id);
  RETURN QUERY
    SELECT p.number, p.bytes, CASE WHEN v.store_id IS NOT NULL THEN concat(v.origin, path, '?', p.query, '&X-Amz-Signature=',
      encode(sha256(v.outer_pad || sha256(v.inner_pad || convert_to(concat(E'AWS4-HMAC-SHA256\n', stamp, E'\n', v.scope, E'\n',
        encode(sha256(convert_to(concat(E'PUT\n', path, E'\n', p.query, E'\ncontent-length:', p.bytes, E'\nhost:', v.host,
          E'\n\ncontent-length;host\nUNSIGNED-PAYLOAD'), 'UTF8')), 'hex')), 'UTF8'))), 'hex')) END
    FROM (
      SELECT w.number, least(v.part_size, v.size - (w.number - 1) * v.part_size) AS bytes,
        concat(terms, w.number, '&uploadId=', store) AS query
      FROM unnest(wanted_parts) WITH ORDINALITY AS w (number, place)
      WHERE w.number BETWEEN 1 AND v.part_count
      ORDER BY w.place
    ) AS p;
END
$$;

-- What a client is told of its upload.
CREATE OR REPLACE FUNCTION storage_internal.multipart_json(wanted uuid) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT json_build_object('upload_id', s.upload_id, 'request_id', r.id, 'file_id', r.file_id, 'status', s.status,
    'bucket', r.s3_bucket, 'key', s.key, 'size', s.size, 'part_size', s.part_size, 'part_count', s.part_count,
    'expires_at', s.expires_at, 'error', s.error)
  FROM storage_internal.multipart_state(wanted) AS s
  LEFT JOIN :"metadata".file_upload_requests AS r ON r.upload_id = s.upload_id
$$;

-- Asks a worker to put an upload together from exactly these parts, or from all that have arrived.
CREATE OR REPLACE FUNCTION storage_internal.ask_to_complete(wanted uuid, named jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF jsonb_typeof(named) <> 'null' AND (jsonb_typeof(named) <> 'array' OR jsonb_array_length(named) > 10000
    OR octet_length(named::text) > 4194304 OR jsonb_path_exists(named,
      '$[*] ? (!(@.part_number.type() == "number" && @.etag.type() == "string" && @.part_number >= 1 && @.part_number <= 10000))'))
  THEN
    RAISE EXCEPTION 'parts are at most 10000 objects, each with part_number and etag' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE storage.multipart_uploads AS m SET complete_asked_at = now(), named_parts = nullif(named, 'null'), error = NULL
  FROM storage.uploads AS u
  WHERE m.upload_id = wanted AND u.id = m.upload_id AND u.state = 'open' AND u.expires_at > now() AND m.store_id IS NOT NULL
    AND coalesce(m.complete_asked_at < now() - interval '1 minute', true);
  IF FOUND THEN
    PERFORM :"metadata".enqueue_job('upload_complete', jsonb_build_object('upload_id', wanted), 's3_signer');
  END IF;
  RETURN storage_internal.multipart_json(wanted);
END
$$;

-- What has arrived, not older than ten seconds; else a worker is asked, and it is `pending`.
CREATE OR REPLACE FUNCTION storage_internal.ask_for_parts(wanted uuid) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  m storage.multipart_uploads;
BEGIN
  SELECT * INTO m FROM storage.multipart_uploads AS s WHERE s.upload_id = wanted FOR UPDATE;
  IF coalesce(m.listed_at < now() - interval '10 seconds', true) AND coalesce(m.list_asked_at < now() - interval '1 minute', true)
    AND m.store_id IS NOT NULL AND EXISTS (SELECT FROM storage.uploads AS u WHERE u.id = wanted AND u.state = 'open')
  THEN
    UPDATE storage.multipart_uploads SET list_asked_at = now() WHERE upload_id = wanted;
    PERFORM :"metadata".enqueue_job('multipart_list', jsonb_build_object('upload_id', wanted), 's3_signer');
    m.list_asked_at := now();
  END IF;
  RETURN json_build_object('upload_id', m.upload_id, 'status', CASE WHEN m.list_asked_at IS NULL AND m.listed_at IS NOT NULL
    THEN 'completed' ELSE 'pending' END, 'listed_at', m.listed_at, 'parts', coalesce(m.parts, '[]'));
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.give_up_multipart(wanted uuid) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage_internal.abandon_upload(wanted, 'the upload was given up');
  RETURN storage_internal.multipart_json(wanted);
END
$$;

-- Writes the request, as open_request does, of an upload in parts. `object_name` is what storage.assert_may_upload_file answered.
-- VOLATILE all the way: what it answers with is what it has just written.
CREATE OR REPLACE FUNCTION storage_internal.open_multipart_request(
  entity_type text, entity_id text, file_name text, file_type text, file_id uuid, object_name text,
  file_size bigint, property_name text, consent_location boolean, sha256 text, part_size bigint
) RETURNS json
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  request :"metadata".file_upload_requests;
BEGIN
  request := storage_internal.write_request(entity_type, entity_id, file_name, file_type, file_id, file_size, property_name,
    consent_location, sha256, false, storage.part_size_for(file_size, part_size));
  RETURN storage_internal.multipart_json(request.upload_id);
END
$$;

-- request_upload for what is more than one PUT should carry.
CREATE OR REPLACE FUNCTION :"api".request_multipart_upload(
  p_entity_type text, p_entity_id text, p_file_name text, p_file_type text, p_file_size bigint,
  p_property_name text DEFAULT NULL, p_consent_location boolean DEFAULT false, p_sha256 text DEFAULT NULL,
  p_part_size bigint DEFAULT NULL
) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.open_multipart_request(p_entity_type, p_entity_id, p_file_name, p_file_type, f.id,
    storage.assert_may_upload_file(p_entity_type, p_entity_id, p_file_name, p_file_type,
      storage_internal.setting('files_bucket'), f.id),
    p_file_size, p_property_name, p_consent_location, p_sha256, p_part_size)
  FROM (SELECT storage_internal.uuid_v7() AS id) AS f;
END;

-- What it is now; null for what is not there or not the caller's.
CREATE OR REPLACE FUNCTION :"api".get_multipart_upload(p_upload_id uuid) RETURNS json
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage_internal.multipart_json(own.upload_id) FROM storage.multipart_uploads AS own WHERE own.upload_id = p_upload_id;
END;

-- URLs for PUTs of parts, as long as the upload lives and at most an hour.
CREATE OR REPLACE FUNCTION :"api".get_part_urls(p_upload_id uuid, p_parts integer[], p_expires_in integer DEFAULT NULL)
RETURNS TABLE (part_number integer, size bigint, url text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT s.part_number, s.size, s.url
  FROM storage.multipart_uploads AS own, LATERAL storage_sign.sign_parts(own.upload_id, p_parts, p_expires_in) AS s
  WHERE own.upload_id = p_upload_id;
END;

CREATE OR REPLACE FUNCTION :"api".list_parts(p_upload_id uuid) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.ask_for_parts(own.upload_id) FROM storage.multipart_uploads AS own WHERE own.upload_id = p_upload_id;
END;

CREATE OR REPLACE FUNCTION :"api".complete_multipart_upload(p_upload_id uuid, p_parts jsonb DEFAULT NULL) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.ask_to_complete(own.upload_id, p_parts)
  FROM storage.multipart_uploads AS own WHERE own.upload_id = p_upload_id;
END;

-- Gives it up; what has arrived goes. A completed upload stays as it is.
CREATE OR REPLACE FUNCTION :"api".abort_multipart_upload(p_upload_id uuid) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.give_up_multipart(own.upload_id) FROM storage.multipart_uploads AS own WHERE own.upload_id = p_upload_id;
END;

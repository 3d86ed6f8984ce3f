-- URLs for callers: SECURITY INVOKER and BEGIN ATOMIC throughout. Each finds again what it was given an id of, under the
-- policies of the caller, and hands the version that it found to storage_sign, which the caller could not name.

-- A URL for GET of an object, NULL where the caller cannot see it. `download`: to be saved under this name, '' for its own.
CREATE OR REPLACE FUNCTION storage.presign_object(object_id uuid, expires_in integer DEFAULT 3600, download text DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT storage_sign.sign(own.version_id, expires_in, CASE download WHEN '' THEN storage.filename(own.name) ELSE download END)
  FROM storage.objects AS own WHERE own.id = object_id;
END;

-- The same for rows. Of the row that is given only the id is believed, and where it is one of a select PostgreSQL does not even
-- put the others together: a function like this is written into the query that calls it.
CREATE OR REPLACE FUNCTION storage.presign_get(o storage.objects, expires_in integer DEFAULT 3600, download text DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT storage.presign_object((o).id, expires_in, download);
END;

-- The bytes of a file: under the policies of files and of objects.
CREATE OR REPLACE FUNCTION storage.presign_file(file_id uuid, expires_in integer DEFAULT 3600) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage_sign.sign(o.version_id, expires_in)
  FROM :"metadata".files AS own JOIN storage.objects AS o ON o.id = own.object_id WHERE own.id = file_id;
END;

-- Thumbnails: under the policies of files, of objects and of variants.
CREATE OR REPLACE FUNCTION storage.presign_thumbnail(file_id uuid, wanted_preset text, expires_in integer DEFAULT 3600) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage_sign.sign(v.version_id, expires_in)
  FROM :"metadata".files AS own JOIN storage.objects AS o ON o.id = own.object_id
  JOIN storage.variants AS v ON v.source_version_id = o.version_id AND v.preset = wanted_preset
  WHERE own.id = file_id;
END;

-- A URL for PUT of one's own upload request; NULL where it is not the caller's, or its upload is over.
CREATE OR REPLACE FUNCTION storage.presign_put(request uuid, expires_in integer DEFAULT 900) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage_sign.sign_put(own.id, expires_in)
  FROM :"metadata".file_upload_requests AS own WHERE own.id = request;
END;

-- The headers that a client sends with a signed PUT, as names and values.
CREATE OR REPLACE FUNCTION storage_internal.put_headers(
  k storage.s3_signing_keys, content_type text, checksum text, if_none_match text
) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object('content-type', nullif(content_type, ''), 'x-amz-acl', nullif(k.upload_acl, ''),
    'x-amz-checksum-sha256', checksum, 'if-none-match', if_none_match))
$$;

-- A request whose client sends the headers it is told to is signed as it is made, where the database has the store's key of
-- the day: no job, no notification, nothing to wait for. Otherwise it stays as it is, and the signer's.
CREATE OR REPLACE FUNCTION storage_internal.signed_at_once(
  request :"metadata".file_upload_requests, put_guard text, store text, url_seconds integer
) RETURNS :"metadata".file_upload_requests
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked_at constant timestamptz := statement_timestamp();
  seconds constant integer := least(url_seconds, 3600);
  checksum constant text := encode(request.sha256, 'base64');
  if_none_match constant text := CASE put_guard WHEN 'condition' THEN '*' END;
  signing constant storage.s3_signing_keys := storage_sign.key_of(store, asked_at);
BEGIN
  IF signing.origin IS NULL THEN
    RETURN request;
  END IF;
  request.presigned_url := storage_sign.put_url(signing, coalesce(request.put_key, request.s3_key), asked_at, seconds,
    request.file_type, request.file_size, checksum, if_none_match);
  request.put_headers := storage_internal.put_headers(signing, request.file_type, checksum, if_none_match);
  request.s3_bucket := signing.bucket;
  request.url_expires_at := date_trunc('second', asked_at) + make_interval(secs => seconds);
  request.status := 'completed';
  RETURN request;
END
$$;

-- Signs a request that was made a moment ago, instead of the signer, whose job finds it done.
CREATE OR REPLACE FUNCTION storage_internal.sign_request(request uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked_at constant timestamptz := statement_timestamp();
  v record;
  url text;
BEGIN
  SELECT r.file_type, r.sha256, s.backend, u.put_guard,
    least(storage_internal.url_seconds(r.file_size), floor(extract(epoch FROM u.expires_at - asked_at)), 3600)::integer AS expires_in
  INTO v
  FROM :"metadata".file_upload_requests AS r JOIN storage.uploads AS u ON u.id = r.upload_id
  JOIN storage.versions AS s ON s.id = u.version_id WHERE r.id = request;
  url := storage_sign.sign_put(request, v.expires_in);
  PERFORM storage_internal.requests_signed(ARRAY[request], ARRAY[url], ARRAY[k.bucket],
    ARRAY[storage_internal.put_headers(k, v.file_type, encode(v.sha256, 'base64'), CASE v.put_guard WHEN 'condition' THEN '*' END)],
    ARRAY[date_trunc('second', asked_at) + make_interval(secs => v.expires_in)])
  FROM storage.s3_signing_keys AS k WHERE k.backend = v.backend AND k.day = (asked_at AT TIME ZONE 'UTC')::date AND url IS NOT NULL;
  RETURN url;
END
$$;

-- One call from the wish to upload to the URL: request_upload_url and its answer, without waiting for a worker.
CREATE OR REPLACE FUNCTION :"api".get_upload_url_sync(p_entity_type text, p_entity_id text, p_file_name text, p_file_type text)
RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.sign_request(:"api".request_upload_url(p_entity_type, p_entity_id, p_file_name, p_file_type));
END;

-- A URL for GET of an object, or of what is attached as a file; NULL where the caller cannot see it.
CREATE OR REPLACE FUNCTION :"api".get_download_url(p_id uuid, p_expires_in integer DEFAULT 3600, p_download text DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage_sign.sign(found.version_id, p_expires_in, CASE p_download WHEN '' THEN found.file_name ELSE p_download END)
  FROM (
    SELECT o.version_id, storage.filename(o.name) AS file_name FROM storage.objects AS o WHERE o.id = p_id
    UNION ALL
    SELECT o.version_id, f.file_name FROM :"metadata".files AS f JOIN storage.objects AS o ON o.id = f.object_id WHERE f.id = p_id
  ) AS found
  WHERE storage_sign.assert_terms(p_expires_in, octet_length(p_download), 1)
  LIMIT 1;
END;

-- The same for up to 10,000 ids, one row for each in their order. `p_download`: to be saved, under their own names.
CREATE OR REPLACE FUNCTION :"api".get_download_urls(p_ids uuid[], p_expires_in integer DEFAULT 3600, p_download boolean DEFAULT false)
RETURNS TABLE (id uuid, url text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT s.id, s.url
  FROM (
    SELECT array_agg(w.id ORDER BY w.place) AS ids,
      array_agg(coalesce(o.version_id, f.version_id) ORDER BY w.place) AS versions,
      CASE WHEN p_download THEN array_agg(coalesce(storage.filename(o.name), f.file_name) ORDER BY w.place) END AS file_names
    FROM unnest(p_ids) WITH ORDINALITY AS w (id, place)
    -- OFFSET 0: found by their ids, one by one, whatever the statistics say.
    LEFT JOIN LATERAL (SELECT x.version_id, x.name FROM storage.objects AS x WHERE x.id = w.id OFFSET 0) AS o ON true
    LEFT JOIN LATERAL (
      SELECT x.version_id, y.file_name FROM :"metadata".files AS y JOIN storage.objects AS x ON x.id = y.object_id
      WHERE y.id = w.id AND o.version_id IS NULL OFFSET 0
    ) AS f ON true
    WHERE storage_sign.assert_terms(p_expires_in, NULL, cardinality(p_ids))
  ) AS found,
  ROWS FROM (unnest(found.ids), storage_sign.sign_many(found.versions, p_expires_in, found.file_names)) AS s (id, url);
END;

-- Files with the URLs of their bytes and thumbnails, up to 10,000, one row for each in the order of the ids. NULL for what
-- the caller cannot see, and for what is not there (yet).
CREATE OR REPLACE FUNCTION :"api".file_urls(p_ids uuid[], p_expires_in integer DEFAULT 3600)
RETURNS TABLE (
  id uuid, original_url text, thumbnail_small_url text, thumbnail_medium_url text, thumbnail_large_url text
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT s.id, s.original_url, s.thumbnail_small_url, s.thumbnail_medium_url, s.thumbnail_large_url
  FROM (
    SELECT array_agg(w.id ORDER BY w.place) AS ids, array_agg(f.version_id ORDER BY w.place) AS versions,
      array_agg(d.small ORDER BY w.place) AS small, array_agg(d.medium ORDER BY w.place) AS medium,
      array_agg(d.large ORDER BY w.place) AS large
    FROM unnest(p_ids) WITH ORDINALITY AS w (id, place)
    LEFT JOIN LATERAL (
      SELECT x.version_id FROM :"metadata".files AS y JOIN storage.objects AS x ON x.id = y.object_id WHERE y.id = w.id OFFSET 0
    ) AS f ON true
    LEFT JOIN LATERAL (
      SELECT min(v.version_id::text) FILTER (WHERE v.preset = 'small')::uuid AS small,
        min(v.version_id::text) FILTER (WHERE v.preset = 'medium')::uuid AS medium,
        min(v.version_id::text) FILTER (WHERE v.preset = 'large')::uuid AS large
      FROM storage.variants AS v WHERE v.source_version_id = f.version_id
    ) AS d ON true
    WHERE storage_sign.assert_terms(p_expires_in, NULL, cardinality(p_ids))
  ) AS found,
  ROWS FROM (unnest(found.ids), storage_sign.sign_many(found.versions, p_expires_in), storage_sign.sign_many(found.small, p_expires_in),
    storage_sign.sign_many(found.medium, p_expires_in), storage_sign.sign_many(found.large, p_expires_in))
    AS s (id, original_url, thumbnail_small_url, thumbnail_medium_url, thumbnail_large_url);
END;

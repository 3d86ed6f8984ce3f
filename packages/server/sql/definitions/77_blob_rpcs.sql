-- Upload and download for clients that know only PostgREST, of buckets whose bytes are rows: intent, bytes and commit in one
-- transaction, under the caller's policies. Small files only: the whole body is in memory. Functions of storage_internal are
-- reached through BEGIN ATOMIC alone, as in 70_files.sql.

-- `%41` is `A`: names in headers are ASCII.
CREATE OR REPLACE FUNCTION storage.percent_decoded(encoded text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF octet_length(encoded) > 3072 THEN
    PERFORM storage.refuse('name_too_long', 'A name has 1 to 1024 bytes');
  END IF;
  RETURN (
    SELECT convert_from(string_agg(
        CASE WHEN m[1] ~ '^%..' THEN decode(substr(m[1], 2), 'hex') ELSE convert_to(m[1], 'UTF8') END, ''::bytea ORDER BY n), 'UTF8')
    FROM regexp_matches(encoded, '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') WITH ORDINALITY AS found (m, n));
END
$$;

-- The upload that a request's headers describe, which limits and the caller's policies allow; writes nothing. SECURITY
-- INVOKER: it answers only for oneself.
CREATE OR REPLACE FUNCTION storage.ask_blob(body_size bigint) RETURNS storage.uploads
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  headers json := nullif(current_setting('request.headers', true), '')::json;
  u storage.uploads;
BEGIN
  IF headers ->> 'x-rowlock-bucket' IS NULL OR headers ->> 'x-rowlock-name' IS NULL THEN
    PERFORM storage.refuse('invalid_request', 'Say where: headers X-Rowlock-Bucket and X-Rowlock-Name, percent-encoded');
  END IF;
  u.id := gen_random_uuid();
  u.kind := 'body';
  u.bucket_id := headers ->> 'x-rowlock-bucket';
  u.name := normalize(storage.percent_decoded(headers ->> 'x-rowlock-name'), NFC);
  u.caller_role := coalesce(nullif(current_setting('role', true), 'none'), session_user);
  u.caller_claims := coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}');
  u.content_type := nullif(lower(trim(split_part(headers ->> 'x-rowlock-content-type', ';', 1))), '');
  u.declared_size := body_size;
  IF u.content_type !~ '^[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}$' THEN
    PERFORM storage.refuse('media_type_not_allowed', 'X-Rowlock-Content-Type is not a media type such as image/jpeg');
  END IF;
  PERFORM set_config('storage.operation', 'storage.object.upload', true);
  RETURN storage.ask_upload(u, CASE lower(headers ->> 'x-upsert') WHEN 'true' THEN true WHEN 'false' THEN false END,
    storage.blob_bytes_max());
END
$$;

CREATE OR REPLACE FUNCTION storage.blob_bytes_max() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT value::bigint FROM storage.settings WHERE name = 'blob_upload_bytes_max'
$$;

-- Writes intent and bytes of what was allowed, and takes the intent for the commit that follows.
CREATE OR REPLACE FUNCTION storage_internal.store_blob(u storage.uploads, body bytea) RETURNS storage.uploads
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  bucket storage.buckets;
  blob_backend text := storage_internal.setting('blob_backend');
  key text;
BEGIN
  SELECT * INTO bucket FROM storage.buckets WHERE id = u.bucket_id;
  IF bucket.backend IS DISTINCT FROM blob_backend THEN
    PERFORM storage.refuse('different_backend', 'The bytes of this bucket are not in the database: use the storage API');
  ELSIF cardinality(bucket.allowed_mime_types) > 0 THEN
    -- What bytes really are, only the server finds out.
    PERFORM storage.refuse('media_type_not_allowed', 'This bucket looks at what bytes are: use the storage API');
  END IF;
  u.version_id := storage_internal.uuid_v7();
  key := concat('objects/', right(u.version_id::text, 2), '/', u.version_id);
  PERFORM storage_internal.open_upload(u, blob_backend, key, interval '0');
  PERFORM storage_internal.blob_put(gen_random_uuid(), key, body);
  RETURN storage_internal.take_upload(u.id, octet_length(body), sha256(body), NULL, NULL);
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.blob_uploaded(u storage.uploads, created boolean) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  object storage.objects := storage_internal.finish_upload(u);
BEGIN
  RETURN json_build_object('id', object.id, 'bucket', object.bucket_id, 'path', object.name, 'version', object.version_id,
    'size', object.size, 'content_type', object.content_type, 'etag', encode(object.sha256, 'hex'), 'created', created);
END
$$;

-- As the caller. In PL/pgSQL, so that what it calls may be made anew under it by a migrate.
CREATE OR REPLACE FUNCTION storage.write_blob(u storage.uploads) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN storage.write_object(u);
END
$$;

-- `POST /rpc/upload_blob` with `Content-Type: application/octet-stream`; headers say where. Raises RWLCK as uploads do.
CREATE OR REPLACE FUNCTION :"api".upload_blob(bytea) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.blob_uploaded(u, created)
  FROM storage_internal.store_blob(storage.ask_blob(octet_length($1)), $1) AS u, LATERAL storage.write_blob(u) AS created;
END;

-- The bytes under a key, and how PostgREST is to send them: always as a file to save, of no type that a page could run.
CREATE OR REPLACE FUNCTION storage_internal.blob_to_send(
  wanted_key text, wanted_backend text, content_type text, etag text, name text
) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found record;
  file_name text;
BEGIN
  IF wanted_key IS NULL THEN
    RAISE EXCEPTION 'object_not_found' USING ERRCODE = 'PT404', DETAIL = 'Object not found';
  ELSIF wanted_backend <> storage_internal.setting('blob_backend') THEN
    RAISE EXCEPTION 'different_backend' USING ERRCODE = 'PT409', DETAIL = 'Its bytes are not in the database: use the storage API';
  END IF;
  SELECT * INTO found FROM storage_internal.blob_read(wanted_key, 0, storage.blob_bytes_max()::integer);
  IF found.id IS NULL THEN
    RAISE EXCEPTION 'object_not_found' USING ERRCODE = 'PT404', DETAIL = 'Object not found';
  ELSIF found.size > storage.blob_bytes_max() THEN
    RAISE EXCEPTION 'too_large' USING ERRCODE = 'PT413', DETAIL = 'It is too large for this way: use the storage API';
  END IF;
  SELECT string_agg(CASE WHEN c ~ '^[A-Za-z0-9._-]$' THEN c
      ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')), '(..)', '%\1', 'g') END, '' ORDER BY n)
  INTO file_name
  FROM regexp_split_to_table(substring(name FROM '[^/]*$'), '') WITH ORDINALITY AS letter (c, n);
  PERFORM set_config('response.headers', json_build_array(
    json_build_object('Content-Type', coalesce(content_type, 'application/octet-stream')),
    json_build_object('Content-Disposition', 'attachment; filename*=UTF-8''''' || file_name),
    json_build_object('ETag', concat('"', etag, '"')),
    json_build_object('Cache-Control', 'private, no-cache'),
    json_build_object('Content-Security-Policy', 'sandbox; default-src ''none'''),
    json_build_object('X-Content-Type-Options', 'nosniff'))::text, true);
  RETURN coalesce(found.bytes, ''::bytea);
END
$$;

-- `GET /rpc/download_blob?p_bucket=…&p_name=…` with `Accept: application/octet-stream`.
CREATE OR REPLACE FUNCTION :"api".download_blob(p_bucket text, p_name text) RETURNS bytea
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage_internal.blob_to_send(r.key, r.backend, r.content_type, storage.etag_of(r.sha256, r.version_id), p_name)
  FROM (SELECT 1) AS one LEFT JOIN LATERAL storage.read_object(p_bucket, p_name) AS r ON true;
END;

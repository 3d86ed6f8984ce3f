-- Presigned URLs made inside of the database: Signature Version 4 with nothing but sha256(), under the policies of who asks.
--
-- The functions of storage_sign alone read the keys. Application roles may execute them and cannot name them, since they have
-- no USAGE on that schema: they reach them through functions that are SECURITY INVOKER and were resolved when they were created
-- (BEGIN ATOMIC). Those take an id, find the row again under the policies of the caller, and hand over only what they found.
-- All of it reads only, so it works in a READ ONLY transaction. Times are this database's, that of the statement's arrival.

-- Percent-encodes all but RFC 3986's unreserved characters, byte by byte, in upper-case hex.
CREATE OR REPLACE FUNCTION storage_sign.uri_encode_bytes(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(string_agg(CASE
      WHEN b.byte BETWEEN 97 AND 122 OR b.byte BETWEEN 48 AND 57 OR b.byte BETWEEN 65 AND 90 OR b.byte IN (45, 46, 95, 126)
        THEN chr(b.byte)
      WHEN b.byte < 16 THEN '%0' || upper(to_hex(b.byte))
      ELSE '%' || upper(to_hex(b.byte)) END, '' ORDER BY b.place), '')
  FROM (
    SELECT place, get_byte(bytes, place) AS byte
    FROM convert_to(value, 'UTF8') AS bytes, generate_series(0, octet_length(bytes) - 1) AS place
  ) AS b;
END;

-- The same where there is mostly nothing to encode. Inlined, so that such a value costs one look.
CREATE OR REPLACE FUNCTION storage_sign.uri_encode(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN value ~ '^[A-Za-z0-9._~-]*$' THEN value ELSE storage_sign.uri_encode_bytes(value) END;
END;

-- Paths keep their slashes.
CREATE OR REPLACE FUNCTION storage_sign.uri_encode_path(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN value ~ '^[A-Za-z0-9._~/-]*$' THEN value
    ELSE replace(storage_sign.uri_encode_bytes(value), '%2F', '/') END;
END;

-- `attachment; filename="…"; filename*=UTF-8''…` with an ASCII fallback and the real name (RFC 6266, RFC 8187), encoded for
-- a query: so the name is encoded twice. Characters beyond 16 bits are two in JavaScript, which counts in `_`.
CREATE OR REPLACE FUNCTION storage_sign.attachment(file_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE
    WHEN file_name ~ '^[A-Za-z0-9._~-]*$' THEN concat('attachment%3B%20filename%3D%22', file_name,
      '%22%3B%20filename%2A%3DUTF-8%27%27', file_name)
    ELSE concat('attachment%3B%20filename%3D%22',
      storage_sign.uri_encode_bytes(regexp_replace(
        regexp_replace(file_name, '[\U00010000-\U0010ffff]', '__', 'g'), '[^\u0020-\u007e]|["\\%]', '_', 'g')),
      '%22%3B%20filename%2A%3DUTF-8%27%27',
      -- `!` stays as it is in a header, and is encoded once.
      replace(replace(storage_sign.uri_encode_bytes(file_name), '%', '%25'), '%2521', '%21')) END;
END;

-- Whether a browser might run bytes of this type: whatever is not known to be harmless. As domain/media-type.ts says it.
CREATE OR REPLACE FUNCTION storage_sign.is_active_type(type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE
    WHEN type IS NULL THEN false
    WHEN type IN ('image/jpeg', 'image/png', 'image/webp', 'application/octet-stream', 'text/plain', 'application/json',
      'text/csv', 'application/ogg') THEN false
    ELSE type !~ '^(image|audio|video|font)/' OR type ~ 'svg|xml|html|script' END;
END;

-- What a GET is signed to be answered with: the type that was declared, and as a file where a name is given or where a
-- browser might run it. In canonical order, behind what the signature brings itself.
CREATE OR REPLACE FUNCTION storage_sign.answer_terms(content_type text, detected_type text, file_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE
      WHEN file_name IS NOT NULL THEN '&response-content-disposition=' || storage_sign.attachment(file_name)
      WHEN storage_sign.is_active_type(content_type) OR storage_sign.is_active_type(detected_type)
        THEN '&response-content-disposition=attachment'
      ELSE '' END
    || CASE content_type
      WHEN 'image/jpeg' THEN '&response-content-type=image%2Fjpeg'
      WHEN 'image/png' THEN '&response-content-type=image%2Fpng'
      ELSE '&response-content-type=' || storage_sign.uri_encode(coalesce(content_type, 'application/octet-stream')) END;
END;

-- Raises where no URL is signed for these terms.
CREATE OR REPLACE FUNCTION storage_sign.assert_terms(expires_in integer, name_bytes integer, how_many integer) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (expires_in BETWEEN 1 AND 3600) IS NOT TRUE THEN
    RAISE EXCEPTION 'a presigned URL lives 1 to 3600 seconds' USING ERRCODE = 'invalid_parameter_value';
  ELSIF name_bytes > 1024 THEN
    RAISE EXCEPTION 'a file name has at most 1024 bytes' USING ERRCODE = 'invalid_parameter_value';
  ELSIF how_many > 10000 THEN
    RAISE EXCEPTION 'at most 10000 URLs are signed at once' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION storage_sign.refuse_keyless(backend text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'nothing can be signed for the store % now: the database has no key of it', backend
    USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Workers of the queue maintenance derive the keys: one must be running.';
END
$$;

-- Signs a GET of a version that is stored, for 1 to 3600 seconds; NULL for any other version. With a file name it is answered
-- as a file to be saved. The statement asks for plain columns only: what is computed in one is made ready anew for every URL.
CREATE OR REPLACE FUNCTION storage_sign.sign(wanted uuid, expires_in integer, file_name text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked_at constant timestamptz := statement_timestamp();
  today constant date := (asked_at AT TIME ZONE 'UTC')::date;
  stamp constant text := to_char(asked_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');
  key text;
  store text;
  declared text;
  detected text;
  origin text;
  host text;
  path text;
  query text;
  token text;
  scope text;
  inner_pad bytea;
  outer_pad bytea;
BEGIN
  IF (expires_in BETWEEN 1 AND 3600) IS NOT TRUE OR octet_length(file_name) > 1024 THEN
    PERFORM storage_sign.assert_terms(expires_in, octet_length(file_name), 1);
  END IF;
  SELECT v.key, v.backend, v.content_type, v.detected_type, k.origin, k.host, k.path_prefix, k.query_prefix, k.query_token, k.scope,
    k.inner_pad, k.outer_pad
  INTO key, store, declared, detected, origin, host, path, query, token, scope, inner_pad, outer_pad
  FROM (SELECT * FROM storage.versions WHERE quarantined_at IS NULL) AS v
  LEFT JOIN storage.s3_signing_keys AS k ON k.backend = v.backend AND k.day = today
    AND k.valid_from <= asked_at AND k.valid_until > asked_at
  WHERE v.id = wanted AND v.state = 'stored';
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF origin IS NULL THEN
    RETURN storage_sign.refuse_keyless(store);
  END IF;
  path := path || storage_sign.uri_encode_path(key);
  query := concat(query, '&X-Amz-Date=', stamp, '&X-Amz-Expires=', expires_in, token, '&X-Amz-SignedHeaders=host',
    storage_sign.answer_terms(declared, detected, file_name));
  RETURN concat(origin, path, '?', query, '&X-Amz-Signature=', encode(sha256(outer_pad || sha256(inner_pad || convert_to(concat(
    E'AWS4-HMAC-SHA256\n', stamp, E'\n', scope, E'\n', encode(sha256(convert_to(concat(
      E'GET\n', path, E'\n', query, E'\nhost:', host, E'\n\nhost\nUNSIGNED-PAYLOAD'), 'UTF8')), 'hex')), 'UTF8'))), 'hex'));
END
$$;

-- The same for many versions, one row for each and in their order, NULL where one may not be signed or is NULL.
-- What is the same for all URLs of a store is made once.
CREATE OR REPLACE FUNCTION storage_sign.sign_many(wanted uuid[], expires_in integer, file_names text[] DEFAULT NULL) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked_at constant timestamptz := statement_timestamp();
  stamp constant text := to_char(asked_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');
BEGIN
  PERFORM storage_sign.assert_terms(expires_in, NULL, cardinality(wanted));
  RETURN QUERY
    WITH signers AS MATERIALIZED (
      SELECT k.backend, k.origin || k.path_prefix AS url_prefix, E'GET\n' || k.path_prefix AS request_prefix,
        concat(k.query_prefix, '&X-Amz-Date=', stamp, '&X-Amz-Expires=', expires_in, k.query_token, '&X-Amz-SignedHeaders=host') AS query,
        concat(E'\nhost:', k.host, E'\n\nhost\nUNSIGNED-PAYLOAD') AS request_end,
        k.inner_pad || convert_to(concat(E'AWS4-HMAC-SHA256\n', stamp, E'\n', k.scope, E'\n'), 'UTF8') AS inner_pad,
        k.outer_pad
      FROM storage.s3_signing_keys AS k
      WHERE k.day = (asked_at AT TIME ZONE 'UTC')::date AND k.valid_from <= asked_at AND k.valid_until > asked_at
    )
    SELECT CASE
      WHEN v.path IS NULL THEN NULL
      WHEN k.backend IS NULL THEN storage_sign.refuse_keyless(v.backend)
      ELSE concat(k.url_prefix, v.path, '?', k.query, v.terms, '&X-Amz-Signature=', encode(sha256(k.outer_pad || sha256(k.inner_pad
        || convert_to(encode(sha256(convert_to(concat(k.request_prefix, v.path, E'\n', k.query, v.terms, k.request_end), 'UTF8')),
          'hex'), 'UTF8'))), 'hex')) END
    FROM (
      SELECT s.backend, storage_sign.uri_encode_path(s.key) AS path,
        storage_sign.answer_terms(s.content_type, s.detected_type, w.file_name) AS terms
      FROM unnest(wanted, file_names) WITH ORDINALITY AS w (id, file_name, place)
      LEFT JOIN storage.versions AS s ON s.id = w.id AND s.state = 'stored' AND s.quarantined_at IS NULL
      ORDER BY w.place
    ) AS v
    LEFT JOIN LATERAL (SELECT * FROM signers WHERE signers.backend = v.backend LIMIT 1) AS k ON true;
END
$$;

-- The key with which a store's URLs are signed at a time; all NULL where the database has none.
CREATE OR REPLACE FUNCTION storage_sign.key_of(store text, moment timestamptz) RETURNS storage.s3_signing_keys
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT k FROM storage.s3_signing_keys AS k
  WHERE k.backend = store AND k.day = (moment AT TIME ZONE 'UTC')::date AND k.valid_from <= moment AND k.valid_until > moment
$$;

-- The URL of a PUT to a key of a store, with what was declared of type, length and checksum as signed headers; NULL stands
-- for what was not declared. `asked_at` is when its life begins.
CREATE OR REPLACE FUNCTION storage_sign.put_url(
  k storage.s3_signing_keys, key text, asked_at timestamptz, expires_in integer,
  content_type text, file_size bigint, checksum text, if_none_match text
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  stamp constant text := to_char(asked_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');
  type constant text := nullif(regexp_replace(trim(content_type), ' +', ' ', 'g'), '');
  acl constant text := nullif(k.upload_acl, '');
  names constant text := concat(CASE WHEN file_size IS NOT NULL THEN 'content-length;' END,
    CASE WHEN type IS NOT NULL THEN 'content-type;' END, 'host', CASE WHEN if_none_match IS NOT NULL THEN ';if-none-match' END,
    CASE WHEN acl IS NOT NULL THEN ';x-amz-acl' END, CASE WHEN checksum IS NOT NULL THEN ';x-amz-checksum-sha256' END);
  headers constant text := concat('content-length:' || file_size || E'\n', 'content-type:' || type || E'\n', 'host:', k.host, E'\n',
    'if-none-match:' || if_none_match || E'\n', 'x-amz-acl:' || acl || E'\n', 'x-amz-checksum-sha256:' || checksum || E'\n');
  path constant text := k.path_prefix || storage_sign.uri_encode_path(key);
  query constant text := concat(k.query_prefix, '&X-Amz-Date=', stamp, '&X-Amz-Expires=', expires_in, k.query_token,
    '&X-Amz-SignedHeaders=', replace(names, ';', '%3B'));
  digest constant text := encode(sha256(convert_to(concat(
    E'PUT\n', path, E'\n', query, E'\n', headers, E'\n', names, E'\nUNSIGNED-PAYLOAD'), 'UTF8')), 'hex');
BEGIN
  RETURN concat(k.origin, path, '?', query, '&X-Amz-Signature=', encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(concat(
    E'AWS4-HMAC-SHA256\n', stamp, E'\n', k.scope, E'\n', digest), 'UTF8'))), 'hex'));
END
$$;

-- Signs the PUT of an upload request while its upload is open, as the signer's job would. NULL for a request that is not
-- there or over. A URL never outlives its upload.
CREATE OR REPLACE FUNCTION storage_sign.sign_put(wanted_request uuid, expires_in integer) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked_at constant timestamptz := statement_timestamp();
  v record;
  signing storage.s3_signing_keys;
BEGIN
  PERFORM storage_sign.assert_terms(expires_in, NULL, 1);
  SELECT CASE u.put_guard WHEN 'incoming' THEN concat('incoming/', u.id) ELSE s.key END AS key,
    CASE u.put_guard WHEN 'condition' THEN '*' END AS if_none_match, s.backend AS store, u.expires_at, r.file_type, r.file_size,
    encode(r.sha256, 'base64') AS checksum INTO v
  FROM :"metadata".file_upload_requests AS r
  JOIN storage.uploads AS u ON u.id = r.upload_id AND u.kind = 'direct' AND u.state = 'open' AND u.expires_at > asked_at
  JOIN storage.versions AS s ON s.id = u.version_id AND s.state = 'writing'
  WHERE r.id = wanted_request AND r.part_size IS NULL;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  signing := storage_sign.key_of(v.store, asked_at);
  IF signing.origin IS NULL THEN
    RETURN storage_sign.refuse_keyless(v.store);
  ELSIF v.expires_at < asked_at + make_interval(secs => expires_in) THEN
    RAISE EXCEPTION 'the upload ends before the URL would: ask for at most % seconds', floor(extract(epoch FROM v.expires_at - asked_at))
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN storage_sign.put_url(signing, v.key, asked_at, expires_in, v.file_type, v.file_size, v.checksum, v.if_none_match);
END
$$;

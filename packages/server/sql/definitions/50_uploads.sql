-- Begin and commit of an upload. Both are called by the API's login role as one statement, become the caller
-- to let the policies judge, and come back. Refusals are SQLSTATE RWLCK with the reason as the message.

CREATE OR REPLACE FUNCTION storage.refuse(reason text, detail text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'RWLCK', MESSAGE = reason, DETAIL = detail;
END
$$;

-- Does an allow-list accept a media type? Entries are exact or `type/*`; both sides are lower-case.
CREATE OR REPLACE FUNCTION storage.media_type_allowed(allowed text[], media_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT allowed IS NULL OR cardinality(allowed) = 0 OR EXISTS (
    SELECT FROM unnest(allowed) AS entry
    WHERE entry IN ('*', '*/*') OR lower(entry) = media_type
      OR (right(entry, 2) = '/*' AND starts_with(media_type, lower(left(entry, -1)))))
$$;

-- Asks the caller's policies whether this object may be written, without writing anything: PostgreSQL judges
-- WITH CHECK after BEFORE triggers and before NOT NULL, so 23502 on version_id means yes and 42501 means no.
-- SECURITY INVOKER, and callable by anyone: it answers only for oneself.
CREATE OR REPLACE FUNCTION storage.may_upload(
  wanted_bucket text, wanted_name text, declared jsonb, overwrite boolean
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  failed_table text;
  failed_column text;
  setting text;
BEGIN
  setting := set_config('storage.declared', declared::text, true);
  setting := storage.search_as_caller();
  IF overwrite THEN
    UPDATE storage.objects SET version_id = NULL WHERE bucket_id = wanted_bucket AND name = wanted_name;
    RETURN false; -- no row: it is not there, or not the caller's to change
  END IF;
  INSERT INTO storage.objects (bucket_id, name) VALUES (wanted_bucket, wanted_name);
  RAISE EXCEPTION 'an object without bytes was accepted' USING ERRCODE = 'assert_failure';
EXCEPTION WHEN not_null_violation THEN
  GET STACKED DIAGNOSTICS failed_table = TABLE_NAME, failed_column = COLUMN_NAME;
  IF failed_table <> 'objects' OR failed_column <> 'version_id' THEN
    RAISE;
  END IF;
  RETURN true;
END
$$;

-- Settings are set by assignments, here and wherever an upload passes: a PERFORM starts the executor for each.
CREATE OR REPLACE FUNCTION storage_internal.become(caller_role text, caller_claims text, operation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  setting text;
BEGIN
  setting := set_config('request.jwt.claims', caller_claims, true);
  setting := set_config('storage.operation', operation, true);
  setting := set_config('role', caller_role, true);
END
$$;

-- Do the conditions that a request was sent with hold for what a name has now (NULL for nothing)? `*` stands for
-- anything that is there (RFC 9110, section 13.1).
CREATE OR REPLACE FUNCTION storage.conditions_hold(if_match text[], if_none_match text[], etag text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT (if_match IS NULL OR (etag IS NOT NULL AND ('*' = ANY (if_match) OR etag = ANY (if_match))))
    AND (if_none_match IS NULL OR etag IS NULL OR NOT ('*' = ANY (if_none_match) OR etag = ANY (if_none_match)));
END;

-- The validator of an object, without quotes.
CREATE OR REPLACE FUNCTION storage.etag_of(sha256 bytea, version_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(encode(sha256, 'hex'), version_id::text);
END;

-- Asks bucket, limits, conditions and policies whether the current role may upload this; writes nothing. Returns the
-- upload with what the bucket decides: whether to overwrite, and the largest body. Callable by anyone: it answers only
-- for oneself.
CREATE OR REPLACE FUNCTION storage.ask_upload(
  u storage.uploads, overwrite_asked boolean, size_cap bigint, type_is_known boolean DEFAULT true
) RETURNS storage.uploads
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  bucket storage.buckets;
  found_id uuid;
  found_etag text;
  refused_id uuid;
  setting text;
BEGIN
  setting := storage.search_as_caller();
  SELECT * INTO bucket FROM storage.buckets AS b WHERE b.id = u.bucket_id;
  IF NOT FOUND THEN
    PERFORM storage.refuse('bucket_not_found', 'Bucket not found');
  END IF;
  u.overwrite := coalesce(overwrite_asked, bucket.overwrite = 'allow');
  u.size_max := least(coalesce(bucket.file_size_limit, size_cap), size_cap);
  FOR attempt IN 1..5 LOOP
    SELECT o.id, storage.etag_of(o.sha256, o.version_id) INTO found_id, found_etag
    FROM storage.objects AS o WHERE o.bucket_id = u.bucket_id AND o.name = u.name;
    IF NOT storage.conditions_hold(u.if_match, u.if_none_match, found_etag) THEN
      PERFORM storage.refuse('precondition_failed', 'The object is not the one that the conditions name');
    ELSIF found_id IS NOT NULL AND NOT u.overwrite THEN
      PERFORM storage.refuse('object_exists', 'The resource already exists');
    END IF;
    EXIT WHEN storage.may_upload(u.bucket_id, u.name,
      jsonb_build_object('size', u.declared_size, 'content_type', u.content_type), found_id IS NOT NULL);
    -- Kept by the policies, or deleted since it was looked for: the same object still there in the next turn tells.
    IF found_id = refused_id THEN
      PERFORM storage.refuse('not_allowed', 'the policies for UPDATE on storage.objects do not allow this');
    ELSIF attempt = 5 THEN
      PERFORM storage.refuse('unavailable', 'the object is written and deleted all the time; try again');
    END IF;
    refused_id := found_id;
  END LOOP;
  IF u.declared_size > u.size_max THEN
    PERFORM storage.refuse('too_large', format('the body has %s bytes; at most %s are accepted', u.declared_size, u.size_max));
  END IF;
  IF type_is_known
    AND NOT storage.media_type_allowed(bucket.allowed_mime_types, coalesce(u.content_type, 'application/octet-stream')) THEN
    PERFORM storage.refuse('media_type_not_allowed', format('mime type %s is not supported', u.content_type));
  END IF;
  RETURN u;
END
$$;

-- Writes the intent. The sweep may take it once the bytes could have arrived at 64 KiB/s, plus 15 minutes.
CREATE OR REPLACE FUNCTION storage_internal.open_upload(u storage.uploads, backend text, key text, patience interval)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  deadline timestamptz := now() + patience + interval '15 minutes'
    + make_interval(secs => ceil(coalesce(u.declared_size, u.size_max) / 65536.0));
BEGIN
  INSERT INTO storage.versions (id, backend, key, content_type, expires_at)
  VALUES (u.version_id, open_upload.backend, open_upload.key, u.content_type, deadline);
  INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, content_type,
    declared_size, size_max, overwrite, cache_control, user_metadata, if_match, if_none_match, ticket_id, put_guard, expires_at)
  VALUES (u.id, u.version_id, u.kind, u.bucket_id, u.name, u.caller_role, u.caller_claims, u.content_type,
    u.declared_size, u.size_max, u.overwrite, u.cache_control, u.user_metadata, u.if_match, u.if_none_match, u.ticket_id,
    u.put_guard, deadline);
  IF u.put_guard = 'incoming' THEN
    INSERT INTO storage.versions (id, backend, key, content_type, expires_at)
    VALUES (storage_internal.uuid_v7(), open_upload.backend, concat('incoming/', u.id), u.content_type, deadline);
  END IF;
END
$$;

-- Begins an upload. `overwrite_asked`: true, false, or NULL for the bucket's own setting. `if_match` and `if_none_match`
-- are judged now and again by the commit. Returns the largest body that will be accepted.
DROP FUNCTION IF EXISTS storage_internal.begin_upload(
  uuid, uuid, text, text, text, text, text, bigint, text, jsonb, text, text, boolean, bigint);
CREATE OR REPLACE FUNCTION storage_internal.begin_upload(
  upload_id uuid, version_id uuid, bucket_id text, name text, caller_role text, claims text, content_type text,
  declared_size bigint, cache_control text, user_metadata jsonb, backend text, key text, overwrite_asked boolean, size_cap bigint,
  if_match text[] DEFAULT NULL, if_none_match text[] DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  u storage.uploads;
BEGIN
  u.id := upload_id;
  u.version_id := version_id;
  u.kind := 'body';
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
  PERFORM set_config('role', 'none', true);
  IF u.declared_size IS NULL THEN
    u.size_max := least(u.size_max, storage_internal.quota_room(u.bucket_id, u.name));
  END IF;
  PERFORM storage_internal.open_upload(u, backend, key, interval '0');
  RETURN u.size_max;
END
$$;

-- Takes the intent for the transaction that commits it, and records what was measured.
CREATE OR REPLACE FUNCTION storage_internal.take_upload(
  upload_id uuid, true_size bigint, true_sha256 bytea, true_etag text, detected text
) RETURNS storage.uploads
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  u storage.uploads;
BEGIN
  UPDATE storage.uploads SET state = 'committing' WHERE id = upload_id AND state = 'open' RETURNING * INTO u;
  IF NOT FOUND THEN
    PERFORM storage.refuse('upload_gone', 'the upload expired, was refused or is finished');
  END IF;
  UPDATE storage.versions SET state = 'stored', size = true_size, sha256 = true_sha256, etag = true_etag,
    detected_type = detected, content_type = u.content_type, stored_at = now(), expires_at = NULL
  WHERE id = u.version_id AND state = 'writing';
  IF NOT FOUND THEN
    PERFORM storage.refuse('upload_gone', 'the upload''s bytes were swept');
  END IF;
  PERFORM FROM storage.buckets WHERE id = u.bucket_id;
  IF NOT FOUND THEN
    PERFORM storage.refuse('bucket_not_found', 'Bucket not found');
  END IF;
  -- What the bucket allows, the triggers of 41_limits.sql say; this is what was promised when it began.
  IF true_size > u.size_max THEN
    PERFORM storage.refuse('too_large', format('the object has %s bytes; at most %s are accepted', true_size, u.size_max));
  END IF;
  IF u.ticket_id IS NOT NULL THEN
    PERFORM storage_internal.take_ticket(u, true_sha256, detected);
  END IF;
  IF u.put_guard IN ('condition', 'recheck') THEN
    PERFORM storage_internal.watch_put(u);
  END IF;
  RETURN u;
END
$$;

-- Writes the object as the caller, and tells whether it is a new one. The loop ends: each turn either writes, or learns that somebody else's row
-- appeared or went in between. A row that twice does not let itself be updated is kept by the policies; one that is in
-- the way without being seen is somebody else's.
DROP FUNCTION IF EXISTS storage.write_object(storage.uploads);
CREATE FUNCTION storage.write_object(u storage.uploads) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_id uuid;
  found_etag text;
  refused_id uuid;
  setting text;
BEGIN
  setting := storage.search_as_caller();
  FOR attempt IN 1..10 LOOP
    -- Looking first is cheaper than an UPDATE that changes no row, whose triggers run all the same.
    IF u.overwrite OR u.if_match IS NOT NULL THEN
      SELECT o.id, storage.etag_of(o.sha256, o.version_id) INTO found_id, found_etag
      FROM storage.objects AS o WHERE o.bucket_id = u.bucket_id AND o.name = u.name;
      IF NOT storage.conditions_hold(u.if_match, u.if_none_match, found_etag) THEN
        PERFORM storage.refuse('precondition_failed', 'The object is not the one that the conditions name');
      END IF;
    END IF;
    IF found_id IS NOT NULL AND u.overwrite THEN
      -- PostgreSQL asks the conditions again of what whoever held the row's lock has made of it.
      UPDATE storage.objects SET version_id = u.version_id,
        cache_control = coalesce(u.cache_control, cache_control),
        -- The consent was to the position of the bytes before.
        user_metadata = coalesce(u.user_metadata, user_metadata - 'consent_location')
      WHERE bucket_id = u.bucket_id AND name = u.name
        AND storage.conditions_hold(u.if_match, u.if_none_match, storage.etag_of(sha256, version_id));
      IF FOUND THEN
        RETURN false;
      ELSIF found_id = refused_id THEN
        PERFORM storage.refuse('not_allowed', 'the policies for UPDATE on storage.objects do not allow this');
      END IF;
      refused_id := found_id;
      CONTINUE;
    END IF;
    BEGIN
      INSERT INTO storage.objects (bucket_id, name, version_id, cache_control, user_metadata)
      VALUES (u.bucket_id, u.name, u.version_id, u.cache_control, u.user_metadata);
      RETURN true;
    EXCEPTION WHEN unique_violation THEN
      EXIT WHEN NOT u.overwrite;
    END;
  END LOOP;
  PERFORM storage.refuse('object_exists', 'The resource already exists');
END
$$;

-- Forgets the intent, attaches the object to its files row, and says what was written: a caller who may write
-- but not read learns no more than its own object.
CREATE OR REPLACE FUNCTION storage_internal.finish_upload(u storage.uploads) RETURNS storage.objects
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  object storage.objects;
BEGIN
  DELETE FROM storage.uploads WHERE id = u.id;
  SELECT * INTO object FROM storage.objects WHERE bucket_id = u.bucket_id AND name = u.name AND version_id = u.version_id;
  IF u.kind = 'direct' THEN
    PERFORM storage_internal.attach_file(u, object);
  END IF;
  IF u.put_guard = 'incoming' THEN
    PERFORM storage_internal.let_go_of_incoming(u.id);
  END IF;
  RETURN object;
END
$$;

-- What a form said of its file behind it. Policies and limits see it: it is written before they are asked.
CREATE OR REPLACE FUNCTION storage_internal.amend_upload(upload_id uuid, amended jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.uploads SET
    content_type = coalesce(amended ->> 'content_type', content_type),
    cache_control = coalesce(amended ->> 'cache_control', cache_control),
    -- What a ticket binds stays.
    user_metadata = CASE WHEN ticket_id IS NULL
      THEN coalesce(nullif(amended -> 'user_metadata', 'null'), user_metadata)
      ELSE coalesce(user_metadata, nullif(amended -> 'user_metadata', 'null')) END
  WHERE id = upload_id AND state = 'open'
$$;

-- Commits an upload as the live caller, or as the stored one when `caller_role` is NULL. `origin`: id and address of the
-- request, for the audit log.
DROP FUNCTION IF EXISTS storage_internal.commit_upload(uuid, text, text, bigint, bytea, text, text);
CREATE OR REPLACE FUNCTION storage_internal.commit_upload(
  upload_id uuid, caller_role text, claims text,
  true_size bigint, true_sha256 bytea, true_etag text, detected text, amended jsonb DEFAULT NULL,
  origin text[] DEFAULT NULL, OUT created boolean, OUT object storage.objects
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  u storage.uploads;
  asked record;
  setting text := set_config('storage.request_id', coalesce(origin[1], ''), true);
BEGIN
  setting := set_config('storage.request_address', coalesce(origin[2], ''), true);
  IF caller_role IS NULL THEN
    -- A file whose entity went, or that its uploader may no longer attach, is refused. First of all: whoever deletes
    -- the entity takes its lock before any row of ours.
    SELECT * INTO asked FROM storage_internal.entity_of_upload(upload_id);
    IF FOUND THEN
      PERFORM storage_internal.become(asked.caller_role, asked.caller_claims, 'storage.object.upload');
      PERFORM storage.assert_may_attach(asked.entity_type, asked.entity_id);
      PERFORM set_config('role', 'none', true);
    END IF;
  END IF;
  IF amended IS NOT NULL THEN
    PERFORM storage_internal.amend_upload(upload_id, amended);
  END IF;
  u := storage_internal.take_upload(upload_id, true_size, true_sha256, true_etag, detected);
  PERFORM storage_internal.become(
    coalesce(caller_role, u.caller_role), coalesce(claims, u.caller_claims::text), 'storage.object.upload');
  created := storage.write_object(u);
  setting := set_config('role', 'none', true);
  object := storage_internal.finish_upload(u);
END
$$;

-- Gives an upload up: its bytes are purged. Does nothing once it is committed, so it is safe after a lost reply.
CREATE OR REPLACE FUNCTION storage_internal.abandon_upload(upload_id uuid, reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  u storage.uploads;
BEGIN
  DELETE FROM storage.uploads WHERE id = upload_id AND state = 'open' RETURNING * INTO u;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE storage.versions SET expires_at = now() WHERE id = u.version_id AND state = 'writing';
  PERFORM storage_internal.enqueue_purges(ARRAY[u.version_id]);
  IF u.put_guard = 'incoming' THEN
    PERFORM storage_internal.let_go_of_incoming(u.id);
  END IF;
  IF u.kind = 'direct' THEN
    UPDATE storage.multipart_uploads SET error = reason WHERE multipart_uploads.upload_id = u.id;
    UPDATE :"metadata".files SET thumbnail_status = 'failed', thumbnail_error = reason, updated_at = now()
    WHERE files.upload_id = u.id;
  END IF;
  RETURN true;
END
$$;

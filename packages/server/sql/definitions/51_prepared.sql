-- Uploads whose version was prepared: while many small bodies arrive at once, their intents are written for many in one
-- transaction, before anybody asks. Begin then only asks bucket, limits, conditions and policies, and writes nothing;
-- commit records what was measured. The bytes are in between, as ever, under a key that a row in state `writing` names.

-- Writes versions for uploads to come. One that is not used is given back, or swept when its time is over.
CREATE OR REPLACE FUNCTION storage_internal.prepare_versions(ids uuid[], backend text, keys text[], life interval) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO storage.versions (id, backend, key, expires_at)
  SELECT id, prepare_versions.backend, key, now() + life FROM unnest(ids, keys) AS prepared (id, key)
$$;

-- Takes back versions that no upload was begun with: no byte was ever written under their keys.
CREATE OR REPLACE FUNCTION storage_internal.give_versions_back(ids uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM storage.versions WHERE id = ANY (ids) AND state = 'writing'
$$;

-- Begins an upload with a prepared version: asks as begin_upload does. Where quotas reserve, an intent is written all the
-- same, and `is_open` says so: such an upload is committed as any other. Nothing is begun where the version `is_swept`.
CREATE OR REPLACE FUNCTION storage_internal.begin_prepared(
  upload_id uuid, version_id uuid, bucket_id text, name text, caller_role text, claims text, content_type text,
  declared_size bigint, cache_control text, user_metadata jsonb, overwrite_asked boolean, size_cap bigint,
  if_match text[], if_none_match text[],
  OUT size_max bigint, OUT overwrites boolean, OUT is_open boolean, OUT is_swept boolean
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  u storage.uploads;
  found text;
  setting text := set_config('request.jwt.claims', claims, true);
BEGIN
  u.id := upload_id;
  u.version_id := version_id;
  u.kind := 'body';
  u.bucket_id := bucket_id;
  u.name := name;
  u.caller_role := caller_role;
  u.content_type := content_type;
  u.declared_size := declared_size;
  u.if_match := if_match;
  u.if_none_match := if_none_match;
  setting := set_config('storage.operation', 'storage.object.upload', true);
  setting := set_config('role', caller_role, true);
  u := storage.ask_upload(u, overwrite_asked, size_cap);
  setting := set_config('role', 'none', true);
  found := storage_internal.look_at_prepared(version_id);
  is_swept := found = 'swept';
  is_open := found = 'reserve';
  IF is_open THEN
    u.caller_claims := claims::jsonb;
    u.cache_control := cache_control;
    u.user_metadata := user_metadata;
    PERFORM storage_internal.open_prepared(u);
  END IF;
  size_max := u.size_max;
  overwrites := u.overwrite;
END
$$;

-- `swept` where the version is no more, else `reserve` where there are quotas, else `free`.
CREATE OR REPLACE FUNCTION storage_internal.look_at_prepared(wanted uuid) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  has_quotas boolean;
BEGIN
  SELECT EXISTS (SELECT FROM storage.quotas) INTO has_quotas
  FROM storage.versions WHERE id = wanted AND state = 'writing' AND expires_at > now();
  RETURN CASE WHEN has_quotas THEN 'reserve' WHEN FOUND THEN 'free' ELSE 'swept' END;
END
$$;

-- Writes the intent of an upload whose version is there.
CREATE OR REPLACE FUNCTION storage_internal.open_prepared(u storage.uploads) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, content_type,
    declared_size, size_max, overwrite, cache_control, user_metadata, if_match, if_none_match, expires_at)
  SELECT u.id, u.version_id, u.kind, u.bucket_id, u.name, u.caller_role, u.caller_claims, u.content_type,
    u.declared_size, u.size_max, u.overwrite, u.cache_control, u.user_metadata, u.if_match, u.if_none_match, v.expires_at
  FROM storage.versions AS v WHERE v.id = u.version_id;
END
$$;

-- Records what was measured of a prepared version's bytes.
CREATE OR REPLACE FUNCTION storage_internal.take_prepared(
  u storage.uploads, true_size bigint, true_sha256 bytea, true_etag text, detected text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.versions SET state = 'stored', size = true_size, sha256 = true_sha256, etag = true_etag,
    detected_type = detected, content_type = u.content_type, stored_at = now(), expires_at = NULL,
    stored_in = pg_current_xact_id()
  WHERE id = u.version_id AND state = 'writing' AND expires_at > now();
  IF NOT FOUND THEN
    PERFORM storage.refuse('upload_gone', 'the upload expired or was given up');
  END IF;
  IF true_size > u.size_max THEN
    PERFORM storage.refuse('too_large', format('the object has %s bytes; at most %s are accepted', true_size, u.size_max));
  END IF;
  PERFORM FROM storage.buckets WHERE id = u.bucket_id;
  IF NOT FOUND THEN
    PERFORM storage.refuse('bucket_not_found', 'Bucket not found');
  END IF;
  RETURN true;
END
$$;

-- Says what was written: a caller who may write but not read learns no more than its own object.
CREATE OR REPLACE FUNCTION storage_internal.written_object(wanted_bucket text, wanted_name text, wanted_version uuid)
RETURNS storage.objects
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  object storage.objects;
BEGIN
  SELECT * INTO object FROM storage.objects
  WHERE bucket_id = wanted_bucket AND name = wanted_name AND version_id = wanted_version;
  RETURN object;
END
$$;

-- Commits an upload that begin_prepared began and left unopened, with what it answered. `origin` as in commit_upload.
CREATE OR REPLACE FUNCTION storage_internal.commit_prepared(
  version_id uuid, bucket_id text, name text, caller_role text, claims text, content_type text, cache_control text,
  user_metadata jsonb, size_max bigint, overwrites boolean, if_match text[], if_none_match text[],
  true_size bigint, true_sha256 bytea, true_etag text, detected text, origin text[],
  OUT created boolean, OUT object storage.objects
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  u storage.uploads;
  is_taken boolean;
  setting text := set_config('storage.request_id', coalesce(origin[1], ''), true);
BEGIN
  setting := set_config('storage.request_address', coalesce(origin[2], ''), true);
  u.version_id := version_id;
  u.bucket_id := bucket_id;
  u.name := name;
  u.content_type := content_type;
  u.cache_control := cache_control;
  u.user_metadata := user_metadata;
  u.size_max := size_max;
  u.overwrite := overwrites;
  u.if_match := if_match;
  u.if_none_match := if_none_match;
  is_taken := storage_internal.take_prepared(u, true_size, true_sha256, true_etag, detected);
  setting := set_config('request.jwt.claims', claims, true);
  setting := set_config('storage.operation', 'storage.object.upload', true);
  setting := set_config('role', caller_role, true);
  created := storage.write_object(u);
  setting := set_config('role', 'none', true);
  object := storage_internal.written_object(bucket_id, name, version_id);
END
$$;

-- Gives an upload with a prepared version up: its bytes are purged. Does nothing once it is committed.
CREATE OR REPLACE FUNCTION storage_internal.abandon_prepared(version_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  -- Before any transaction's now(), so that a commit that waits for this row's lock finds it over.
  UPDATE storage.versions SET expires_at = '-infinity' WHERE id = version_id AND state = 'writing';
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM storage_internal.enqueue_purges(ARRAY[version_id]);
  RETURN true;
END
$$;

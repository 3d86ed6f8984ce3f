-- Objects for files that are there already: the bytes stay where they are, the thumbnails too, and whoever may read the
-- file's row may read the object. Deleting either deletes the other, once.

SET LOCAL ROLE rowlock_owner;

-- Files that have no object and whose thumbnails are not about to change.
CREATE OR REPLACE FUNCTION rowlock_adopt.files_to_take(
  after_time timestamptz, after_id uuid, is_again boolean, row_limit integer
) RETURNS TABLE (id uuid, created_at timestamptz, bucket text, key text, has_own_key boolean, small text, medium text, large text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT f.id, f.created_at, f.s3_bucket, f.s3_original_key,
    starts_with(f.s3_original_key, concat_ws('/', f.entity_type, f.entity_id, f.id) || '/'),
    f.s3_thumbnail_small_key, f.s3_thumbnail_medium_key, f.s3_thumbnail_large_key
  FROM :"metadata".files AS f
  WHERE f.object_id IS NULL AND f.thumbnail_status NOT IN ('pending', 'processing')
    AND (f.created_at, f.id) > (coalesce(after_time, '-infinity'), coalesce(after_id, '00000000-0000-0000-0000-000000000000'))
    AND (is_again OR NOT EXISTS (SELECT FROM rowlock_adopt.findings AS n WHERE n.file_id = f.id))
  ORDER BY f.created_at, f.id LIMIT row_limit
$$;

CREATE OR REPLACE FUNCTION rowlock_adopt.file_found(file uuid, what text, why text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO rowlock_adopt.findings (file_id, found, detail) VALUES (file, what, left(why, 1000))
  ON CONFLICT (file_id) DO UPDATE SET found = EXCLUDED.found, detail = EXCLUDED.detail, found_at = now()
$$;

-- Gives a file its object: one version under the key where its bytes are, one more for each thumbnail. `thumbnails` is an
-- array of {preset, version_id, key, size}. Answers what happened: `taken`: another object has this key; `gone`: the file
-- was deleted, or has an object.
CREATE OR REPLACE FUNCTION rowlock_adopt.take_file(
  file uuid, new_version uuid, store text, byte_count bigint, byte_tag text, thumbnails jsonb
) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f :"metadata".files;
  thumbnail record;
  new_object uuid;
  intent uuid := gen_random_uuid();
  wanted_bucket text := (SELECT i.bucket FROM rowlock_adopt.installed AS i WHERE i.metadata = :'metadata');
BEGIN
  SELECT * INTO f FROM :"metadata".files AS u WHERE u.id = file AND u.object_id IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'gone';
  END IF;
  -- The deployed URL is for this very key and may still be out: whoever used it once more is found out.
  INSERT INTO storage.versions (id, backend, key, state, size, etag, content_type, stored_at, put_until, recheck_at)
  VALUES (new_version, store, f.s3_original_key, 'stored', byte_count, byte_tag,
    nullif(lower(trim(split_part(f.file_type, ';', 1))), ''), now(),
    CASE WHEN f.created_at > now() - interval '1 day' THEN f.created_at + interval '1 day' END,
    CASE WHEN f.created_at > now() - interval '1 day' THEN now() + interval '16 minutes' END)
  ON CONFLICT ON CONSTRAINT versions_key_used_once DO NOTHING;
  IF NOT FOUND THEN
    PERFORM rowlock_adopt.file_found(file, 'taken', 'another object has these bytes: ' || f.s3_original_key);
    RETURN 'taken';
  END IF;
  FOR thumbnail IN SELECT * FROM jsonb_to_recordset(thumbnails) AS t (preset text, version_id uuid, key text, size bigint) LOOP
    INSERT INTO storage.versions (id, backend, key, state, size, content_type, stored_at)
    VALUES (thumbnail.version_id, store, thumbnail.key, 'stored', thumbnail.size,
      CASE WHEN thumbnail.key ~ '\.png$' THEN 'image/png' ELSE 'image/jpeg' END, now())
    ON CONFLICT ON CONSTRAINT versions_key_used_once DO NOTHING;
    CONTINUE WHEN NOT FOUND;
    INSERT INTO storage.variants (source_version_id, preset, status, version_id)
    VALUES (new_version, thumbnail.preset, 'completed', thumbnail.version_id);
  END LOOP;
  -- The triggers of storage.objects let a row point at a version whose upload is committing, and make its owner the caller.
  INSERT INTO storage.uploads (id, version_id, kind, state, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at)
  VALUES (intent, new_version, 'body', 'committing', wanted_bucket, f.s3_original_key, 'rowlock_worker', '{}', byte_count, false,
    now() + interval '1 hour');
  PERFORM set_config('request.jwt.claims',
    CASE WHEN f.created_by IS NULL THEN '{}' ELSE json_build_object('sub', f.created_by)::text END, true);
  INSERT INTO storage.objects (bucket_id, name, version_id) VALUES (wanted_bucket, f.s3_original_key, new_version)
  RETURNING id INTO new_object;
  PERFORM set_config('request.jwt.claims', '', true);
  DELETE FROM storage.uploads WHERE id = intent;
  UPDATE :"metadata".files AS u SET object_id = new_object WHERE u.id = file;
  DELETE FROM rowlock_adopt.findings WHERE file_id = file;
  RETURN 'done';
END
$$;

-- Which of these keys a row of the adopted schema names: bytes that nobody may take for garbage.
CREATE OR REPLACE FUNCTION rowlock_adopt.keys_in_use(keys text[]) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT k FROM :"metadata".files AS f,
    unnest(ARRAY[f.s3_original_key, f.s3_thumbnail_small_key, f.s3_thumbnail_medium_key, f.s3_thumbnail_large_key]) AS k
  WHERE (f.s3_original_key = ANY (keys) OR f.s3_thumbnail_small_key = ANY (keys)
    OR f.s3_thumbnail_medium_key = ANY (keys) OR f.s3_thumbnail_large_key = ANY (keys)) AND k = ANY (keys)
$$;

-- SECURITY INVOKER: the policies of files decide, evaluated as the caller and with the caller's path. Deployed policies ask
-- functions that fail for some callers and tables (a uuid compared with a bigint): whoever they fail for sees nothing.
CREATE OR REPLACE FUNCTION rowlock_adopt.may_read_file_of(wanted uuid) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage.search_as_caller();
  RETURN EXISTS (SELECT FROM :"metadata".files AS f WHERE f.object_id = wanted);
EXCEPTION WHEN insufficient_privilege OR undefined_function OR undefined_table OR undefined_column THEN
  RETURN false;
END
$$;

DO $policy$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_policies WHERE schemaname = 'storage' AND tablename = 'objects' AND policyname = 'objects_read_adopted') THEN
    CREATE POLICY objects_read_adopted ON storage.objects FOR SELECT TO :"anon", :"authenticated"
      USING (bucket_id = :'bucket' AND rowlock_adopt.may_read_file_of(id));
  END IF;
END
$policy$;

-- Deleting the file deletes its object, and the object's job removes the bytes. The other way is the foreign key's.
CREATE OR REPLACE FUNCTION rowlock_adopt.files_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM storage.objects WHERE id IN (SELECT object_id FROM old_rows WHERE object_id IS NOT NULL);
  RETURN NULL;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowlock_adopt FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rowlock_adopt TO rowlock_worker;
REVOKE EXECUTE ON FUNCTION rowlock_adopt.files_deleted() FROM rowlock_worker;
GRANT SELECT ON rowlock_adopt.installed, rowlock_adopt.findings TO rowlock_worker;
GRANT USAGE ON SCHEMA rowlock_adopt TO :"anon", :"authenticated";
GRANT EXECUTE ON FUNCTION rowlock_adopt.may_read_file_of(uuid) TO :"anon", :"authenticated";

-- What workers of ours ask and write of adopted rows. Like the deployed worker they trust an id of the job's arguments
-- and nothing else; unlike it they take a file's key only where it is the file's own.

SET LOCAL ROLE rowlock_owner;

-- Whether thumbnails of such a file are ours to make, when the deployed functions were switched: as switched_thumbnail.sql says.
-- Of pages the deployed worker makes PNGs.
CREATE OR REPLACE FUNCTION rowlock_adopt.renders(file_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT lower(trim(file_type)) IN ('image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/tiff', 'image/avif')
$$;

-- The request that is to be signed. Its file id is chosen once, whoever tries however often. No row: it is signed, or
-- failed, or gone.
CREATE OR REPLACE FUNCTION rowlock_adopt.request_to_sign(request_id uuid, new_file_id uuid)
RETURNS TABLE (file_id uuid, entity_type text, entity_id text, file_name text, file_type text)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE :"metadata".file_upload_requests AS r SET file_id = coalesce(r.file_id, new_file_id)
  WHERE r.id = request_id AND r.status IN ('pending', 'processing')
  RETURNING r.file_id, r.entity_type, r.entity_id, r.file_name, r.file_type
$$;

CREATE OR REPLACE FUNCTION rowlock_adopt.request_signed(request_id uuid, key text, url text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE :"metadata".file_upload_requests AS r
  SET status = 'completed', s3_key = key, presigned_url = url, error_message = NULL
  WHERE r.id = request_id AND r.status IN ('pending', 'processing')
$$;

CREATE OR REPLACE FUNCTION rowlock_adopt.request_failed(request_id uuid, reason text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE :"metadata".file_upload_requests AS r SET status = 'failed', error_message = left(reason, 1000)
  WHERE r.id = request_id AND r.status IN ('pending', 'processing')
$$;

CREATE OR REPLACE FUNCTION rowlock_adopt.file_to_render(wanted uuid)
RETURNS TABLE (bucket text, key text, has_own_key boolean, file_type text, status text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT f.s3_bucket, f.s3_original_key, starts_with(f.s3_original_key, concat_ws('/', f.entity_type, f.entity_id, f.id) || '/'),
    lower(trim(f.file_type)), f.thumbnail_status
  FROM :"metadata".files AS f WHERE f.id = wanted
$$;

CREATE OR REPLACE FUNCTION rowlock_adopt.file_rendered(wanted uuid, small text, medium text, large text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE :"metadata".files AS f
  SET s3_thumbnail_small_key = small, s3_thumbnail_medium_key = medium, s3_thumbnail_large_key = large,
    thumbnail_status = 'completed', thumbnail_error = NULL, updated_at = now()
  WHERE f.id = wanted
$$;

CREATE OR REPLACE FUNCTION rowlock_adopt.file_failed(wanted uuid, reason text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE :"metadata".files AS f SET thumbnail_status = 'failed', thumbnail_error = left(reason, 1000), updated_at = now()
  WHERE f.id = wanted AND f.thumbnail_status <> 'completed'
$$;

-- Whether new rows go to our queues now.
CREATE OR REPLACE FUNCTION rowlock_adopt.is_switched() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM rowlock_adopt.bodies WHERE rolled_back_at IS NULL)
$$;

-- Requests that wait and have no job: one for each, behind everything that is new. A client waits for seconds only, so
-- requests of yesterday are left alone. Returns where the next call goes on, and how many jobs were made.
CREATE OR REPLACE FUNCTION rowlock_adopt.requeue_requests(
  after_time timestamptz, after_id uuid, older interval, row_limit integer, is_trial boolean,
  OUT last_time timestamptz, OUT last_id uuid, OUT examined integer, OUT enqueued integer
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  r :"metadata".file_upload_requests;
  wanted_queue text := CASE WHEN rowlock_adopt.is_switched() THEN 'fs_presign' ELSE 's3_signer' END;
BEGIN
  examined := 0;
  enqueued := 0;
  FOR r IN
    SELECT * FROM :"metadata".file_upload_requests AS u
    WHERE u.status IN ('pending', 'processing') AND u.created_at < now() - older AND u.created_at > now() - interval '1 day'
      AND (u.created_at, u.id) > (coalesce(after_time, '-infinity'), coalesce(after_id, '00000000-0000-0000-0000-000000000000'))
    ORDER BY u.created_at, u.id LIMIT row_limit
  LOOP
    examined := examined + 1;
    last_time := r.created_at;
    last_id := r.id;
    CONTINUE WHEN EXISTS (
      SELECT FROM :"metadata".river_job AS j
      WHERE j.kind = 's3_presign' AND j.args @> jsonb_build_object('request_id', r.id)
        AND j.state IN ('available', 'running', 'retryable', 'scheduled', 'pending'));
    enqueued := enqueued + 1;
    CONTINUE WHEN is_trial;
    INSERT INTO :"metadata".river_job (args, kind, max_attempts, priority, queue)
    VALUES (jsonb_build_object('request_id', r.id, 'file_name', r.file_name, 'file_type', r.file_type,
      'entity_type', r.entity_type, 'entity_id', r.entity_id), 's3_presign', 25, 4, wanted_queue);
  END LOOP;
  IF enqueued > 0 AND NOT is_trial THEN
    PERFORM pg_notify(:'metadata' || '.river_insert', json_build_object('queue', wanted_queue)::text);
  END IF;
END
$$;

-- The same for thumbnails: the deployed worker leaves a file whose thumbnails failed at `pending` for ever.
CREATE OR REPLACE FUNCTION rowlock_adopt.requeue_files(
  after_time timestamptz, after_id uuid, older interval, row_limit integer, is_trial boolean,
  OUT last_time timestamptz, OUT last_id uuid, OUT examined integer, OUT enqueued integer
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f :"metadata".files;
  wanted_queue text;
  woken text[] := '{}';
BEGIN
  examined := 0;
  enqueued := 0;
  FOR f IN
    SELECT * FROM :"metadata".files AS u
    WHERE u.thumbnail_status IN ('pending', 'processing') AND u.created_at < now() - older
      AND (u.created_at, u.id) > (coalesce(after_time, '-infinity'), coalesce(after_id, '00000000-0000-0000-0000-000000000000'))
    ORDER BY u.created_at, u.id LIMIT row_limit
  LOOP
    examined := examined + 1;
    last_time := f.created_at;
    last_id := f.id;
    CONTINUE WHEN EXISTS (
      SELECT FROM :"metadata".river_job AS j
      WHERE j.kind = 'thumbnail_generate' AND j.args @> jsonb_build_object('file_id', f.id)
        AND j.state IN ('available', 'running', 'retryable', 'scheduled', 'pending'));
    enqueued := enqueued + 1;
    CONTINUE WHEN is_trial;
    wanted_queue := CASE WHEN rowlock_adopt.is_switched() AND rowlock_adopt.renders(f.file_type)
      THEN 'fs_thumbnails' ELSE 'thumbnails' END;
    INSERT INTO :"metadata".river_job (args, kind, max_attempts, priority, queue)
    VALUES (jsonb_build_object('file_id', f.id, 's3_key', f.s3_original_key, 'file_type', f.file_type, 'bucket', f.s3_bucket),
      'thumbnail_generate', 25, 4, wanted_queue);
    IF wanted_queue <> ALL (woken) THEN
      woken := woken || wanted_queue;
    END IF;
  END LOOP;
  PERFORM pg_notify(:'metadata' || '.river_insert', json_build_object('queue', q)::text) FROM unnest(woken) AS q;
END
$$;

-- What an event of the store says of files: that their bytes are there. A file whose thumbnails wait without a job, or failed
-- because its bytes had not come, gets a job, which finds out the rest. Returns how many of these keys files have. Found by
-- the file's id, which is the third part of its key.
CREATE OR REPLACE FUNCTION rowlock_adopt.bytes_came(store_bucket text, keys text[]) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f :"metadata".files;
  known integer := 0;
  ids uuid[] := ARRAY(
    SELECT split_part(k, '/', 3)::uuid FROM unnest(keys) AS k WHERE split_part(k, '/', 3) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$');
BEGIN
  IF NOT rowlock_adopt.is_switched() THEN
    RETURN 0; -- the deployed worker does what is to be done
  END IF;
  FOR f IN
    SELECT * FROM :"metadata".files AS u
    WHERE u.id = ANY (ids) AND u.s3_original_key = ANY (keys) AND u.s3_bucket = store_bucket ORDER BY u.id
  LOOP
    known := known + 1;
    CONTINUE WHEN f.thumbnail_status NOT IN ('pending', 'processing', 'failed')
      OR NOT rowlock_adopt.renders(f.file_type)
      OR (f.thumbnail_status = 'failed' AND f.thumbnail_error IS DISTINCT FROM 'the file has no bytes')
      OR EXISTS (
        SELECT FROM :"metadata".river_job AS j
        WHERE j.kind = 'thumbnail_generate' AND j.args @> jsonb_build_object('file_id', f.id)
          AND j.state IN ('available', 'running', 'retryable', 'scheduled', 'pending'));
    UPDATE :"metadata".files AS u SET thumbnail_status = 'pending', thumbnail_error = NULL WHERE u.id = f.id AND u.thumbnail_status = 'failed';
    INSERT INTO :"metadata".river_job (args, kind, max_attempts, priority, queue)
    VALUES (jsonb_build_object('file_id', f.id, 's3_key', f.s3_original_key, 'file_type', f.file_type, 'bucket', f.s3_bucket),
      'thumbnail_generate', 25, 1, 'fs_thumbnails');
    PERFORM pg_notify(:'metadata' || '.river_insert', json_build_object('queue', 'fs_thumbnails')::text);
  END LOOP;
  RETURN known;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowlock_adopt FROM PUBLIC;
GRANT USAGE ON SCHEMA rowlock_adopt TO rowlock_worker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rowlock_adopt TO rowlock_worker;

-- The job of a new file's thumbnails. What this version cannot render, PDFs above all, stays with the old worker.
CREATE OR REPLACE FUNCTION :"function_schema".insert_thumbnail_job() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted_queue text := CASE
    WHEN lower(trim(NEW.file_type)) IN ('image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/tiff', 'image/avif')
    THEN 'fs_thumbnails' ELSE 'thumbnails' END;
BEGIN
  IF NEW.thumbnail_status = 'pending' THEN
    INSERT INTO :"metadata".river_job (args, kind, max_attempts, priority, queue)
    VALUES (jsonb_build_object('file_id', NEW.id, 's3_key', NEW.s3_original_key, 'file_type', NEW.file_type,
      'bucket', NEW.s3_bucket), 'thumbnail_generate', 25, 1, wanted_queue);
    PERFORM pg_notify(:'metadata' || '.river_insert', json_build_object('queue', wanted_queue)::text);
  END IF;
  RETURN NEW;
END
$$;

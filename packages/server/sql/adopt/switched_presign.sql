-- The job of an upload request, in a queue that only our workers work. Kind and arguments are the deployed ones, so that
-- a job may be given back to the old worker.
CREATE OR REPLACE FUNCTION :"function_schema".insert_s3_presign_job() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO :"metadata".river_job (args, kind, max_attempts, priority, queue)
  VALUES (jsonb_build_object('request_id', NEW.id, 'file_name', NEW.file_name, 'file_type', NEW.file_type,
    'entity_type', NEW.entity_type, 'entity_id', NEW.entity_id), 's3_presign', 25, 1, 'fs_presign');
  PERFORM pg_notify(:'metadata' || '.river_insert', json_build_object('queue', 'fs_presign')::text);
  RETURN NEW;
END
$$;

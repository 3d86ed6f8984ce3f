-- LISTEN/NOTIFY instead of jobs for upload URLs: `rowlock work --source notify` listens. What was not heard is found by
-- a look at the table. A NOTIFY makes commits wait for each other: jobs are faster, and this is for systems that have
-- listeners already.

CREATE OR REPLACE FUNCTION storage_internal.notify_request() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A payload has fewer than 8,000 bytes.
  PERFORM pg_notify('upload_url_request', CASE WHEN octet_length(p.whole) < 7900 THEN p.whole
    ELSE json_build_object('requestId', p.id)::text END)
  FROM (
    SELECT n.id, json_build_object('requestId', n.id, 'fileName', n.file_name, 'fileType', n.file_type,
      'entityType', n.entity_type, 'entityId', n.entity_id)::text AS whole FROM new_rows AS n
  ) AS p;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION storage_internal.notify_request() FROM PUBLIC;
CREATE OR REPLACE TRIGGER file_request_notified AFTER INSERT ON :"metadata".file_upload_requests
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage_internal.notify_request();

-- A file that has its bytes. For listeners of yours: thumbnails are made by jobs in any case.
CREATE OR REPLACE FUNCTION storage_internal.notify_file() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM pg_notify('file_uploaded', json_build_object('file_id', NEW.id, 's3_key', NEW.s3_original_key,
    'file_type', NEW.file_type)::text);
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION storage_internal.notify_file() FROM PUBLIC;
CREATE OR REPLACE TRIGGER file_uploaded_notified AFTER INSERT ON :"metadata".files
  FOR EACH ROW WHEN (NEW.object_id IS NOT NULL) EXECUTE FUNCTION storage_internal.notify_file();
CREATE OR REPLACE TRIGGER file_uploaded_later_notified AFTER UPDATE OF object_id ON :"metadata".files
  FOR EACH ROW WHEN (OLD.object_id IS NULL AND NEW.object_id IS NOT NULL) EXECUTE FUNCTION storage_internal.notify_file();

INSERT INTO storage.settings (name, value, description)
VALUES ('presign_source', 'notify', 'who is told of upload requests: job, or notify for LISTEN')
ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value;

-- Upload requests that are over. One whose bytes may still come is never touched: it is open until its upload is finished,
-- given up or swept.

-- Removes up to so many requests: those that were never signed after a day, the others after their time; of these the
-- completed ones are in the archive from then on, without their URL. Oldest archive rows go too, as many at most.
CREATE OR REPLACE FUNCTION storage_internal.cleanup_upload_requests(
  row_limit integer, OUT archived bigint, OUT deleted bigint, OUT forgotten bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
  keeps interval := make_interval(days => storage_internal.setting('upload_requests_keep_days')::integer);
  archive_days integer := storage_internal.setting('upload_requests_archive_days')::integer;
BEGIN
  WITH old AS (
    SELECT r.id FROM :"metadata".file_upload_requests AS r
    WHERE NOT r.is_open AND (r.created_at < now() - keeps
      OR (r.created_at < now() - interval '24 hours' AND (r.status IN ('pending', 'processing') OR r.status IS NULL)))
    LIMIT row_limit FOR UPDATE SKIP LOCKED
  ), gone AS (
    DELETE FROM :"metadata".file_upload_requests AS r USING old WHERE r.id = old.id
    RETURNING r.id, r.entity_type, r.entity_id, r.file_name, r.file_type, r.status, r.s3_key, r.file_id, r.error_message,
      r.created_at, r.updated_at, r.requested_by, r.s3_bucket, r.file_size, r.property_name
  ), kept AS (
    INSERT INTO :"metadata".file_upload_requests_archive AS a (id, entity_type, entity_id, file_name, file_type, status, s3_key,
      file_id, error_message, created_at, updated_at, requested_by, s3_bucket, file_size, property_name)
    SELECT * FROM gone WHERE gone.status = 'completed'
    ON CONFLICT (id) DO NOTHING
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM gone) INTO archived, deleted;
  WITH past AS (
    SELECT a.id FROM :"metadata".file_upload_requests_archive AS a
    WHERE archive_days > 0 AND a.archived_at < now() - make_interval(days => archive_days)
    LIMIT row_limit FOR UPDATE SKIP LOCKED
  ), away AS (
    DELETE FROM :"metadata".file_upload_requests_archive AS a USING past WHERE a.id = past.id RETURNING 1
  )
  SELECT count(*) INTO forgotten FROM away;
END
$$;

-- The same for whoever schedules it in the database; answers how many requests went. What is left goes with the next call.
CREATE OR REPLACE FUNCTION :"metadata".cleanup_old_upload_requests() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT deleted FROM storage_internal.cleanup_upload_requests(100000)
$$;

-- What a bucket takes: the size and the type of every object that comes into it, by an upload, a copy, a move or plain
-- SQL alike. AFTER the statement, so that whoever may not write at all learns no limit; what the policies refuse has
-- failed before.

CREATE OR REPLACE FUNCTION storage.objects_limited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  beyond record;
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT n.size, n.content_type, n.detected_type, b.file_size_limit, b.allowed_mime_types, b.backend,
      n.version_id, n.bucket_id, n.name INTO beyond
    FROM new_rows AS n JOIN storage.buckets AS b ON b.id = n.bucket_id
    WHERE n.size > b.file_size_limit OR NOT storage.media_type_allowed(b.allowed_mime_types, n.content_type)
      OR (n.detected_type IS NOT NULL AND NOT storage.media_type_allowed(b.allowed_mime_types, n.detected_type))
      OR CASE WHEN b.backend IS NOT NULL THEN storage_internal.is_elsewhere(n.version_id, n.bucket_id, n.name, b.backend) END
    LIMIT 1;
  ELSE
    WITH pairs AS MATERIALIZED (
      SELECT n.*, n.bucket_id <> o.bucket_id OR n.version_id <> o.version_id AS is_new
      FROM new_rows AS n FULL JOIN old_rows AS o USING (id)
    )
    SELECT n.size, n.content_type, n.detected_type, b.file_size_limit, b.allowed_mime_types, b.backend,
      n.version_id, n.bucket_id, n.name INTO beyond
    FROM pairs AS n JOIN storage.buckets AS b ON b.id = n.bucket_id
    WHERE n.is_new
      AND (n.size > b.file_size_limit OR NOT storage.media_type_allowed(b.allowed_mime_types, n.content_type)
        OR (n.detected_type IS NOT NULL AND NOT storage.media_type_allowed(b.allowed_mime_types, n.detected_type))
        OR CASE WHEN b.backend IS NOT NULL THEN storage_internal.is_elsewhere(n.version_id, n.bucket_id, n.name, b.backend) END)
    LIMIT 1;
  END IF;
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF beyond.size > beyond.file_size_limit THEN
    PERFORM storage.refuse('too_large',
      format('the object has %s bytes; at most %s are accepted', beyond.size, beyond.file_size_limit));
  ELSIF beyond.backend IS NOT NULL
    AND storage_internal.is_elsewhere(beyond.version_id, beyond.bucket_id, beyond.name, beyond.backend) THEN
    PERFORM storage.refuse('different_backend',
      'The bytes are on another backend than those of that bucket: download them and upload them there');
  ELSIF NOT storage.media_type_allowed(beyond.allowed_mime_types, beyond.content_type) THEN
    PERFORM storage.refuse('media_type_not_allowed', format('mime type %s is not supported', beyond.content_type));
  END IF;
  PERFORM storage.refuse('media_type_not_allowed', format('the bytes are %s, which is not supported', beyond.detected_type));
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER objects_limited_inserted AFTER INSERT ON storage.objects
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_limited();
CREATE OR REPLACE TRIGGER objects_limited_updated AFTER UPDATE ON storage.objects
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_limited();

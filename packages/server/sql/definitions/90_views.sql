-- What PostgREST shows. Column lists are explicit (a view over * freezes its columns); security_invoker makes
-- the policies of the tables apply to whoever asks.

CREATE OR REPLACE VIEW :"api".files WITH (security_invoker = true) AS
SELECT id, entity_type, entity_id, file_name, file_type, file_size, s3_key_prefix, s3_original_key,
  s3_thumbnail_small_key, s3_thumbnail_medium_key, s3_thumbnail_large_key, thumbnail_status, thumbnail_error,
  created_by, created_at, updated_at, s3_bucket, property_name, object_id, width, height, consent_location
FROM :"metadata".files;

CREATE OR REPLACE VIEW :"api".storage_buckets WITH (security_invoker = true) AS
SELECT id, name, owner_id, policy, public, file_size_limit, allowed_mime_types, overwrite, created_at, updated_at,
  versioning, soft_delete_seconds, history_keep, noncurrent_days, preset_set, scan, checks
FROM storage.buckets;

CREATE OR REPLACE VIEW :"api".storage_objects WITH (security_invoker = true) AS
SELECT id, bucket_id, name, owner_id, size, content_type, detected_type, encode(sha256, 'hex') AS sha256, cache_control,
  user_metadata, metadata, version, revision, created_at, updated_at
FROM storage.objects;

CREATE OR REPLACE VIEW :"api".storage_object_versions WITH (security_invoker = true) AS
SELECT bucket_id, name, version, object_id, is_current, delete_marker, reason, owner_id, size, content_type, detected_type,
  encode(sha256, 'hex') AS sha256, cache_control, user_metadata, created_at, modified_at, superseded_at, superseded_by,
  purge_after, sequence
FROM storage.object_versions;

GRANT SELECT ON :"api".files, :"api".storage_buckets, :"api".storage_objects, :"api".storage_object_versions
  TO :"anon", :"authenticated", :"service_role";

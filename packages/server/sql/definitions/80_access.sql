-- Privileges: what each role may touch at all. Which rows, the policies say: see sql/policies/.

ALTER TABLE storage.settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.buckets ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.object_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.upload_tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.upload_requesters ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.multipart_uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.variants ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.variant_presets ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.image_metadata ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.change_feed ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.entities ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.signed_urls ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.signed_url_revocations ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.fsck_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.fsck_findings ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.sweep_position ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.blobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.blob_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.backend_copies ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.backend_copy_failures ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.put_guards ENABLE ROW LEVEL SECURITY;
ALTER TABLE :"metadata".files ENABLE ROW LEVEL SECURITY;
ALTER TABLE :"metadata".file_upload_requests ENABLE ROW LEVEL SECURITY;

-- Privileges. Application roles: columns that a person may choose. Nothing on versions, uploads, jobs, changes.

GRANT USAGE ON SCHEMA storage, :"metadata" TO :"anon", :"authenticated", :"service_role";
GRANT SELECT ON storage.buckets, storage.objects TO :"anon", :"authenticated", :"service_role";
-- Not what others asked for: the parameters of pictures on demand, and when they were read.
REVOKE ALL ON storage.variants FROM :"anon", :"authenticated", :"service_role";
GRANT SELECT (id, source_version_id, preset, status, version_id, width, height, content_type, size, error, created_at, updated_at)
  ON storage.variants TO :"anon", :"authenticated", :"service_role";
GRANT INSERT (id, name, policy, file_size_limit, allowed_mime_types, overwrite),
  UPDATE (policy, file_size_limit, allowed_mime_types, overwrite), DELETE
  ON storage.buckets TO :"authenticated", :"service_role";
GRANT INSERT (bucket_id, name, version_id, user_metadata, cache_control),
  UPDATE (bucket_id, name, version_id, user_metadata, cache_control), DELETE
  ON storage.objects TO :"anon", :"authenticated", :"service_role";
-- Settings of a bucket's history; the history itself is written by triggers alone.
GRANT INSERT (versioning, soft_delete_seconds, history_keep, noncurrent_days),
  UPDATE (versioning, soft_delete_seconds, history_keep, noncurrent_days)
  ON storage.buckets TO :"authenticated", :"service_role";
GRANT INSERT (quota_bytes, quota_objects, owner_quota_bytes, owner_quota_objects),
  UPDATE (quota_bytes, quota_objects, owner_quota_bytes, owner_quota_objects)
  ON storage.buckets TO :"authenticated", :"service_role";
GRANT SELECT ON storage.object_history, storage.object_versions TO :"anon", :"authenticated", :"service_role";
GRANT DELETE ON storage.object_history TO :"authenticated", :"service_role";
GRANT INSERT (inline, public), UPDATE (inline, public) ON storage.buckets TO :"authenticated", :"service_role";
-- Owners of buckets choose among the sets of presets; what a set has, only the service says.
GRANT INSERT (preset_set), UPDATE (preset_set) ON storage.buckets TO :"authenticated", :"service_role";
GRANT SELECT ON storage.variant_presets TO :"anon", :"authenticated", :"service_role";
GRANT INSERT, UPDATE, DELETE ON storage.variant_presets TO :"service_role";
GRANT SELECT ON storage.signed_urls TO :"authenticated", :"service_role";
GRANT INSERT (scope, value) ON storage.signed_url_revocations TO :"authenticated", :"service_role";
GRANT SELECT, DELETE ON :"metadata".files TO :"anon", :"authenticated", :"service_role";
GRANT SELECT (id, entity_type, entity_id, file_name, file_type, status, presigned_url, s3_key, file_id, error_message,
  created_at, updated_at, requested_by, file_size, property_name, consent_location, sha256, s3_bucket, put_headers, put_key,
  url_expires_at)
  ON :"metadata".file_upload_requests TO :"anon", :"authenticated", :"service_role";

-- Functions: nobody, then exactly these.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA storage, storage_internal FROM PUBLIC;
REVOKE ALL ON FUNCTION :"metadata".files_can_view(text, text, text), :"metadata".files_can_attach(text, text),
  :"api".request_upload_url(text, text, text, text), :"api".get_upload_url(uuid),
  :"api".request_upload(text, text, text, text, bigint, text, boolean, text), :"api".get_upload_request(uuid),
  :"api".create_file_record(uuid, text, text, text, text, bigint, text, text, text, text),
  :"api".delete_file_record(uuid), :"api".get_file_storage_stats()
  FROM PUBLIC;

GRANT EXECUTE ON FUNCTION storage.claim(text[]), storage.operation(), storage.search_as_caller(), storage.foldername(text), storage.filename(text),
  storage.extension(text), storage.caller_id(), storage.may_move(storage.objects, storage.objects),
  storage.entity_is_attached(text), storage.entity_definition(text), storage.can_select_entity(text, text),
  storage.files_bucket(), storage.may_read_file_of(uuid), storage.caller_owns_objects_in(text), storage.upload_is_committing(uuid, text, text), storage.media_type_allowed(text[], text),
  storage.may_upload(text, text, jsonb, boolean), storage.no_version(), storage.ask_arrival(text, text, bigint, text),
  storage.assert_may_attach(text, text),
  storage.assert_may_upload_file(text, text, text, text, text, uuid),
  storage.object_metadata(bigint, text, text, bytea, uuid, timestamptz),
  storage.object_holds(text, jsonb, text), storage.may_restore_into(text),
  storage.conditions_hold(text[], text[], text), storage.etag_of(bytea, uuid),
  storage.ask_upload(storage.uploads, boolean, bigint, boolean),
  storage.move_object(text, text, text, text, boolean, uuid, text[], text[]),
  storage.copy_object(text, text, text, text, boolean, uuid, text[], text[], jsonb),
  storage.object_to_take(text, text, uuid, text[]), storage.assert_bucket_visible(text),
  storage.count_below(text, text, integer), storage.assert_folders(text, text, text, text, integer),
  storage.move_prefix(text, text, text, text, integer), storage.copy_prefix(text, text, text, text, integer),
  storage.delete_prefix(text, text, integer),
  storage.refuse(text, text), storage.write_object(storage.uploads), storage.read_object(text, text), storage.read_variant(text, text, text),
  storage.signed_url_issuer(), storage.caller_owns_object(uuid), storage.find_to_sign(text, text), storage.find_variant_to_sign(uuid, text),
  storage.find_all_to_sign(text, text[]), storage.object_info(text, text, boolean),
  storage.revoke_signed_urls(text, text), storage.revoke_object_urls(text, text, text),
  :"metadata".files_can_view(text, text, text), :"metadata".files_can_attach(text, text),
  :"api".get_upload_url(uuid), :"api".delete_file_record(uuid), :"api".get_file_storage_stats(),
  :"api".request_upload_url(text, text, text, text),
  :"api".request_upload(text, text, text, text, bigint, text, boolean, text), :"api".get_upload_request(uuid),
  storage.assert_entity_names(text, text), storage.file_object_name(text, text, text, uuid),
  storage.upload_request_json(uuid, uuid, text, text, jsonb, text, text, text, timestamptz, text),
  :"api".create_file_record(uuid, text, text, text, text, bigint, text, text, text, text)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.allow_any_operation(text[]), storage.allow_only_operation(text)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.read_version(text, text, uuid), storage.lock_history(text, text),
  storage.restore_object(text, text, uuid), storage.keeps_when_replaced(storage.objects, uuid),
  storage.purge_version(text, text, uuid), storage.sees_version(text, text, uuid), storage.purge_history(text, integer),
  :"api".restore_storage_object(text, text, uuid), :"api".purge_storage_version(text, text, uuid)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.end_of_prefix(text), storage.json_time(timestamptz), storage.list_folder(text, boolean),
  storage.json_time_or(timestamptz, text, timestamptz),
  storage.list_entry(text, uuid, timestamptz, text, timestamptz, timestamptz, jsonb, jsonb),
  storage.list_flat_up(text, text, text, integer, boolean, integer, integer),
  storage.list_run_up(text, text, text, integer, boolean, text, integer, integer, boolean),
  storage.list_run_down(text, text, text, integer, boolean, text, integer, integer, boolean),
  storage.list_page(text, text, boolean, boolean, text, boolean, integer, integer, text, boolean),
  storage.list_walk(text, text, boolean, text),
  storage.list_count(text, text, boolean, text, integer),
  storage.list_page_by_time(text, text, boolean, boolean, text, text, boolean, timestamptz, integer, integer, text, boolean),
  storage.zip_chosen_totals(text, text[], text[], integer), storage.zip_chosen_page(text, text[], text[], text, integer),
  storage.zip_totals(text, text, integer), storage.zip_page(text, text, text, integer)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.quota_usage(text) TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.set_owner_quota(text, bigint, bigint) TO :"service_role";
GRANT EXECUTE ON FUNCTION storage.preset_holds(integer, integer, text, text, real, real, text, integer, text, text)
  TO :"service_role";
-- Earlier versions granted these to the login roles, which become an application role before they need any of them.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA storage FROM rowlock_worker, rowlock_authenticator;

-- The change feed. Only the service says that somebody listens: servers then poll more often.
REVOKE ALL ON FUNCTION :"api".storage_changes(text, integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage.can_see_removed(storage.changes), storage.changes_since(text, integer, text, text),
  storage_internal.changes_examined(text, integer, text, text), :"api".storage_changes(text, integer, text, text)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.listen_for_changes(integer) TO :"service_role";

-- Reachable only through the BEGIN ATOMIC functions of the API schema: no USAGE on the schema is granted.
GRANT EXECUTE ON FUNCTION storage_internal.uuid_v7(), storage_internal.setting(text),
  storage_internal.version_location(uuid),
  storage_internal.open_request(text, text, text, text, uuid, text, bigint, text, boolean, text),
  storage_internal.open_headed_request(text, text, text, text, uuid, text, bigint, text, boolean, text),
  storage_internal.create_file(uuid, text, text, text, text, bigint, text, text, text, boolean)
  TO :"anon", :"authenticated", :"service_role";

GRANT USAGE ON SCHEMA storage, storage_internal TO rowlock_authenticator;
GRANT SELECT ON storage.migrations TO rowlock_worker;
GRANT EXECUTE ON FUNCTION
  storage_internal.become(text, text, text),
  storage_internal.begin_upload(uuid, uuid, text, text, text, text, text, bigint, text, jsonb, text, text, boolean, bigint, text[],
    text[]),
  storage_internal.open_upload(storage.uploads, text, text, interval),
  storage_internal.commit_upload(uuid, text, text, bigint, bytea, text, text, jsonb, text[]), storage_internal.amend_upload(uuid, jsonb),
  storage_internal.sign_upload(uuid, text, text, text, text, boolean, interval, jsonb, bigint),
  storage_internal.open_ticket(storage.uploads, timestamptz, bigint, bytea), storage_internal.ticket(uuid, text),
  storage_internal.begin_ticket_upload(uuid, uuid, uuid, text, bigint, text, jsonb, text, text, bigint),
  storage_internal.take_ticket(storage.uploads, bytea, text), storage_internal.entity_of_upload(uuid),
  storage_internal.take_upload(uuid, bigint, bytea, text, text),
  storage_internal.quota_room(text, text), storage_internal.quota_count(),
  storage_internal.finish_upload(storage.uploads),
  storage_internal.prepare_versions(uuid[], text, text[], interval), storage_internal.give_versions_back(uuid[]),
  storage_internal.begin_prepared(uuid, uuid, text, text, text, text, text, bigint, text, jsonb, boolean, bigint, text[], text[]),
  storage_internal.look_at_prepared(uuid), storage_internal.open_prepared(storage.uploads),
  storage_internal.take_prepared(storage.uploads, bigint, bytea, text, text),
  storage_internal.written_object(text, text, uuid),
  storage_internal.commit_prepared(uuid, text, text, text, text, text, text, jsonb, bigint, boolean, text[], text[], bigint, bytea,
    text, text, text[]),
  storage_internal.abandon_prepared(uuid),
  storage_internal.abandon_upload(uuid, text), storage_internal.direct_upload(text, text),
  storage_internal.sign_object_as(text, text, text, text, text, uuid, text, integer, integer),
  storage_internal.object_info_as(text, text, text, text, text, boolean),
  storage_internal.sign_objects_as(text, text, text, text[]), storage_internal.register_signed_url(storage.signed_urls),
  storage_internal.open_signed_object(text, text, uuid, text, text, double precision, uuid, text, bigint, text, text),
  storage_internal.read_object_as(text, text, text, text, text, text)
  TO rowlock_authenticator;
GRANT EXECUTE ON FUNCTION storage_internal.changes_as(text, text, text, integer, text, text), storage_internal.changes_poll(text),
  storage_internal.changes_notify(text), storage_internal.bucket_inline(text), storage_internal.health() TO rowlock_authenticator;
GRANT EXECUTE ON FUNCTION storage_internal.bytes_announced(text, text, text[]) TO rowlock_authenticator;
GRANT EXECUTE ON FUNCTION
  storage_internal.list_objects_as(text, text, text, text, text, boolean, boolean, text, text, boolean, timestamptz, integer,
    integer, text, boolean),
  storage_internal.zip_totals_as(text, text, text, text, text, integer),
  storage_internal.zip_page_as(text, text, text, text, text, text, integer)
  TO rowlock_authenticator;
-- Buckets on backends, and bytes that are rows. What removes bytes is the worker's alone, but for a put that failed.
REVOKE ALL ON FUNCTION :"api".upload_blob(bytea), :"api".download_blob(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION :"api".upload_blob(bytea), :"api".download_blob(text, text), storage.ask_blob(bigint), storage.write_blob(storage.uploads),
  storage.percent_decoded(text), storage.blob_bytes_max()
  TO :"anon", :"authenticated", :"service_role";
-- Reachable only through the two of the API schema, as above.
GRANT EXECUTE ON FUNCTION storage_internal.store_blob(storage.uploads, bytea),
  storage_internal.blob_uploaded(storage.uploads, boolean), storage_internal.blob_to_send(text, text, text, text, text)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.set_bucket_backend(text, text) TO :"service_role";
GRANT EXECUTE ON FUNCTION storage_internal.placed_buckets(), storage_internal.blob_put(uuid, text, bytea),
  storage_internal.blob_append(uuid, integer, bytea), storage_internal.blob_finish(uuid, text, bigint),
  storage_internal.blob_discard(uuid), storage_internal.blob_head(text),
  storage_internal.blob_piece(uuid, bigint, integer), storage_internal.blob_read(text, bigint, integer),
  storage_internal.blob_page(text, text, integer), storage_internal.blob_check()
  TO rowlock_authenticator;
GRANT USAGE ON SCHEMA storage, storage_internal, :"metadata" TO rowlock_worker;
GRANT SELECT ON ALL TABLES IN SCHEMA storage TO rowlock_worker;
GRANT SELECT ON :"metadata".files, :"metadata".file_upload_requests TO rowlock_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON :"metadata".river_job, :"metadata".river_queue, :"metadata".river_leader,
  :"metadata".rowlock_worker_lease TO rowlock_worker;
GRANT SELECT ON :"metadata".river_migration TO rowlock_worker;
-- A worker that leads rebuilds the indexes of the job table; before PostgreSQL 17 only their owner may.
DO $maintain$
BEGIN
  IF current_setting('server_version_num')::integer >= 170000 THEN
    EXECUTE format('GRANT MAINTAIN ON %I.river_job TO rowlock_worker', :'metadata');
  END IF;
END
$maintain$;
GRANT EXECUTE ON FUNCTION :"metadata".rowlock_wake_queue(text),
  :"metadata".enqueue_jobs(text, jsonb[], text, smallint, smallint, timestamptz),
  :"metadata".enqueue_job(text, jsonb, text, smallint, smallint, timestamptz) TO rowlock_worker;
GRANT USAGE ON SEQUENCE :"metadata".river_job_id_seq TO rowlock_worker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA storage_internal TO rowlock_worker;

REVOKE ALL ON FUNCTION :"api".rotate_object_name(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage.unguessable_name(text), :"api".rotate_object_name(text, text)
  TO :"anon", :"authenticated", :"service_role";

-- Presigned URLs. Nobody reads the keys, the worker included, which writes them by a function.
ALTER TABLE storage.s3_signing_keys ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON storage.s3_signing_keys FROM rowlock_worker;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA storage_sign FROM PUBLIC;
REVOKE ALL ON FUNCTION :"api".get_upload_url_sync(text, text, text, text), :"api".get_download_url(uuid, integer, text),
  :"api".get_download_urls(uuid[], integer, boolean), :"api".file_urls(uuid[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage.presign_object(uuid, integer, text), storage.presign_get(storage.objects, integer, text),
  storage.presign_put(uuid, integer), storage.presign_file(uuid, integer), storage.presign_thumbnail(uuid, text, integer),
  :"api".get_upload_url_sync(text, text, text, text), :"api".get_download_url(uuid, integer, text),
  :"api".get_download_urls(uuid[], integer, boolean), :"api".file_urls(uuid[], integer)
  TO :"anon", :"authenticated", :"service_role";
-- Reachable only through the functions above: no USAGE on their schemas is granted.
GRANT EXECUTE ON FUNCTION storage_sign.sign(uuid, integer, text), storage_sign.sign_many(uuid[], integer, text[]),
  storage_sign.sign_put(uuid, integer), storage_sign.assert_terms(integer, integer, integer), storage_internal.sign_request(uuid)
  TO :"anon", :"authenticated", :"service_role";

-- The gateway. The worker has nothing to do with whom a session is.
ALTER TABLE storage.gateway_sessions ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON storage.gateway_sessions FROM rowlock_worker;
GRANT SELECT (owner_id, caller_role, created_at, expires_at), DELETE ON storage.gateway_sessions TO :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.read_file(text, text, uuid, text), storage.read_variant_key(text, text, uuid)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage_internal.session_caller(bytea, text[]),
  storage_internal.read_key_as(bytea, text[], text, text, text, text, uuid, text, uuid),
  storage_internal.keep_session(storage.gateway_sessions, bytea),
  storage_internal.begin_session(text, text, bytea, bytea, double precision), storage_internal.end_session(bytea)
  TO rowlock_authenticator;

-- Uploads in parts. Application roles see that one is theirs; what they are told of it comes from functions.
GRANT SELECT (upload_id, bucket_id, name, requested_by, size, part_size, part_count, created_at) ON storage.multipart_uploads
  TO :"anon", :"authenticated", :"service_role";
REVOKE ALL ON FUNCTION
  :"api".request_multipart_upload(text, text, text, text, bigint, text, boolean, text, bigint), :"api".get_multipart_upload(uuid),
  :"api".get_part_urls(uuid, integer[], integer), :"api".list_parts(uuid), :"api".complete_multipart_upload(uuid, jsonb),
  :"api".abort_multipart_upload(uuid)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage.sees_multipart(uuid),
  :"api".request_multipart_upload(text, text, text, text, bigint, text, boolean, text, bigint), :"api".get_multipart_upload(uuid),
  :"api".get_part_urls(uuid, integer[], integer), :"api".list_parts(uuid), :"api".complete_multipart_upload(uuid, jsonb),
  :"api".abort_multipart_upload(uuid)
  TO :"anon", :"authenticated", :"service_role";
-- These only through those.
GRANT EXECUTE ON FUNCTION storage_sign.sign_parts(uuid, integer[], integer), storage_internal.multipart_json(uuid),
  storage_internal.ask_to_complete(uuid, jsonb), storage_internal.ask_for_parts(uuid), storage_internal.give_up_multipart(uuid),
  storage_internal.open_multipart_request(text, text, text, text, uuid, text, bigint, text, boolean, text, bigint)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION
  storage_internal.begin_multipart(uuid, uuid, text, text, text, text, text, bigint, text, jsonb, text, text, boolean, bigint, text[],
    text[], bigint, bytea),
  storage_internal.open_multipart(storage.uploads, text, text, bigint, bytea, text),
  storage_internal.multipart_begun(uuid, text, text), storage_internal.multipart_state(uuid),
  storage_internal.multipart_as(text, text, uuid), storage_internal.abort_multipart_as(text, text, uuid),
  storage_internal.multipart_object(uuid), storage_internal.part_expected(text, text, text, integer),
  storage_internal.upload_to_complete(uuid)
  TO rowlock_authenticator;

-- Pictures on demand. Who may read an object may read them; these two read for those who call them.
ALTER TABLE storage.renders ENABLE ROW LEVEL SECURITY;
GRANT UPDATE (render_budget) ON storage.buckets TO :"service_role";
GRANT EXECUTE ON FUNCTION storage.read_render(text, text, jsonb), storage_internal.render_location(uuid, text)
  TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage_internal.read_render_as(text, text, text, text, jsonb),
  storage_internal.open_signed_render(text, text, uuid, jsonb, text, double precision, uuid, text, bigint, text, text),
  storage_internal.variant_error(text, text, uuid, text),
  storage_internal.render_begin(uuid, text, text, jsonb, uuid, double precision), storage_internal.render_is_leased(uuid, text),
  storage_internal.render_intent(uuid, text, text),
  storage_internal.render_commit(uuid, uuid, bigint, bytea, text, integer, integer), storage_internal.render_give_up(uuid),
  storage_internal.render_fail(uuid, text, boolean, double precision), storage_internal.renders_used(uuid[]),
  storage_internal.trim_renders(text)
  TO rowlock_authenticator;

-- Upload requests that are over.
ALTER TABLE :"metadata".file_upload_requests_archive ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON :"metadata".file_upload_requests_archive TO :"anon", :"authenticated", :"service_role";
REVOKE ALL ON FUNCTION :"metadata".cleanup_old_upload_requests() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION :"metadata".cleanup_old_upload_requests() TO :"service_role", rowlock_worker;

-- What is known of images. Of all columns anon has those that a placeholder needs; where a picture was taken, and as whom a
-- position is to be written, is nobody's but through policies and functions.
ALTER TABLE storage.image_locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.entity_locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.location_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.located_entities ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON storage.image_locations, storage.location_requests, storage.located_entities FROM rowlock_worker;
REVOKE ALL ON storage.image_metadata FROM :"anon", :"authenticated", :"service_role";
GRANT SELECT (version_id, width, height, format, orientation, thumbhash, dominant_colour)
  ON storage.image_metadata TO :"anon";
GRANT SELECT (version_id, width, height, format, orientation, taken_at, taken_at_local, camera_make, camera_model, lens_model, title,
  caption, creator, copyright, keywords, thumbhash, dominant_colour, dhash, sharpness, brightness, contrast, shadows, highlights,
  read_at) ON storage.image_metadata TO :"authenticated", :"service_role";
GRANT SELECT (version_id, state, latitude, longitude, altitude, accuracy, applied)
  ON storage.image_locations TO :"authenticated", :"service_role";
GRANT SELECT ON storage.cameras TO :"authenticated", :"service_role";
GRANT INSERT (locations), UPDATE (locations) ON storage.buckets TO :"authenticated", :"service_role";
GRANT INSERT (region), UPDATE (region) ON storage.buckets TO :"service_role";
REVOKE ALL ON FUNCTION :"api".get_file_exif(uuid), :"api".set_location_consent(uuid, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage.can_see_location(storage.objects), storage.may_see_location(uuid), storage.shows_location(uuid),
  storage.time_taken(timestamptz, timestamp), storage.similar_images(uuid, integer),
  :"api".get_file_exif(uuid), :"api".set_location_consent(uuid, boolean)
  TO :"authenticated", :"service_role";
-- They change nothing that the caller could not, and are run as whoever uploaded the photo.
GRANT EXECUTE ON FUNCTION storage.entity_location(text),
  storage.position_expression(regclass, name, boolean, text, text),
  storage.locate_entity(text, text, double precision, double precision, double precision, double precision)
  TO :"anon", :"authenticated", :"service_role";
-- Reachable only through those above: no USAGE on the schema is granted.
GRANT EXECUTE ON FUNCTION storage_internal.change_location_consent(uuid, boolean), storage_internal.similar_versions(uuid, integer)
  TO :"authenticated", :"service_role";

-- What was found in files. `scan` and `checks` of a bucket: a trigger says who may loosen them.
ALTER TABLE storage.version_checks ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON storage.version_checks TO :"authenticated", :"service_role";
GRANT INSERT (scan, checks), UPDATE (scan, checks) ON storage.buckets TO :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage.caller_owns_version(uuid), storage.why_unread(text, text, uuid)
  TO :"anon", :"authenticated", :"service_role";
-- Only through that.
GRANT EXECUTE ON FUNCTION storage_internal.version_quarantine(uuid) TO :"anon", :"authenticated", :"service_role";
GRANT EXECUTE ON FUNCTION storage_internal.key_in_quarantine(text, text) TO rowlock_authenticator;

-- The queue and the health of the storage: the service's alone.
REVOKE ALL ON FUNCTION :"api".storage_job_overview(), :"api".storage_jobs(text, text, text, text, integer), :"api".storage_job(bigint),
  :"api".storage_jobs_change(text, bigint[]), :"api".storage_queue_set_paused(text, boolean), :"api".storage_health()
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage.job_overview(), storage.jobs_page(text, text, text, text, integer),
  storage.jobs_count(text, text, text), storage.job_details(bigint), storage.jobs_change(text, bigint[]),
  storage.jobs_change_matching(text, text, text, text, text, integer), storage.queue_set_paused(text, boolean),
  storage.health_report(),
  :"api".storage_job_overview(), :"api".storage_jobs(text, text, text, text, integer), :"api".storage_job(bigint),
  :"api".storage_jobs_change(text, bigint[]), :"api".storage_queue_set_paused(text, boolean), :"api".storage_health()
  TO :"service_role";

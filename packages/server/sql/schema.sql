-- Printed from the catalog of a migrated database by ROWLOCK_WRITE_SCHEMA=1 npm test -- database/migrate.
-- Read it; do not run it.

-- Tables and views

TABLE metadata.file_upload_requests (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  file_name text NOT NULL,
  file_type text NOT NULL,
  status text DEFAULT 'pending'::text,
  presigned_url text,
  s3_key text,
  file_id uuid,
  error_message text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now(),
  requested_by text,
  upload_id uuid,
  s3_bucket text
) ROW SECURITY;
TABLE metadata.files (
  id uuid DEFAULT storage_internal.uuid_v7() NOT NULL,
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  file_name text NOT NULL,
  file_type text NOT NULL,
  file_size bigint NOT NULL,
  s3_key_prefix text GENERATED ((((entity_type || '/'::text) || entity_id) || '/'::text) || (id)::text),
  s3_original_key text NOT NULL,
  s3_thumbnail_small_key text,
  s3_thumbnail_medium_key text,
  s3_thumbnail_large_key text,
  thumbnail_status text DEFAULT 'pending'::text,
  thumbnail_error text,
  created_by text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  s3_bucket character varying(255) DEFAULT 'civic-os-files'::character varying NOT NULL,
  property_name text,
  object_id uuid,
  upload_id uuid,
  width integer,
  height integer
) ROW SECURITY;
VIEW public.files (
  id uuid,
  entity_type text,
  entity_id text,
  file_name text,
  file_type text,
  file_size bigint,
  s3_key_prefix text,
  s3_original_key text,
  s3_thumbnail_small_key text,
  s3_thumbnail_medium_key text,
  s3_thumbnail_large_key text,
  thumbnail_status text,
  thumbnail_error text,
  created_by text,
  created_at timestamp with time zone,
  updated_at timestamp with time zone,
  s3_bucket character varying(255),
  property_name text,
  object_id uuid,
  width integer,
  height integer
) security_invoker=true;
VIEW public.storage_buckets (
  id text COLLATE "C",
  name text COLLATE "C",
  owner_id text,
  policy text,
  public boolean,
  file_size_limit bigint,
  allowed_mime_types text[],
  overwrite text,
  created_at timestamp with time zone,
  updated_at timestamp with time zone
) security_invoker=true;
VIEW public.storage_objects (
  id uuid,
  bucket_id text COLLATE "C",
  name text COLLATE "C",
  owner_id text,
  size bigint,
  content_type text,
  detected_type text,
  sha256 text,
  cache_control text,
  user_metadata jsonb,
  metadata jsonb,
  version text,
  revision bigint,
  created_at timestamp with time zone,
  updated_at timestamp with time zone
) security_invoker=true;
TABLE storage.buckets (
  id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  owner_id text,
  policy text DEFAULT 'private'::text NOT NULL,
  public boolean GENERATED (policy = 'public'::text),
  file_size_limit bigint,
  allowed_mime_types text[],
  overwrite text DEFAULT 'allow'::text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY;
TABLE storage.changes (
  seq bigint IDENTITY NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  type text NOT NULL,
  object_id uuid NOT NULL,
  revision bigint NOT NULL,
  bucket_id text NOT NULL,
  name text NOT NULL,
  owner_id text,
  version_id uuid,
  size bigint,
  content_type text,
  occurred_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY;
TABLE storage.entities (
  entity_type text NOT NULL,
  relation regclass NOT NULL,
  key_column name NOT NULL,
  key_type regtype NOT NULL
) ROW SECURITY;
TABLE storage.image_metadata (
  version_id uuid NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  format text NOT NULL
) ROW SECURITY;
TABLE storage.migrations (
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamp with time zone DEFAULT now() NOT NULL
);
TABLE storage.objects (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  bucket_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  owner_id text,
  version_id uuid NOT NULL,
  size bigint NOT NULL,
  content_type text NOT NULL,
  detected_type text,
  sha256 bytea,
  cache_control text,
  user_metadata jsonb,
  revision bigint DEFAULT 1 NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  last_accessed_at timestamp with time zone DEFAULT now() NOT NULL,
  path_tokens text[] GENERATED string_to_array(name, '/'::text),
  version text GENERATED (version_id)::text,
  metadata jsonb GENERATED storage.object_metadata(size, content_type, cache_control, sha256, version_id, updated_at)
) ROW SECURITY;
TABLE storage.settings (
  name text NOT NULL,
  value text NOT NULL,
  description text NOT NULL
) ROW SECURITY;
TABLE storage.uploads (
  id uuid NOT NULL,
  version_id uuid NOT NULL,
  kind text NOT NULL,
  state text DEFAULT 'open'::text NOT NULL,
  bucket_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  caller_role text NOT NULL,
  caller_claims jsonb NOT NULL,
  content_type text,
  declared_size bigint,
  size_max bigint NOT NULL,
  overwrite boolean NOT NULL,
  cache_control text,
  user_metadata jsonb,
  refusal text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone NOT NULL
) ROW SECURITY;
TABLE storage.variants (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  source_version_id uuid NOT NULL,
  preset text NOT NULL,
  status text DEFAULT 'pending'::text NOT NULL,
  version_id uuid,
  width integer,
  height integer,
  error text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY;
TABLE storage.versions (
  id uuid NOT NULL,
  backend text NOT NULL,
  key text COLLATE "C" NOT NULL,
  state text DEFAULT 'writing'::text NOT NULL,
  size bigint,
  sha256 bytea,
  etag text,
  content_type text,
  detected_type text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  stored_at timestamp with time zone,
  expires_at timestamp with time zone
) ROW SECURITY;

-- Constraints

CONSTRAINT file_upload_requests_pkey ON metadata.file_upload_requests PRIMARY KEY (id);
CONSTRAINT file_upload_requests_status_check ON metadata.file_upload_requests CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text])));
CONSTRAINT files_object_id_fkey ON metadata.files FOREIGN KEY (object_id) REFERENCES storage.objects(id) ON DELETE CASCADE;
CONSTRAINT files_object_id_key ON metadata.files UNIQUE (object_id);
CONSTRAINT files_pkey ON metadata.files PRIMARY KEY (id);
CONSTRAINT files_thumbnail_status_check ON metadata.files CHECK ((thumbnail_status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'not_applicable'::text])));
CONSTRAINT files_waits_or_has_bytes ON metadata.files CHECK (((upload_id IS NULL) OR (object_id IS NULL)));
CONSTRAINT buckets_file_size_limit_positive ON storage.buckets CHECK ((file_size_limit > 0));
CONSTRAINT buckets_id_is_name ON storage.buckets CHECK ((id = name));
CONSTRAINT buckets_name_key ON storage.buckets UNIQUE (name);
CONSTRAINT buckets_name_valid ON storage.buckets CHECK (((name ~ '^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$'::text) AND (name !~ '\.\.'::text) AND (name !~ '^\d+\.\d+\.\d+\.\d+$'::text) AND (name !~ '^xn--'::text) AND (name <> ALL (ARRAY['authenticated'::text, 'copy'::text, 'info'::text, 'list'::text, 'list-v2'::text, 'move'::text, 'public'::text, 'sign'::text, 'upload'::text]))));
CONSTRAINT buckets_overwrite_known ON storage.buckets CHECK ((overwrite = ANY (ARRAY['allow'::text, 'deny'::text])));
CONSTRAINT buckets_pkey ON storage.buckets PRIMARY KEY (id);
CONSTRAINT buckets_policy_known ON storage.buckets CHECK ((policy = ANY (ARRAY['private'::text, 'public'::text, 'authenticated'::text])));
CONSTRAINT changes_pkey ON storage.changes PRIMARY KEY (seq);
CONSTRAINT changes_type_known ON storage.changes CHECK ((type = ANY (ARRAY['storage.object.created'::text, 'storage.object.updated'::text, 'storage.object.deleted'::text])));
CONSTRAINT entities_pkey ON storage.entities PRIMARY KEY (entity_type);
CONSTRAINT image_metadata_pkey ON storage.image_metadata PRIMARY KEY (version_id);
CONSTRAINT image_metadata_version_id_fkey ON storage.image_metadata FOREIGN KEY (version_id) REFERENCES storage.versions(id) ON DELETE CASCADE;
CONSTRAINT migrations_pkey ON storage.migrations PRIMARY KEY (name);
CONSTRAINT objects_bucket_id_fkey ON storage.objects FOREIGN KEY (bucket_id) REFERENCES storage.buckets(id);
CONSTRAINT objects_bucket_id_name_key ON storage.objects UNIQUE (bucket_id, name);
CONSTRAINT objects_cache_control_printable ON storage.objects CHECK ((cache_control ~ '^[\u0020-\u007e]{1,255}$'::text));
CONSTRAINT objects_name_length ON storage.objects CHECK (((octet_length(name) >= 1) AND (octet_length(name) <= 1024)));
CONSTRAINT objects_name_no_control ON storage.objects CHECK ((name !~ '[\u0001-\u001f\u007f-\u009f]'::text));
CONSTRAINT objects_name_segments ON storage.objects CHECK ((name !~ '(^|/)\.{0,2}(/|$)'::text));
CONSTRAINT objects_pkey ON storage.objects PRIMARY KEY (id);
CONSTRAINT objects_user_metadata_is_object ON storage.objects CHECK ((jsonb_typeof(user_metadata) = 'object'::text));
CONSTRAINT objects_version_id_fkey ON storage.objects FOREIGN KEY (version_id) REFERENCES storage.versions(id);
CONSTRAINT settings_pkey ON storage.settings PRIMARY KEY (name);
CONSTRAINT uploads_kind_known ON storage.uploads CHECK ((kind = ANY (ARRAY['body'::text, 'direct'::text])));
CONSTRAINT uploads_pkey ON storage.uploads PRIMARY KEY (id);
CONSTRAINT uploads_state_known ON storage.uploads CHECK ((state = ANY (ARRAY['open'::text, 'committing'::text, 'refused'::text])));
CONSTRAINT uploads_version_id_fkey ON storage.uploads FOREIGN KEY (version_id) REFERENCES storage.versions(id);
CONSTRAINT uploads_version_id_key ON storage.uploads UNIQUE (version_id);
CONSTRAINT variants_completed_has_bytes ON storage.variants CHECK (((status = 'completed'::text) = (version_id IS NOT NULL)));
CONSTRAINT variants_failed_says_why ON storage.variants CHECK (((status = 'failed'::text) = (error IS NOT NULL)));
CONSTRAINT variants_not_its_source ON storage.variants CHECK ((version_id <> source_version_id));
CONSTRAINT variants_one_per_preset ON storage.variants UNIQUE (source_version_id, preset);
CONSTRAINT variants_pkey ON storage.variants PRIMARY KEY (id);
CONSTRAINT variants_source_version_id_fkey ON storage.variants FOREIGN KEY (source_version_id) REFERENCES storage.versions(id) ON DELETE CASCADE;
CONSTRAINT variants_status_known ON storage.variants CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'not_applicable'::text])));
CONSTRAINT variants_version_id_fkey ON storage.variants FOREIGN KEY (version_id) REFERENCES storage.versions(id);
CONSTRAINT variants_version_id_key ON storage.variants UNIQUE (version_id);
CONSTRAINT versions_key_used_once ON storage.versions UNIQUE (backend, key);
CONSTRAINT versions_pkey ON storage.versions PRIMARY KEY (id);
CONSTRAINT versions_sha256_is_32_bytes ON storage.versions CHECK ((octet_length(sha256) = 32));
CONSTRAINT versions_size_not_negative ON storage.versions CHECK ((size >= 0));
CONSTRAINT versions_state_known ON storage.versions CHECK ((state = ANY (ARRAY['writing'::text, 'stored'::text, 'purging'::text, 'gone'::text])));
CONSTRAINT versions_stored_is_measured ON storage.versions CHECK (((state <> 'stored'::text) OR ((size IS NOT NULL) AND (stored_at IS NOT NULL))));
CONSTRAINT versions_unstored_expires ON storage.versions CHECK (((state = 'stored'::text) OR (expires_at IS NOT NULL)));

-- Indexes

CREATE INDEX file_upload_requests_entity_idx ON metadata.file_upload_requests USING btree (entity_type, entity_id);
CREATE UNIQUE INDEX file_upload_requests_file_id_idx ON metadata.file_upload_requests USING btree (file_id);
CREATE UNIQUE INDEX file_upload_requests_pkey ON metadata.file_upload_requests USING btree (id);
CREATE UNIQUE INDEX file_upload_requests_upload_id_idx ON metadata.file_upload_requests USING btree (upload_id);
CREATE UNIQUE INDEX files_object_id_key ON metadata.files USING btree (object_id);
CREATE UNIQUE INDEX files_pkey ON metadata.files USING btree (id);
CREATE INDEX idx_files_created ON metadata.files USING btree (created_at DESC);
CREATE INDEX idx_files_entity ON metadata.files USING btree (entity_type, entity_id);
CREATE INDEX idx_files_pending ON metadata.files USING btree (thumbnail_status, created_at) WHERE (thumbnail_status = ANY (ARRAY['pending'::text, 'failed'::text]));
CREATE INDEX idx_upload_requests_status ON metadata.file_upload_requests USING btree (status);
CREATE UNIQUE INDEX buckets_name_key ON storage.buckets USING btree (name);
CREATE UNIQUE INDEX buckets_pkey ON storage.buckets USING btree (id);
CREATE UNIQUE INDEX changes_pkey ON storage.changes USING btree (seq);
CREATE INDEX changes_xid_seq_idx ON storage.changes USING btree (xid, seq);
CREATE UNIQUE INDEX entities_pkey ON storage.entities USING btree (entity_type);
CREATE UNIQUE INDEX image_metadata_pkey ON storage.image_metadata USING btree (version_id);
CREATE UNIQUE INDEX migrations_pkey ON storage.migrations USING btree (name);
CREATE UNIQUE INDEX objects_bucket_id_name_key ON storage.objects USING btree (bucket_id, name);
CREATE INDEX objects_owner_id_idx ON storage.objects USING btree (owner_id, bucket_id) WHERE (owner_id IS NOT NULL);
CREATE UNIQUE INDEX objects_pkey ON storage.objects USING btree (id);
CREATE INDEX objects_version_id_idx ON storage.objects USING btree (version_id);
CREATE UNIQUE INDEX settings_pkey ON storage.settings USING btree (name);
CREATE INDEX uploads_expires_idx ON storage.uploads USING btree (expires_at);
CREATE UNIQUE INDEX uploads_pkey ON storage.uploads USING btree (id);
CREATE UNIQUE INDEX uploads_version_id_key ON storage.uploads USING btree (version_id);
CREATE UNIQUE INDEX variants_one_per_preset ON storage.variants USING btree (source_version_id, preset);
CREATE UNIQUE INDEX variants_pkey ON storage.variants USING btree (id);
CREATE UNIQUE INDEX variants_version_id_key ON storage.variants USING btree (version_id);
CREATE UNIQUE INDEX versions_key_used_once ON storage.versions USING btree (backend, key);
CREATE UNIQUE INDEX versions_pkey ON storage.versions USING btree (id);
CREATE INDEX versions_sweep_idx ON storage.versions USING btree (expires_at) WHERE (state <> 'stored'::text);

-- Functions

FUNCTION metadata.enqueue_job(text,jsonb,text,smallint,smallint,timestamp with time zone) RETURNS bigint plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 606a8ae3e3e4fecd6dfc6dc647dedd05 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION metadata.enqueue_jobs(text,jsonb[],text,smallint,smallint,timestamp with time zone) RETURNS bigint plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 2deafea7775a339c3e5708b956e2cf40 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION metadata.files_can_attach(text,text) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 75103b04bbf7c882d6f2642fb62500f7 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION metadata.files_can_view(text,text,text) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 f3e8a83606c6341ba6ef8937fc98f760 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION metadata.rowlock_wake_queue(text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 e28d8438aa290d0461895b714f53569e EXECUTE rowlock_owner,rowlock_worker;
FUNCTION public.create_file_record(uuid,text,text,text,text,bigint,text,text,text,text) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.delete_file_record(uuid) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 55fcbcbd5be7d7ca50d60b0d70e9f8a4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_file_storage_stats() RETURNS TABLE(total_count bigint, total_size_bytes bigint) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_upload_url(uuid) RETURNS TABLE(status text, url text, file_id uuid, error text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.request_upload_url(text,text,text,text) RETURNS uuid sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.assert_may_attach(text,text) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 c27919e505b2a738d1af84be5bb0b3ff EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.assert_may_upload_file(text,text,text,text,text,uuid) RETURNS text plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 dd49c8289d392dd06210bda83d3f4cd4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.attach_entity(regclass,name,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 9e211f0f141ee8e63055ffe82ee99b7e EXECUTE rowlock_owner;
FUNCTION storage.buckets_fill() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 43935d1a9bea9215dcbade12759990b8 EXECUTE rowlock_owner;
FUNCTION storage.caller_id() RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.caller_owns_objects_in(text) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bcfe1a146e9139f2ff520f479f8acc03 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.can_select_entity(text,text) RETURNS boolean plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 928696fbfece8157dd92451d5760f6f9 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.claim(text[]) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.entity_definition(text) RETURNS storage.entities sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 889907a162a630e2edf588d5ff474725 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.entity_files_delete() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5b3a9890ba7244cdd2a0a349da65e967 EXECUTE rowlock_owner;
FUNCTION storage.entity_is_attached(text) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 795df4d0c60de91206555e751c14bb88 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.extension(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.file_requested() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f550c09bd06fe2ee795b5ed081a31764 EXECUTE rowlock_owner;
FUNCTION storage.filename(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.files_bucket() RETURNS text sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f5695ccff59488ef5b2207e6d967352d EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.files_deleted() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bd39c1328c5d7e7e465ce4bf40628c93 EXECUTE rowlock_owner;
FUNCTION storage.foldername(text) RETURNS text[] sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.may_move(storage.objects,storage.objects) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 7433d2939a37c34b9593e06abbd3cbce EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.may_read_file_of(uuid) RETURNS boolean plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 bcd983607ab0f65d1b4e515accdd0fec EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.may_upload(text,text,jsonb,boolean) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 c46df701e32a45ae61cb2e054869596d EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.media_type_allowed(text[],text) RETURNS boolean sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 e03da150ff180ff28ad8bafccd067d4f EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.object_metadata(bigint,text,text,bytea,uuid,timestamp with time zone) RETURNS jsonb sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 8a86289502d3eaa1514cd528560b0a64 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.objects_deleted() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c68069a48bdd364c8d6fe6eced2085bd EXECUTE rowlock_owner;
FUNCTION storage.objects_fill() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c29a22409bbaa9a2a0729060331bdf38 EXECUTE rowlock_owner;
FUNCTION storage.objects_inserted() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b890042b12637de3fba4e1d623a0db8c EXECUTE rowlock_owner;
FUNCTION storage.objects_reference() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 6fcaaf2666c47007685b8765d7f1fbe6 EXECUTE rowlock_owner;
FUNCTION storage.objects_updated() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9a0ac015117cd2245b14345bc10ed71b EXECUTE rowlock_owner;
FUNCTION storage.operation() RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.read_object(text,text,text) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamp with time zone, public boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.refuse(text,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 a3f42619aa86b395cace05b323a68a45 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.refuse_truncate() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 a76e27e3c8357e436239f76a3df518c1 EXECUTE rowlock_owner;
FUNCTION storage.search_as_caller() RETURNS text sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.upload_is_committing(uuid,text,text) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f1e2a2c18d3f8994d302a98749228773 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.write_object(storage.uploads) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 42002956d15197f52bb0a405b2887b5d EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage_internal.abandon_upload(uuid,text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 368615f412fa139b71ed2bf8fe0342e6 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.attach_file(storage.uploads,storage.objects) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 513edfc9074a14d514b4fb43d7dd7c45 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.become(text,text,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 49b986c726d7f81aaee80b0cb73acf97 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.begin_upload(uuid,uuid,text,text,text,text,text,bigint,text,jsonb,text,text,boolean,bigint) RETURNS bigint plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 9f3326dbdb3d1e0b1e8a1ccbfc58f734 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.commit_upload(uuid,text,text,bigint,bytea,text,text) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 9209aedd60134ef552c0f420ab3a685c EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.create_file(uuid,text,text,text,text,bigint,text,text,text,boolean) RETURNS json plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 6cb74b49c2c2c9b7f29cd4a613cc7adb EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.create_file_request(text,text,text,text,uuid,text) RETURNS uuid plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 874cbe7702f6c99df4e82c3ab38c0e97 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.direct_upload(text,text) RETURNS TABLE(upload_id uuid, size_max bigint) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 725421d36c5810546e1b53fa26522067 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.enqueue_maintenance(text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 01113784d4083369669c561261f15c32 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.enqueue_purges(uuid[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a55ceb24256841a32f2b54f9bd8a8604 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.enqueue_variants(uuid[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 312645d6b21bd0954e6f0e46e26e4fbe EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.entity_of_upload(uuid) RETURNS TABLE(caller_role text, caller_claims text, entity_type text, entity_id text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c743a3b49e74843feeb0629cc80c5b49 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.files_follow_variants(uuid) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 109d3993e80a2d3420df9d91960ad165 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.finish_upload(storage.uploads) RETURNS storage.objects plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 378bf178491135f94a72548faf724736 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.image_measured(uuid,integer,integer,text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a011fdffa69043f5b749c56aa38893dd EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.open_upload(storage.uploads,text,text,interval) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 4c45f55bf229d0537dd0cedede6a33ef EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.purge_begin(uuid) RETURNS TABLE(backend text, key text) plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 2919740b6e3e7b1e69824df4a614d2a1 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.purge_end(uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 edd0e5d99b34fb96592d051e6f3223c1 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.read_object_as(text,text,text,text,text,text) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamp with time zone, public boolean) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 6f5f07a3feaca83b0d98704dd5775376 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.request_failed(uuid,text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7ff7033660a1feebb73a650b0acb8ca8 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.requests_signed(uuid[],text[],text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off md5 3883e85e51f0bd6f8b00e360117eb3db EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.requests_to_sign(uuid[]) RETURNS TABLE(id uuid, status text, presigned_url text, key text, content_type text, expiry_seconds integer) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off md5 156a30c5e41120b2e97399719a7da64d EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.setting(text) RETURNS text sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 51f65a8f6c390abc48a91426156afad0 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.signed_object(text,text,uuid,text) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 ac9bd98251d0625d38fc28b3abe7717f EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.sweep(interval,integer) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 d74490856aa451e6303ab79a68bc6fed EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.take_upload(uuid,bigint,bytea,text,text) RETURNS storage.uploads plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 671898a43e6c7ee74d96d751d7b3fdb9 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.tombstone_forget(uuid) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 fccfa10c25225713a2426f31b503fcfa EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.tombstones_due(integer) RETURNS TABLE(id uuid, backend text, key text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5051bf078ceef6fda61706ca114dde1a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.unreported_uploads(interval,integer) RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9ada6b86d7f5876f92f2db29cc702037 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.upload_to_complete(uuid) RETURNS TABLE(key text, content_type text, size_max bigint, expires_at timestamp with time zone, url_expires_at timestamp with time zone) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9cce1511b3a040b84acdb9545ad46a92 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.uuid_v7() RETURNS uuid sql VOLATILE SET search_path=pg_catalog, pg_temp md5 798cd73c45bc29935ca839bbd5fbf42b EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.variant_begin(uuid,text,uuid,text,text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 97e7628af0fc3ab121ec811b88d68d7a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variant_commit(uuid,text,uuid,bigint,bytea,text,integer,integer) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 76e9560d466f0abfcc5a6eb44a04be1c EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_fail(uuid,text) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 db068249f831d6ad6d97da952cdc635b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_wanted(text,text) RETURNS boolean sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 756f5bb195f3df2d994a3c8a51a970e2 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_is_referenced(uuid) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 16f36c734f30ab24b669839ae42dce29 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_location(uuid) RETURNS TABLE(key text, backend text, content_type text, detected_type text, size bigint, sha256 bytea) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 715117c9b9b8447f8443ad84e2c69d81 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.version_of_file(uuid) RETURNS uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 143934a8d34763929bcda32945c302b4 EXECUTE rowlock_owner,rowlock_worker;

-- Triggers

CREATE TRIGGER file_requested AFTER INSERT ON metadata.file_upload_requests REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.file_requested();
CREATE TRIGGER files_deleted AFTER DELETE ON metadata.files REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.files_deleted();
CREATE TRIGGER buckets_fill BEFORE INSERT OR UPDATE ON storage.buckets FOR EACH ROW EXECUTE FUNCTION storage.buckets_fill();
CREATE TRIGGER objects_10_reference BEFORE INSERT OR UPDATE ON storage.objects FOR EACH ROW EXECUTE FUNCTION storage.objects_reference();
CREATE TRIGGER objects_20_fill BEFORE INSERT OR UPDATE ON storage.objects FOR EACH ROW EXECUTE FUNCTION storage.objects_fill();
CREATE TRIGGER objects_deleted AFTER DELETE ON storage.objects REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_deleted();
CREATE TRIGGER objects_inserted AFTER INSERT ON storage.objects REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_inserted();
CREATE TRIGGER objects_truncate BEFORE TRUNCATE ON storage.objects FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();
CREATE TRIGGER objects_updated AFTER UPDATE ON storage.objects REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_updated();
CREATE TRIGGER uploads_truncate BEFORE TRUNCATE ON storage.uploads FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();
CREATE TRIGGER versions_truncate BEFORE TRUNCATE ON storage.versions FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();

-- Policies

POLICY requests_read_own ON metadata.file_upload_requests FOR SELECT TO anon,authenticated USING (requested_by = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY requests_service ON metadata.file_upload_requests FOR SELECT TO service_role USING true WITH CHECK -;
POLICY worker_reads ON metadata.file_upload_requests FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY files_delete ON metadata.files FOR DELETE TO authenticated USING (created_by = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY files_read ON metadata.files FOR SELECT TO anon,authenticated USING ((created_by = ( SELECT storage.caller_id() AS caller_id)) OR ((upload_id IS NULL) AND metadata.files_can_view(entity_type, entity_id, created_by))) WITH CHECK -;
POLICY files_service ON metadata.files FOR ALL TO service_role USING true WITH CHECK true;
POLICY worker_reads ON metadata.files FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY buckets_change ON storage.buckets FOR UPDATE TO authenticated USING (owner_id = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY buckets_create ON storage.buckets FOR INSERT TO authenticated USING - WITH CHECK (owner_id = ( SELECT storage.caller_id() AS caller_id));
POLICY buckets_delete ON storage.buckets FOR DELETE TO authenticated USING (owner_id = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY buckets_read ON storage.buckets FOR SELECT TO authenticated USING ((policy = 'authenticated'::text) OR (owner_id IS NULL) OR (owner_id = ( SELECT storage.caller_id() AS caller_id)) OR storage.caller_owns_objects_in(id)) WITH CHECK -;
POLICY buckets_read_public ON storage.buckets FOR SELECT TO anon,authenticated USING public WITH CHECK -;
POLICY buckets_service ON storage.buckets FOR ALL TO service_role USING true WITH CHECK true;
POLICY worker_reads ON storage.buckets FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.changes FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.entities FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY image_metadata_read ON storage.image_metadata FOR SELECT TO anon,authenticated,service_role USING (EXISTS ( SELECT FROM storage.objects o WHERE (o.version_id = image_metadata.version_id))) WITH CHECK -;
POLICY worker_reads ON storage.image_metadata FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY objects_change ON storage.objects FOR UPDATE TO authenticated USING ((owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND ((b.policy = 'authenticated'::text) OR (b.owner_id = ( SELECT storage.caller_id() AS caller_id))))))) WITH CHECK (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND ((b.policy = 'authenticated'::text) OR (b.owner_id IS NULL) OR (b.owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (objects.owner_id = ( SELECT storage.caller_id() AS caller_id))))));
POLICY objects_create ON storage.objects FOR INSERT TO authenticated USING - WITH CHECK ((owner_id = ( SELECT storage.caller_id() AS caller_id)) AND (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND ((b.policy = 'authenticated'::text) OR (b.owner_id IS NULL) OR (b.owner_id = ( SELECT storage.caller_id() AS caller_id)))))));
POLICY objects_delete ON storage.objects FOR DELETE TO authenticated USING ((owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND (b.owner_id = ( SELECT storage.caller_id() AS caller_id)))))) WITH CHECK -;
POLICY objects_read ON storage.objects FOR SELECT TO authenticated USING ((owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND (b.public OR (b.policy = 'authenticated'::text) OR (b.owner_id = ( SELECT storage.caller_id() AS caller_id)))))) OR ((bucket_id = ( SELECT storage.files_bucket() AS files_bucket)) AND storage.may_read_file_of(id))) WITH CHECK -;
POLICY objects_read_public ON storage.objects FOR SELECT TO anon USING ((EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND b.public))) OR ((bucket_id = ( SELECT storage.files_bucket() AS files_bucket)) AND storage.may_read_file_of(id))) WITH CHECK -;
POLICY objects_service ON storage.objects FOR ALL TO service_role USING true WITH CHECK true;
POLICY worker_reads ON storage.objects FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.settings FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.uploads FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY variants_read ON storage.variants FOR SELECT TO anon,authenticated,service_role USING (EXISTS ( SELECT FROM storage.objects o WHERE (o.version_id = variants.source_version_id))) WITH CHECK -;
POLICY worker_reads ON storage.variants FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.versions FOR SELECT TO rowlock_worker USING true WITH CHECK -;

-- Privileges on tables and columns

GRANT SELECT (created_at), SELECT (entity_id), SELECT (entity_type), SELECT (error_message), SELECT (file_id), SELECT (file_name), SELECT (file_type), SELECT (id), SELECT (presigned_url), SELECT (requested_by), SELECT (s3_key), SELECT (status), SELECT (updated_at) ON metadata.file_upload_requests TO anon;
GRANT SELECT (created_at), SELECT (entity_id), SELECT (entity_type), SELECT (error_message), SELECT (file_id), SELECT (file_name), SELECT (file_type), SELECT (id), SELECT (presigned_url), SELECT (requested_by), SELECT (s3_key), SELECT (status), SELECT (updated_at) ON metadata.file_upload_requests TO authenticated;
GRANT SELECT ON metadata.file_upload_requests TO rowlock_worker;
GRANT SELECT (created_at), SELECT (entity_id), SELECT (entity_type), SELECT (error_message), SELECT (file_id), SELECT (file_name), SELECT (file_type), SELECT (id), SELECT (presigned_url), SELECT (requested_by), SELECT (s3_key), SELECT (status), SELECT (updated_at) ON metadata.file_upload_requests TO service_role;
GRANT DELETE, SELECT ON metadata.files TO anon;
GRANT DELETE, SELECT ON metadata.files TO authenticated;
GRANT SELECT ON metadata.files TO rowlock_worker;
GRANT DELETE, SELECT ON metadata.files TO service_role;
GRANT DELETE, INSERT, SELECT, UPDATE ON metadata.river_job TO rowlock_worker;
GRANT DELETE, INSERT, SELECT, UPDATE ON metadata.river_leader TO rowlock_worker;
GRANT SELECT ON metadata.river_migration TO rowlock_worker;
GRANT DELETE, INSERT, SELECT, UPDATE ON metadata.river_queue TO rowlock_worker;
GRANT DELETE, INSERT, SELECT, UPDATE ON metadata.rowlock_worker_lease TO rowlock_worker;
GRANT SELECT ON public.files TO anon;
GRANT SELECT ON public.files TO authenticated;
GRANT SELECT ON public.files TO service_role;
GRANT SELECT ON public.storage_buckets TO anon;
GRANT SELECT ON public.storage_buckets TO authenticated;
GRANT SELECT ON public.storage_buckets TO service_role;
GRANT SELECT ON public.storage_objects TO anon;
GRANT SELECT ON public.storage_objects TO authenticated;
GRANT SELECT ON public.storage_objects TO service_role;
GRANT SELECT ON storage.buckets TO anon;
GRANT DELETE, INSERT (allowed_mime_types), INSERT (file_size_limit), INSERT (id), INSERT (name), INSERT (overwrite), INSERT (policy), SELECT, UPDATE (allowed_mime_types), UPDATE (file_size_limit), UPDATE (overwrite), UPDATE (policy) ON storage.buckets TO authenticated;
GRANT SELECT ON storage.buckets TO rowlock_worker;
GRANT DELETE, INSERT (allowed_mime_types), INSERT (file_size_limit), INSERT (id), INSERT (name), INSERT (overwrite), INSERT (policy), SELECT, UPDATE (allowed_mime_types), UPDATE (file_size_limit), UPDATE (overwrite), UPDATE (policy) ON storage.buckets TO service_role;
GRANT SELECT ON storage.changes TO rowlock_worker;
GRANT SELECT ON storage.entities TO rowlock_worker;
GRANT SELECT ON storage.image_metadata TO anon;
GRANT SELECT ON storage.image_metadata TO authenticated;
GRANT SELECT ON storage.image_metadata TO rowlock_worker;
GRANT SELECT ON storage.image_metadata TO service_role;
GRANT SELECT ON storage.migrations TO rowlock_worker;
GRANT DELETE, INSERT (bucket_id), INSERT (cache_control), INSERT (name), INSERT (user_metadata), INSERT (version_id), SELECT, UPDATE (bucket_id), UPDATE (cache_control), UPDATE (name), UPDATE (user_metadata), UPDATE (version_id) ON storage.objects TO anon;
GRANT DELETE, INSERT (bucket_id), INSERT (cache_control), INSERT (name), INSERT (user_metadata), INSERT (version_id), SELECT, UPDATE (bucket_id), UPDATE (cache_control), UPDATE (name), UPDATE (user_metadata), UPDATE (version_id) ON storage.objects TO authenticated;
GRANT SELECT ON storage.objects TO rowlock_worker;
GRANT DELETE, INSERT (bucket_id), INSERT (cache_control), INSERT (name), INSERT (user_metadata), INSERT (version_id), SELECT, UPDATE (bucket_id), UPDATE (cache_control), UPDATE (name), UPDATE (user_metadata), UPDATE (version_id) ON storage.objects TO service_role;
GRANT SELECT ON storage.settings TO rowlock_worker;
GRANT SELECT ON storage.uploads TO rowlock_worker;
GRANT SELECT ON storage.variants TO anon;
GRANT SELECT ON storage.variants TO authenticated;
GRANT SELECT ON storage.variants TO rowlock_worker;
GRANT SELECT ON storage.variants TO service_role;
GRANT SELECT ON storage.versions TO rowlock_worker;

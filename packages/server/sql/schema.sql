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
  s3_bucket text,
  file_size bigint,
  property_name text,
  consent_location boolean DEFAULT false NOT NULL,
  sha256 bytea,
  put_headers jsonb,
  url_expires_at timestamp with time zone,
  is_open boolean DEFAULT false NOT NULL,
  is_recorded boolean DEFAULT false NOT NULL,
  sends_headers boolean DEFAULT false NOT NULL,
  put_key text,
  part_size bigint
) ROW SECURITY;
TABLE metadata.file_upload_requests_archive (
  id uuid NOT NULL,
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  file_name text NOT NULL,
  file_type text NOT NULL,
  status text,
  s3_key text,
  file_id uuid,
  error_message text,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone,
  requested_by text,
  s3_bucket text,
  file_size bigint,
  property_name text,
  archived_at timestamp with time zone DEFAULT now() NOT NULL
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
  height integer,
  consent_location boolean DEFAULT false NOT NULL
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
  height integer,
  consent_location boolean
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
  updated_at timestamp with time zone,
  versioning text,
  soft_delete_seconds integer,
  history_keep integer,
  noncurrent_days integer,
  preset_set text COLLATE "C",
  scan text,
  checks text[]
) security_invoker=true;
VIEW public.storage_object_versions (
  bucket_id text COLLATE "C",
  name text COLLATE "C",
  version uuid,
  object_id uuid,
  is_current boolean,
  delete_marker boolean,
  reason text,
  owner_id text,
  size bigint,
  content_type text,
  detected_type text,
  sha256 text,
  cache_control text,
  user_metadata jsonb,
  created_at timestamp with time zone,
  modified_at timestamp with time zone,
  superseded_at timestamp with time zone,
  superseded_by text,
  purge_after timestamp with time zone,
  sequence bigint
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
VIEW storage.audit (
  id bigint,
  occurred_at timestamp with time zone,
  request_id text,
  address text,
  login text,
  role text,
  subject text,
  operation text,
  bucket_id text COLLATE "C",
  name text COLLATE "C",
  object_id uuid,
  outcome text,
  reason text,
  detail jsonb
) security_invoker=true;
TABLE storage.audit_log (
  id bigint IDENTITY NOT NULL,
  occurred_at timestamp with time zone DEFAULT now() NOT NULL,
  request_id text,
  address text,
  login text DEFAULT SESSION_USER NOT NULL,
  role text NOT NULL,
  subject text,
  operation text NOT NULL,
  bucket_id text COLLATE "C",
  name text COLLATE "C",
  object_id uuid,
  outcome text NOT NULL,
  reason text,
  detail jsonb
) ROW SECURITY;
TABLE storage.backend_copies (
  id bigint IDENTITY NOT NULL,
  source text NOT NULL,
  target text NOT NULL,
  bucket_id text COLLATE "C",
  prefix text DEFAULT ''::text NOT NULL,
  holder uuid NOT NULL,
  "position" text COLLATE "C" DEFAULT ''::text NOT NULL,
  progress jsonb DEFAULT '{}'::jsonb NOT NULL,
  started_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  ended_at timestamp with time zone
) ROW SECURITY;
TABLE storage.backend_copy_failures (
  run_id bigint NOT NULL,
  version_id uuid NOT NULL,
  key text NOT NULL,
  reason text NOT NULL,
  detail jsonb NOT NULL,
  failed_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY;
TABLE storage.blob_chunks (
  blob_id uuid NOT NULL,
  place integer NOT NULL,
  bytes bytea NOT NULL
) ROW SECURITY;
TABLE storage.blobs (
  id uuid NOT NULL,
  key text COLLATE "C",
  size bigint DEFAULT 0 NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  touched_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY;
TABLE storage.buckets (
  id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  owner_id text,
  policy text DEFAULT 'private'::text NOT NULL,
  public boolean DEFAULT false NOT NULL,
  file_size_limit bigint,
  allowed_mime_types text[],
  overwrite text DEFAULT 'allow'::text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  versioning text DEFAULT 'off'::text NOT NULL,
  soft_delete_seconds integer,
  history_keep integer,
  noncurrent_days integer,
  history_since timestamp with time zone,
  versioned_until timestamp with time zone,
  quota_bytes bigint,
  quota_objects bigint,
  owner_quota_bytes bigint,
  owner_quota_objects bigint,
  inline boolean DEFAULT false NOT NULL,
  backend text,
  preset_set text COLLATE "C" DEFAULT 'default'::text NOT NULL,
  locations text DEFAULT 'consent'::text NOT NULL,
  region text,
  scan text DEFAULT 'off'::text NOT NULL,
  checks text[] DEFAULT '{}'::text[] NOT NULL,
  render_budget bigint DEFAULT 1073741824 NOT NULL
) ROW SECURITY;
VIEW storage.cameras (
  camera_make text,
  camera_model text,
  images bigint,
  first_taken timestamp without time zone,
  last_taken timestamp without time zone
) security_invoker=true, security_barrier=true;
TABLE storage.change_feed (
  only_row boolean DEFAULT true NOT NULL,
  forgotten_xid xid8 DEFAULT '0'::xid8 NOT NULL,
  forgotten_seq bigint DEFAULT 0 NOT NULL,
  notified_xid xid8 DEFAULT '0'::xid8 NOT NULL,
  notified_seq bigint DEFAULT 0 NOT NULL,
  listeners_until timestamp with time zone
) ROW SECURITY;
TABLE storage.changes (
  seq bigint IDENTITY NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  type text NOT NULL,
  object_id uuid,
  revision bigint,
  bucket_id text NOT NULL,
  name text,
  owner_id text,
  version_id uuid,
  size bigint,
  content_type text,
  occurred_at timestamp with time zone DEFAULT now() NOT NULL,
  previous_bucket_id text,
  previous_name text,
  bucket_owner_id text
) ROW SECURITY;
TABLE storage.entities (
  entity_type text NOT NULL,
  relation regclass NOT NULL,
  key_column name NOT NULL,
  key_type regtype NOT NULL
) ROW SECURITY;
TABLE storage.entity_locations (
  entity_type text NOT NULL,
  location_column name,
  latitude_column name,
  longitude_column name,
  only_if_null boolean DEFAULT true NOT NULL,
  property_name text
) ROW SECURITY;
TABLE storage.fsck_findings (
  run_id bigint NOT NULL,
  kind text NOT NULL,
  key text COLLATE "C" NOT NULL,
  version_id uuid,
  detail jsonb NOT NULL,
  found_at timestamp with time zone DEFAULT now() NOT NULL,
  repaired_at timestamp with time zone
) ROW SECURITY;
TABLE storage.fsck_runs (
  id bigint IDENTITY NOT NULL,
  backend text NOT NULL,
  scrub boolean NOT NULL,
  holder uuid NOT NULL,
  phase text DEFAULT 'compare'::text NOT NULL,
  "position" text COLLATE "C" DEFAULT ''::text NOT NULL,
  progress jsonb DEFAULT '{}'::jsonb NOT NULL,
  started_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  ended_at timestamp with time zone
) ROW SECURITY;
TABLE storage.gateway_sessions (
  id_hash bytea NOT NULL,
  caller_role text NOT NULL,
  caller_claims text NOT NULL,
  owner_id text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone NOT NULL
) ROW SECURITY;
TABLE storage.image_locations (
  version_id uuid NOT NULL,
  state text NOT NULL,
  latitude double precision,
  longitude double precision,
  altitude real,
  accuracy real,
  applied text
) ROW SECURITY;
TABLE storage.image_metadata (
  version_id uuid NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  format text NOT NULL,
  orientation smallint DEFAULT 1 NOT NULL,
  taken_at timestamp with time zone,
  taken_at_local timestamp without time zone,
  camera_make text,
  camera_model text,
  lens_model text,
  title text,
  caption text,
  creator text,
  copyright text,
  keywords text[] DEFAULT '{}'::text[] NOT NULL,
  thumbhash bytea,
  dominant_colour text,
  dhash bit(64),
  dhash_parts integer[] GENERATED 
CASE
    WHEN (dhash IS NOT NULL) THEN ARRAY[("substring"(dhash, 1, 16))::integer, (65536 + ("substring"(dhash, 17, 16))::integer), (131072 + ("substring"(dhash, 33, 16))::integer), (196608 + ("substring"(dhash, 49, 16))::integer)]
    ELSE NULL::integer[]
END,
  sharpness real,
  brightness real,
  contrast real,
  shadows real,
  highlights real,
  read_at timestamp with time zone
) ROW SECURITY;
TABLE storage.located_entities (
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  version_id uuid NOT NULL
) ROW SECURITY;
TABLE storage.location_requests (
  file_id uuid NOT NULL,
  version_id uuid NOT NULL,
  caller_role text NOT NULL,
  caller_claims jsonb NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY;
TABLE storage.migrations (
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamp with time zone DEFAULT now() NOT NULL
);
TABLE storage.multipart_uploads (
  upload_id uuid NOT NULL,
  version_id uuid NOT NULL,
  bucket_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  requested_by text,
  size bigint NOT NULL,
  part_size bigint NOT NULL,
  part_count integer GENERATED ((((size + part_size) - 1) / part_size))::integer NOT NULL,
  sha256 bytea,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  store_id text,
  complete_asked_at timestamp with time zone,
  named_parts jsonb,
  error text,
  list_asked_at timestamp with time zone,
  listed_at timestamp with time zone,
  parts jsonb
) ROW SECURITY;
TABLE storage.object_history (
  sequence bigint IDENTITY NOT NULL,
  bucket_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  object_id uuid NOT NULL,
  version_id uuid,
  marker_id uuid,
  reason text NOT NULL,
  owner_id text,
  size bigint,
  content_type text,
  detected_type text,
  sha256 bytea,
  cache_control text,
  user_metadata jsonb,
  created_at timestamp with time zone NOT NULL,
  modified_at timestamp with time zone NOT NULL,
  superseded_at timestamp with time zone DEFAULT now() NOT NULL,
  superseded_by text,
  purge_after timestamp with time zone
) ROW SECURITY;
VIEW storage.object_versions (
  bucket_id text COLLATE "C",
  name text COLLATE "C",
  version uuid,
  object_id uuid,
  is_current boolean,
  delete_marker boolean,
  reason text,
  owner_id text,
  size bigint,
  content_type text,
  detected_type text,
  sha256 bytea,
  cache_control text,
  user_metadata jsonb,
  created_at timestamp with time zone,
  modified_at timestamp with time zone,
  superseded_at timestamp with time zone,
  superseded_by text,
  purge_after timestamp with time zone,
  sequence bigint
) security_invoker=true;
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
  path_tokens text[],
  version text,
  metadata jsonb
) ROW SECURITY;
TABLE storage.put_guards (
  backend text NOT NULL,
  with_headers text NOT NULL,
  without_headers text NOT NULL
) ROW SECURITY;
VIEW storage.quarantine (
  version_id uuid,
  backend text,
  key text COLLATE "C",
  size bigint,
  quarantined_at timestamp with time zone,
  quarantine_reason text,
  bucket_id text COLLATE "C",
  name text COLLATE "C",
  object_id uuid,
  owner_id text,
  quarantine_cause text
) security_invoker=true, security_barrier=true;
TABLE storage.quota_accounts (
  id bigint IDENTITY NOT NULL,
  quota_id bigint NOT NULL,
  owner_id text NOT NULL,
  bytes_max bigint NOT NULL,
  objects_max bigint NOT NULL,
  own_limit boolean DEFAULT false NOT NULL,
  shards smallint NOT NULL
) ROW SECURITY;
TABLE storage.quota_shards (
  account_id bigint NOT NULL,
  shard smallint NOT NULL,
  bytes_free bigint NOT NULL,
  objects_free bigint NOT NULL,
  is_open boolean DEFAULT true NOT NULL
) ROW SECURITY fillfactor=40, autovacuum_vacuum_threshold=500;
TABLE storage.quotas (
  id bigint IDENTITY NOT NULL,
  bucket_id text COLLATE "C",
  per text NOT NULL,
  bytes_max bigint,
  objects_max bigint,
  counted boolean DEFAULT false NOT NULL,
  since xid8
) ROW SECURITY;
TABLE storage.renders (
  variant_id uuid NOT NULL,
  bucket_id text COLLATE "C" NOT NULL,
  attempts integer DEFAULT 1 NOT NULL,
  render_id uuid NOT NULL,
  leased_until timestamp with time zone NOT NULL
) ROW SECURITY;
TABLE storage.s3_signing_keys (
  backend text NOT NULL,
  day date NOT NULL,
  region text NOT NULL,
  service text NOT NULL,
  access_key_id text NOT NULL,
  session_token text,
  endpoint text NOT NULL,
  bucket text NOT NULL,
  addressing text NOT NULL,
  scope text NOT NULL,
  origin text NOT NULL,
  host text NOT NULL,
  path_prefix text NOT NULL,
  query_prefix text NOT NULL,
  query_token text NOT NULL,
  upload_acl text,
  inner_pad bytea NOT NULL,
  outer_pad bytea NOT NULL,
  valid_from timestamp with time zone NOT NULL,
  valid_until timestamp with time zone NOT NULL,
  derived_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY;
TABLE storage.settings (
  name text NOT NULL,
  value text NOT NULL,
  description text NOT NULL
) ROW SECURITY;
TABLE storage.signed_url_revocations (
  sequence bigint IDENTITY NOT NULL,
  scope text NOT NULL,
  value text COLLATE "C" NOT NULL,
  revoked_before timestamp with time zone NOT NULL,
  revoked_by text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone NOT NULL
) ROW SECURITY;
TABLE storage.signed_urls (
  id text COLLATE "C" NOT NULL,
  issuer text COLLATE "C" GENERATED "left"(id, 16),
  object_id uuid NOT NULL,
  bucket_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  preset text,
  uses_max integer,
  uses_left integer,
  signed_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone
) ROW SECURITY fillfactor=80;
TABLE storage.sweep_position (
  single boolean DEFAULT true NOT NULL,
  after uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY;
TABLE storage.upload_requesters (
  requested_by text NOT NULL,
  asked_at timestamp with time zone DEFAULT now() NOT NULL
) ROW SECURITY fillfactor=50, autovacuum_vacuum_threshold=500;
TABLE storage.upload_tickets (
  id uuid NOT NULL,
  bucket_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  caller_role text NOT NULL,
  caller_claims jsonb NOT NULL,
  content_type text,
  size_max bigint,
  sha256 bytea,
  overwrite boolean NOT NULL,
  cache_control text,
  user_metadata jsonb,
  if_match text[],
  if_none_match text[],
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone NOT NULL
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
  expires_at timestamp with time zone NOT NULL,
  if_match text[],
  if_none_match text[],
  ticket_id uuid,
  reserved_in bigint[],
  reserved_bytes bigint,
  reserved_objects integer,
  reserved_settled boolean DEFAULT false NOT NULL,
  put_guard text,
  copying_until timestamp with time zone,
  announced_at timestamp with time zone
) ROW SECURITY;
TABLE storage.variant_presets (
  preset_set text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  width integer,
  height integer,
  fit text DEFAULT 'cover'::text NOT NULL,
  "position" text DEFAULT 'attention'::text NOT NULL,
  focal_x real,
  focal_y real,
  format text DEFAULT 'jpeg'::text NOT NULL,
  quality integer DEFAULT 80 NOT NULL,
  background text DEFAULT '#ffffff'::text NOT NULL,
  animated boolean DEFAULT false NOT NULL,
  watermark_object_id uuid,
  watermark_position text,
  watermark_opacity real,
  watermark_scale real,
  document_fit text,
  document_format text
) ROW SECURITY;
TABLE storage.variants (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  source_version_id uuid NOT NULL,
  preset text,
  status text DEFAULT 'pending'::text NOT NULL,
  version_id uuid,
  width integer,
  height integer,
  error text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  digest text,
  params jsonb,
  content_type text,
  size bigint,
  used_at timestamp with time zone,
  failure text,
  failures smallint DEFAULT 0 NOT NULL,
  retry_at timestamp with time zone
) ROW SECURITY;
TABLE storage.version_checks (
  version_id uuid NOT NULL,
  kind text COLLATE "C" NOT NULL,
  status text DEFAULT 'pending'::text NOT NULL,
  detail jsonb,
  requested_at timestamp with time zone DEFAULT now() NOT NULL,
  checked_at timestamp with time zone
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
  expires_at timestamp with time zone,
  was_on text[],
  stored_in xid8,
  put_until timestamp with time zone,
  recheck_at timestamp with time zone,
  quarantined_at timestamp with time zone,
  quarantine_reason text,
  quarantine_cause text
) ROW SECURITY;

-- Constraints

CONSTRAINT file_upload_requests_pkey ON metadata.file_upload_requests PRIMARY KEY (id);
CONSTRAINT file_upload_requests_sha256_is_32_bytes ON metadata.file_upload_requests CHECK ((octet_length(sha256) = 32)) NOT VALID;
CONSTRAINT file_upload_requests_size_not_negative ON metadata.file_upload_requests CHECK ((file_size >= 0)) NOT VALID;
CONSTRAINT file_upload_requests_status_check ON metadata.file_upload_requests CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text])));
CONSTRAINT file_upload_requests_archive_pkey ON metadata.file_upload_requests_archive PRIMARY KEY (id);
CONSTRAINT files_object_id_fkey ON metadata.files FOREIGN KEY (object_id) REFERENCES storage.objects(id) ON DELETE CASCADE;
CONSTRAINT files_object_id_key ON metadata.files UNIQUE (object_id);
CONSTRAINT files_pkey ON metadata.files PRIMARY KEY (id);
CONSTRAINT files_thumbnail_status_check ON metadata.files CHECK ((thumbnail_status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'not_applicable'::text])));
CONSTRAINT files_waits_or_has_bytes ON metadata.files CHECK (((upload_id IS NULL) OR (object_id IS NULL)));
CONSTRAINT audit_log_holds ON storage.audit_log CHECK (storage_internal.audit_entry_holds(outcome, detail)) NOT VALID;
CONSTRAINT audit_log_pkey ON storage.audit_log PRIMARY KEY (id);
CONSTRAINT backend_copies_go_elsewhere ON storage.backend_copies CHECK ((source <> target));
CONSTRAINT backend_copies_pkey ON storage.backend_copies PRIMARY KEY (id);
CONSTRAINT backend_copy_failures_pkey ON storage.backend_copy_failures PRIMARY KEY (run_id, version_id);
CONSTRAINT backend_copy_failures_run_id_fkey ON storage.backend_copy_failures FOREIGN KEY (run_id) REFERENCES storage.backend_copies(id) ON DELETE CASCADE;
CONSTRAINT blob_chunks_blob_id_fkey ON storage.blob_chunks FOREIGN KEY (blob_id) REFERENCES storage.blobs(id) ON DELETE CASCADE;
CONSTRAINT blob_chunks_bounded ON storage.blob_chunks CHECK (((place >= 0) AND ((octet_length(bytes) >= 1) AND (octet_length(bytes) <= 262144))));
CONSTRAINT blob_chunks_pkey ON storage.blob_chunks PRIMARY KEY (blob_id, place);
CONSTRAINT blobs_key_used_once ON storage.blobs UNIQUE (key);
CONSTRAINT blobs_pkey ON storage.blobs PRIMARY KEY (id);
CONSTRAINT blobs_size_not_negative ON storage.blobs CHECK ((size >= 0));
CONSTRAINT buckets_backend_is_a_name ON storage.buckets CHECK ((backend ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text));
CONSTRAINT buckets_checks_bounded ON storage.buckets CHECK (((cardinality(checks) <= 16) AND (octet_length((checks)::text) <= 1100)));
CONSTRAINT buckets_file_size_limit_positive ON storage.buckets CHECK ((file_size_limit > 0));
CONSTRAINT buckets_history_keep_range ON storage.buckets CHECK (((history_keep >= 1) AND (history_keep <= 100000)));
CONSTRAINT buckets_id_is_name ON storage.buckets CHECK ((id = name));
CONSTRAINT buckets_locations_known ON storage.buckets CHECK ((locations = ANY (ARRAY['consent'::text, 'always'::text, 'never'::text]))) NOT VALID;
CONSTRAINT buckets_name_key ON storage.buckets UNIQUE (name);
CONSTRAINT buckets_name_valid ON storage.buckets CHECK (((name ~ '^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$'::text) AND (name !~ '\.\.'::text) AND (name !~ '^\d+\.\d+\.\d+\.\d+$'::text) AND (name !~ '^xn--'::text) AND (name <> ALL (ARRAY['authenticated'::text, 'copy'::text, 'info'::text, 'list'::text, 'list-v2'::text, 'move'::text, 'public'::text, 'restore'::text, 'sign'::text, 'upload'::text, 'versions'::text, 'zip'::text])))) NOT VALID;
CONSTRAINT buckets_noncurrent_days_range ON storage.buckets CHECK (((noncurrent_days >= 1) AND (noncurrent_days <= 36500)));
CONSTRAINT buckets_overwrite_known ON storage.buckets CHECK ((overwrite = ANY (ARRAY['allow'::text, 'deny'::text])));
CONSTRAINT buckets_pkey ON storage.buckets PRIMARY KEY (id);
CONSTRAINT buckets_policy_known ON storage.buckets CHECK ((policy = ANY (ARRAY['private'::text, 'public'::text, 'authenticated'::text])));
CONSTRAINT buckets_preset_set_is_a_name ON storage.buckets CHECK ((preset_set ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text));
CONSTRAINT buckets_public_by_policy ON storage.buckets CHECK ((public = (policy = 'public'::text)));
CONSTRAINT buckets_quotas_bounded ON storage.buckets CHECK ((((quota_bytes >= 0) AND (quota_bytes <= '1152921504606846976'::bigint)) AND ((quota_objects >= 0) AND (quota_objects <= '1152921504606846976'::bigint)) AND ((owner_quota_bytes >= 0) AND (owner_quota_bytes <= '1152921504606846976'::bigint)) AND ((owner_quota_objects >= 0) AND (owner_quota_objects <= '1152921504606846976'::bigint))));
CONSTRAINT buckets_region_is_a_name ON storage.buckets CHECK ((region ~ '^[a-z0-9-]{1,63}$'::text)) NOT VALID;
CONSTRAINT buckets_render_budget_not_negative ON storage.buckets CHECK ((render_budget >= 0));
CONSTRAINT buckets_scan_known ON storage.buckets CHECK ((scan = ANY (ARRAY['off'::text, 'async'::text, 'before_read'::text])));
CONSTRAINT buckets_soft_delete_seconds_range ON storage.buckets CHECK (((soft_delete_seconds >= 1) AND (soft_delete_seconds <= 315360000)));
CONSTRAINT buckets_versioning_known ON storage.buckets CHECK ((versioning = ANY (ARRAY['off'::text, 'on'::text, 'suspended'::text])));
CONSTRAINT change_feed_is_one ON storage.change_feed CHECK (only_row);
CONSTRAINT change_feed_pkey ON storage.change_feed PRIMARY KEY (only_row);
CONSTRAINT changes_hold ON storage.changes CHECK (storage_internal.change_holds(type, object_id, revision, name, previous_bucket_id, previous_name)) NOT VALID;
CONSTRAINT changes_pkey ON storage.changes PRIMARY KEY (seq);
CONSTRAINT entities_pkey ON storage.entities PRIMARY KEY (entity_type);
CONSTRAINT entity_locations_entity_type_fkey ON storage.entity_locations FOREIGN KEY (entity_type) REFERENCES storage.entities(entity_type) ON DELETE CASCADE;
CONSTRAINT entity_locations_one_or_two ON storage.entity_locations CHECK (((num_nonnulls(location_column, latitude_column) = 1) AND ((latitude_column IS NULL) = (longitude_column IS NULL))));
CONSTRAINT entity_locations_pkey ON storage.entity_locations PRIMARY KEY (entity_type);
CONSTRAINT fsck_findings_pkey ON storage.fsck_findings PRIMARY KEY (run_id, kind, key);
CONSTRAINT fsck_findings_run_id_fkey ON storage.fsck_findings FOREIGN KEY (run_id) REFERENCES storage.fsck_runs(id) ON DELETE CASCADE;
CONSTRAINT fsck_runs_done_has_ended ON storage.fsck_runs CHECK (((phase = 'done'::text) = (ended_at IS NOT NULL)));
CONSTRAINT fsck_runs_phase_known ON storage.fsck_runs CHECK ((phase = ANY (ARRAY['compare'::text, 'scrub'::text, 'count'::text, 'repair'::text, 'done'::text])));
CONSTRAINT fsck_runs_pkey ON storage.fsck_runs PRIMARY KEY (id);
CONSTRAINT gateway_sessions_end_within_a_day ON storage.gateway_sessions CHECK ((expires_at <= (created_at + '1 day'::interval)));
CONSTRAINT gateway_sessions_hash_is_32_bytes ON storage.gateway_sessions CHECK ((octet_length(id_hash) = 32));
CONSTRAINT gateway_sessions_pkey ON storage.gateway_sessions PRIMARY KEY (id_hash);
CONSTRAINT image_locations_applied_known ON storage.image_locations CHECK ((applied = ANY (ARRAY['applied'::text, 'kept'::text, 'refused'::text, 'failed'::text])));
CONSTRAINT image_locations_found_is_whole ON storage.image_locations CHECK (((num_nonnulls(latitude, longitude) =
CASE state
    WHEN 'found'::text THEN 2
    ELSE 0
END) AND ((state = 'found'::text) OR (num_nonnulls(altitude, accuracy) = 0))));
CONSTRAINT image_locations_on_earth ON storage.image_locations CHECK ((((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision)) AND ((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))));
CONSTRAINT image_locations_pkey ON storage.image_locations PRIMARY KEY (version_id);
CONSTRAINT image_locations_state_known ON storage.image_locations CHECK ((state = ANY (ARRAY['found'::text, 'none'::text, 'invalid'::text, 'withheld'::text])));
CONSTRAINT image_locations_version_id_fkey ON storage.image_locations FOREIGN KEY (version_id) REFERENCES storage.image_metadata(version_id) ON DELETE CASCADE;
CONSTRAINT image_metadata_orientation_known ON storage.image_metadata CHECK (((orientation >= 1) AND (orientation <= 8))) NOT VALID;
CONSTRAINT image_metadata_pkey ON storage.image_metadata PRIMARY KEY (version_id);
CONSTRAINT image_metadata_version_id_fkey ON storage.image_metadata FOREIGN KEY (version_id) REFERENCES storage.versions(id) ON DELETE CASCADE;
CONSTRAINT located_entities_pkey ON storage.located_entities PRIMARY KEY (entity_type, entity_id);
CONSTRAINT located_entities_version_id_fkey ON storage.located_entities FOREIGN KEY (version_id) REFERENCES storage.image_locations(version_id) ON DELETE CASCADE;
CONSTRAINT location_requests_file_id_fkey ON storage.location_requests FOREIGN KEY (file_id) REFERENCES metadata.files(id) ON DELETE CASCADE;
CONSTRAINT location_requests_pkey ON storage.location_requests PRIMARY KEY (file_id);
CONSTRAINT migrations_pkey ON storage.migrations PRIMARY KEY (name);
CONSTRAINT multipart_uploads_one_per_version ON storage.multipart_uploads UNIQUE (version_id);
CONSTRAINT multipart_uploads_part_count_bounded ON storage.multipart_uploads CHECK (((part_count >= 1) AND (part_count <= 10000)));
CONSTRAINT multipart_uploads_part_size_bounded ON storage.multipart_uploads CHECK (((part_size >= 5242880) AND (part_size <= '5368709120'::bigint)));
CONSTRAINT multipart_uploads_pkey ON storage.multipart_uploads PRIMARY KEY (upload_id);
CONSTRAINT multipart_uploads_sha256_is_32_bytes ON storage.multipart_uploads CHECK ((octet_length(sha256) = 32));
CONSTRAINT multipart_uploads_size_bounded ON storage.multipart_uploads CHECK (((size >= 1) AND (size <= '5497558138880'::bigint)));
CONSTRAINT multipart_uploads_store_id_bounded ON storage.multipart_uploads CHECK (((octet_length(store_id) <= 1024) AND (store_id ~ '^[\u0021-\u007e]+$'::text)));
CONSTRAINT multipart_uploads_version_id_fkey ON storage.multipart_uploads FOREIGN KEY (version_id) REFERENCES storage.versions(id) ON DELETE CASCADE;
CONSTRAINT object_history_bucket_id_fkey ON storage.object_history FOREIGN KEY (bucket_id) REFERENCES storage.buckets(id);
CONSTRAINT object_history_pkey ON storage.object_history PRIMARY KEY (sequence);
CONSTRAINT object_history_reason_known ON storage.object_history CHECK ((reason = ANY (ARRAY['overwrite'::text, 'delete'::text, 'move'::text])));
CONSTRAINT object_history_version_id_fkey ON storage.object_history FOREIGN KEY (version_id) REFERENCES storage.versions(id);
CONSTRAINT object_history_version_is_measured ON storage.object_history CHECK (((version_id IS NULL) OR ((size IS NOT NULL) AND (content_type IS NOT NULL))));
CONSTRAINT object_history_version_or_marker ON storage.object_history CHECK (((version_id IS NULL) = (marker_id IS NOT NULL)));
CONSTRAINT objects_bucket_id_fkey ON storage.objects FOREIGN KEY (bucket_id) REFERENCES storage.buckets(id);
CONSTRAINT objects_bucket_id_name_key ON storage.objects UNIQUE (bucket_id, name);
CONSTRAINT objects_hold ON storage.objects CHECK (storage.object_holds(name, user_metadata, cache_control)) NOT VALID;
CONSTRAINT objects_pkey ON storage.objects PRIMARY KEY (id);
CONSTRAINT objects_version_id_fkey ON storage.objects FOREIGN KEY (version_id) REFERENCES storage.versions(id);
CONSTRAINT put_guards_known ON storage.put_guards CHECK (((with_headers = ANY (ARRAY['condition'::text, 'incoming'::text, 'recheck'::text])) AND (without_headers = ANY (ARRAY['incoming'::text, 'recheck'::text]))));
CONSTRAINT put_guards_pkey ON storage.put_guards PRIMARY KEY (backend);
CONSTRAINT quota_accounts_limits_not_negative ON storage.quota_accounts CHECK (((bytes_max >= 0) AND (objects_max >= 0)));
CONSTRAINT quota_accounts_one_per_owner ON storage.quota_accounts UNIQUE (quota_id, owner_id);
CONSTRAINT quota_accounts_pkey ON storage.quota_accounts PRIMARY KEY (id);
CONSTRAINT quota_accounts_quota_id_fkey ON storage.quota_accounts FOREIGN KEY (quota_id) REFERENCES storage.quotas(id) ON DELETE CASCADE;
CONSTRAINT quota_shards_account_id_fkey ON storage.quota_shards FOREIGN KEY (account_id) REFERENCES storage.quota_accounts(id) ON DELETE CASCADE;
CONSTRAINT quota_shards_pkey ON storage.quota_shards PRIMARY KEY (account_id, shard);
CONSTRAINT quotas_bucket_id_fkey ON storage.quotas FOREIGN KEY (bucket_id) REFERENCES storage.buckets(id) ON DELETE CASCADE;
CONSTRAINT quotas_one_per_scope ON storage.quotas UNIQUE NULLS NOT DISTINCT (bucket_id, per);
CONSTRAINT quotas_per_known ON storage.quotas CHECK (((per = 'owner'::text) OR ((per = 'bucket'::text) AND (bucket_id IS NOT NULL))));
CONSTRAINT quotas_pkey ON storage.quotas PRIMARY KEY (id);
CONSTRAINT renders_pkey ON storage.renders PRIMARY KEY (variant_id);
CONSTRAINT renders_variant_id_fkey ON storage.renders FOREIGN KEY (variant_id) REFERENCES storage.variants(id) ON DELETE CASCADE;
CONSTRAINT s3_signing_keys_addressing_known ON storage.s3_signing_keys CHECK ((addressing = ANY (ARRAY['path'::text, 'virtual'::text])));
CONSTRAINT s3_signing_keys_begin_before_they_end ON storage.s3_signing_keys CHECK ((valid_from <= valid_until));
CONSTRAINT s3_signing_keys_pads_are_64_bytes ON storage.s3_signing_keys CHECK (((octet_length(inner_pad) = 64) AND (octet_length(outer_pad) = 64)));
CONSTRAINT s3_signing_keys_pkey ON storage.s3_signing_keys PRIMARY KEY (backend, day);
CONSTRAINT settings_pkey ON storage.settings PRIMARY KEY (name);
CONSTRAINT signed_url_revocations_pkey ON storage.signed_url_revocations PRIMARY KEY (sequence);
CONSTRAINT signed_url_revocations_value_form ON storage.signed_url_revocations CHECK (COALESCE(
CASE scope
    WHEN 'id'::text THEN (value ~ '^[A-Za-z0-9_-]{32}$'::text)
    WHEN 'issuer'::text THEN (value ~ '^[A-Za-z0-9_-]{16}$'::text)
    WHEN 'object'::text THEN (value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text)
    WHEN 'object_url'::text THEN (value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[A-Za-z0-9_-]{32}$'::text)
    WHEN 'all'::text THEN (value = '*'::text)
    ELSE NULL::boolean
END, false));
CONSTRAINT signed_urls_counted_or_not ON storage.signed_urls CHECK (((uses_max IS NULL) = (uses_left IS NULL)));
CONSTRAINT signed_urls_id_form ON storage.signed_urls CHECK ((id ~ '^[A-Za-z0-9_-]{32}$'::text));
CONSTRAINT signed_urls_pkey ON storage.signed_urls PRIMARY KEY (id);
CONSTRAINT signed_urls_uses_left_range ON storage.signed_urls CHECK (((uses_left >= 0) AND (uses_left <= uses_max)));
CONSTRAINT signed_urls_uses_max_range ON storage.signed_urls CHECK (((uses_max >= 1) AND (uses_max <= 1000000)));
CONSTRAINT sweep_position_is_one_row ON storage.sweep_position CHECK (single);
CONSTRAINT sweep_position_pkey ON storage.sweep_position PRIMARY KEY (single);
CONSTRAINT upload_requesters_pkey ON storage.upload_requesters PRIMARY KEY (requested_by);
CONSTRAINT upload_tickets_pkey ON storage.upload_tickets PRIMARY KEY (id);
CONSTRAINT upload_tickets_sha256_is_32_bytes ON storage.upload_tickets CHECK ((octet_length(sha256) = 32));
CONSTRAINT upload_tickets_size_max_positive ON storage.upload_tickets CHECK ((size_max > 0));
CONSTRAINT uploads_hold ON storage.uploads CHECK (storage_internal.upload_holds(kind, state, user_metadata)) NOT VALID;
CONSTRAINT uploads_pkey ON storage.uploads PRIMARY KEY (id);
CONSTRAINT uploads_put_guard_known ON storage.uploads CHECK ((put_guard = ANY (ARRAY['condition'::text, 'incoming'::text, 'recheck'::text]))) NOT VALID;
CONSTRAINT uploads_version_id_fkey ON storage.uploads FOREIGN KEY (version_id) REFERENCES storage.versions(id);
CONSTRAINT uploads_version_id_key ON storage.uploads UNIQUE (version_id);
CONSTRAINT variant_presets_document_format ON storage.variant_presets CHECK (((document_format IS NULL) OR ((document_format = ANY (ARRAY['jpeg'::text, 'png'::text, 'webp'::text, 'avif'::text])) AND (format <> 'stripped'::text) AND ((document_format <> 'jpeg'::text) OR (background <> 'transparent'::text)))));
CONSTRAINT variant_presets_hold ON storage.variant_presets CHECK (storage.preset_holds(width, height, fit, "position", focal_x, focal_y, format, quality, background, document_fit));
CONSTRAINT variant_presets_named ON storage.variant_presets CHECK (((preset_set ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text) AND (preset_set <> 'none'::text) AND (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text)));
CONSTRAINT variant_presets_pkey ON storage.variant_presets PRIMARY KEY (preset_set, name);
CONSTRAINT variant_presets_watermark_whole ON storage.variant_presets CHECK (((num_nonnulls(watermark_object_id, watermark_position, watermark_opacity, watermark_scale) = ANY (ARRAY[0, 4])) AND (COALESCE(watermark_position, 'centre'::text) = ANY (ARRAY['centre'::text, 'northwest'::text, 'northeast'::text, 'southwest'::text, 'southeast'::text])) AND (COALESCE(watermark_opacity, (1)::real) > (0)::double precision) AND (COALESCE(watermark_opacity, (1)::real) <= (1)::double precision) AND (COALESCE(watermark_scale, (1)::real) > (0)::double precision) AND (COALESCE(watermark_scale, (1)::real) <= (1)::double precision)));
CONSTRAINT variants_hold ON storage.variants CHECK (storage_internal.variant_holds(source_version_id, preset, status, version_id, error, digest, params, failure)) NOT VALID;
CONSTRAINT variants_one_per_preset ON storage.variants UNIQUE (source_version_id, preset);
CONSTRAINT variants_pkey ON storage.variants PRIMARY KEY (id);
CONSTRAINT variants_source_version_id_fkey ON storage.variants FOREIGN KEY (source_version_id) REFERENCES storage.versions(id) ON DELETE CASCADE;
CONSTRAINT variants_version_id_fkey ON storage.variants FOREIGN KEY (version_id) REFERENCES storage.versions(id);
CONSTRAINT variants_version_id_key ON storage.variants UNIQUE (version_id);
CONSTRAINT version_checks_detail_bounded ON storage.version_checks CHECK ((octet_length((detail)::text) <= 65536));
CONSTRAINT version_checks_ended_says_when ON storage.version_checks CHECK (((status = 'pending'::text) = (checked_at IS NULL)));
CONSTRAINT version_checks_kind_valid ON storage.version_checks CHECK (((kind ~ '^[a-z][a-z0-9]*(_[a-z0-9]+)+$'::text) AND (length(kind) <= 63)));
CONSTRAINT version_checks_pkey ON storage.version_checks PRIMARY KEY (version_id, kind);
CONSTRAINT version_checks_status_known ON storage.version_checks CHECK ((status = ANY (ARRAY['pending'::text, 'clean'::text, 'infected'::text, 'released'::text, 'done'::text, 'error'::text])));
CONSTRAINT version_checks_version_id_fkey ON storage.version_checks FOREIGN KEY (version_id) REFERENCES storage.versions(id) ON DELETE CASCADE;
CONSTRAINT versions_hold ON storage.versions CHECK (storage_internal.version_holds(state, size, sha256, stored_at, expires_at)) NOT VALID;
CONSTRAINT versions_key_used_once ON storage.versions UNIQUE (backend, key);
CONSTRAINT versions_pkey ON storage.versions PRIMARY KEY (id);
CONSTRAINT versions_quarantined_says_why ON storage.versions CHECK (((quarantined_at IS NULL) = (quarantine_reason IS NULL))) NOT VALID;

-- Indexes

CREATE INDEX file_upload_requests_archive_archived_idx ON metadata.file_upload_requests_archive USING brin (archived_at);
CREATE UNIQUE INDEX file_upload_requests_archive_pkey ON metadata.file_upload_requests_archive USING btree (id);
CREATE INDEX file_upload_requests_archive_requester_idx ON metadata.file_upload_requests_archive USING btree (requested_by, created_at);
CREATE INDEX file_upload_requests_created_idx ON metadata.file_upload_requests USING brin (created_at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX file_upload_requests_entity_idx ON metadata.file_upload_requests USING btree (entity_type, entity_id);
CREATE UNIQUE INDEX file_upload_requests_file_id_idx ON metadata.file_upload_requests USING btree (file_id);
CREATE INDEX file_upload_requests_open_idx ON metadata.file_upload_requests USING btree (requested_by) WHERE is_open;
CREATE UNIQUE INDEX file_upload_requests_pkey ON metadata.file_upload_requests USING btree (id);
CREATE INDEX file_upload_requests_requester_idx ON metadata.file_upload_requests USING btree (requested_by, created_at);
CREATE UNIQUE INDEX file_upload_requests_upload_id_idx ON metadata.file_upload_requests USING btree (upload_id);
CREATE UNIQUE INDEX files_object_id_key ON metadata.files USING btree (object_id);
CREATE UNIQUE INDEX files_pkey ON metadata.files USING btree (id);
CREATE INDEX idx_files_created ON metadata.files USING btree (created_at DESC);
CREATE INDEX idx_files_entity ON metadata.files USING btree (entity_type, entity_id);
CREATE INDEX idx_files_pending ON metadata.files USING btree (thumbnail_status, created_at) WHERE (thumbnail_status = ANY (ARRAY['pending'::text, 'failed'::text]));
CREATE INDEX idx_upload_requests_status ON metadata.file_upload_requests USING btree (status);
CREATE UNIQUE INDEX audit_log_pkey ON storage.audit_log USING btree (id);
CREATE UNIQUE INDEX backend_copies_pkey ON storage.backend_copies USING btree (id);
CREATE UNIQUE INDEX backend_copy_failures_pkey ON storage.backend_copy_failures USING btree (run_id, version_id);
CREATE UNIQUE INDEX blob_chunks_pkey ON storage.blob_chunks USING btree (blob_id, place);
CREATE UNIQUE INDEX blobs_key_used_once ON storage.blobs USING btree (key);
CREATE UNIQUE INDEX blobs_pkey ON storage.blobs USING btree (id);
CREATE UNIQUE INDEX buckets_name_key ON storage.buckets USING btree (name);
CREATE UNIQUE INDEX buckets_pkey ON storage.buckets USING btree (id);
CREATE INDEX buckets_placed_idx ON storage.buckets USING btree (id) WHERE (backend IS NOT NULL);
CREATE UNIQUE INDEX change_feed_pkey ON storage.change_feed USING btree (only_row);
CREATE UNIQUE INDEX changes_pkey ON storage.changes USING btree (seq);
CREATE INDEX changes_xid_seq_idx ON storage.changes USING btree (xid, seq);
CREATE UNIQUE INDEX entities_pkey ON storage.entities USING btree (entity_type);
CREATE UNIQUE INDEX entity_locations_pkey ON storage.entity_locations USING btree (entity_type);
CREATE UNIQUE INDEX fsck_findings_pkey ON storage.fsck_findings USING btree (run_id, kind, key);
CREATE UNIQUE INDEX fsck_runs_pkey ON storage.fsck_runs USING btree (id);
CREATE INDEX gateway_sessions_expires_idx ON storage.gateway_sessions USING btree (expires_at);
CREATE INDEX gateway_sessions_owner_idx ON storage.gateway_sessions USING btree (owner_id, created_at);
CREATE UNIQUE INDEX gateway_sessions_pkey ON storage.gateway_sessions USING btree (id_hash);
CREATE UNIQUE INDEX image_locations_pkey ON storage.image_locations USING btree (version_id);
CREATE INDEX image_metadata_dhash_idx ON storage.image_metadata USING gin (dhash_parts) WHERE (dhash_parts IS NOT NULL);
CREATE UNIQUE INDEX image_metadata_pkey ON storage.image_metadata USING btree (version_id);
CREATE UNIQUE INDEX located_entities_pkey ON storage.located_entities USING btree (entity_type, entity_id);
CREATE INDEX located_entities_version_idx ON storage.located_entities USING btree (version_id);
CREATE INDEX location_requests_created_idx ON storage.location_requests USING btree (created_at);
CREATE UNIQUE INDEX location_requests_pkey ON storage.location_requests USING btree (file_id);
CREATE INDEX location_requests_version_idx ON storage.location_requests USING btree (version_id);
CREATE UNIQUE INDEX migrations_pkey ON storage.migrations USING btree (name);
CREATE UNIQUE INDEX multipart_uploads_one_per_version ON storage.multipart_uploads USING btree (version_id);
CREATE UNIQUE INDEX multipart_uploads_pkey ON storage.multipart_uploads USING btree (upload_id);
CREATE INDEX multipart_uploads_requester_idx ON storage.multipart_uploads USING btree (requested_by);
CREATE INDEX object_history_marker_idx ON storage.object_history USING btree (bucket_id, name, sequence) WHERE (marker_id IS NOT NULL);
CREATE INDEX object_history_name_idx ON storage.object_history USING btree (bucket_id, name, sequence);
CREATE UNIQUE INDEX object_history_pkey ON storage.object_history USING btree (sequence);
CREATE INDEX object_history_purge_idx ON storage.object_history USING btree (purge_after) WHERE (purge_after IS NOT NULL);
CREATE INDEX object_history_version_idx ON storage.object_history USING btree (version_id) WHERE (version_id IS NOT NULL);
CREATE UNIQUE INDEX objects_bucket_id_name_key ON storage.objects USING btree (bucket_id, name);
CREATE INDEX objects_owner_id_idx ON storage.objects USING btree (owner_id, bucket_id) WHERE (owner_id IS NOT NULL);
CREATE UNIQUE INDEX objects_pkey ON storage.objects USING btree (id);
CREATE INDEX objects_version_id_idx ON storage.objects USING btree (version_id);
CREATE UNIQUE INDEX put_guards_pkey ON storage.put_guards USING btree (backend);
CREATE UNIQUE INDEX quota_accounts_one_per_owner ON storage.quota_accounts USING btree (quota_id, owner_id);
CREATE UNIQUE INDEX quota_accounts_pkey ON storage.quota_accounts USING btree (id);
CREATE UNIQUE INDEX quota_shards_pkey ON storage.quota_shards USING btree (account_id, shard);
CREATE UNIQUE INDEX quotas_one_per_scope ON storage.quotas USING btree (bucket_id, per) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX quotas_pkey ON storage.quotas USING btree (id);
CREATE INDEX renders_bucket_id_idx ON storage.renders USING btree (bucket_id);
CREATE UNIQUE INDEX renders_pkey ON storage.renders USING btree (variant_id);
CREATE UNIQUE INDEX s3_signing_keys_pkey ON storage.s3_signing_keys USING btree (backend, day);
CREATE UNIQUE INDEX settings_pkey ON storage.settings USING btree (name);
CREATE INDEX signed_url_revocations_expires_idx ON storage.signed_url_revocations USING btree (expires_at);
CREATE UNIQUE INDEX signed_url_revocations_pkey ON storage.signed_url_revocations USING btree (sequence);
CREATE INDEX signed_url_revocations_value_idx ON storage.signed_url_revocations USING btree (value, revoked_before);
CREATE INDEX signed_urls_expires_idx ON storage.signed_urls USING btree (expires_at);
CREATE INDEX signed_urls_issuer_idx ON storage.signed_urls USING btree (issuer);
CREATE INDEX signed_urls_object_idx ON storage.signed_urls USING btree (object_id);
CREATE UNIQUE INDEX signed_urls_pkey ON storage.signed_urls USING btree (id);
CREATE UNIQUE INDEX sweep_position_pkey ON storage.sweep_position USING btree (single);
CREATE UNIQUE INDEX upload_requesters_pkey ON storage.upload_requesters USING btree (requested_by);
CREATE INDEX upload_tickets_expires_at_idx ON storage.upload_tickets USING btree (expires_at);
CREATE UNIQUE INDEX upload_tickets_pkey ON storage.upload_tickets USING btree (id);
CREATE INDEX uploads_expires_idx ON storage.uploads USING btree (expires_at);
CREATE UNIQUE INDEX uploads_pkey ON storage.uploads USING btree (id);
CREATE INDEX uploads_reserved_idx ON storage.uploads USING btree (bucket_id) WHERE (reserved_in IS NOT NULL);
CREATE INDEX uploads_ticket_id_idx ON storage.uploads USING btree (ticket_id) WHERE (ticket_id IS NOT NULL);
CREATE UNIQUE INDEX uploads_version_id_key ON storage.uploads USING btree (version_id);
CREATE UNIQUE INDEX variant_presets_pkey ON storage.variant_presets USING btree (preset_set, name);
CREATE UNIQUE INDEX variants_one_per_digest ON storage.variants USING btree (source_version_id, digest) WHERE (preset IS NULL);
CREATE UNIQUE INDEX variants_one_per_preset ON storage.variants USING btree (source_version_id, preset);
CREATE UNIQUE INDEX variants_pkey ON storage.variants USING btree (id);
CREATE INDEX variants_unmade_idx ON storage.variants USING btree (updated_at) WHERE ((status = ANY (ARRAY['pending'::text, 'processing'::text])) OR (retry_at IS NOT NULL));
CREATE INDEX variants_used_idx ON storage.variants USING btree (used_at) WHERE (preset IS NULL);
CREATE UNIQUE INDEX variants_version_id_key ON storage.variants USING btree (version_id);
CREATE INDEX version_checks_pending_idx ON storage.version_checks USING btree (requested_at) WHERE (status = 'pending'::text);
CREATE UNIQUE INDEX version_checks_pkey ON storage.version_checks USING btree (version_id, kind);
CREATE UNIQUE INDEX versions_key_used_once ON storage.versions USING btree (backend, key);
CREATE UNIQUE INDEX versions_pkey ON storage.versions USING btree (id);
CREATE INDEX versions_quarantined_idx ON storage.versions USING btree (quarantined_at) WHERE (quarantined_at IS NOT NULL);
CREATE INDEX versions_recheck_idx ON storage.versions USING btree (recheck_at) WHERE (recheck_at IS NOT NULL);
CREATE INDEX versions_sweep_idx ON storage.versions USING btree (expires_at) WHERE (state <> 'stored'::text);

-- Functions

FUNCTION metadata.cleanup_old_upload_requests() RETURNS bigint sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 3b7742ace03b1bae487e52d6157b4f08 EXECUTE rowlock_owner,rowlock_worker,service_role;
FUNCTION metadata.enqueue_job(text,jsonb,text,smallint,smallint,timestamp with time zone) RETURNS bigint plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 606a8ae3e3e4fecd6dfc6dc647dedd05 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION metadata.enqueue_jobs(text,jsonb[],text,smallint,smallint,timestamp with time zone) RETURNS bigint plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 2deafea7775a339c3e5708b956e2cf40 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION metadata.files_can_attach(text,text) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 75103b04bbf7c882d6f2642fb62500f7 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION metadata.files_can_view(text,text,text) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 f3e8a83606c6341ba6ef8937fc98f760 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION metadata.rowlock_wake_queue(text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 e28d8438aa290d0461895b714f53569e EXECUTE rowlock_owner,rowlock_worker;
FUNCTION public.abort_multipart_upload(uuid) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.complete_multipart_upload(uuid,jsonb) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.create_file_record(uuid,text,text,text,text,bigint,text,text,text,text) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.delete_file_record(uuid) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 55fcbcbd5be7d7ca50d60b0d70e9f8a4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.download_blob(text,text) RETURNS bytea sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.download_url(public.storage_objects) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.file_urls(uuid[],integer) RETURNS TABLE(id uuid, original_url text, thumbnail_small_url text, thumbnail_medium_url text, thumbnail_large_url text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_download_url(uuid,integer,text) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_download_urls(uuid[],integer,boolean) RETURNS TABLE(id uuid, url text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_entity_files(text,text) RETURNS TABLE(id uuid, entity_type text, entity_id text, property_name text, file_name text, file_type text, file_size bigint, bucket text, name text, object_id uuid, thumbnail_status text, thumbnail_error text, width integer, height integer, thumbhash text, dominant_colour text, created_by text, created_at timestamp with time zone, updated_at timestamp with time zone) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_file_exif(uuid) RETURNS json sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE authenticated,rowlock_owner,service_role;
FUNCTION public.get_file_storage_stats() RETURNS TABLE(total_count bigint, total_size_bytes bigint) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_multipart_upload(uuid) RETURNS json sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_part_urls(uuid,integer[],integer) RETURNS TABLE(part_number integer, size bigint, url text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_picture(uuid,integer) RETURNS json sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_upload_request(uuid) RETURNS json sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_upload_url(uuid) RETURNS TABLE(status text, url text, file_id uuid, error text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.get_upload_url_sync(text,text,text,text) RETURNS text sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.list_parts(uuid) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.original_url(public.files) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.purge_storage_version(text,text,uuid) RETURNS boolean sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.request_multipart_upload(text,text,text,text,bigint,text,boolean,text,bigint) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.request_upload(text,text,text,text,bigint,text,boolean,text) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.request_upload_url(text,text,text,text) RETURNS uuid sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.restore_storage_object(text,text,uuid) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.rotate_object_name(text,text) RETURNS text sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.set_location_consent(uuid,boolean) RETURNS void sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE authenticated,rowlock_owner,service_role;
FUNCTION public.storage_changes(text,integer,text,text) RETURNS jsonb sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.storage_health() RETURNS jsonb sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,service_role;
FUNCTION public.storage_job(bigint) RETURNS jsonb sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,service_role;
FUNCTION public.storage_job_overview() RETURNS jsonb sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,service_role;
FUNCTION public.storage_jobs(text,text,text,text,integer) RETURNS jsonb sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,service_role;
FUNCTION public.storage_jobs_change(text,bigint[]) RETURNS jsonb sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,service_role;
FUNCTION public.storage_queue_set_paused(text,boolean) RETURNS bigint sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,service_role;
FUNCTION public.thumbnail_large_url(public.files) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.thumbnail_medium_url(public.files) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.thumbnail_small_url(public.files) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION public.upload_blob(bytea) RETURNS json sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.allow_any_operation(text[]) RETURNS boolean sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.allow_only_operation(text) RETURNS boolean sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.ask_arrival(text,text,bigint,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 10c1cd5b274b88cfdedb5bb5ec81a87c EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.ask_blob(bigint) RETURNS storage.uploads plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 7582830260afd11c666d7e6918ba98a0 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.ask_upload(storage.uploads,boolean,bigint,boolean) RETURNS storage.uploads plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 de749ae9ed46fe8aa3de81ed9ee68d66 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.assert_bucket_visible(text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 a1b2eb0c49c4daccb2123f7aa624f6e4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.assert_entity_names(text,text) RETURNS void plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 358823e7ec900fb38028cc8c913d6bed EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.assert_file_names(text,text,text,text) RETURNS void plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 6e4f8438a860cf2035a41662732b3339 EXECUTE rowlock_owner;
FUNCTION storage.assert_folders(text,text,text,text,integer) RETURNS bigint plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 b89b4c9e8dfece8259d18e0478f7d555 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.assert_may_attach(text,text) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 12cf820fd9962670a57cb499b11b4844 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.assert_may_upload_file(text,text,text,text,text,uuid) RETURNS text plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 ba10deedf17ca34d824820933340e975 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.attach_entity(regclass,name,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 9e211f0f141ee8e63055ffe82ee99b7e EXECUTE rowlock_owner;
FUNCTION storage.audit_buckets() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 92cc4ca80f8eb085bd5dc99b987a46ef EXECUTE rowlock_owner;
FUNCTION storage.audit_history() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 912e73013ddadf11d88d90e63663bf69 EXECUTE rowlock_owner;
FUNCTION storage.audit_is_kept() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c0176c3d613055ebeb7f6b45903e2ab0 EXECUTE rowlock_owner;
FUNCTION storage.audit_objects() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c21b41c5d6552dec70b91b36f0fb89b6 EXECUTE rowlock_owner;
FUNCTION storage.audit_revocations() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 62c4fd5be4206081541ac1cf071ebf4d EXECUTE rowlock_owner;
FUNCTION storage.blob_bytes_max() RETURNS bigint sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 ec2e5518488e6cd8dbd3c0547f030901 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.bucket_consent_withdrawn() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 6fac246f0196c8c3c73e78e51cf283b1 EXECUTE rowlock_owner;
FUNCTION storage.buckets_changed() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 167a433294a4ec95ef0098e6dbb467c6 EXECUTE rowlock_owner;
FUNCTION storage.buckets_checked() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 ef11ed1d1aeb7030691e070a8f9bad1d EXECUTE rowlock_owner;
FUNCTION storage.buckets_fill() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 77b21b94a0559ad83ada14cb326b2d06 EXECUTE rowlock_owner;
FUNCTION storage.caller_id() RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.caller_owns_object(uuid) RETURNS boolean sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.caller_owns_objects_in(text) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bcfe1a146e9139f2ff520f479f8acc03 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.caller_owns_version(uuid) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 3b810d4e3eac51ffa4d41c4a058e2053 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.can_see_location(storage.objects) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 8b61522733f546632a873708b416a85b EXECUTE authenticated,rowlock_owner,service_role;
FUNCTION storage.can_see_removed(storage.changes) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 75690947f52fd3e1823066575af51e2d EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.can_select_entity(text,text) RETURNS boolean plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 928696fbfece8157dd92451d5760f6f9 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.candidate_object(jsonb,text,text) RETURNS storage.objects plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 fc10add484ffc6e0ae62fa4bca9339f8 EXECUTE rowlock_owner,service_role;
FUNCTION storage.changes_since(text,integer,text,text) RETURNS jsonb sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.claim(text[]) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.conditions_hold(text[],text[],text) RETURNS boolean sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.copy_object(text,text,text,text,boolean,uuid,text[],text[],jsonb) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 18c6b0bf4124ea9a75dbf59f8aee7865 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.copy_prefix(text,text,text,text,integer) RETURNS bigint plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 8e8ee3380b13d7288c9218195748a7e0 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.count_below(text,text,integer) RETURNS bigint plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 ca9f142640a04b7729626f9b674f0470 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.delete_prefix(text,text,integer) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 11b3631bae5fe2796a5b579ac517284e EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.end_of_prefix(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.entity_definition(text) RETURNS storage.entities sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 889907a162a630e2edf588d5ff474725 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.entity_files_delete() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 6885a2cf59f40bc27bfaf22dfdbbc906 EXECUTE rowlock_owner;
FUNCTION storage.entity_is_attached(text) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 795df4d0c60de91206555e751c14bb88 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.entity_location(text) RETURNS storage.entity_locations sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 344b566032ddd339885d27dcc8e98d9e EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.etag_of(bytea,uuid) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.explain_access(text,jsonb,text,text) RETURNS jsonb plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 b21b081940037df887c8fa4e68eb703d EXECUTE rowlock_owner,service_role;
FUNCTION storage.extension(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.file_consent_withdrawn() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 117d316d6e26c2cd8b2523c57ab194fd EXECUTE rowlock_owner;
FUNCTION storage.file_object_name(text,text,text,uuid) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.file_request_opened() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 51a7f82bd7b5735b01fc031f80120bf2 EXECUTE rowlock_owner;
FUNCTION storage.file_requested() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 cea2d7619568dd7eac74db1674c9efe5 EXECUTE rowlock_owner;
FUNCTION storage.filename(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.files_bucket() RETURNS text sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f5695ccff59488ef5b2207e6d967352d EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.files_deleted() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bd39c1328c5d7e7e465ce4bf40628c93 EXECUTE rowlock_owner;
FUNCTION storage.find_all_to_sign(text,text[]) RETURNS TABLE(object_ids text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.find_to_sign(text,text) RETURNS TABLE(object_id uuid, version_id uuid) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.find_variant_to_sign(uuid,text) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.foldername(text) RETURNS text[] sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.health_report() RETURNS jsonb plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, jit=off md5 342026f24f29ca1184aea3f8daf100df EXECUTE rowlock_owner,service_role;
FUNCTION storage.history_deleted() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 87ac248d64e8b1b0e445bafece8f5592 EXECUTE rowlock_owner;
FUNCTION storage.job_details(bigint) RETURNS jsonb plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 8dcdc758cff58283f70e84dfd93b4c17 EXECUTE rowlock_owner,service_role;
FUNCTION storage.job_overview() RETURNS jsonb sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off, enable_bitmapscan=off, jit=off md5 7967c194d05d92f38188321a115ab2c3 EXECUTE rowlock_owner,service_role;
FUNCTION storage.jobs_change(text,bigint[]) RETURNS jsonb plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 30734bb6f2c93166cb4f5e502fc7e561 EXECUTE rowlock_owner,service_role;
FUNCTION storage.jobs_change_matching(text,text,text,text,text,integer) RETURNS jsonb plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 66affa7294bc5631df03584d63811a92 EXECUTE rowlock_owner,service_role;
FUNCTION storage.jobs_count(text,text,text) RETURNS jsonb sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 4b048a6058dd868742422cd67de2c169 EXECUTE rowlock_owner,service_role;
FUNCTION storage.jobs_page(text,text,text,text,integer) RETURNS jsonb sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c9b0d8273e0bd3bed2280f7a7568b00e EXECUTE rowlock_owner,service_role;
FUNCTION storage.json_time(timestamp with time zone) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.json_time_or(timestamp with time zone,text,timestamp with time zone) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.judge_policies(text,jsonb,anyelement,anyelement) RETURNS jsonb sql VOLATILE SET search_path=pg_catalog, pg_temp md5 7ef260634348ad5f581c8fbfab3fdfc9 EXECUTE rowlock_owner,service_role;
FUNCTION storage.judge_policy(oid,text,text,text,jsonb,anyelement) RETURNS jsonb plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 13079a2f5bca0960e178b33ebd3f236b EXECUTE rowlock_owner,service_role;
FUNCTION storage.keeps_when_replaced(storage.objects,uuid) RETURNS boolean sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_count(text,text,boolean,text,integer) RETURNS integer plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 b53ad35ebc3b7298a4f8023b62cf8fb6 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_entry(text,uuid,timestamp with time zone,text,timestamp with time zone,timestamp with time zone,jsonb,jsonb) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_flat_up(text,text,text,integer,boolean,integer,integer) RETURNS TABLE(entries text, scanned bigint, last_name text, folders bigint) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_folder(text,boolean) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_page(text,text,boolean,boolean,text,boolean,integer,integer,text,boolean) RETURNS TABLE(entries text, folders text, last_name text, last_folder boolean, last_at text, more boolean) plpgsql STABLE SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_generic_plan md5 f6e54c90963afe9779e4ce4857f4df0d EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_page_by_time(text,text,boolean,boolean,text,text,boolean,timestamp with time zone,integer,integer,text,boolean) RETURNS TABLE(entries text, folders text, last_name text, last_folder boolean, last_at text, more boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_policies(regclass) RETURNS TABLE(id oid, table_name text, name text, command text, permissive boolean, roles text[], using_expression text, check_expression text, definition text) sql STABLE SET search_path=pg_catalog, pg_temp md5 4fa6b2f11363f0773ca6201cf75e0a5f EXECUTE rowlock_owner,service_role;
FUNCTION storage.list_run_down(text,text,text,integer,boolean,text,integer,integer,boolean) RETURNS TABLE(entries text, entry_count bigint, scanned bigint, last_name text, folder_name text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_run_up(text,text,text,integer,boolean,text,integer,integer,boolean) RETURNS TABLE(entries text, entry_count bigint, scanned bigint, last_name text, folder_name text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.list_walk(text,text,boolean,text) RETURNS TABLE(name text, is_folder boolean, at timestamp with time zone) plpgsql STABLE SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_generic_plan md5 ef0516271fcfc0b17cace3afc717a4d0 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.listen_for_changes(integer) RETURNS timestamp with time zone sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0907c5241813bcedae55df02369d975a EXECUTE rowlock_owner,service_role;
FUNCTION storage.locate_entities(text,name,name,name,boolean,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 2c4f0b6e0c8938914eafb4428cb75fc5 EXECUTE rowlock_owner;
FUNCTION storage.locate_entity(text,text,double precision,double precision,double precision,double precision) RETURNS text plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 c500b70f06c05d96c2a9a0cbce6b18d6 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.lock_history(text,text) RETURNS void sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.may_move(storage.objects,storage.objects) RETURNS boolean plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 d8fe3a32c85812b2cf29d1a80620e07a EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.may_read_file_of(uuid) RETURNS boolean plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 bcd983607ab0f65d1b4e515accdd0fec EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.may_restore_into(text) RETURNS boolean plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 db3f58e407f0894924c10817d0b61bfd EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.may_see_location(uuid) RETURNS boolean plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 68cdc81cc38c919546f71767a11bde8a EXECUTE authenticated,rowlock_owner,service_role;
FUNCTION storage.may_upload(text,text,jsonb,boolean) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 96b4b8618c420c9912c00014e06f4d19 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.media_type_allowed(text[],text) RETURNS boolean sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 e03da150ff180ff28ad8bafccd067d4f EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.move_object(text,text,text,text,boolean,uuid,text[],text[]) RETURNS storage.objects plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 b56f97a362db58c48249c63a1c5f3999 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.move_prefix(text,text,text,text,integer) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 b5c146c2ce16cd8c7cf37eb37fbe8a10 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.no_version() RETURNS uuid sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.object_consent_withdrawn() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5904867cc2589ddc7d96f1b067770ee4 EXECUTE rowlock_owner;
FUNCTION storage.object_holds(text,jsonb,text) RETURNS boolean plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 a96e148d4ff21f587ee593f0a1697a23 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.object_info(text,text,boolean) RETURNS TABLE(object_id uuid, version_id uuid, owner_id text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, user_metadata jsonb, created_at timestamp with time zone, updated_at timestamp with time zone) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.object_metadata(bigint,text,text,bytea,uuid,timestamp with time zone) RETURNS jsonb sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.object_to_take(text,text,uuid,text[]) RETURNS storage.objects plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 7656821cf7859cca3dd9d79da95a61ab EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.objects_arrived() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 e391a9d70c17b036144c07411a14d1df EXECUTE rowlock_owner;
FUNCTION storage.objects_checked() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9b7bd4a38b872816f8fdd156df8fda7b EXECUTE rowlock_owner;
FUNCTION storage.objects_deleted() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a81095c234fd744285fda5359a4649fc EXECUTE rowlock_owner;
FUNCTION storage.objects_fill() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bfefc17b54d21ff569b7a36b974aec72 EXECUTE rowlock_owner;
FUNCTION storage.objects_history() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 d4d203d6c8713983deb4edfbf03628cf EXECUTE rowlock_owner;
FUNCTION storage.objects_inserted() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a514e45cd6adbbb14ace030e8cc9acff EXECUTE rowlock_owner;
FUNCTION storage.objects_limited() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f3aada4b3dc5f708d78c3b679efce1fd EXECUTE rowlock_owner;
FUNCTION storage.objects_reference() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 4ec25f6916cc4aca215db27e6f5b92d2 EXECUTE rowlock_owner;
FUNCTION storage.objects_updated() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 6c24cf7ad3bb55f88ba55f4cfdfe844d EXECUTE rowlock_owner;
FUNCTION storage.operation() RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.part_size_for(bigint,bigint) RETURNS bigint plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 4505831df3de9ee6b2a9c72274ee4bd9 EXECUTE rowlock_owner;
FUNCTION storage.parts_bytes_max(bigint,bigint,bigint) RETURNS bigint sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner;
FUNCTION storage.percent_decoded(text) RETURNS text plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 63e57dd6670ace71c95ff11b42cdbe41 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.position_expression(regclass,name,boolean,text,text) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.preset_holds(integer,integer,text,text,real,real,text,integer,text,text) RETURNS boolean plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 e10305099aa40e6a000d208d289ba862 EXECUTE rowlock_owner,service_role;
FUNCTION storage.presign_file(uuid,integer) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.presign_get(storage.objects,integer,text) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.presign_object(uuid,integer,text) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.presign_put(uuid,integer) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.presign_thumbnail(uuid,text,integer) RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.purge_history(text,integer) RETURNS bigint sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.purge_version(text,text,uuid) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 1f8c462c469d48d5c0c95f832c20d396 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.queue_set_paused(text,boolean) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a5059998dd270954470a530262fce570 EXECUTE rowlock_owner,service_role;
FUNCTION storage.quota_bucket_changed() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 00dddd2ea9eeb647285a63f4ec0bfe5a EXECUTE rowlock_owner;
FUNCTION storage.quota_history_deleted() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9bc01e8a48975fa5ad6e97fe2da5de25 EXECUTE rowlock_owner;
FUNCTION storage.quota_objects_changed() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 01f80865403cfbfa88fbbe8bd1473d25 EXECUTE rowlock_owner;
FUNCTION storage.quota_upload_begun() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 739b40677a4ee00f8b5e3f7835785659 EXECUTE rowlock_owner;
FUNCTION storage.quota_upload_gone() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 1cd92022725260b25e0ed95af77287fd EXECUTE rowlock_owner;
FUNCTION storage.quota_usage(text) RETURNS TABLE(scope text, bucket_id text, owner_id text, bytes_used bigint, objects_used bigint, bytes_reserved bigint, objects_reserved bigint, bytes_max bigint, objects_max bigint, counted boolean) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 4d1d10941a3d368ca08d9c6e5af217ed EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.read_file(text,text,uuid,text) RETURNS TABLE(bucket_id text, name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, public boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.read_object(text,text) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamp with time zone, public boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.read_render(text,text,jsonb) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, public boolean, is_image boolean, variant_id uuid, source_id uuid, source_key text, source_backend text, source_size bigint, source_type text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.read_variant(text,text,text) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamp with time zone, public boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.read_variant_key(text,text,uuid) RETURNS TABLE(bucket_id text, name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, public boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.read_version(text,text,uuid) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamp with time zone, public boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.refuse(text,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 a3f42619aa86b395cace05b323a68a45 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.refuse_truncate() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 a76e27e3c8357e436239f76a3df518c1 EXECUTE rowlock_owner;
FUNCTION storage.restore_object(text,text,uuid) RETURNS storage.objects plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 e7ea05e977e76e4a4f3e052983cbb592 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.revoke_object_urls(text,text,text) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 e3569474f8c4fcb7131991e3882c73e0 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.revoke_signed_urls(text,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 393ba300e3f6d41d175d3a4b59b51d6d EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.search_as_caller() RETURNS text sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.sees_multipart(uuid) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 ea66c5ff627709e388ba59798ad2ad2a EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.sees_version(text,text,uuid) RETURNS boolean sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.set_bucket_backend(text,text) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c0ab152244dc7b1f3f18806bc5fe5849 EXECUTE rowlock_owner,service_role;
FUNCTION storage.set_owner_quota(text,bigint,bigint) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9d28be8239f5d8420f9dbdf854061c86 EXECUTE rowlock_owner,service_role;
FUNCTION storage.shows_location(uuid) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0062aff8e97b1b78d04ed724a1cd73f8 EXECUTE authenticated,rowlock_owner,service_role;
FUNCTION storage.signed_url_issuer() RETURNS text sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.signed_url_revocations_fill() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 b34cc5ad75aecef36d28a33599da6b75 EXECUTE rowlock_owner;
FUNCTION storage.signed_url_revocations_follow() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 610287f763e9d578cc9e703857427953 EXECUTE rowlock_owner;
FUNCTION storage.similar_images(uuid,integer) RETURNS TABLE(id uuid, bucket_id text, name text, bits integer, same_bytes boolean) sql STABLE SET search_path=pg_catalog, pg_temp md5 23d33884d600e542d097cd3933df2ae4 EXECUTE authenticated,rowlock_owner,service_role;
FUNCTION storage.time_taken(timestamp with time zone,timestamp without time zone) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE authenticated,rowlock_owner,service_role;
FUNCTION storage.try_access(text,text,text,jsonb,text,text) RETURNS jsonb plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 5d8db362901f663198add5a5fd4f1b57 EXECUTE rowlock_owner,service_role;
FUNCTION storage.unguessable_name(text) RETURNS text sql VOLATILE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.upload_is_committing(uuid,text,text) RETURNS boolean plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 d771b9bfb4b2290dc0badc648a1cd686 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.upload_request_json(uuid,uuid,text,text,jsonb,text,text,text,timestamp with time zone,text) RETURNS json sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.variant_presets_bounded() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 7d68773db41b253f3907f0776f8f253b EXECUTE rowlock_owner;
FUNCTION storage.variants_refuse_transition() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 a6b2fb1796fdcc657d7264c71c118d42 EXECUTE rowlock_owner;
FUNCTION storage.variants_status(text[]) RETURNS text sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 f677720b0740d307640ebd67de0d4239 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.why_unread(text,text,uuid) RETURNS TABLE(cause text, reason text) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.write_blob(storage.uploads) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 647bf6bf77076d1796aa09a646f84371 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.write_object(storage.uploads) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 c5067d823effbb455872d5df0e362b57 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.zip_chosen_page(text,text[],text[],text,integer) RETURNS TABLE(name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, updated_at timestamp with time zone, is_prefix boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.zip_chosen_totals(text,text[],text[],integer) RETURNS TABLE(object_count bigint, bytes numeric) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.zip_page(text,text,text,integer) RETURNS TABLE(name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, updated_at timestamp with time zone, is_prefix boolean) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage.zip_totals(text,text,integer) RETURNS TABLE(object_count bigint, bytes numeric) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage_internal.abandon_prepared(uuid) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 cbce446254c2c4108cb247d5d9de8b23 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.abandon_upload(uuid,text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 43a7875632c194ffca9f1c25ce37236a EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.abort_multipart_as(text,text,uuid) RETURNS text plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 5d339e1bcb6dc8088c7791c4ecbadebd EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.admit_request(text,integer,integer) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off md5 6b70fc23463d56d25fa7e271e8dbefea EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.amend_upload(uuid,jsonb) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 06217eedb747fd3699b1e7a0e8d9a5c6 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.ask_for_location(storage.uploads,storage.objects) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c786423b22f430b67507fdca1bd37fcd EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.ask_for_parts(uuid) RETURNS json plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a32f9d3263eabcd3231687b21c896034 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.ask_to_complete(uuid,jsonb) RETURNS json plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 05ad2e12e9b72a6ca28d8ff08b2f4127 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.asked_locations(uuid) RETURNS TABLE(file_id uuid, caller_role text, caller_claims text, entity_type text, entity_id text, latitude double precision, longitude double precision, previous_latitude double precision, previous_longitude double precision) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 41b92805b6f01aa52c460055f102608f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.assert_copied(uuid,uuid,text) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 4fd234153176cc5faaaf720fc105c52f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.assert_nowhere_else(uuid[],uuid[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c2dfbea11e0cf298fc6f04182ce78d7f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.attach_file(storage.uploads,storage.objects) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 e62e5f18ddbf58b6924b1ba5981f10f2 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.audit_entry_holds(text,jsonb) RETURNS boolean plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 d0f654a052da10a66ea87746a09cec85 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.audit_expire(integer) RETURNS bigint sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 2b4f449559000c3f6af4930bc5205f35 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.audit_from(timestamp with time zone) RETURNS bigint plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f42b6a259e72f0f4b6fbc5314693ad45 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.audit_horizon() RETURNS timestamp with time zone sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0aee509842affd9e3375d9473324ebd9 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.audit_tell(jsonb) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 8f8f24117310a699f976b212d6904c5b EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.backend_copy_advance(bigint,uuid,text,jsonb,jsonb,boolean) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b1a69cf6abb40556f7afa8d7523376db EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.backend_copy_begin(text,text,text,text,uuid,boolean) RETURNS storage.backend_copies plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 8f242ea1f6311c0710adac430f5e001a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.backend_copy_page(text,text,text,text,integer) RETURNS TABLE(id uuid, key text, size bigint) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_custom_plan md5 9c44478f3e21f830d033d3726373f5bb EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.become(text,text,text) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 69f2189e9aaa8ca7f91924cac9e727b0 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.begin_forgotten_variants(integer) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 472a8fb45ee5302eaa601885debcd21f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.begin_multipart(uuid,uuid,text,text,text,text,text,bigint,text,jsonb,text,text,boolean,bigint,text[],text[],bigint,bytea) RETURNS timestamp with time zone plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 92ddcce737c10a955b141f0b9e3179df EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.begin_prepared(uuid,uuid,text,text,text,text,text,bigint,text,jsonb,boolean,bigint,text[],text[]) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 c2ffb9718cafd25e667bb5c5b65ad3e4 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.begin_session(text,text,bytea,bytea,double precision) RETURNS timestamp with time zone plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 fb0de6c5190be69a3738a5b6275b5f29 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.begin_ticket_upload(uuid,uuid,uuid,text,bigint,text,jsonb,text,text,bigint) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 febd768a6cb866804027e100a2a51158 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.begin_upload(uuid,uuid,text,text,text,text,text,bigint,text,jsonb,text,text,boolean,bigint,text[],text[]) RETURNS bigint plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 f446ffd49baad4b5fa8c784a43580ac5 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_append(uuid,integer,bytea) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 be7f6fc6ad774c6ea268a12f55ba2ee8 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_check() RETURNS void plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 33ff6e63e3b4f1f2aa5d252bb4c2ca78 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_delete(text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 235c67f83f6b87a52df457e95e423385 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_discard(uuid) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9ba3f480960f4f8d18aaaa69c5cea299 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_finish(uuid,text,bigint) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 52d3ae37e23980c2a081beb1fca82e18 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_head(text) RETURNS TABLE(id uuid, key text, size bigint, created_at timestamp with time zone) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 762754821f542f5b4495ddefc79addd4 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_page(text,text,integer) RETURNS TABLE(id uuid, key text, size bigint, created_at timestamp with time zone) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off md5 2cfa4de1e5b0c7e50d72b4c259bb0529 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_piece(uuid,bigint,integer) RETURNS bytea plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b7ac4ae3a14e251e3934b2348b419af3 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_put(uuid,text,bytea) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9e7a88680749e7ceccd847ab9c7eab64 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_read(text,bigint,integer) RETURNS TABLE(id uuid, key text, size bigint, created_at timestamp with time zone, bytes bytea) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 168a6c6c6f470cb48e70c278d06fc979 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blob_to_send(text,text,text,text,text) RETURNS bytea plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a99c82950d1d09c0785951cd84a0c846 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.blob_uploaded(storage.uploads,boolean) RETURNS json plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7833eba8e99e9cc3f2cb69c714767216 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.blobs_remove_unfinished(double precision) RETURNS bigint sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 2de2f92a31ed1f704d4b06092689ba6f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.blobs_unfinished() RETURNS TABLE(id uuid, size bigint, age_ms double precision) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 8003bc058bf00d8fdc7e83efe5e365a2 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.bucket_inline(text) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 e379b90d21095a697c73c008647f26bc EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.bytes_announced(text,text,text[]) RETURNS TABLE(arrived integer, rechecked integer, adopted integer, unknown integer) plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 65a6f55a4f739a6d597834c70202c0e1 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.change_holds(text,uuid,bigint,text,text,text) RETURNS boolean plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 d909a7eb1b3aa8b1df7a8b4557cc39ed EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.change_location_consent(uuid,boolean) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 22e0e101992e7b9740522902015801b4 EXECUTE authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.changes_as(text,text,text,integer,text,text) RETURNS jsonb plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 7405829c32637b3bdc76f6e5a9197596 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.changes_epoch() RETURNS text sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 077912262ed8ca1d4ea81e5e51a5e546 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.changes_examined(text,integer,text,text) RETURNS TABLE(change storage.changes, arrived boolean, departed boolean, cursor text, more boolean) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7dcb6692df8519ea707c3d4e2ab53a9b EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.changes_expire(integer) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 98a280c0353ee24ef3f790879318ffd3 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.changes_notify(text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 3a4f37a270c35952f20e5debb4ce96a7 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.changes_poll(text) RETURNS record plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 3c963a8844ca52b6a633d0828596c91e EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.changes_position(text) RETURNS record plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 276dcfb4b30e3c633f08b6a2c6dab57b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.check_arrivals(uuid[],text[],uuid[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 021935f3afb6b49757a8b4b5e1ee8477 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.check_begin(uuid,text) RETURNS TABLE(version_id uuid, backend text, key text, size bigint, sha256 bytea, etag text, content_type text, detected_type text, bucket_id text, name text, owner_id text, waited_seconds double precision) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 de2451cfe52565b6da8c1ce396b593b6 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.check_ended(uuid,text,text,jsonb) RETURNS record plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 105b36a0633c899471736e4bdb2b438f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.check_waits(uuid,text,text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a7f29f85cf238036de8ff4db56e16130 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.claim_incoming(uuid,bigint,text) RETURNS text plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 e9d4b80ecbdd9b16ee0dc054f577c819 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.claim_requests(integer,interval) RETURNS SETOF uuid sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 cee896c341609ca9b3da7c21943814e5 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.cleanup_upload_requests(integer) RETURNS record plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off md5 fcbb01c1934ebf274b5c1b373c9c7cdf EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.close_requests(integer) RETURNS bigint sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 258c00357110084a577c0f7ae021dd1e EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.commit_incoming(uuid,text,bigint,bytea,text,text) RETURNS boolean plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 e29f31553ee118acd18fe4b5df294eab EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.commit_prepared(uuid,text,text,text,text,text,text,jsonb,bigint,boolean,text[],text[],bigint,bytea,text,text,text[]) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 fa0fd124567fcf297f196fffd384c162 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.commit_upload(uuid,text,text,bigint,bytea,text,text,jsonb,text[]) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 e619058b399a3678ea1fd3f20f729f12 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.create_file(uuid,text,text,text,text,bigint,text,text,text,boolean) RETURNS json plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f254c4d246dcb1193f367fdb85c41b27 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.default_backend_is(text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0bbd5f6f4abae109b00f426c89471854 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.derived_follow(uuid[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 ea24e0d43a1f70a1e1b5a73079ce6b0b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.direct_upload(text,text) RETURNS TABLE(upload_id uuid, size_max bigint) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 894d913f4cba24114be405d449179def EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.drop_lost(uuid) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0a59c148542e791a28c2c6db97962a44 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.end_location_request(uuid,uuid,text,text,text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 1bf203a5d373ffadfd60060dd0a93739 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.end_session(bytea) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 2faf29166f9c061588f89fac9c197731 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.enqueue_checks(text[],uuid[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c9987be22000b5f866edac972f3bbd6c EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.enqueue_maintenance(text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 01113784d4083369669c561261f15c32 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.enqueue_purges(uuid[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a55ceb24256841a32f2b54f9bd8a8604 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.enqueue_variants(uuid[],text[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 435c747ac26c9e1b6c9584e7367fecc3 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.entity_of_upload(uuid) RETURNS TABLE(caller_role text, caller_claims text, entity_type text, entity_id text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c743a3b49e74843feeb0629cc80c5b49 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.expire_history(integer) RETURNS bigint sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 746d7ae7d2af36afb0ffd94db9df5c12 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.files_follow_variants(uuid) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 081c4002a2d3b186a9ae5c1d675ab426 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.finish_upload(storage.uploads) RETURNS storage.objects plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 15d52ddea7708064842f4420c96d4961 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.forget_tickets(integer) RETURNS bigint sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f5a89d64c3e1f0cce5ec285b17259ace EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.fsck_advance(bigint,uuid,text,text,jsonb,jsonb) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 545e1d57e5dc1fbdfe8bd018e6902f99 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.fsck_begin(text,uuid,boolean,boolean) RETURNS storage.fsck_runs plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 cff7be93efbf64744d33e19e5260d91a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.fsck_page(text,text,integer) RETURNS TABLE(id uuid, key text, state text, size bigint, sha256 text, expired boolean, doomed boolean, unreferenced boolean, quarantined text) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_custom_plan md5 43ebe8d4a9108131dc238be075672daa EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.fsck_repaired(bigint,uuid,text,text[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5038a70827af4e00dbb54de0b5296107 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.give_up_multipart(uuid) RETURNS json plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 be73c738c0e046211731d67f120249d7 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.give_versions_back(uuid[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bbec3cf95a8efb37b1679e5216308b6d EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.has_history(text,text) RETURNS boolean plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 7b210f3011ffedce924a307c2748c429 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.has_presets(text,text,text) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 76738783e5a288e0fc63efb2514e4c79 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.health() RETURNS TABLE(has_versions boolean, expired_uploads bigint, overdue_versions bigint, steps text[], quarantined bigint, unchecked bigint) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0f7e90fc291e7a6651c5baf18b2c0316 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.image_is_read(uuid) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c831bcbd1852db11d52b2d5b3a7c5f53 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.image_is_unread(uuid) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b7df9525f4293a45ce35055d0911f0fc EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.images_to_place(integer) RETURNS SETOF uuid sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9cd619a03b88c2864b7dce0ffea0ea76 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.is_elsewhere(uuid,text,text,text) RETURNS boolean plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b14dff037ba66574b26695d17c4094fc EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.job_audit(text,jsonb) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7b757789127431ba4e5bded39b1a4730 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.job_change(text,bigint) RETURNS text plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 1211665164cb8dd426743a1baba71cff EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.job_line(metadata.river_job) RETURNS jsonb sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c68aa6526a37025294403f2c2295de5a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.jobs_walk(text,text,text,text,integer) RETURNS record plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off, enable_bitmapscan=off, enable_sort=off, jit=off md5 f339a2b68190a3ce847f5d810ccf95d0 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.json_to_show(jsonb) RETURNS jsonb sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 1d3d9d05040e6891e53f01af92322ab9 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.json_without_secrets(jsonb,integer) RETURNS jsonb plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 880bd1fa5d5162bff23be4b951dac50d EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.keep_image_facts(uuid,integer,integer,text,jsonb) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 755907035eaa0b9891aad7ca3f2d98e1 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.keep_marker_until(storage.buckets) RETURNS timestamp with time zone sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.keep_session(storage.gateway_sessions,bytea) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 39d3e09c357c47a94723f9b9560de8fb EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.keep_until(storage.buckets,timestamp with time zone,boolean) RETURNS timestamp with time zone sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.kept_version(uuid,uuid) RETURNS uuid sql STABLE SET search_path=pg_catalog, pg_temp md5 f35c110f116e652e328ba66e7848ad1d EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.key_in_quarantine(text,text) RETURNS boolean plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 4f9b38788fcad0ebc2a01afc774fb080 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.let_go_of_incoming(uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 6f3b59922bf797263b9e98b4eeb06117 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.let_out_of_quarantine(uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5db4facd9f48fae17058cdab644988ed EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.list_objects_as(text,text,text,text,text,boolean,boolean,text,text,boolean,timestamp with time zone,integer,integer,text,boolean) RETURNS TABLE(entries text, folders text, last_name text, last_folder boolean, last_at text, more boolean) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 3a58e6b93694540ef887c4d92a9c72aa EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.location_consents(uuid) RETURNS record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c046cc9f666a7285c45c17311187d867 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.location_is_kept(text,boolean,jsonb) RETURNS boolean sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.location_lock(uuid) RETURNS bigint sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.look_at_prepared(uuid) RETURNS text plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 3920374b37d4bdbebb6dc062eb8026ad EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.multipart_as(text,text,uuid) RETURNS TABLE(upload_id uuid, bucket_id text, name text, size bigint, part_size bigint, part_count integer, content_type text, status text, error text, backend text, key text, store_id text, expires_at timestamp with time zone, listed_at timestamp with time zone, is_requester boolean) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 0cdb5a4bb28f83484747061968660e01 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.multipart_begun(uuid,text,text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 4ea5f894ccb0dd46e482d819857a53b4 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.multipart_failed(uuid,text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bf859a7d45e8d666ae923fc2cb1b1a93 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.multipart_json(uuid) RETURNS json sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 3b0189daadc124023f373d56afd668f4 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.multipart_object(uuid) RETURNS SETOF storage.objects sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 aa89b98bcf9644276eabe5eaddcf882a EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.multipart_state(uuid) RETURNS TABLE(upload_id uuid, bucket_id text, name text, size bigint, part_size bigint, part_count integer, content_type text, status text, error text, backend text, key text, store_id text, expires_at timestamp with time zone, listed_at timestamp with time zone) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9bcaabe8a398b121bbc73ffa3226f417 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.multipart_to_begin(uuid) RETURNS TABLE(backend text, key text, content_type text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7cb55188c19038fc00e2492ad03194e5 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.near_parts(integer,integer) RETURNS integer[] sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 38cf4b89d201574f7a5360fbf4bd3f78 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.never_scanned(text[],uuid[]) RETURNS uuid[] sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c6d5383131ccaf048d1692865e987e1c EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.object_info_as(text,text,text,text,text,boolean) RETURNS TABLE(object_id uuid, version_id uuid, owner_id text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, user_metadata jsonb, created_at timestamp with time zone, updated_at timestamp with time zone) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 c59d9f504bdb1b27ebb6bc1e6cc70f64 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.object_keeps_location(uuid) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7a28abc1246b282c6141eee22126a247 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.object_withdraws_location(uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 1b910bb3c30e085d66076ed3b4a2e250 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.open_headed_request(text,text,text,text,uuid,text,bigint,text,boolean,text) RETURNS metadata.file_upload_requests sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 06b1a82544c04f9ce63979d56eff339c EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.open_multipart(storage.uploads,text,text,bigint,bytea,text) RETURNS timestamp with time zone plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 18eadd28c8de8bfb23aa8814b5b5ec5d EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.open_multipart_request(text,text,text,text,uuid,text,bigint,text,boolean,text,bigint) RETURNS json plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5253d4b587fd579be27dd7010d6a0257 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.open_prepared(storage.uploads) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 956d5488122aba324491309c60a7ebde EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.open_request(text,text,text,text,uuid,text,bigint,text,boolean,text) RETURNS metadata.file_upload_requests sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 69cc0e0432c5d802fc9b035158d2a9fd EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.open_signed_object(text,text,uuid,text,text,double precision,uuid,text,bigint,text,text) RETURNS record plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 1554f1345896b2969043eeb714f68e83 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.open_signed_render(text,text,uuid,jsonb,text,double precision,uuid,text,bigint,text,text) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, public boolean, is_image boolean, variant_id uuid, source_id uuid, source_key text, source_backend text, source_size bigint, source_type text) plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 1515f83a4eda9166905e2d5e22d639b2 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.open_store_uploads(text) RETURNS SETOF text sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 fb8c9d1803d62047ba27d9ed61017f37 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.open_ticket(storage.uploads,timestamp with time zone,bigint,bytea) RETURNS timestamp with time zone sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 cfde4ba059c4cc2f90d13ca74324ebd7 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.open_upload(storage.uploads,text,text,interval) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 03babb6adff94ae3ced52540849c8412 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.owner_of_restored(storage.objects,text) RETURNS text plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 df3b6716e4377bad45fb55ff839d9a06 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.part_expected(text,text,text,integer) RETURNS TABLE(bytes bigint) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7b4894f8e27cda2f9e4e0882d2fb6e73 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.parts_listed(uuid,jsonb) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 eb98c0e4d13b258dc1330670e721d2c5 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.place_bucket(text,text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 52b51ed1ad22d577de6eafd8fb3e55f7 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.place_image(uuid) RETURNS void plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 95c31697e9c2e0fcfc46bc5ad41eaeba EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.placed_buckets() RETURNS TABLE(id text, backend text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 fc7e9420c7547ea3c36e290c18adc05f EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.policies_asked(text,text,text[]) RETURNS TABLE(command text, may_at_all boolean, policies text[], restrictive text[], asked_by_service boolean) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9186d2c5500e9ee5a3d82ebd732cebdd EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.prepare_versions(uuid[],text,text[],interval) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 4a76d258eb917c9a472f1d473593477f EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.preset_params(storage.variant_presets) RETURNS jsonb sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 e5d860f7ed0dd69f1e4422f8554afb5f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.prune_history(text[],text[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b1a5f46b1583da271fa0355fe1c81396 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.purge_begin(uuid) RETURNS TABLE(backend text, key text) plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bc1f065d332a0e2f16c27020c93de454 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.purge_end(uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 af851c261e5e2111a538b1204d1cd2fb EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.purge_unkept(uuid[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 eb82d0fb3931534db47af2091dedefab EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.put_guards_are(jsonb) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 03c435d758ee33a59574d9775690075b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.put_headers(storage.s3_signing_keys,text,text,text) RETURNS jsonb sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 7131c5f1a27d852be67a4fa76a944c42 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.put_into_quarantine(uuid,text,text,jsonb) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 94774c0e2ca95a274625c694fedc52a5 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quarantine_purge(uuid,text) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5adf903d96d6547cc9ad00fee0249978 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quarantine_release(uuid,text) RETURNS text plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9119bf70ed080665fdf7183b94e60418 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quarantine_version(uuid,text,text,jsonb) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 010fdd00e811b226082d61f137aa56d5 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_accounts_of(text,text) RETURNS bigint[] plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_generic_plan md5 0943071db555b1026dd2231123f1a7ed EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_count() RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 73084f8d20147168e25c2783aa635c06 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_credit(uuid[]) RETURNS TABLE(accounts bigint[], bytes bigint, objects integer) sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 4bc83e60c57abb500af6df01849b6034 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_drift() RETURNS TABLE(account_id bigint, quota_id bigint, bucket_id text, owner_id text, bytes bigint, objects bigint) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 8dbbef8dc2a1ccd2d42fc2a84e3d269d EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_is_in_view() RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 20ae3cd2f95cf0d84606949e4a3be63b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_limit(bigint,bigint,bigint,boolean) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 ce29b97b7884e6bece191134857fe61b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_open(bigint,text) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 68bac1689174078994701e1879940a3b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_refuse(bigint,text) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 e536c7db75ce22ec1dc0b4158858def7 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_repair() RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b2a7670ec10599425dd8af265bf05419 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_replaced(text,text) RETURNS TABLE(owner_id text, bytes bigint, objects integer) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_generic_plan md5 963a2cc977e64ad08107ea682fd11668 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_room(text,text) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 05fafff31ddf3357e56d517e011fe1d5 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_set(text,text,bigint,bigint,boolean) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f90283ab63a3b07db903ca509158956b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_settle(storage_internal.quota_need[],uuid[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_generic_plan md5 df47064c6c43fe1ead8ea3d03f8fac4e EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_spread(bigint,bigint,bigint,boolean) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 2f93dc550d91455ea8cc91cb8ce40602 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.quota_take(bigint,bigint,bigint,text) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_generic_plan md5 47093eeb3b6b6dec9a16112fdae76c96 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.read_image_again(uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bcac9b4ffc61b2968a3fda680c00432c EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.read_key_as(bytea,text[],text,text,text,text,uuid,text,uuid) RETURNS TABLE(in_session boolean, bucket_id text, name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, public boolean) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 b1202f99d444efc4cd470f17ca1d8c04 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.read_object_as(text,text,text,text,text,text) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, owner_id text, version_id uuid, user_metadata jsonb, created_at timestamp with time zone, public boolean) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 34482276b932e42a5130290c25dda967 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.read_render_as(text,text,text,text,jsonb) RETURNS TABLE(object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, sha256 bytea, cache_control text, updated_at timestamp with time zone, variant_status text, public boolean, is_image boolean, variant_id uuid, source_id uuid, source_key text, source_backend text, source_size bigint, source_type text) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 865184653fa6dc7ec5b9a4e4b6fefb8e EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.rebuild_variants(text,text,integer,text,boolean,boolean) RETURNS record plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0c2f74577a74c99d1041975ab9051b85 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.regions_of_buckets() RETURNS TABLE(id text, backend text, region text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9c90f8ce7308c5b72657db91794f171b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.register_signed_url(storage.signed_urls) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 e7c00a4843fc1468759a413f7ee8f17a EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.render_begin(uuid,text,text,jsonb,uuid,double precision) RETURNS record plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 2b71b1c8aaad6d05cf704627f2f0138d EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.render_commit(uuid,uuid,bigint,bytea,text,integer,integer) RETURNS text plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5fb2879134bdf5044b148b276dc68012 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.render_fail(uuid,text,boolean,double precision) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f246d9cac6da60f0bde96b73b444d3a5 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.render_give_up(uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 619f70bd3bc2168bdf3bdb214d14ed18 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.render_intent(uuid,text,text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 214762cf4fc4e1da88cd3418194177d0 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.render_is_leased(uuid,text) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 2d7c9a2409d34613174347b03757a219 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.render_location(uuid,text) RETURNS TABLE(is_image boolean, variant_id uuid, status text, key text, backend text, size bigint, content_type text, sha256 bytea) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 25332bd5c093839acebffb3d314e2765 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.renders_used(uuid[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7fa158e6b7f16394255795eb4ab399cc EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.request_failed(uuid,text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7ff7033660a1feebb73a650b0acb8ca8 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.requests_signed(uuid[],text[],text[],jsonb[],timestamp with time zone[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off md5 f65417550be2a9323fa2443c452e9319 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.requests_to_sign(uuid[]) RETURNS TABLE(id uuid, is_signed boolean, key text, backend text, file_type text, file_size bigint, sha256 bytea, expiry_seconds integer, put_guard text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, enable_seqscan=off md5 96aefc25dc2effac61f9412cbae6734c EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.requeue_checks(integer) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5662a7b4c1b8264ad31cff29ddbfb185 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.requeue_variants(integer) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c5d08e408a0116d44354d817fea7da66 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.session_caller(bytea,text[]) RETURNS record plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 491c2cba4fe6b60fe8d326e16ea4062c EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.setting(text) RETURNS text sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 51f65a8f6c390abc48a91426156afad0 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.sign_object_as(text,text,text,text,text,uuid,text,integer,integer) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 12aa10629898efc519b48088a18edd5c EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.sign_objects_as(text,text,text,text[]) RETURNS record plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 2395333f013447621b4e3782c5712dab EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.sign_request(uuid) RETURNS text plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 01cf5697c7e0d7a53562fba3a7e42c1a EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.sign_upload(uuid,text,text,text,text,boolean,interval,jsonb,bigint) RETURNS timestamp with time zone plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 f5a04164376c0d32f352572d8af2de4c EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.signed_at_once(metadata.file_upload_requests,text,text,integer) RETURNS metadata.file_upload_requests plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b6277490ceaba1a2d3580aebf449a0a6 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.signing_keys_store(text,jsonb,text) RETURNS record plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b64ea26bb568cadcd19096de47c2c2c9 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.similar_versions(uuid,integer) RETURNS TABLE(version_id uuid, distance integer) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 7a73b3d504701abd795661dbd409f4eb EXECUTE authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.store_blob(storage.uploads,bytea) RETURNS storage.uploads plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b3b7e8d699cfa227b71a24a50c41066f EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.store_upload_of(uuid) RETURNS text sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 979ed0ca61fca172c1a1e9dfc3f822d1 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.sweep_expired(integer) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 d50052146586a77aea2480e79cc9eefe EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.sweep_renders(integer) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 ec5cec4ba54b303d689378a8c3745edc EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.sweep_signed_urls(integer) RETURNS bigint sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 bd8997bdc5a50e10a8cc648fd3ee7ba7 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.sweep_unreferenced(interval,integer,integer) RETURNS record plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_custom_plan md5 91627dc3efa9b9ee2a485863036a21fa EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.take_from_history(bigint) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f1e25d935c6c7d4af37aa08ad3e51fbb EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.take_prepared(storage.uploads,bigint,bytea,text,text) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 6fd6485cf1d4af9a602e69787dbc6bfa EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.take_ticket(storage.uploads,bytea,text) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f86e1b9caef85217afd1911509868124 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.take_upload(uuid,bigint,bytea,text,text) RETURNS storage.uploads plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f9d1340cfd89ec7162d06b7165710f55 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.tell_of_quarantine(uuid,text,text,jsonb) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 11cebc4034e6cabee951ca0e2a085fa9 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.ticket(uuid,text) RETURNS storage.upload_tickets plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 53f8cfaf637832ed5e3e43a571ff95e8 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.tombstones_due(text,integer) RETURNS TABLE(id uuid, key text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0f48758fd5aea4c0582055c25d7f1abc EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.tombstones_forget(uuid[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 b4ae5a72aef7d5bebd9b901e1e3bbed4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.trim_renders(text) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_custom_plan md5 05e654489d2c39e7f930dbd26d1bf3da EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.unreported_uploads(interval,integer) RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 20321ee941df04af349051c73947e1e6 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.unscanned() RETURNS TABLE(version_id uuid, kind text, requested_at timestamp with time zone, checked_at timestamp with time zone) sql STABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.upload_holds(text,text,jsonb) RETURNS boolean plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 fe0c99f4a34606c6a2cdd42e0ae3467f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.upload_to_complete(uuid) RETURNS TABLE(backend text, key text, content_type text, size_max bigint, expires_at timestamp with time zone, url_expires_at timestamp with time zone, declared_size bigint, sha256 bytea, sha256_is_signed boolean, put_guard text, put_key text, store_id text, part_size bigint, part_count integer, named_parts jsonb, is_asked_for boolean, is_for_entity boolean) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 fde17019eddced7e36fcb0537c42dfbc EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.url_seconds(bigint) RETURNS integer sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 d5db6431bc4be6bafb63f241ec858094 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.url_seconds(bigint,integer,integer) RETURNS integer sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.uuid_v7() RETURNS uuid sql VOLATILE SET search_path=pg_catalog, pg_temp md5 798cd73c45bc29935ca839bbd5fbf42b EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.variant_error(text,text,uuid,text) RETURNS text sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9aa0f3270165d14efc682ab32afe0c04 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variant_holds(uuid,text,text,uuid,text,text,jsonb,text) RETURNS boolean plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 2884a856dbfd03de44f426ce620ac37d EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variant_job_waits(uuid) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9c7003e08fe633901d2a5bd34174ceab EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variant_params(storage.variant_presets) RETURNS jsonb sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 482432ea72aadb6fbb416078c4fef659 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_begin(uuid,uuid[],uuid[],text,text[]) RETURNS uuid[] plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c83c5359bb344c3359b47d5ec551850f EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_commit(uuid,jsonb) RETURNS integer plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 0f973f92c6986db932d7e4f491697e2a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_fail(uuid,text) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 fc0d7d774aa9cd14afd27e496c77661b EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_fail(uuid,uuid[],text,text,boolean) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a9e8741693f21dcdf1e45c5a21fb30d0 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_not_applicable(uuid,uuid[]) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 abb791e1398cc2cfa6ccf3050d3b9ec0 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_to_make(uuid) RETURNS TABLE(key text, backend text, size bigint, content_type text, is_public boolean, variants jsonb) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 04899210804f8ba356e9b0f5437b7ab7 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.variants_wanted(text,text) RETURNS boolean sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 db3c6bc87e85bd485c8e3fff42f2fcd2 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_copy_abandon(uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 51fad4b890275778972ba3ca84ae176a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_copy_begin(uuid,text,text,uuid,text,interval) RETURNS TABLE(key text, size bigint, sha256 bytea, target_key text) plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 c3b6b1ab908fcb8d782597a0b2d09e3a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_copy_commit(uuid,text,text,uuid,text,interval) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 57098877b677ce3d3dd023d642205db4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_holds(text,bigint,bytea,timestamp with time zone,timestamp with time zone) RETURNS boolean plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 a0213421613c3856a81a831e1daf691e EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_is_referenced(uuid) RETURNS boolean sql STABLE SET search_path=pg_catalog, pg_temp md5 a0ba6721a0e3a79dc60ed015d31df451 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_location(uuid) RETURNS TABLE(key text, backend text, content_type text, detected_type text, size bigint, sha256 bytea) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 583925a26d31cef86dcc00a5dbca483c EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.version_of_file(uuid) RETURNS uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 143934a8d34763929bcda32945c302b4 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_quarantine(uuid) RETURNS TABLE(cause text, reason text) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 5b2ee55809fc1fd7dd147d8bffc4c6b8 EXECUTE anon,authenticated,rowlock_owner,rowlock_worker,service_role;
FUNCTION storage_internal.version_rechecked(uuid) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 ceaeb5c14a001f1b754d241133426084 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.version_to_recheck(uuid) RETURNS TABLE(backend text, key text, etag text) sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 502c1f7179dd33a38f1614b9ae312223 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.versions_to_recheck(integer) RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 ee9f0fc7fd1468ade0427723ac880105 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.watch_put(storage.uploads) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 2051fda64d8236286345a66e1c19298a EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.watermark_source(uuid) RETURNS jsonb sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 dad0798f7bc8476e8483a8aee878e926 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.withhold_locations(uuid[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 8c4fab65ecdda4937525109f969ab6f6 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.withhold_unconsented(uuid,uuid) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9e58fac55e89c202827e2550e9413a59 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.without_secrets(text) RETURNS text sql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 44e8a591c96ae8d092b4859e083a41dc EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.write_request(text,text,text,text,uuid,bigint,text,boolean,text,boolean,bigint) RETURNS metadata.file_upload_requests plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 a54972d472507279c985e88853dd18c9 EXECUTE rowlock_owner,rowlock_worker;
FUNCTION storage_internal.written_object(text,text,uuid) RETURNS storage.objects plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 9010f8d7cd11892b8f6ed89932bf58f4 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.zip_page_as(text,text,text,text,text,text,integer) RETURNS TABLE(name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, updated_at timestamp with time zone, is_prefix boolean) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp, plan_cache_mode=force_generic_plan md5 8f7d0b936130261890723681ed15f855 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_internal.zip_totals_as(text,text,text,text,text,integer) RETURNS TABLE(object_count bigint, bytes numeric) plpgsql VOLATILE SET search_path=pg_catalog, pg_temp md5 8aad5f006586989b5d05d313f48601e3 EXECUTE rowlock_authenticator,rowlock_owner,rowlock_worker;
FUNCTION storage_sign.answer_terms(text,text,text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner;
FUNCTION storage_sign.assert_terms(integer,integer,integer) RETURNS boolean plpgsql IMMUTABLE SET search_path=pg_catalog, pg_temp md5 253d1b8c80a9175c2261a114405d1641 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage_sign.attachment(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner;
FUNCTION storage_sign.is_active_type(text) RETURNS boolean sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner;
FUNCTION storage_sign.key_of(text,timestamp with time zone) RETURNS storage.s3_signing_keys sql STABLE SET search_path=pg_catalog, pg_temp md5 98eefeda01230199ecf7b88a2a7de9c4 EXECUTE rowlock_owner;
FUNCTION storage_sign.put_url(storage.s3_signing_keys,text,timestamp with time zone,integer,text,bigint,text,text) RETURNS text plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 2bcfe103fa156960bf7582b63a93a6a4 EXECUTE rowlock_owner;
FUNCTION storage_sign.refuse_keyless(text) RETURNS text plpgsql STABLE SET search_path=pg_catalog, pg_temp md5 7d486caa231e9909b17fae29bf9c29a1 EXECUTE rowlock_owner;
FUNCTION storage_sign.sign(uuid,integer,text) RETURNS text plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 95adc245604418c89a2cab4551bdf309 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage_sign.sign_many(uuid[],integer,text[]) RETURNS SETOF text plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 611ffde435d5a038857d6d8a50489bc9 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage_sign.sign_parts(uuid,integer[],integer) RETURNS TABLE(part_number integer, size bigint, url text) plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 f2bfbfda8f07550fd4498500f27bbd47 EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage_sign.sign_put(uuid,integer) RETURNS text plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp md5 d2b47daf7fea18f60672c54821a08b2b EXECUTE anon,authenticated,rowlock_owner,service_role;
FUNCTION storage_sign.uri_encode(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner;
FUNCTION storage_sign.uri_encode_bytes(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner;
FUNCTION storage_sign.uri_encode_path(text) RETURNS text sql IMMUTABLE md5 23d33884d600e542d097cd3933df2ae4 EXECUTE rowlock_owner;

-- Triggers

CREATE TRIGGER file_request_opened BEFORE INSERT ON metadata.file_upload_requests FOR EACH ROW WHEN (((new.upload_id IS NULL) AND (new.status = 'pending'::text))) EXECUTE FUNCTION storage.file_request_opened();
CREATE TRIGGER file_requested AFTER INSERT ON metadata.file_upload_requests REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.file_requested();
CREATE TRIGGER file_consent_withdrawn AFTER UPDATE OF consent_location ON metadata.files FOR EACH ROW WHEN ((old.consent_location AND (NOT new.consent_location))) EXECUTE FUNCTION storage.file_consent_withdrawn();
CREATE TRIGGER files_deleted AFTER DELETE ON metadata.files REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.files_deleted();
CREATE TRIGGER audit_log_keeps_deleted AFTER DELETE ON storage.audit_log REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_is_kept();
CREATE TRIGGER audit_log_keeps_updated BEFORE UPDATE OR TRUNCATE ON storage.audit_log FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_is_kept();
CREATE TRIGGER bucket_consent_withdrawn AFTER UPDATE OF locations ON storage.buckets FOR EACH ROW WHEN (((new.locations <> old.locations) AND (new.locations <> 'always'::text))) EXECUTE FUNCTION storage.bucket_consent_withdrawn();
CREATE TRIGGER buckets_checked BEFORE INSERT OR UPDATE ON storage.buckets FOR EACH ROW EXECUTE FUNCTION storage.buckets_checked();
CREATE TRIGGER buckets_created AFTER INSERT ON storage.buckets REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.buckets_changed();
CREATE TRIGGER buckets_deleted AFTER DELETE ON storage.buckets REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.buckets_changed();
CREATE TRIGGER buckets_fill BEFORE INSERT OR UPDATE ON storage.buckets FOR EACH ROW EXECUTE FUNCTION storage.buckets_fill();
CREATE TRIGGER buckets_quota_changed AFTER UPDATE ON storage.buckets FOR EACH ROW WHEN (((((new.quota_bytes IS DISTINCT FROM old.quota_bytes) OR (new.quota_objects IS DISTINCT FROM old.quota_objects)) OR (new.owner_quota_bytes IS DISTINCT FROM old.owner_quota_bytes)) OR (new.owner_quota_objects IS DISTINCT FROM old.owner_quota_objects))) EXECUTE FUNCTION storage.quota_bucket_changed();
CREATE TRIGGER buckets_quota_set AFTER INSERT ON storage.buckets FOR EACH ROW WHEN ((num_nonnulls(new.quota_bytes, new.quota_objects, new.owner_quota_bytes, new.owner_quota_objects) > 0)) EXECUTE FUNCTION storage.quota_bucket_changed();
CREATE TRIGGER buckets_y_audit AFTER INSERT OR DELETE OR UPDATE ON storage.buckets FOR EACH ROW EXECUTE FUNCTION storage.audit_buckets();
CREATE TRIGGER history_deleted AFTER DELETE ON storage.object_history REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.history_deleted();
CREATE TRIGGER history_truncate BEFORE TRUNCATE ON storage.object_history FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();
CREATE TRIGGER history_y_audit AFTER DELETE ON storage.object_history REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_history();
CREATE TRIGGER history_z_quota_deleted AFTER DELETE ON storage.object_history REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.quota_history_deleted();
CREATE TRIGGER object_consent_withdrawn AFTER UPDATE OF user_metadata ON storage.objects FOR EACH ROW WHEN (((old.version_id = new.version_id) AND ((old.user_metadata ->> 'consent_location'::text) = 'true'::text) AND ((new.user_metadata ->> 'consent_location'::text) IS DISTINCT FROM 'true'::text))) EXECUTE FUNCTION storage.object_consent_withdrawn();
CREATE TRIGGER objects_05_arrived AFTER UPDATE ON storage.objects REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_arrived();
CREATE TRIGGER objects_10_history_deleted AFTER DELETE ON storage.objects REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_history();
CREATE TRIGGER objects_10_history_updated AFTER UPDATE ON storage.objects REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_history();
CREATE TRIGGER objects_10_reference BEFORE INSERT OR UPDATE ON storage.objects FOR EACH ROW EXECUTE FUNCTION storage.objects_reference();
CREATE TRIGGER objects_15_checked_inserted AFTER INSERT ON storage.objects REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_checked();
CREATE TRIGGER objects_15_checked_updated AFTER UPDATE ON storage.objects REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_checked();
CREATE TRIGGER objects_20_fill BEFORE INSERT OR UPDATE ON storage.objects FOR EACH ROW EXECUTE FUNCTION storage.objects_fill();
CREATE TRIGGER objects_deleted AFTER DELETE ON storage.objects REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_deleted();
CREATE TRIGGER objects_inserted AFTER INSERT ON storage.objects REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_inserted();
CREATE TRIGGER objects_limited_inserted AFTER INSERT ON storage.objects REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_limited();
CREATE TRIGGER objects_limited_updated AFTER UPDATE ON storage.objects REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_limited();
CREATE TRIGGER objects_truncate BEFORE TRUNCATE ON storage.objects FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();
CREATE TRIGGER objects_updated AFTER UPDATE ON storage.objects REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_updated();
CREATE TRIGGER objects_y_audit_deleted AFTER DELETE ON storage.objects REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_objects();
CREATE TRIGGER objects_y_audit_inserted AFTER INSERT ON storage.objects REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_objects();
CREATE TRIGGER objects_y_audit_updated AFTER UPDATE ON storage.objects REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_objects();
CREATE TRIGGER objects_z_quota_deleted AFTER DELETE ON storage.objects REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.quota_objects_changed();
CREATE TRIGGER objects_z_quota_inserted AFTER INSERT ON storage.objects REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.quota_objects_changed();
CREATE TRIGGER objects_z_quota_updated AFTER UPDATE ON storage.objects REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.quota_objects_changed();
CREATE TRIGGER signed_url_revocations_fill BEFORE INSERT ON storage.signed_url_revocations FOR EACH ROW EXECUTE FUNCTION storage.signed_url_revocations_fill();
CREATE TRIGGER signed_url_revocations_follow AFTER INSERT ON storage.signed_url_revocations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.signed_url_revocations_follow();
CREATE TRIGGER signed_url_revocations_y_audit AFTER INSERT ON storage.signed_url_revocations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_revocations();
CREATE TRIGGER uploads_quota_begun BEFORE INSERT ON storage.uploads FOR EACH ROW EXECUTE FUNCTION storage.quota_upload_begun();
CREATE TRIGGER uploads_quota_gone AFTER DELETE ON storage.uploads FOR EACH ROW WHEN (((old.reserved_in IS NOT NULL) AND (NOT old.reserved_settled))) EXECUTE FUNCTION storage.quota_upload_gone();
CREATE TRIGGER uploads_truncate BEFORE TRUNCATE ON storage.uploads FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();
CREATE TRIGGER variant_presets_inserted AFTER INSERT ON storage.variant_presets REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.variant_presets_bounded();
CREATE TRIGGER variant_presets_updated AFTER UPDATE ON storage.variant_presets REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.variant_presets_bounded();
CREATE TRIGGER variants_transition BEFORE UPDATE ON storage.variants FOR EACH ROW WHEN (((old.status <> new.status) AND (((((((((((((old.status <> 'pending'::text) OR (new.status <> 'processing'::text)) AND ((old.status <> 'pending'::text) OR (new.status <> 'failed'::text))) AND ((old.status <> 'pending'::text) OR (new.status <> 'not_applicable'::text))) AND ((old.status <> 'processing'::text) OR (new.status <> 'completed'::text))) AND ((old.status <> 'processing'::text) OR (new.status <> 'failed'::text))) AND ((old.status <> 'processing'::text) OR (new.status <> 'pending'::text))) AND ((old.status <> 'processing'::text) OR (new.status <> 'not_applicable'::text))) AND ((old.status <> 'failed'::text) OR (new.status <> 'pending'::text))) AND ((old.status <> 'failed'::text) OR (new.status <> 'processing'::text))) AND ((old.status <> 'failed'::text) OR (new.status <> 'not_applicable'::text))) AND ((old.status <> 'completed'::text) OR (new.status <> 'pending'::text))) AND ((old.status <> 'not_applicable'::text) OR (new.status <> 'pending'::text))))) EXECUTE FUNCTION storage.variants_refuse_transition();
CREATE TRIGGER versions_truncate BEFORE TRUNCATE ON storage.versions FOR EACH STATEMENT EXECUTE FUNCTION storage.refuse_truncate();

-- Policies

POLICY requests_read_own ON metadata.file_upload_requests FOR SELECT TO anon,authenticated USING (requested_by = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY requests_service ON metadata.file_upload_requests FOR SELECT TO service_role USING true WITH CHECK -;
POLICY worker_reads ON metadata.file_upload_requests FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY requests_archive_read_own ON metadata.file_upload_requests_archive FOR SELECT TO anon,authenticated USING (requested_by = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY requests_archive_service ON metadata.file_upload_requests_archive FOR SELECT TO service_role USING true WITH CHECK -;
POLICY files_delete ON metadata.files FOR DELETE TO authenticated USING (created_by = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY files_read ON metadata.files FOR SELECT TO anon,authenticated USING ((created_by = ( SELECT storage.caller_id() AS caller_id)) OR ((upload_id IS NULL) AND metadata.files_can_view(entity_type, entity_id, created_by))) WITH CHECK -;
POLICY files_service ON metadata.files FOR ALL TO service_role USING true WITH CHECK true;
POLICY worker_reads ON metadata.files FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY audit_read ON storage.audit_log FOR SELECT TO rowlock_worker,service_role USING true WITH CHECK -;
POLICY worker_reads ON storage.backend_copies FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.backend_copy_failures FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY buckets_change ON storage.buckets FOR UPDATE TO authenticated USING (owner_id = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY buckets_create ON storage.buckets FOR INSERT TO authenticated USING - WITH CHECK (owner_id = ( SELECT storage.caller_id() AS caller_id));
POLICY buckets_delete ON storage.buckets FOR DELETE TO authenticated USING (owner_id = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY buckets_read ON storage.buckets FOR SELECT TO authenticated USING ((policy = 'authenticated'::text) OR (owner_id IS NULL) OR (owner_id = ( SELECT storage.caller_id() AS caller_id)) OR storage.caller_owns_objects_in(id)) WITH CHECK -;
POLICY buckets_read_public ON storage.buckets FOR SELECT TO anon,authenticated USING public WITH CHECK -;
POLICY buckets_service ON storage.buckets FOR ALL TO service_role USING true WITH CHECK true;
POLICY worker_reads ON storage.buckets FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.change_feed FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.changes FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.entities FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.fsck_findings FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.fsck_runs FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY gateway_sessions_end ON storage.gateway_sessions FOR DELETE TO authenticated USING (owner_id = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY gateway_sessions_read ON storage.gateway_sessions FOR SELECT TO authenticated USING (owner_id = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY gateway_sessions_service_end ON storage.gateway_sessions FOR DELETE TO service_role USING true WITH CHECK -;
POLICY gateway_sessions_service_read ON storage.gateway_sessions FOR SELECT TO service_role USING true WITH CHECK -;
POLICY image_locations_read ON storage.image_locations FOR SELECT TO authenticated USING storage.may_see_location(version_id) WITH CHECK -;
POLICY image_locations_service ON storage.image_locations FOR SELECT TO service_role USING true WITH CHECK -;
POLICY image_metadata_read ON storage.image_metadata FOR SELECT TO anon,authenticated,service_role USING (EXISTS ( SELECT FROM storage.objects o WHERE (o.version_id = image_metadata.version_id))) WITH CHECK -;
POLICY worker_reads ON storage.image_metadata FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY multipart_uploads_own ON storage.multipart_uploads FOR SELECT TO anon,authenticated USING (requested_by = ( SELECT storage.caller_id() AS caller_id)) WITH CHECK -;
POLICY multipart_uploads_service ON storage.multipart_uploads FOR SELECT TO service_role USING true WITH CHECK -;
POLICY worker_reads ON storage.multipart_uploads FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY history_purge ON storage.object_history FOR DELETE TO authenticated USING ((owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = object_history.bucket_id) AND (b.owner_id = ( SELECT storage.caller_id() AS caller_id)))))) WITH CHECK -;
POLICY history_read ON storage.object_history FOR SELECT TO authenticated USING ((owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = object_history.bucket_id) AND (b.owner_id = ( SELECT storage.caller_id() AS caller_id)))))) WITH CHECK -;
POLICY history_service ON storage.object_history FOR ALL TO service_role USING true WITH CHECK -;
POLICY worker_reads ON storage.object_history FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY objects_change ON storage.objects FOR UPDATE TO authenticated USING ((owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND ((b.policy = 'authenticated'::text) OR (b.owner_id = ( SELECT storage.caller_id() AS caller_id))))))) WITH CHECK (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND ((b.policy = 'authenticated'::text) OR (b.owner_id IS NULL) OR (b.owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (objects.owner_id = ( SELECT storage.caller_id() AS caller_id))))));
POLICY objects_create ON storage.objects FOR INSERT TO authenticated USING - WITH CHECK ((owner_id = ( SELECT storage.caller_id() AS caller_id)) AND (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND ((b.policy = 'authenticated'::text) OR (b.owner_id IS NULL) OR (b.owner_id = ( SELECT storage.caller_id() AS caller_id)))))));
POLICY objects_delete ON storage.objects FOR DELETE TO authenticated USING ((owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND (b.owner_id = ( SELECT storage.caller_id() AS caller_id)))))) WITH CHECK -;
POLICY objects_read ON storage.objects FOR SELECT TO authenticated USING ((owner_id = ( SELECT storage.caller_id() AS caller_id)) OR (EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND (b.public OR (b.policy = 'authenticated'::text) OR (b.owner_id = ( SELECT storage.caller_id() AS caller_id)))))) OR ((bucket_id = ( SELECT storage.files_bucket() AS files_bucket)) AND storage.may_read_file_of(id))) WITH CHECK -;
POLICY objects_read_public ON storage.objects FOR SELECT TO anon USING ((EXISTS ( SELECT FROM storage.buckets b WHERE ((b.id = objects.bucket_id) AND b.public))) OR ((bucket_id = ( SELECT storage.files_bucket() AS files_bucket)) AND storage.may_read_file_of(id))) WITH CHECK -;
POLICY objects_restore ON storage.objects FOR INSERT TO authenticated USING - WITH CHECK ((COALESCE(current_setting('storage.restoring'::text, true), ''::text) <> ''::text) AND storage.may_restore_into(bucket_id));
POLICY objects_service ON storage.objects FOR ALL TO service_role USING true WITH CHECK true;
POLICY worker_reads ON storage.objects FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.renders FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.settings FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY signed_url_revocations_create ON storage.signed_url_revocations FOR INSERT TO authenticated USING - WITH CHECK ((storage.caller_id() IS NOT NULL) AND CASE scope WHEN 'id'::text THEN ("left"(value, 16) = storage.signed_url_issuer()) WHEN 'issuer'::text THEN (value = storage.signed_url_issuer()) WHEN 'object'::text THEN storage.caller_owns_object((value)::uuid) WHEN 'object_url'::text THEN storage.caller_owns_object(("left"(value, 36))::uuid) ELSE false END);
POLICY signed_url_revocations_service ON storage.signed_url_revocations FOR INSERT TO service_role USING - WITH CHECK true;
POLICY worker_reads ON storage.signed_url_revocations FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY signed_urls_read ON storage.signed_urls FOR SELECT TO authenticated USING ((( SELECT storage.caller_id() AS caller_id) IS NOT NULL) AND ((issuer = ( SELECT storage.signed_url_issuer() AS signed_url_issuer)) OR storage.caller_owns_object(object_id))) WITH CHECK -;
POLICY signed_urls_service ON storage.signed_urls FOR SELECT TO service_role USING true WITH CHECK -;
POLICY worker_reads ON storage.signed_urls FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.sweep_position FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.uploads FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY variant_presets_read ON storage.variant_presets FOR SELECT TO anon,authenticated USING true WITH CHECK -;
POLICY variant_presets_service ON storage.variant_presets FOR ALL TO service_role USING true WITH CHECK true;
POLICY worker_reads ON storage.variant_presets FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY variants_read ON storage.variants FOR SELECT TO anon,authenticated,service_role USING (EXISTS ( SELECT FROM storage.objects o WHERE (o.version_id = variants.source_version_id))) WITH CHECK -;
POLICY worker_reads ON storage.variants FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY version_checks_read ON storage.version_checks FOR SELECT TO authenticated USING storage.caller_owns_version(version_id) WITH CHECK -;
POLICY version_checks_service ON storage.version_checks FOR SELECT TO service_role USING true WITH CHECK -;
POLICY worker_reads ON storage.version_checks FOR SELECT TO rowlock_worker USING true WITH CHECK -;
POLICY worker_reads ON storage.versions FOR SELECT TO rowlock_worker USING true WITH CHECK -;

-- Privileges on tables and columns

GRANT SELECT (consent_location), SELECT (created_at), SELECT (entity_id), SELECT (entity_type), SELECT (error_message), SELECT (file_id), SELECT (file_name), SELECT (file_size), SELECT (file_type), SELECT (id), SELECT (presigned_url), SELECT (property_name), SELECT (put_headers), SELECT (put_key), SELECT (requested_by), SELECT (s3_bucket), SELECT (s3_key), SELECT (sha256), SELECT (status), SELECT (updated_at), SELECT (url_expires_at) ON metadata.file_upload_requests TO anon;
GRANT SELECT (consent_location), SELECT (created_at), SELECT (entity_id), SELECT (entity_type), SELECT (error_message), SELECT (file_id), SELECT (file_name), SELECT (file_size), SELECT (file_type), SELECT (id), SELECT (presigned_url), SELECT (property_name), SELECT (put_headers), SELECT (put_key), SELECT (requested_by), SELECT (s3_bucket), SELECT (s3_key), SELECT (sha256), SELECT (status), SELECT (updated_at), SELECT (url_expires_at) ON metadata.file_upload_requests TO authenticated;
GRANT SELECT ON metadata.file_upload_requests TO rowlock_worker;
GRANT SELECT (consent_location), SELECT (created_at), SELECT (entity_id), SELECT (entity_type), SELECT (error_message), SELECT (file_id), SELECT (file_name), SELECT (file_size), SELECT (file_type), SELECT (id), SELECT (presigned_url), SELECT (property_name), SELECT (put_headers), SELECT (put_key), SELECT (requested_by), SELECT (s3_bucket), SELECT (s3_key), SELECT (sha256), SELECT (status), SELECT (updated_at), SELECT (url_expires_at) ON metadata.file_upload_requests TO service_role;
GRANT SELECT ON metadata.file_upload_requests_archive TO anon;
GRANT SELECT ON metadata.file_upload_requests_archive TO authenticated;
GRANT SELECT ON metadata.file_upload_requests_archive TO service_role;
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
GRANT SELECT ON public.storage_object_versions TO anon;
GRANT SELECT ON public.storage_object_versions TO authenticated;
GRANT SELECT ON public.storage_object_versions TO service_role;
GRANT SELECT ON public.storage_objects TO anon;
GRANT SELECT ON public.storage_objects TO authenticated;
GRANT SELECT ON public.storage_objects TO service_role;
GRANT SELECT ON storage.audit TO rowlock_worker;
GRANT SELECT ON storage.audit TO service_role;
GRANT SELECT ON storage.audit_log TO rowlock_worker;
GRANT SELECT ON storage.audit_log TO service_role;
GRANT SELECT ON storage.backend_copies TO rowlock_worker;
GRANT SELECT ON storage.backend_copy_failures TO rowlock_worker;
GRANT SELECT ON storage.blob_chunks TO rowlock_worker;
GRANT SELECT ON storage.blobs TO rowlock_worker;
GRANT SELECT ON storage.buckets TO anon;
GRANT DELETE, INSERT (allowed_mime_types), INSERT (checks), INSERT (file_size_limit), INSERT (history_keep), INSERT (id), INSERT (inline), INSERT (locations), INSERT (name), INSERT (noncurrent_days), INSERT (overwrite), INSERT (owner_quota_bytes), INSERT (owner_quota_objects), INSERT (policy), INSERT (preset_set), INSERT (public), INSERT (quota_bytes), INSERT (quota_objects), INSERT (scan), INSERT (soft_delete_seconds), INSERT (versioning), SELECT, UPDATE (allowed_mime_types), UPDATE (checks), UPDATE (file_size_limit), UPDATE (history_keep), UPDATE (inline), UPDATE (locations), UPDATE (noncurrent_days), UPDATE (overwrite), UPDATE (owner_quota_bytes), UPDATE (owner_quota_objects), UPDATE (policy), UPDATE (preset_set), UPDATE (public), UPDATE (quota_bytes), UPDATE (quota_objects), UPDATE (scan), UPDATE (soft_delete_seconds), UPDATE (versioning) ON storage.buckets TO authenticated;
GRANT SELECT ON storage.buckets TO rowlock_worker;
GRANT DELETE, INSERT (allowed_mime_types), INSERT (checks), INSERT (file_size_limit), INSERT (history_keep), INSERT (id), INSERT (inline), INSERT (locations), INSERT (name), INSERT (noncurrent_days), INSERT (overwrite), INSERT (owner_quota_bytes), INSERT (owner_quota_objects), INSERT (policy), INSERT (preset_set), INSERT (public), INSERT (quota_bytes), INSERT (quota_objects), INSERT (region), INSERT (scan), INSERT (soft_delete_seconds), INSERT (versioning), SELECT, UPDATE (allowed_mime_types), UPDATE (checks), UPDATE (file_size_limit), UPDATE (history_keep), UPDATE (inline), UPDATE (locations), UPDATE (noncurrent_days), UPDATE (overwrite), UPDATE (owner_quota_bytes), UPDATE (owner_quota_objects), UPDATE (policy), UPDATE (preset_set), UPDATE (public), UPDATE (quota_bytes), UPDATE (quota_objects), UPDATE (region), UPDATE (render_budget), UPDATE (scan), UPDATE (soft_delete_seconds), UPDATE (versioning) ON storage.buckets TO service_role;
GRANT SELECT ON storage.cameras TO authenticated;
GRANT SELECT ON storage.cameras TO rowlock_worker;
GRANT SELECT ON storage.cameras TO service_role;
GRANT SELECT ON storage.change_feed TO rowlock_worker;
GRANT SELECT ON storage.changes TO rowlock_worker;
GRANT SELECT ON storage.entities TO rowlock_worker;
GRANT SELECT ON storage.entity_locations TO rowlock_worker;
GRANT SELECT ON storage.fsck_findings TO rowlock_worker;
GRANT SELECT ON storage.fsck_runs TO rowlock_worker;
GRANT DELETE, SELECT (caller_role), SELECT (created_at), SELECT (expires_at), SELECT (owner_id) ON storage.gateway_sessions TO authenticated;
GRANT DELETE, SELECT (caller_role), SELECT (created_at), SELECT (expires_at), SELECT (owner_id) ON storage.gateway_sessions TO service_role;
GRANT SELECT (accuracy), SELECT (altitude), SELECT (applied), SELECT (latitude), SELECT (longitude), SELECT (state), SELECT (version_id) ON storage.image_locations TO authenticated;
GRANT SELECT (accuracy), SELECT (altitude), SELECT (applied), SELECT (latitude), SELECT (longitude), SELECT (state), SELECT (version_id) ON storage.image_locations TO service_role;
GRANT SELECT (dominant_colour), SELECT (format), SELECT (height), SELECT (orientation), SELECT (thumbhash), SELECT (version_id), SELECT (width) ON storage.image_metadata TO anon;
GRANT SELECT (brightness), SELECT (camera_make), SELECT (camera_model), SELECT (caption), SELECT (contrast), SELECT (copyright), SELECT (creator), SELECT (dhash), SELECT (dominant_colour), SELECT (format), SELECT (height), SELECT (highlights), SELECT (keywords), SELECT (lens_model), SELECT (orientation), SELECT (read_at), SELECT (shadows), SELECT (sharpness), SELECT (taken_at), SELECT (taken_at_local), SELECT (thumbhash), SELECT (title), SELECT (version_id), SELECT (width) ON storage.image_metadata TO authenticated;
GRANT SELECT ON storage.image_metadata TO rowlock_worker;
GRANT SELECT (brightness), SELECT (camera_make), SELECT (camera_model), SELECT (caption), SELECT (contrast), SELECT (copyright), SELECT (creator), SELECT (dhash), SELECT (dominant_colour), SELECT (format), SELECT (height), SELECT (highlights), SELECT (keywords), SELECT (lens_model), SELECT (orientation), SELECT (read_at), SELECT (shadows), SELECT (sharpness), SELECT (taken_at), SELECT (taken_at_local), SELECT (thumbhash), SELECT (title), SELECT (version_id), SELECT (width) ON storage.image_metadata TO service_role;
GRANT SELECT ON storage.migrations TO rowlock_worker;
GRANT SELECT (bucket_id), SELECT (created_at), SELECT (name), SELECT (part_count), SELECT (part_size), SELECT (requested_by), SELECT (size), SELECT (upload_id) ON storage.multipart_uploads TO anon;
GRANT SELECT (bucket_id), SELECT (created_at), SELECT (name), SELECT (part_count), SELECT (part_size), SELECT (requested_by), SELECT (size), SELECT (upload_id) ON storage.multipart_uploads TO authenticated;
GRANT SELECT ON storage.multipart_uploads TO rowlock_worker;
GRANT SELECT (bucket_id), SELECT (created_at), SELECT (name), SELECT (part_count), SELECT (part_size), SELECT (requested_by), SELECT (size), SELECT (upload_id) ON storage.multipart_uploads TO service_role;
GRANT SELECT ON storage.object_history TO anon;
GRANT DELETE, SELECT ON storage.object_history TO authenticated;
GRANT SELECT ON storage.object_history TO rowlock_worker;
GRANT DELETE, SELECT ON storage.object_history TO service_role;
GRANT SELECT ON storage.object_versions TO anon;
GRANT SELECT ON storage.object_versions TO authenticated;
GRANT SELECT ON storage.object_versions TO rowlock_worker;
GRANT SELECT ON storage.object_versions TO service_role;
GRANT DELETE, INSERT (bucket_id), INSERT (cache_control), INSERT (name), INSERT (user_metadata), INSERT (version_id), SELECT, UPDATE (bucket_id), UPDATE (cache_control), UPDATE (name), UPDATE (user_metadata), UPDATE (version_id) ON storage.objects TO anon;
GRANT DELETE, INSERT (bucket_id), INSERT (cache_control), INSERT (name), INSERT (user_metadata), INSERT (version_id), SELECT, UPDATE (bucket_id), UPDATE (cache_control), UPDATE (name), UPDATE (user_metadata), UPDATE (version_id) ON storage.objects TO authenticated;
GRANT SELECT ON storage.objects TO rowlock_worker;
GRANT DELETE, INSERT (bucket_id), INSERT (cache_control), INSERT (name), INSERT (user_metadata), INSERT (version_id), SELECT, UPDATE (bucket_id), UPDATE (cache_control), UPDATE (name), UPDATE (user_metadata), UPDATE (version_id) ON storage.objects TO service_role;
GRANT SELECT ON storage.put_guards TO rowlock_worker;
GRANT SELECT ON storage.quarantine TO rowlock_worker;
GRANT SELECT ON storage.quota_accounts TO rowlock_worker;
GRANT SELECT ON storage.quota_shards TO rowlock_worker;
GRANT SELECT ON storage.quotas TO rowlock_worker;
GRANT SELECT ON storage.renders TO rowlock_worker;
GRANT SELECT ON storage.settings TO rowlock_worker;
GRANT INSERT (scope), INSERT (value) ON storage.signed_url_revocations TO authenticated;
GRANT SELECT ON storage.signed_url_revocations TO rowlock_worker;
GRANT INSERT (scope), INSERT (value) ON storage.signed_url_revocations TO service_role;
GRANT SELECT ON storage.signed_urls TO authenticated;
GRANT SELECT ON storage.signed_urls TO rowlock_worker;
GRANT SELECT ON storage.signed_urls TO service_role;
GRANT SELECT ON storage.sweep_position TO rowlock_worker;
GRANT SELECT ON storage.upload_requesters TO rowlock_worker;
GRANT SELECT ON storage.upload_tickets TO rowlock_worker;
GRANT SELECT ON storage.uploads TO rowlock_worker;
GRANT SELECT ON storage.variant_presets TO anon;
GRANT SELECT ON storage.variant_presets TO authenticated;
GRANT SELECT ON storage.variant_presets TO rowlock_worker;
GRANT DELETE, INSERT, SELECT, UPDATE ON storage.variant_presets TO service_role;
GRANT SELECT (content_type), SELECT (created_at), SELECT (error), SELECT (height), SELECT (id), SELECT (preset), SELECT (size), SELECT (source_version_id), SELECT (status), SELECT (updated_at), SELECT (version_id), SELECT (width) ON storage.variants TO anon;
GRANT SELECT (content_type), SELECT (created_at), SELECT (error), SELECT (height), SELECT (id), SELECT (preset), SELECT (size), SELECT (source_version_id), SELECT (status), SELECT (updated_at), SELECT (version_id), SELECT (width) ON storage.variants TO authenticated;
GRANT SELECT ON storage.variants TO rowlock_worker;
GRANT SELECT (content_type), SELECT (created_at), SELECT (error), SELECT (height), SELECT (id), SELECT (preset), SELECT (size), SELECT (source_version_id), SELECT (status), SELECT (updated_at), SELECT (version_id), SELECT (width) ON storage.variants TO service_role;
GRANT SELECT ON storage.version_checks TO authenticated;
GRANT SELECT ON storage.version_checks TO rowlock_worker;
GRANT SELECT ON storage.version_checks TO service_role;
GRANT SELECT ON storage.versions TO rowlock_worker;

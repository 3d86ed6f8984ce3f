-- Buckets, objects and the bytes behind them. Words as in DESIGN.md section 2.

CREATE FUNCTION storage_internal.uuid_v7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  -- RFC 9562 section 5.7: 48 bits of Unix milliseconds before random bits; a random UUID (version 4, 0100)
  -- becomes version 7 (0111) by setting two bits more of the version's nibble.
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6),
      52, 1), 53, 1),
    'hex')::uuid
$$;

CREATE TABLE storage.settings (
  name text PRIMARY KEY,
  value text NOT NULL,
  description text NOT NULL
);

CREATE TABLE storage.buckets (
  id text COLLATE "C" PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  owner_id text,
  policy text NOT NULL DEFAULT 'private',
  public boolean GENERATED ALWAYS AS (policy = 'public') STORED,
  file_size_limit bigint,
  allowed_mime_types text[],
  overwrite text NOT NULL DEFAULT 'allow',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT buckets_id_is_name CHECK (id = name),
  CONSTRAINT buckets_name_valid CHECK (name ~ '^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$' AND name !~ '\.\.'
    AND name !~ '^\d+\.\d+\.\d+\.\d+$' AND name !~ '^xn--'
    AND name NOT IN ('authenticated', 'copy', 'info', 'list', 'list-v2', 'move', 'public', 'sign', 'upload')),
  CONSTRAINT buckets_policy_known CHECK (policy IN ('private', 'public', 'authenticated')),
  CONSTRAINT buckets_overwrite_known CHECK (overwrite IN ('allow', 'deny')),
  CONSTRAINT buckets_file_size_limit_positive CHECK (file_size_limit > 0)
);

-- One immutable set of bytes. The row, not the purge job, is the truth about what must still be removed.
CREATE TABLE storage.versions (
  id uuid PRIMARY KEY,
  backend text NOT NULL,
  key text COLLATE "C" NOT NULL,
  state text NOT NULL DEFAULT 'writing',
  size bigint,
  sha256 bytea,
  etag text,
  content_type text,
  detected_type text,
  created_at timestamptz NOT NULL DEFAULT now(),
  stored_at timestamptz,
  expires_at timestamptz,
  CONSTRAINT versions_key_used_once UNIQUE (backend, key),
  CONSTRAINT versions_state_known CHECK (state IN ('writing', 'stored', 'purging', 'gone')),
  CONSTRAINT versions_stored_is_measured CHECK (state <> 'stored' OR (size IS NOT NULL AND stored_at IS NOT NULL)),
  CONSTRAINT versions_size_not_negative CHECK (size >= 0),
  CONSTRAINT versions_sha256_is_32_bytes CHECK (octet_length(sha256) = 32),
  CONSTRAINT versions_unstored_expires CHECK (state = 'stored' OR expires_at IS NOT NULL)
);
CREATE INDEX versions_sweep_idx ON storage.versions (expires_at) WHERE state <> 'stored';

-- An intent: bytes for this name may arrive under this version's key until expires_at.
CREATE TABLE storage.uploads (
  id uuid PRIMARY KEY,
  version_id uuid NOT NULL UNIQUE REFERENCES storage.versions (id),
  kind text NOT NULL,
  state text NOT NULL DEFAULT 'open',
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
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT uploads_kind_known CHECK (kind IN ('body', 'direct')),
  CONSTRAINT uploads_state_known CHECK (state IN ('open', 'committing', 'refused'))
);
CREATE INDEX uploads_expires_idx ON storage.uploads (expires_at);

CREATE FUNCTION storage.object_metadata(
  size bigint, content_type text, cache_control text, sha256 bytea, version_id uuid, updated_at timestamptz
) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  -- Immutable although it formats a time: the zone is fixed to UTC.
  SELECT jsonb_build_object(
    'size', size,
    'contentLength', size,
    'mimetype', content_type,
    'cacheControl', coalesce(cache_control, 'no-cache'),
    'eTag', '"' || coalesce(encode(sha256, 'hex'), version_id::text) || '"',
    'lastModified', to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'httpStatusCode', 200)
$$;

CREATE TABLE storage.objects (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  bucket_id text COLLATE "C" NOT NULL REFERENCES storage.buckets (id),
  name text COLLATE "C" NOT NULL,
  owner_id text,
  version_id uuid NOT NULL REFERENCES storage.versions (id),
  size bigint NOT NULL,
  content_type text NOT NULL,
  detected_type text,
  sha256 bytea,
  cache_control text,
  user_metadata jsonb,
  revision bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  last_accessed_at timestamptz NOT NULL DEFAULT now(),
  path_tokens text[] GENERATED ALWAYS AS (string_to_array(name, '/')) STORED,
  version text GENERATED ALWAYS AS (version_id::text) STORED,
  metadata jsonb GENERATED ALWAYS AS (
    storage.object_metadata(size, content_type, cache_control, sha256, version_id, updated_at)
  ) STORED,
  CONSTRAINT objects_bucket_id_name_key UNIQUE (bucket_id, name),
  CONSTRAINT objects_name_length CHECK (octet_length(name) BETWEEN 1 AND 1024),
  CONSTRAINT objects_name_segments CHECK (name !~ '(^|/)\.{0,2}(/|$)'),
  CONSTRAINT objects_name_no_control CHECK (name !~ '[\u0001-\u001f\u007f-\u009f]'),
  CONSTRAINT objects_user_metadata_is_object CHECK (jsonb_typeof(user_metadata) = 'object'),
  -- It is sent again as a header.
  CONSTRAINT objects_cache_control_printable CHECK (cache_control ~ '^[\u0020-\u007e]{1,255}$')
);
CREATE INDEX objects_version_id_idx ON storage.objects (version_id);
CREATE INDEX objects_owner_id_idx ON storage.objects (owner_id, bucket_id) WHERE owner_id IS NOT NULL;

CREATE TABLE storage.variants (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  source_version_id uuid NOT NULL REFERENCES storage.versions (id) ON DELETE CASCADE,
  preset text NOT NULL,
  status text NOT NULL DEFAULT 'pending',
  version_id uuid UNIQUE REFERENCES storage.versions (id),
  width integer,
  height integer,
  error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT variants_one_per_preset UNIQUE (source_version_id, preset),
  CONSTRAINT variants_status_known
    CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'not_applicable')),
  CONSTRAINT variants_completed_has_bytes CHECK ((status = 'completed') = (version_id IS NOT NULL)),
  CONSTRAINT variants_failed_says_why CHECK ((status = 'failed') = (error IS NOT NULL)),
  CONSTRAINT variants_not_its_source CHECK (version_id <> source_version_id)
);

CREATE TABLE storage.image_metadata (
  version_id uuid PRIMARY KEY REFERENCES storage.versions (id) ON DELETE CASCADE,
  width integer NOT NULL,
  height integer NOT NULL,
  format text NOT NULL
);

CREATE TABLE storage.changes (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  type text NOT NULL,
  object_id uuid NOT NULL,
  revision bigint NOT NULL,
  bucket_id text NOT NULL,
  name text NOT NULL,
  owner_id text,
  version_id uuid,
  size bigint,
  content_type text,
  occurred_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT changes_type_known
    CHECK (type IN ('storage.object.created', 'storage.object.updated', 'storage.object.deleted'))
);
CREATE INDEX changes_xid_seq_idx ON storage.changes (xid, seq);

-- Application tables whose rows carry files: a file is visible to whoever can select its entity's row.
CREATE TABLE storage.entities (
  entity_type text PRIMARY KEY,
  relation regclass NOT NULL,
  key_column name NOT NULL,
  key_type regtype NOT NULL
);

INSERT INTO storage.settings (name, value, description) VALUES
  ('files_bucket', 'files', 'the bucket that holds what is uploaded for entities'),
  ('backend', 'disk', 'the backend that new bytes go to'),
  ('upload_url_seconds', '900', 'how long a presigned upload URL lives'),
  ('upload_bytes_max', '5368709120', 'the largest direct upload where the bucket sets no limit, in bytes');

INSERT INTO storage.buckets (id, name) VALUES ('files', 'files');

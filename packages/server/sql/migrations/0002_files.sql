-- The contract with applications that know only PostgREST: files attached to entities, and the requests
-- for their upload URLs. Names, types and order of the first columns are those of deployed systems.

CREATE TABLE :"metadata".files (
  id uuid PRIMARY KEY DEFAULT storage_internal.uuid_v7(),
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  file_name text NOT NULL,
  file_type text NOT NULL,
  file_size bigint NOT NULL,
  s3_key_prefix text GENERATED ALWAYS AS (entity_type || '/' || entity_id || '/' || id::text) STORED,
  s3_original_key text NOT NULL,
  s3_thumbnail_small_key text,
  s3_thumbnail_medium_key text,
  s3_thumbnail_large_key text,
  thumbnail_status text DEFAULT 'pending',
  thumbnail_error text,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  s3_bucket varchar(255) NOT NULL DEFAULT 'civic-os-files',
  property_name text,
  object_id uuid UNIQUE REFERENCES storage.objects (id) ON DELETE CASCADE,
  upload_id uuid,
  width integer,
  height integer,
  CONSTRAINT files_thumbnail_status_check
    CHECK (thumbnail_status IN ('pending', 'processing', 'completed', 'failed', 'not_applicable')),
  CONSTRAINT files_waits_or_has_bytes CHECK (upload_id IS NULL OR object_id IS NULL)
);
CREATE INDEX idx_files_entity ON :"metadata".files (entity_type, entity_id);
CREATE INDEX idx_files_pending ON :"metadata".files (thumbnail_status, created_at)
  WHERE thumbnail_status IN ('pending', 'failed');
CREATE INDEX idx_files_created ON :"metadata".files (created_at DESC);

CREATE TABLE :"metadata".file_upload_requests (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  file_name text NOT NULL,
  file_type text NOT NULL,
  status text DEFAULT 'pending',
  presigned_url text,
  s3_key text,
  file_id uuid,
  error_message text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz DEFAULT now(),
  requested_by text,
  upload_id uuid,
  s3_bucket text,
  CONSTRAINT file_upload_requests_status_check CHECK (status IN ('pending', 'processing', 'completed', 'failed'))
);
CREATE INDEX idx_upload_requests_status ON :"metadata".file_upload_requests (status);
CREATE UNIQUE INDEX file_upload_requests_file_id_idx ON :"metadata".file_upload_requests (file_id);
CREATE UNIQUE INDEX file_upload_requests_upload_id_idx ON :"metadata".file_upload_requests (upload_id);
CREATE INDEX file_upload_requests_entity_idx ON :"metadata".file_upload_requests (entity_type, entity_id);

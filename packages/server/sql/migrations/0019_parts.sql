-- Uploads in parts: what one PUT cannot carry, or should not. Beside the intent, which is a row of storage.uploads as of any
-- direct upload, stands here what its parts are and how the store calls it.

-- Of a request for an upload in parts: the bytes of each part but the last.
ALTER TABLE :"metadata".file_upload_requests ADD COLUMN part_size bigint;

-- It stays as long as its version does: so a completion that is asked for twice is answered twice.
CREATE TABLE storage.multipart_uploads (
  upload_id uuid PRIMARY KEY,
  version_id uuid NOT NULL REFERENCES storage.versions (id) ON DELETE CASCADE,
  bucket_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  -- NULL: the service.
  requested_by text,
  size bigint NOT NULL,
  part_size bigint NOT NULL,
  part_count integer NOT NULL GENERATED ALWAYS AS (((size + part_size - 1) / part_size)::integer) STORED,
  sha256 bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- What the store calls it; NULL until the store has begun it.
  store_id text,
  -- Asked of a worker by somebody who knows only functions: what they said of the parts, and what became of it.
  complete_asked_at timestamptz,
  named_parts jsonb,
  error text,
  -- The same of what has arrived, as it was then.
  list_asked_at timestamptz,
  listed_at timestamptz,
  parts jsonb,
  CONSTRAINT multipart_uploads_one_per_version UNIQUE (version_id),
  CONSTRAINT multipart_uploads_size_bounded CHECK (size BETWEEN 1 AND 5497558138880),
  CONSTRAINT multipart_uploads_part_size_bounded CHECK (part_size BETWEEN 5242880 AND 5368709120),
  CONSTRAINT multipart_uploads_part_count_bounded CHECK (part_count BETWEEN 1 AND 10000),
  CONSTRAINT multipart_uploads_sha256_is_32_bytes CHECK (octet_length(sha256) = 32),
  CONSTRAINT multipart_uploads_store_id_bounded CHECK (octet_length(store_id) <= 1024 AND store_id ~ '^[\u0021-\u007e]+$')
);
CREATE INDEX multipart_uploads_requester_idx ON storage.multipart_uploads (requested_by);

INSERT INTO storage.settings (name, value, description) VALUES
  ('multipart_seconds', '86400', 'how long an upload in parts may take, in seconds'),
  ('multipart_bytes_max', '5497558138880', 'the largest upload in parts where neither its bucket nor a lower upload_bytes_max says less');

-- Several stores of bytes at once: which one a bucket's new bytes go to, bytes that are rows of this database, and the
-- record of what was copied from one store to another.

-- NULL: wherever the server puts new bytes. No application role may write it: whoever owns a bucket does not choose stores.
ALTER TABLE storage.buckets
  ADD COLUMN backend text,
  ADD CONSTRAINT buckets_backend_is_a_name CHECK (backend ~ '^[a-z0-9][a-z0-9_-]{0,62}$');
CREATE INDEX buckets_placed_idx ON storage.buckets (id) WHERE backend IS NOT NULL;

-- The backends that these bytes were on before. What comes back to one of them gets another key there, so that nobody who
-- still means to purge the old bytes can ever reach the new ones.
ALTER TABLE storage.versions ADD COLUMN was_on text[];

-- Bytes that are rows. Without a key a blob is unfinished: nobody sees it.
CREATE TABLE storage.blobs (
  id uuid PRIMARY KEY,
  key text COLLATE "C",
  size bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  touched_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT blobs_key_used_once UNIQUE (key),
  CONSTRAINT blobs_size_not_negative CHECK (size >= 0)
);

-- All chunks of a blob but its last have 256 KiB. EXTERNAL: not compressed, so that a part of a chunk is read alone.
CREATE TABLE storage.blob_chunks (
  blob_id uuid NOT NULL REFERENCES storage.blobs (id) ON DELETE CASCADE,
  place integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (blob_id, place),
  CONSTRAINT blob_chunks_bounded CHECK (place >= 0 AND octet_length(bytes) BETWEEN 1 AND 262144)
);
ALTER TABLE storage.blob_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- `holder`: whoever goes on with a run takes it over, and what another holder says of it is refused.
CREATE TABLE storage.backend_copies (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text NOT NULL,
  target text NOT NULL,
  bucket_id text COLLATE "C",
  prefix text NOT NULL DEFAULT '',
  holder uuid NOT NULL,
  position text COLLATE "C" NOT NULL DEFAULT '',
  progress jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CONSTRAINT backend_copies_go_elsewhere CHECK (source <> target)
);

-- Versions that were not copied and stay where they were.
CREATE TABLE storage.backend_copy_failures (
  run_id bigint NOT NULL REFERENCES storage.backend_copies (id) ON DELETE CASCADE,
  version_id uuid NOT NULL,
  key text NOT NULL,
  reason text NOT NULL,
  detail jsonb NOT NULL,
  failed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, version_id)
);

INSERT INTO storage.settings (name, value, description) VALUES
  ('blob_backend', 'postgres', 'the name of the backend whose bytes are rows of this database'),
  ('blob_upload_bytes_max', '5242880', 'the largest body that upload_blob takes, in bytes');

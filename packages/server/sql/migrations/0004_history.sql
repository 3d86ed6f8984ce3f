-- What names pointed at before: older versions, delete markers, and what was deleted and can still be restored.

ALTER TABLE storage.buckets
  ADD COLUMN versioning text NOT NULL DEFAULT 'off',
  ADD COLUMN soft_delete_seconds integer,
  ADD COLUMN history_keep integer,
  ADD COLUMN noncurrent_days integer,
  -- Since when there may be history here (never cleared), and until when versioning was on.
  ADD COLUMN history_since timestamptz,
  ADD COLUMN versioned_until timestamptz,
  ADD CONSTRAINT buckets_versioning_known CHECK (versioning IN ('off', 'on', 'suspended')),
  ADD CONSTRAINT buckets_soft_delete_seconds_range CHECK (soft_delete_seconds BETWEEN 1 AND 315360000),
  ADD CONSTRAINT buckets_history_keep_range CHECK (history_keep BETWEEN 1 AND 100000),
  ADD CONSTRAINT buckets_noncurrent_days_range CHECK (noncurrent_days BETWEEN 1 AND 36500);

-- One row for each version that a name does not point at any more, and one for each deletion (a delete marker: it has no
-- version). Rows of one name are in the order of `sequence`, since whoever changes an object holds its row. They are
-- written by triggers only and never changed.
CREATE TABLE storage.object_history (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bucket_id text COLLATE "C" NOT NULL REFERENCES storage.buckets (id),
  name text COLLATE "C" NOT NULL,
  object_id uuid NOT NULL,
  version_id uuid REFERENCES storage.versions (id),
  marker_id uuid,
  reason text NOT NULL,
  owner_id text,
  size bigint,
  content_type text,
  detected_type text,
  sha256 bytea,
  cache_control text,
  user_metadata jsonb,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  superseded_at timestamptz NOT NULL DEFAULT now(),
  superseded_by text,
  purge_after timestamptz,
  CONSTRAINT object_history_version_or_marker CHECK ((version_id IS NULL) = (marker_id IS NOT NULL)),
  CONSTRAINT object_history_version_is_measured CHECK (version_id IS NULL OR (size IS NOT NULL AND content_type IS NOT NULL)),
  CONSTRAINT object_history_reason_known CHECK (reason IN ('overwrite', 'delete', 'move'))
);
CREATE INDEX object_history_name_idx ON storage.object_history (bucket_id, name, sequence);
CREATE INDEX object_history_version_idx ON storage.object_history (version_id) WHERE version_id IS NOT NULL;
CREATE INDEX object_history_purge_idx ON storage.object_history (purge_after) WHERE purge_after IS NOT NULL;
CREATE INDEX object_history_marker_idx ON storage.object_history (bucket_id, name, sequence) WHERE marker_id IS NOT NULL;

-- Upload requests that are over: completed ones move to an archive after a week, all others go.

CREATE TABLE :"metadata".file_upload_requests_archive (
  id uuid PRIMARY KEY,
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  file_name text NOT NULL,
  file_type text NOT NULL,
  status text,
  s3_key text,
  file_id uuid,
  error_message text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz,
  requested_by text,
  s3_bucket text,
  file_size bigint,
  property_name text,
  archived_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX file_upload_requests_archive_requester_idx ON :"metadata".file_upload_requests_archive (requested_by, created_at);
CREATE INDEX file_upload_requests_archive_archived_idx ON :"metadata".file_upload_requests_archive USING brin (archived_at);
-- Costs a request next to nothing, and finds the old ones: rows lie in the order in which they came.
CREATE INDEX file_upload_requests_created_idx ON :"metadata".file_upload_requests USING brin (created_at)
  WITH (pages_per_range = 32, autosummarize = on);

INSERT INTO storage.settings (name, value, description) VALUES
  ('upload_requests_keep_days', '7', 'how long a finished upload request stays where it was asked for'),
  ('upload_requests_archive_days', '365', 'how long a completed one is in the archive after that; 0 for ever');

-- What an upload request says of its file beside name and type, what its URL asks of the PUT and until when it is good,
-- and what is needed to count the requests of each user.

ALTER TABLE :"metadata".file_upload_requests
  ADD COLUMN file_size bigint,
  ADD COLUMN property_name text,
  ADD COLUMN consent_location boolean NOT NULL DEFAULT false,
  ADD COLUMN sha256 bytea,
  -- Headers that the PUT must send exactly so, because they are signed.
  ADD COLUMN put_headers jsonb,
  ADD COLUMN url_expires_at timestamptz,
  -- Whether its bytes may still come. A hint that only errs by being true too long.
  ADD COLUMN is_open boolean NOT NULL DEFAULT false,
  -- Whether its client has said what the file is (create_file_record).
  ADD COLUMN is_recorded boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT file_upload_requests_size_not_negative CHECK (file_size >= 0) NOT VALID,
  ADD CONSTRAINT file_upload_requests_sha256_is_32_bytes CHECK (octet_length(sha256) = 32) NOT VALID;
UPDATE :"metadata".file_upload_requests AS r SET is_open = true
FROM storage.uploads AS u WHERE u.id = r.upload_id AND u.state = 'open';
UPDATE :"metadata".file_upload_requests AS r SET is_recorded = true
FROM :"metadata".files AS f WHERE f.id = r.file_id;

-- The requests of the last minute, and those whose bytes may still come, of one user.
CREATE INDEX file_upload_requests_requester_idx ON :"metadata".file_upload_requests (requested_by, created_at);
CREATE INDEX file_upload_requests_open_idx ON :"metadata".file_upload_requests (requested_by) WHERE is_open;

-- One row for each user who asked of late. Its lock is what lets two requests of one user count each other, in every
-- isolation level: '' stands for callers without an id, who are counted together.
CREATE TABLE storage.upload_requesters (
  requested_by text PRIMARY KEY,
  asked_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500);

ALTER TABLE :"metadata".files ADD COLUMN consent_location boolean NOT NULL DEFAULT false;

INSERT INTO storage.settings (name, value, description) VALUES
  ('upload_url_seconds_max', '3600', 'how long a presigned upload URL lives at most, however large the file'),
  ('upload_requests_per_minute', '600', 'upload requests of one user in any sixty seconds; 0 for no limit'),
  ('upload_requests_open_max', '1000', 'upload requests of one user whose bytes may still come; 0 for no limit');
UPDATE storage.settings SET description = 'how long a presigned upload URL lives, in seconds; longer for large files'
WHERE name = 'upload_url_seconds';

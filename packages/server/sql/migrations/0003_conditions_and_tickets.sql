-- Conditions that an upload was sent with, and signed uploads: a ticket lets its holder upload once as who signed it.

ALTER TABLE storage.uploads
  ADD COLUMN if_match text[],
  ADD COLUMN if_none_match text[],
  ADD COLUMN ticket_id uuid;
CREATE INDEX uploads_ticket_id_idx ON storage.uploads (ticket_id) WHERE ticket_id IS NOT NULL;

-- The right was asked when it was signed, and is asked again with true values when the bytes are there. Whoever
-- commits first deletes the row: no bytes and no key belong to a ticket.
CREATE TABLE storage.upload_tickets (
  id uuid PRIMARY KEY,
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
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT upload_tickets_size_max_positive CHECK (size_max > 0),
  CONSTRAINT upload_tickets_sha256_is_32_bytes CHECK (octet_length(sha256) = 32)
);
CREATE INDEX upload_tickets_expires_at_idx ON storage.upload_tickets (expires_at);

-- More words stand where a bucket could in our routes. Buckets that have such a name keep it.
ALTER TABLE storage.buckets DROP CONSTRAINT buckets_name_valid;
ALTER TABLE storage.buckets ADD CONSTRAINT buckets_name_valid
  CHECK (name ~ '^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$' AND name !~ '\.\.'
    AND name !~ '^\d+\.\d+\.\d+\.\d+$' AND name !~ '^xn--'
    AND name NOT IN ('authenticated', 'copy', 'info', 'list', 'list-v2', 'move', 'public', 'restore', 'sign', 'upload',
      'versions', 'zip')) NOT VALID;

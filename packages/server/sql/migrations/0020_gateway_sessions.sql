-- Sessions of the gateway: browsers that asked for files with a cookie instead of a token. Only the hash of a session's id is
-- here, so whoever reads this table cannot use one.

CREATE TABLE storage.gateway_sessions (
  id_hash bytea PRIMARY KEY,
  caller_role text NOT NULL,
  -- As they stood in the token, for the policies.
  caller_claims text NOT NULL,
  owner_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT gateway_sessions_hash_is_32_bytes CHECK (octet_length(id_hash) = 32),
  CONSTRAINT gateway_sessions_end_within_a_day CHECK (expires_at <= created_at + interval '1 day')
);
CREATE INDEX gateway_sessions_owner_idx ON storage.gateway_sessions (owner_id, created_at);
CREATE INDEX gateway_sessions_expires_idx ON storage.gateway_sessions (expires_at);
-- Samples of columns are kept elsewhere in the catalog.
ALTER TABLE storage.gateway_sessions ALTER COLUMN id_hash SET STATISTICS 0, ALTER COLUMN caller_claims SET STATISTICS 0;

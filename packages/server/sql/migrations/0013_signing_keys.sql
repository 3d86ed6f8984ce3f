-- What presigned URLs are signed with inside of the database: the key of one store for one day, derived from its secret,
-- which never comes here. Whoever has such a row can sign anything at that store for that day, so nobody but the functions
-- of storage_sign reads it.

CREATE SCHEMA storage_sign;

CREATE TABLE storage.s3_signing_keys (
  backend text NOT NULL,
  day date NOT NULL,
  region text NOT NULL,
  service text NOT NULL,
  access_key_id text NOT NULL,
  session_token text,
  endpoint text NOT NULL,
  bucket text NOT NULL,
  addressing text NOT NULL,
  -- The same as it is signed: day, region and service; scheme and host, the host, the path in front of the key, and the
  -- parameters in front of the time and behind the expiry.
  scope text NOT NULL,
  origin text NOT NULL,
  host text NOT NULL,
  path_prefix text NOT NULL,
  query_prefix text NOT NULL,
  query_token text NOT NULL,
  -- The header x-amz-acl that uploads are signed with.
  upload_acl text,
  -- HMAC's two pads, each the key mixed with a constant of 64 bytes (RFC 2104).
  inner_pad bytea NOT NULL,
  outer_pad bytea NOT NULL,
  -- A URL ends with the credential behind its key: none is signed in the last five minutes of one.
  valid_from timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  derived_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (backend, day),
  CONSTRAINT s3_signing_keys_addressing_known CHECK (addressing IN ('path', 'virtual')),
  CONSTRAINT s3_signing_keys_pads_are_64_bytes CHECK (octet_length(inner_pad) = 64 AND octet_length(outer_pad) = 64),
  CONSTRAINT s3_signing_keys_begin_before_they_end CHECK (valid_from <= valid_until)
);
-- Samples of columns are kept elsewhere in the catalog.
ALTER TABLE storage.s3_signing_keys ALTER COLUMN inner_pad SET STATISTICS 0, ALTER COLUMN outer_pad SET STATISTICS 0;

-- Signed URLs: those that are counted or kept on a list, and what was revoked. All others have no row anywhere.

-- The first 16 characters of an id say who signed, the others are random. No row ends with its object: a URL names one
-- object only and is over with it, and rows go when their URL has expired.
CREATE TABLE storage.signed_urls (
  id text COLLATE "C" PRIMARY KEY,
  issuer text COLLATE "C" GENERATED ALWAYS AS (left(id, 16)) STORED,
  object_id uuid NOT NULL,
  bucket_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  preset text,
  uses_max integer,
  uses_left integer,
  signed_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  last_used_at timestamptz,
  CONSTRAINT signed_urls_id_form CHECK (id ~ '^[A-Za-z0-9_-]{32}$'),
  CONSTRAINT signed_urls_uses_max_range CHECK (uses_max BETWEEN 1 AND 1000000),
  CONSTRAINT signed_urls_uses_left_range CHECK (uses_left BETWEEN 0 AND uses_max),
  CONSTRAINT signed_urls_counted_or_not CHECK ((uses_max IS NULL) = (uses_left IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX signed_urls_issuer_idx ON storage.signed_urls (issuer);
CREATE INDEX signed_urls_object_idx ON storage.signed_urls (object_id);
CREATE INDEX signed_urls_expires_idx ON storage.signed_urls (expires_at);

-- A URL is refused when a row names it, its issuer, its object, or everything, and is not older than the URL. The forms
-- of `value` exclude each other, so one look into one index asks for all of them.
CREATE TABLE storage.signed_url_revocations (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope text NOT NULL,
  value text COLLATE "C" NOT NULL,
  revoked_before timestamptz NOT NULL,
  revoked_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT signed_url_revocations_value_form CHECK (coalesce(CASE scope
    WHEN 'id' THEN value ~ '^[A-Za-z0-9_-]{32}$'
    WHEN 'issuer' THEN value ~ '^[A-Za-z0-9_-]{16}$'
    WHEN 'object' THEN value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    WHEN 'object_url' THEN value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[A-Za-z0-9_-]{32}$'
    WHEN 'all' THEN value = '*'
  END, false))
);
CREATE INDEX signed_url_revocations_value_idx ON storage.signed_url_revocations (value, revoked_before);
CREATE INDEX signed_url_revocations_expires_idx ON storage.signed_url_revocations (expires_at);

-- What opens a signed URL looks at more now, and a read of the object itself at less.
DROP FUNCTION IF EXISTS storage_internal.signed_object(text, text, uuid, text);
DROP FUNCTION IF EXISTS storage.read_object(text, text, text);

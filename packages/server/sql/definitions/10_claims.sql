-- Who is asking. Claims are set transaction-locally by the server, or by PostgREST, from a verified token.

CREATE OR REPLACE FUNCTION storage.claim(VARIADIC path text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  -- After a transaction that set it the setting is '' and not NULL.
  SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb #>> path
$$;

CREATE OR REPLACE FUNCTION storage.operation() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT nullif(current_setting('storage.operation', true), '')
$$;

-- What policies written for Supabase Storage call, under the same names.

CREATE OR REPLACE FUNCTION storage.foldername(name text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT parts[1:cardinality(parts) - 1] FROM string_to_array(name, '/') AS parts
$$;

CREATE OR REPLACE FUNCTION storage.filename(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT parts[cardinality(parts)] FROM string_to_array(name, '/') AS parts
$$;

CREATE OR REPLACE FUNCTION storage.extension(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT substring(storage.filename(name) FROM '\.([^.]*)$')
$$;

-- Who is asking. Claims are set transaction-locally by the server, or by PostgREST, from a verified token.
-- BEGIN ATOMIC rather than SET search_path: both are safe, and only this is inlined into the policies that ask.

CREATE OR REPLACE FUNCTION storage.claim(VARIADIC path text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  -- After a transaction that set it the setting is '' and not NULL.
  SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb #>> path;
END;

CREATE OR REPLACE FUNCTION storage.operation() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT nullif(current_setting('storage.operation', true), '');
END;

-- Functions that an application's policies call may name its tables without a schema. Ours search nothing but
-- pg_catalog; each calls this right before the statement that policies judge, and it lasts until that function returns.
-- The path is `public, pg_temp`, or what `ALTER ROLE rowlock_authenticator SET storage.search_path = …` says.
CREATE OR REPLACE FUNCTION storage.search_as_caller() RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT set_config('search_path', coalesce(nullif(current_setting('storage.search_path', true), ''), 'public, pg_temp'), true);
END;

-- What policies written for Supabase Storage call, under the same names.

CREATE OR REPLACE FUNCTION storage.foldername(name text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT parts[1:cardinality(parts) - 1] FROM string_to_array(name, '/') AS parts;
END;

CREATE OR REPLACE FUNCTION storage.filename(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT parts[cardinality(parts)] FROM string_to_array(name, '/') AS parts;
END;

CREATE OR REPLACE FUNCTION storage.extension(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT substring(storage.filename(name) FROM '\.([^.]*)$');
END;

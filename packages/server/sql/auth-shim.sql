-- auth.uid(), auth.role() and auth.jwt() for policies written for Supabase, where they are absent.

CREATE SCHEMA IF NOT EXISTS auth;
GRANT USAGE ON SCHEMA auth TO :"anon", :"authenticated", :"service_role";

DO $shim$
BEGIN
  IF to_regprocedure('auth.uid()') IS NULL THEN
    CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS 'SELECT storage.claim(''sub'')::uuid';
    GRANT EXECUTE ON FUNCTION auth.uid() TO PUBLIC;
  END IF;
  IF to_regprocedure('auth.role()') IS NULL THEN
    CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS 'SELECT storage.claim(''role'')';
    GRANT EXECUTE ON FUNCTION auth.role() TO PUBLIC;
  END IF;
  IF to_regprocedure('auth.jwt()') IS NULL THEN
    CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS 'SELECT nullif(current_setting(''request.jwt.claims'', true), '''')::jsonb';
    GRANT EXECUTE ON FUNCTION auth.jwt() TO PUBLIC;
  END IF;
END
$shim$;

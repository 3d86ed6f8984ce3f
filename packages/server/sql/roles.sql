-- The roles and schemas that everything else stands on. Runs as whoever runs `rowlock migrate`, before
-- anything is created, and on every migrate: each step does nothing where its result is there already.
--
-- Needs: CREATEROLE where a role is missing, and ownership of the database. No superuser.
-- Variables (psql style): "metadata" "api" "anon" "authenticated" "service_role".

-- Whoever may create functions in a schema of the session's path could otherwise have theirs run by whoever migrates.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);

DO $roles$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN
    SELECT * FROM (VALUES
      ('rowlock_owner', 'NOLOGIN'),
      ('rowlock_authenticator', 'LOGIN NOINHERIT'),
      ('rowlock_worker', 'LOGIN NOINHERIT'),
      (:'anon', 'NOLOGIN'),
      (:'authenticated', 'NOLOGIN'),
      (:'service_role', 'NOLOGIN')
    ) AS role (name, options)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted.name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.options);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- another migrate on this server was faster: the role is there, which is what was wanted
      END;
    END IF;
  END LOOP;

  -- The migrating role must be able to act as the owner; the login roles as each application role: the API for
  -- live callers, the worker for uploads that it commits with the role and claims that their intent stored.
  -- Membership alone is not enough from PostgreSQL 16 on, so it is tried.
  BEGIN
    SET LOCAL ROLE rowlock_owner;
    RESET ROLE;
  EXCEPTION WHEN insufficient_privilege THEN
    EXECUTE format('GRANT rowlock_owner TO %I', current_user);
  END;
  FOR wanted IN
    SELECT role AS name, login AS options
    FROM unnest(ARRAY[:'anon', :'authenticated', :'service_role']) AS role,
      unnest(ARRAY['rowlock_authenticator', 'rowlock_worker']) AS login
  LOOP
    IF NOT EXISTS (
      SELECT FROM pg_catalog.pg_auth_members
      WHERE roleid = quote_ident(wanted.name)::regrole AND member = wanted.options::regrole
    ) THEN
      EXECUTE format('GRANT %I TO %I', wanted.name, wanted.options);
    END IF;
  END LOOP;

  -- The worker's own statements, the queue's among them, must find nothing that somebody made in another schema. The
  -- API keeps the usual path: functions of an application that its policies call may rely on it.
  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_db_role_setting
    WHERE setrole = 'rowlock_worker'::regrole AND setdatabase = 0 AND setconfig @> ARRAY['search_path=pg_catalog, pg_temp']
  ) THEN
    BEGIN
      ALTER ROLE rowlock_worker SET search_path = pg_catalog, pg_temp;
    EXCEPTION WHEN unique_violation THEN
      NULL; -- another migrate on this server was faster
    END;
  END IF;
END
$roles$;

DO $schemas$
DECLARE
  wanted text;
BEGIN
  EXECUTE format('GRANT CREATE ON DATABASE %I TO rowlock_owner', current_database());
  FOREACH wanted IN ARRAY ARRAY['storage', 'storage_internal', :'metadata'] LOOP
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION rowlock_owner', wanted);
  END LOOP;
  EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', :'api');
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO rowlock_owner', :'api');
  FOREACH wanted IN ARRAY ARRAY[:'anon', :'authenticated', :'service_role'] LOOP
    IF NOT has_schema_privilege(wanted, :'api', 'USAGE') THEN
      EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', :'api', wanted);
    END IF;
  END LOOP;
END
$schemas$;

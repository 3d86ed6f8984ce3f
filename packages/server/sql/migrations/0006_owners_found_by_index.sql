-- `owner_id = storage.caller_id()` under row-level security is found by the index on owners only where PostgreSQL knows
-- that the comparison tells nothing of a row that is hidden; it does not look into COALESCE, and looks into CASE. A
-- function that somebody put in the place of ours stays.
DO $caller_id$
DECLARE
  ours regprocedure := to_regprocedure('storage.caller_id()');
BEGIN
  IF ours IS NOT NULL AND pg_get_function_sqlbody(ours) ~
    'SELECT\s+COALESCE\(storage\.claim\(VARIADIC ARRAY\[''sub''::text\]\), storage\.claim\(VARIADIC ARRAY\[''user''::text, ''user_id''::text\]\)\)'
  THEN
    CREATE OR REPLACE FUNCTION storage.caller_id() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
      SELECT CASE WHEN storage.claim('sub') IS NOT NULL THEN storage.claim('sub') ELSE storage.claim('user', 'user_id') END;
    END;
  END IF;
END
$caller_id$;

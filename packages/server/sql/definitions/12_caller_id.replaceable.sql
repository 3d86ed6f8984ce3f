-- Whose files these are: the `sub` claim, or the numeric user id of tokens that nest it. CASE and not COALESCE: under
-- row-level security PostgreSQL uses an index for `owner_id = storage.caller_id()` only with it.
CREATE FUNCTION storage.caller_id() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN storage.claim('sub') IS NOT NULL THEN storage.claim('sub') ELSE storage.claim('user', 'user_id') END;
END;

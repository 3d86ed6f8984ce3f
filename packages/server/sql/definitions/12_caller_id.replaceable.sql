-- Whose files these are: the `sub` claim, or the numeric user id of tokens that nest it.
CREATE FUNCTION storage.caller_id() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(storage.claim('sub'), storage.claim('user', 'user_id'));
END;

-- Who is told that an object is gone from a place, or a bucket gone, and sees sizes of versions that were overwritten:
-- the owner of the object, whoever owned the bucket then, and the service. Asked for each change that the caller cannot
-- see as it is; what is shown of a removal is its id and its bucket.
CREATE FUNCTION storage.can_see_removed(change storage.changes) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_has_role(current_user, :'service_role', 'MEMBER')
    OR change.owner_id = storage.caller_id()
    OR change.bucket_owner_id = storage.caller_id()
$$;

-- Who may give an object another name or bucket: the owner of the object or of the bucket it leaves.
CREATE FUNCTION storage.may_move(old storage.objects, new storage.objects) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_has_role(current_user, :'service_role', 'MEMBER')
    OR old.owner_id = storage.caller_id()
    OR EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = old.bucket_id AND b.owner_id = storage.caller_id())
$$;

-- Who may give an object another name or bucket: the owner of the object or of the bucket it leaves. Asked of each object
-- of a folder: what needs no look at a table comes first.
CREATE FUNCTION storage.may_move(old storage.objects, new storage.objects) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF old.owner_id = storage.caller_id() OR pg_has_role(current_user, :'service_role', 'MEMBER') THEN
    RETURN true;
  END IF;
  RETURN EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = old.bucket_id AND b.owner_id = storage.caller_id());
END
$$;

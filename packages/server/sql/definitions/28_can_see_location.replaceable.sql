-- Who may see where a picture was taken, of those who can read its object: its owner and its bucket's.
CREATE FUNCTION storage.can_see_location(object storage.objects) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT object.owner_id = storage.caller_id()
    OR EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = object.bucket_id AND b.owner_id = storage.caller_id())
$$;

-- Whether a bucket has what a browser would run shown instead of saved. Asked for objects that were found already.
CREATE OR REPLACE FUNCTION storage_internal.bucket_inline(wanted text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT b.inline FROM storage.buckets AS b WHERE b.id = wanted
$$;

-- The same rule as in 0002_history.sql, cheaper for every write that restores nothing. Whoever wrote another keeps it.
DO $$
BEGIN
  IF EXISTS (
    SELECT FROM pg_catalog.pg_policies
    WHERE schemaname = 'storage' AND tablename = 'objects' AND policyname = 'objects_restore'
      AND with_check LIKE '%storage.restoring%' AND with_check LIKE '%EXISTS%')
  THEN
    ALTER POLICY objects_restore ON storage.objects WITH CHECK (
      coalesce(current_setting('storage.restoring', true), '') <> '' AND storage.may_restore_into(bucket_id));
  END IF;
END
$$;

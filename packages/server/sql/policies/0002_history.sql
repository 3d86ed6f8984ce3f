-- Who may see, restore and purge what names pointed at before: the owner of the object, the owner of the bucket, and the
-- service. That a bucket is public, or for everybody with a token, says nothing of its history. Ordinary policies,
-- created once: see 0001_shipped.sql.

CREATE POLICY history_read ON storage.object_history FOR SELECT TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id())
    OR EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = bucket_id AND b.owner_id = (SELECT storage.caller_id())));
CREATE POLICY history_purge ON storage.object_history FOR DELETE TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id())
    OR EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = bucket_id AND b.owner_id = (SELECT storage.caller_id())));
CREATE POLICY history_service ON storage.object_history TO :"service_role" USING (true);

-- An object comes back to whom it belonged. Who may create it there restores it; the owner of the bucket also what
-- belongs to others. Inside of storage.restore_object only: a trigger has found the entry that is being restored.
CREATE POLICY objects_restore ON storage.objects FOR INSERT TO :"authenticated"
  WITH CHECK (coalesce(current_setting('storage.restoring', true), '') <> '' AND EXISTS (
    SELECT FROM storage.buckets AS b WHERE b.id = bucket_id AND b.owner_id = (SELECT storage.caller_id())));

CREATE POLICY worker_reads ON storage.object_history FOR SELECT TO rowlock_worker USING (true);

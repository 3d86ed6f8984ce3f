-- Who may see and change which rows: the one place to read. Ordinary policies, created once: whoever replaces or
-- drops one keeps that through every later migrate, and a change that we ship comes as a new file here.

-- Policies of storage.buckets.

CREATE POLICY buckets_read_public ON storage.buckets FOR SELECT TO :"anon", :"authenticated" USING (public);
CREATE POLICY buckets_read ON storage.buckets FOR SELECT TO :"authenticated"
  USING (policy = 'authenticated' OR owner_id IS NULL OR owner_id = (SELECT storage.caller_id())
    OR storage.caller_owns_objects_in(id));
CREATE POLICY buckets_create ON storage.buckets FOR INSERT TO :"authenticated"
  WITH CHECK (owner_id = (SELECT storage.caller_id()));
CREATE POLICY buckets_change ON storage.buckets FOR UPDATE TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id()));
CREATE POLICY buckets_delete ON storage.buckets FOR DELETE TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id()));
CREATE POLICY buckets_service ON storage.buckets TO :"service_role" USING (true) WITH CHECK (true);

-- Policies of storage.objects: the matrix of who reads, writes and deletes.

-- One policy for each role, cheap questions first. Files are asked row by row, and only in their own bucket: as a
-- subquery PostgreSQL may read all files to list one folder.
CREATE POLICY objects_read_public ON storage.objects FOR SELECT TO :"anon"
  USING (EXISTS (SELECT FROM storage.buckets AS b WHERE b.id = bucket_id AND b.public)
    OR (bucket_id = (SELECT storage.files_bucket()) AND storage.may_read_file_of(id)));
CREATE POLICY objects_read ON storage.objects FOR SELECT TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id())
    OR EXISTS (
      SELECT FROM storage.buckets AS b
      WHERE b.id = bucket_id AND (b.public OR b.policy = 'authenticated' OR b.owner_id = (SELECT storage.caller_id())))
    OR (bucket_id = (SELECT storage.files_bucket()) AND storage.may_read_file_of(id)));
CREATE POLICY objects_create ON storage.objects FOR INSERT TO :"authenticated"
  WITH CHECK (owner_id = (SELECT storage.caller_id()) AND EXISTS (
    SELECT FROM storage.buckets AS b
    WHERE b.id = bucket_id
      AND (b.policy = 'authenticated' OR b.owner_id IS NULL OR b.owner_id = (SELECT storage.caller_id()))));
CREATE POLICY objects_change ON storage.objects FOR UPDATE TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id()) OR EXISTS (
    SELECT FROM storage.buckets AS b
    WHERE b.id = bucket_id AND (b.policy = 'authenticated' OR b.owner_id = (SELECT storage.caller_id()))))
  WITH CHECK (EXISTS (
    SELECT FROM storage.buckets AS b
    WHERE b.id = bucket_id
      AND (b.policy = 'authenticated' OR b.owner_id IS NULL OR b.owner_id = (SELECT storage.caller_id())
        OR objects.owner_id = (SELECT storage.caller_id()))));
CREATE POLICY objects_delete ON storage.objects FOR DELETE TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id()) OR EXISTS (
    SELECT FROM storage.buckets AS b WHERE b.id = bucket_id AND b.owner_id = (SELECT storage.caller_id())));
CREATE POLICY objects_service ON storage.objects TO :"service_role" USING (true) WITH CHECK (true);

-- Derived rows are visible with the object that they come from.

CREATE POLICY variants_read ON storage.variants FOR SELECT TO :"anon", :"authenticated", :"service_role"
  USING (EXISTS (SELECT FROM storage.objects AS o WHERE o.version_id = source_version_id));
CREATE POLICY image_metadata_read ON storage.image_metadata FOR SELECT TO :"anon", :"authenticated", :"service_role"
  USING (EXISTS (SELECT FROM storage.objects AS o WHERE o.version_id = image_metadata.version_id));

-- Policies of files and of upload requests. None may read storage.objects: that policy reads files.

CREATE POLICY files_read ON :"metadata".files FOR SELECT TO :"anon", :"authenticated"
  USING (created_by = (SELECT storage.caller_id())
    OR (upload_id IS NULL AND :"metadata".files_can_view(entity_type, entity_id, created_by)));
CREATE POLICY files_delete ON :"metadata".files FOR DELETE TO :"authenticated"
  USING (created_by = (SELECT storage.caller_id()));
CREATE POLICY files_service ON :"metadata".files TO :"service_role" USING (true) WITH CHECK (true);
CREATE POLICY requests_read_own ON :"metadata".file_upload_requests FOR SELECT TO :"anon", :"authenticated"
  USING (requested_by = (SELECT storage.caller_id()));
CREATE POLICY requests_service ON :"metadata".file_upload_requests FOR SELECT TO :"service_role" USING (true);

-- The worker reads everything that it keeps in order, and writes through functions only.

CREATE POLICY worker_reads ON storage.settings FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.buckets FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.objects FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.versions FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.uploads FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.variants FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.image_metadata FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.changes FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.entities FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON :"metadata".files FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON :"metadata".file_upload_requests FOR SELECT TO rowlock_worker USING (true);

-- Uploads in parts: whoever began one goes on with it, and the service with all.

CREATE POLICY multipart_uploads_own ON storage.multipart_uploads FOR SELECT TO :"anon", :"authenticated"
  USING (requested_by = (SELECT storage.caller_id()));
CREATE POLICY multipart_uploads_service ON storage.multipart_uploads FOR SELECT TO :"service_role" USING (true);
CREATE POLICY worker_reads ON storage.multipart_uploads FOR SELECT TO rowlock_worker USING (true);

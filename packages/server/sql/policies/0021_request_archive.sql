-- The archive of upload requests: each sees their own, as in the table that they came from.

CREATE POLICY requests_archive_read_own ON :"metadata".file_upload_requests_archive FOR SELECT TO :"anon", :"authenticated"
  USING (requested_by = (SELECT storage.caller_id()));
CREATE POLICY requests_archive_service ON :"metadata".file_upload_requests_archive FOR SELECT TO :"service_role" USING (true);
